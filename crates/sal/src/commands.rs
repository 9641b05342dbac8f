//! One file for each command; this one only chooses.

#[cfg(feature = "rehearsal")]
mod bench;
mod by_hand;
mod checkin;
mod compare;
mod db;
#[cfg(feature = "rehearsal")]
mod demo;
mod healthcheck;
mod iam;
pub(crate) mod import_settings;
mod key;
#[cfg(feature = "rehearsal")]
mod lab;
pub(crate) mod plugin;
mod reference;
mod relay;
mod rest;
mod search;
mod secret_input;
mod serve;
#[cfg(feature = "rehearsal")]
mod simulate;
mod user;

use anyhow::Context;
#[cfg(feature = "rehearsal")]
use rand::RngExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::Command;
use crate::config::Environment;
use crate::config::database::DatabaseConfig;
use crate::exit::Exit;
use crate::output;
use crate::wiring::{self, DatabaseLogin};

/// Runs a command and turns its error into words and an exit code.
#[cfg_attr(
    feature = "rehearsal",
    expect(
        clippy::cognitive_complexity,
        reason = "an arm for each command, and nothing else"
    )
)]
pub(crate) async fn run(command: Command) -> Exit {
    let outcome = match command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Healthcheck(arguments) => healthcheck::run(arguments).await,
        Command::Db(what) => db::run(what).await,
        Command::User(what) => user::run(what).await,
        Command::Key(what) => key::run(what).await,
        Command::ImportSettings(arguments) => import_settings::run(&arguments),
        Command::Plugin(what) => plugin::run(what),
        Command::Checkin(what) => checkin::run(what).await,
        Command::Search(what) => search::run(what).await,
        Command::Compare(arguments) => compare::run(arguments).await,
        Command::Api(arguments) => rest::api::run(arguments).await,
        Command::Export(arguments) => rest::export::run(arguments).await,
        Command::Iam(what) => iam::run(what).await,
        #[cfg(feature = "rehearsal")]
        Command::Lab(what) => lab::run(what).await,
        Command::Relay(arguments) => relay::run(arguments).await,
        #[cfg(feature = "rehearsal")]
        Command::Simulate(arguments) => simulate::run(arguments).await,
        #[cfg(feature = "rehearsal")]
        Command::Demo(arguments) => demo::run(arguments).await,
        #[cfg(feature = "rehearsal")]
        Command::Bench(what) => bench::run(what).await,
        Command::Reference { page } => Ok(reference::run(page)),
    };
    outcome.unwrap_or_else(|error| {
        output::failure(&error);
        Exit::Failed
    })
}

/// A connection to the database of the environment, for commands that need nothing else.
async fn database() -> anyhow::Result<Result<tokio_postgres::Client, Exit>> {
    let found = database_and(|_environment| ()).await?;
    Ok(found.map(|(client, ())| client))
}

/// A connection to the database of the environment, and what else is read from it. A person may have put an
/// administrator into the environment: whoever may more than the owners of the tables is not let near them.
async fn database_and<T>(
    read: impl FnOnce(&mut Environment) -> T,
) -> anyhow::Result<Result<(tokio_postgres::Client, T), Exit>> {
    let mut environment = Environment::read();
    let config = DatabaseConfig::read(&mut environment);
    let more = read(&mut environment);
    match checked(environment) {
        Ok(warnings) => warnings
            .iter()
            .for_each(|warning| output::note(&format!("warning: {warning}"))),
        Err(exit) => return Ok(Err(exit)),
    }
    Ok(connected(&config).await?.map(|db| (db, more)))
}

/// A connection by these settings, for a person; see [`database_and`].
async fn connected(
    config: &DatabaseConfig,
) -> anyhow::Result<Result<tokio_postgres::Client, Exit>> {
    let login = DatabaseLogin::by_hand(config, &wiring::clock())?;
    let connection = login
        .connect()
        .await
        .map_err(|error| anyhow::anyhow!(error.explain().to_string()))?;
    if let Some(why) = login.fallback_cause() {
        output::note(&format!(
            "warning: IAM login FAILED, and the declared fallback, the password, was used: {} Likely cause: {} Next: {}",
            why.what, why.likely_cause, why.next_step
        ));
    }
    let db = connection.client;
    let surplus = wiring::rights::use_deployments_path(&db).await;
    if let Some(surplus) = surplus.context("asking whose the tables are")? {
        output::problem(&format!(
            "nothing was done: {surplus}, and a trigger or a function of theirs would run with these rights"
        ));
        output::note(&format!(
            "Set DB_USER to `{}`, or to a user that is a member of it and of nothing else.",
            surplus.owner
        ));
        return Ok(Err(Exit::Usage));
    }
    Ok(Ok(db))
}

/// The warnings of a good environment; a bad one is printed whole.
fn checked(environment: Environment) -> Result<Vec<String>, Exit> {
    let warnings = environment.warnings().to_vec();
    environment.finish().map_err(|problems| {
        // What is missing is often there under another name.
        for warning in &warnings {
            output::note(&format!("warning: {warning}"));
        }
        for problem in &problems {
            output::problem(problem);
        }
        output::note("The environment has mistakes; `sal reference env` explains every variable.");
        Exit::Usage
    })
}

#[cfg(feature = "rehearsal")]
/// A password or key of easily told apart letters.
fn random_text(length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    let letter = || {
        LETTERS
            .get(rng.random_range(0..LETTERS.len()))
            .copied()
            .map_or('a', char::from)
    };
    std::iter::repeat_with(letter).take(length).collect()
}

/// Cancels on SIGTERM and Ctrl-C.
async fn stop_on_signal(shutdown: CancellationToken) {
    let (Ok(mut term), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        warn!("signals cannot be watched; only SIGKILL will stop this server");
        return;
    };
    tokio::select! {
        _ = term.recv() => info!("SIGTERM"),
        _ = interrupt.recv() => info!("interrupted"),
    }
    shutdown.cancel();
}
