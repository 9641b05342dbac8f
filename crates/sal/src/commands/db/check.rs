//! `sal db check`: the first command of whoever comes from a Django Sal. It changes nothing.

use anyhow::{Context, Result};
use sal_store::schema::{self, Kind, Severity, Standing};
use serde_json::json;

use crate::exit::Exit;
use crate::output;

/// Prints what a server would find, and what it would add; exit code 3 when something needs attention.
pub(super) async fn run(db: &tokio_postgres::Client, as_json: bool) -> Result<Exit> {
    let standing = schema::standing(db).await.context("reading the tables")?;
    if as_json {
        let report = serde_json::to_string_pretty(&report(&standing));
        output::data(&report.context("writing the report")?);
    } else {
        output::data(&text(&standing));
    }
    Ok(if is_fine(&standing) {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}

fn is_fine(standing: &Standing) -> bool {
    let is_sals = matches!(standing.kind, Kind::Original | Kind::Ours);
    is_sals && standing.worst().is_none_or(|worst| worst == Severity::Note)
}

fn report(standing: &Standing) -> serde_json::Value {
    let severity = |severity| match severity {
        Severity::Blocking => "blocking",
        Severity::Attention => "attention",
        Severity::Note => "note",
    };
    let differences = standing
        .differences
        .iter()
        .map(|found| json!({"severity": severity(found.severity), "what": found.what}));
    let names = standing.to_add.iter().map(|addition| addition.name);
    let additions = standing
        .to_add
        .iter()
        .map(|addition| json!({"name": addition.name, "what": addition.what}));
    json!({
        "database": match standing.kind {
            Kind::Empty => "empty",
            Kind::Strange => "not Sal's",
            Kind::Original => "Sal's, untouched by this server",
            Kind::Ours => "Sal's, with additions of this server",
        },
        "sal_tables": matches!(standing.kind, Kind::Original | Kind::Ours),
        "ready": is_fine(standing),
        "differences": differences.collect::<Vec<_>>(),
        "missing_additions": names.collect::<Vec<_>>(),
        "will_add": additions.collect::<Vec<_>>(),
    })
}

fn text(standing: &Standing) -> String {
    let mut lines: Vec<_> = standing
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    lines.push(verdict(standing).to_owned());
    let is_blocked = standing.worst() == Some(Severity::Blocking);
    let is_sals = matches!(standing.kind, Kind::Original | Kind::Ours);
    if is_sals && !is_blocked && !standing.to_add.is_empty() {
        lines.push(match is_fine(standing) {
            true => "`sal serve` will add:".to_owned(),
            false => "`sal serve` would add:".to_owned(),
        });
        let width = standing
            .to_add
            .iter()
            .map(|addition| addition.name.len())
            .max()
            .unwrap_or_default();
        for addition in &standing.to_add {
            lines.push(format!("  {:<width$}  {}", addition.name, addition.what));
        }
        lines.push(
            "No table of Sal's changes, and a Django Sal can run beside it; `sal db take-back NAME` undoes an addition. Maintenance starts with the server and removes rows that Sal's removes, and applications that no machine has; `SAL_JOBS=false` keeps it off."
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn verdict(standing: &Standing) -> &'static str {
    match (standing.kind, standing.worst()) {
        (Kind::Empty, _) => {
            "The database is empty; `sal serve` or `sal db init` makes Sal's tables and this server's own."
        }
        (Kind::Strange, _) => {
            "This is not a Sal database: there are tables in it, and none of Sal's. Check DB_NAME and the search path; `sal db init` would make Sal's tables beside them."
        }
        (_, Some(Severity::Blocking)) => {
            "`sal serve` refuses this database while anything is blocking."
        }
        (_, Some(Severity::Attention)) => {
            "`sal serve` can run on this database; see to what needs attention first."
        }
        (Kind::Original, _) => "This is a Sal 4.4.1 database, and nothing stands in the way.",
        (Kind::Ours, _) if standing.to_add.is_empty() => {
            "The tables are as Sal 4.4.1 leaves them, and this server has nothing to add."
        }
        (Kind::Ours, _) => {
            "The tables are as Sal 4.4.1 leaves them; some of our additions are not there yet."
        }
    }
}
