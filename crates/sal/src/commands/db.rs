//! `sal db init` and `sal db take-back`; `check` and `maintain` have files of their own.

mod check;
mod maintain;

use anyhow::{Context, Result};
use sal_jobs::by_hand::Mode;
use sal_store::schema::{self, ADDITIONS};

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
        Db::Check { json } => check::run(&db, json).await,
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
    for addition in ensured.added_additions() {
        output::note(&format!("Added {}: {}.", addition.name, addition.what));
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
