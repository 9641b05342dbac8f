//! `sal db check`, `sal db init` and `sal db take-back`; `sal db maintain` has a file of its own.

mod maintain;

use anyhow::{Context, Result};
use sal_jobs::by_hand::Mode;
use sal_store::schema::{self, ADDITIONS, Found, Severity};
use serde_json::json;

use crate::cli::Db;
use crate::exit::Exit;
use crate::{commands, output};

/// Runs it.
pub(crate) async fn run(what: Db) -> Result<Exit> {
    if let Db::Maintain {
        job,
        dry_run,
        yes,
        json,
    } = what
    {
        let mode = match (dry_run, yes) {
            (true, _) => Mode::Count,
            (false, true) => Mode::DoAll,
            (false, false) => Mode::Do,
        };
        return maintain::run(&job, mode, json).await;
    }
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    match what {
        Db::Check { json } => check(&db, json).await,
        Db::Init => init(db).await,
        Db::TakeBack { addition } => take_back(&addition, db).await,
        Db::Maintain { .. } => Ok(Exit::Done),
    }
}

async fn take_back(name: &str, mut db: tokio_postgres::Client) -> Result<Exit> {
    let Some(addition) = ADDITIONS.iter().find(|addition| addition.name == name) else {
        let names: Vec<_> = ADDITIONS.iter().map(|addition| addition.name).collect();
        output::problem(&format!(
            "`{name}` is none of our additions; they are {}",
            names.join(", ")
        ));
        return Ok(Exit::Usage);
    };
    let was_there = schema::take_back(addition, &mut db)
        .await
        .with_context(|| format!("taking back {name}"))?;
    output::note(&if was_there {
        format!("{name} was taken back and stays out until `sal db init`.")
    } else {
        format!("{name} is not in this database.")
    });
    Ok(Exit::Done)
}

async fn init(mut db: tokio_postgres::Client) -> Result<Exit> {
    schema::wanted(&mut db)
        .await
        .context("looking for what was taken back")?;
    let ensured = schema::ensure(&mut db).await.context("making the tables")?;
    output::note(if ensured.created {
        "Sal's tables and first rows were made."
    } else {
        "Sal's tables were there and were left as they are."
    });
    for name in &ensured.added {
        output::note(&format!("Added {name}."));
    }
    for (name, why) in &ensured.savings_refused {
        output::note(&format!(
            "{name} is left out ({why}): check-ins cost the database more. The owner of Sal's tables can apply it."
        ));
    }
    if let Some(why) = ensured.additions_refused {
        output::problem(&format!("this server's own tables cannot be made: {why}"));
        return Ok(Exit::FoundProblems);
    }
    Ok(Exit::Done)
}

async fn check(db: &tokio_postgres::Client, as_json: bool) -> Result<Exit> {
    let found = schema::look(db).await.context("looking for Sal's tables")?;
    let differences = schema::differences(db)
        .await
        .context("reading the tables")?;
    let missing = schema::missing_additions(db)
        .await
        .context("reading our own tables")?;
    let worst = differences
        .iter()
        .map(|difference| difference.severity)
        .min();
    if as_json {
        let list: Vec<_> = differences
            .iter()
            .map(|difference| json!({"severity": format!("{:?}", difference.severity).to_lowercase(), "what": difference.what}))
            .collect();
        let report = json!({"sal_tables": found == Found::Sal, "differences": list, "missing_additions": missing});
        output::data(&serde_json::to_string_pretty(&report).context("writing the report")?);
    } else if found == Found::Nothing {
        output::data("The database holds none of Sal's tables; `sal db init` makes them.");
    } else {
        for difference in &differences {
            output::data(&difference.to_string());
        }
        for name in &missing {
            output::data(&format!(
                "attention  our addition {name} is not there; `sal db init` makes it"
            ));
        }
        if differences.is_empty() && missing.is_empty() {
            output::data("The tables are as Sal 4.4.1 leaves them, and our additions are there.");
        }
    }
    let only_saves = |name: &str| {
        let addition = ADDITIONS.iter().find(|addition| addition.name == name);
        addition.is_some_and(|addition| addition.only_saves)
    };
    let fine = found == Found::Sal
        && missing.iter().all(|name| only_saves(name))
        && worst.is_none_or(|worst| worst == Severity::Note);
    Ok(if fine {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}
