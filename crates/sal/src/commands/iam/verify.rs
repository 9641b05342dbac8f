//! `sal iam verify`: the proof. The login and the privileges are `iam-cutover`'s; the tables and a check-in are Sal's.

use std::error::Error;
use std::sync::Arc;

use anyhow::Result;
use fake_fleet::{Fleet, FleetOptions};
use futures_util::future::BoxFuture;
use iam_cutover::check::{Check, Status, has_problems};
use iam_cutover::logins::{Session, Who};
use iam_cutover::report::Detail;
use iam_cutover::{report, verify};
use sal_checkin::NotRehearsed;
use sal_store::Store;
use sal_store::pool::{Connected, Connector, PoolConfig};
use sal_store::schema::{self, Found, Severity};
use serde_json::json;

use crate::cli::Verify;
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;
use crate::wiring::rights;

/// Prints the proof; exit code 3 when a line is a problem.
pub(crate) async fn run(arguments: Verify) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.report.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let proof = Box::pin(verify::verify(&cutover.logins, &cutover.wish)).await;
    let mut checks = proof.checks;
    let logged_in = checks
        .first()
        .is_some_and(|check| check.status == Status::Ok);
    let now = (cutover.clock)();
    if logged_in && !arguments.login_only {
        match session(&cutover).await {
            Ok(session) => {
                checks.push(tables(session).await);
                checks.push(check_in(cutover, now).await);
            }
            Err(why) => checks.push(*why),
        }
    }
    let problems = has_problems(&checks);
    if arguments.report.json {
        super::print_json(
            &json!({"problems": problems, "checks": checks, "differences": proof.differences}),
        )?;
    } else {
        output::data(&report::checks_text(&checks, Detail::All));
    }
    Ok(if problems {
        Exit::FoundProblems
    } else {
        Exit::Done
    })
}

/// A session of the new user that looks where the deployment does; a line of the report where there can be none.
async fn session(cutover: &Cutover) -> std::result::Result<Session, Box<Check>> {
    let failed = |why: String| {
        Box::new(Check::problem(
            "tables",
            TABLES,
            why,
            "see `sal iam doctor`",
        ))
    };
    let home = cutover
        .wish
        .databases
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let session = cutover.logins.open(Who::New, home).await;
    let session = session.map_err(|error| failed(error.to_string()))?;
    let surplus = rights::use_deployments_path(&session.client).await;
    match surplus.map_err(|error| failed(error.to_string()))? {
        None => Ok(session),
        Some(surplus) => Err(Box::new(Check::attention(
            "tables",
            TABLES,
            format!(
                "not looked at, and no check-in was tried: {surplus}, and what others put there would run with these rights"
            ),
            "the application needs none of them: take them from the new user, or leave --grant-rds-superuser out",
        ))),
    }
}

/// The server's own look at its tables, as the new user.
async fn tables(session: Session) -> Check {
    let title = TABLES;
    let looked = async {
        let found = schema::look(&session.client).await?;
        let differences = schema::differences(&session.client).await?;
        Ok::<_, tokio_postgres::Error>((found, differences))
    }
    .await;
    session.end().await;
    match looked {
        Err(error) => Check::problem("tables", title, error.to_string(), "see `sal db check`"),
        Ok((Found::Sal, differences)) => {
            let blocking: Vec<String> = differences
                .iter()
                .filter(|found| found.severity == Severity::Blocking)
                .map(ToString::to_string)
                .collect();
            match blocking.is_empty() {
                true => Check::ok(
                    "tables",
                    title,
                    format!(
                        "as Sal 4.4.1 leaves them ({} remarks; `sal db check` lists them)",
                        differences.len()
                    ),
                ),
                false => Check::problem("tables", title, blocking.join("; "), "see `sal db check`"),
            }
        }
        Ok(_) => Check::attention(
            "tables",
            title,
            "the database holds none of Sal's tables",
            "`sal db init` makes them",
        ),
    }
}

/// A machine of the demo fleet checks in, and the transaction is rolled back.
async fn check_in(cutover: Cutover, now: jiff::Timestamp) -> Check {
    let title = "A check-in, rolled back";
    let fleet = Fleet::new(FleetOptions {
        machines: 1,
        ..FleetOptions::default()
    });
    let checkin = fleet.machine(0).checkin(0, now, "rehearsal");
    let body = match String::from_utf8(checkin.body) {
        Ok(body) => body,
        Err(error) => return Check::problem("check-in", title, error.to_string(), ""),
    };
    let store = Store::new(
        Arc::new(NewUser(cutover)),
        &PoolConfig {
            max_size: 1,
            ..PoolConfig::default()
        },
    );
    let outcome = sal_checkin::rehearse(&body, &store, now).await;
    store.close();
    match outcome {
        Ok(written) => Check::ok(
            "check-in",
            title,
            format!(
                "{} facts, {} managed items and {} script results were written as the new user",
                written.facts, written.items, written.scripts
            ),
        ),
        Err(NotRehearsed::NoTable(why)) => Check::attention(
            "check-in",
            title,
            format!("not tried: {why}"),
            "a server of this kind makes its own tables at its first start: `sal db init` makes them now; then verify again",
        ),
        Err(NotRehearsed::Failed(why)) => Check::problem(
            "check-in",
            title,
            why,
            "`sal iam apply` gives the new user what the old one has",
        ),
    }
}

/// Connections of the store, as the new user.
struct NewUser(Cutover);

impl Connector for NewUser {
    fn connect(
        &self,
    ) -> BoxFuture<'_, std::result::Result<Connected, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            let session = session(&self.0).await.map_err(|check| check.evidence)?;
            let (client, task) = session.into_parts();
            Ok(Connected {
                client,
                task,
                // Its one statement at a time is never given up.
                cancel: Arc::new(|| Box::pin(async { false })),
            })
        })
    }
}

const TABLES: &str = "Sal's tables, as the new user sees them";
