//! Golden replay: sends what was recorded with the original Sal and compares the answers.
//!
//! The recordings are in `/golden` of the repository, with a README that explains the
//! format. Bring a database to the state the scenario names ([`start_of`], [`load`]), run a
//! server on it, [`replay`], and ask the [`Report`] what no numbered quirk explains.
//! Not for recording: the oracle is the original server, never our own output.

mod canonical;
mod compare;
mod http_client;
mod maintenance;
mod mask;
mod names;
mod page;
mod property_list;
mod report;
mod run;
mod scenario;
mod tables;
mod values;

use std::path::PathBuf;

use serde_json::Value;
use thiserror::Error;
use tokio_postgres::Client;

pub use report::{Counts, Quirk, Report, StepReport, TableReport, Verdict};
pub use run::{replay, replay_confirmed};

/// The state of the database a scenario starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A fresh installation: schema and the rows the original's migrations write.
    Migrated,
    /// The same with the units, groups, users and keys of `seed.sql`.
    Seed,
}

/// Why a scenario could not be replayed; a server that answers wrongly is no error.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// A file of the recordings could not be read.
    #[error("the golden file {path} could not be read")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the recordings is not JSON.
    #[error("the golden file {path} is not JSON")]
    Json {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A scenario asks for something the replay does not know.
    #[error("scenario {scenario}, step {step}: {what} is not supported by the replay")]
    Unsupported {
        /// Which scenario.
        scenario: String,
        /// Which step; empty for the scenario itself.
        step: String,
        /// What it asks for.
        what: String,
    },
    /// The database could not be read or prepared.
    #[error("the database of the golden replay")]
    Database(#[from] tokio_postgres::Error),
    /// What the database returned is not what the dump expects.
    #[error("the dump of the tables is not JSON")]
    Dump(#[source] serde_json::Error),
    /// Maintenance, which a scenario asks for, went wrong.
    #[error("the job {job}: {reason}")]
    Maintenance {
        /// Which job.
        job: &'static str,
        /// What it said.
        reason: String,
    },
    /// The server's address is not `http://host:port`.
    #[error("`{0}` is not an address of the form http://host:port")]
    Address(String),
}

/// The names of all scenarios in the repository, sorted.
///
/// # Errors
/// When the folder cannot be read.
pub fn scenarios() -> Result<Vec<String>, GoldenError> {
    let path = folder().join("scenarios");
    let failed = |source| GoldenError::File {
        path: path.clone(),
        source,
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        names.extend(
            path.file_stem()
                .and_then(|stem| stem.to_str())
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// The state a scenario starts from.
///
/// # Errors
/// When the scenario does not exist or names another state.
pub fn start_of(scenario: &str) -> Result<Start, GoldenError> {
    Ok(scenario::Scenario::load(scenario)?.start)
}

/// Brings an empty database to a state: the original's schema, its rows, and the seed.
///
/// # Errors
/// When a statement fails, as when the database is not empty.
pub async fn load(database: &Client, start: Start) -> Result<(), GoldenError> {
    for name in ["schema.sql", "rows_after_migrate.sql"] {
        database.batch_execute(&read(name)?).await?;
    }
    if start == Start::Seed {
        seed(database).await?;
    }
    Ok(())
}

/// Adds the seed's units, groups, users and keys to a fresh installation, whoever made it.
///
/// # Errors
/// When a statement fails, as when the rows exist.
pub async fn seed(database: &Client) -> Result<(), GoldenError> {
    // The dumps before it empty the search path.
    database.batch_execute("SET search_path = public").await?;
    database.batch_execute(&read("seed.sql")?).await?;
    Ok(())
}

/// A key or password of the seed: `key1` to `key3`, `rw_pub`, `rw_priv`, `ro_pub`, `ro_priv`.
///
/// # Errors
/// When the file cannot be read; `Ok(None)` when there is no such key.
pub fn seed_value(name: &str) -> Result<Option<String>, GoldenError> {
    let values = read_json("seed_vars.json")?;
    Ok(values.get(name).and_then(Value::as_str).map(str::to_owned))
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden"))
}

fn read(name: &str) -> Result<String, GoldenError> {
    let path = folder().join(name);
    std::fs::read_to_string(&path).map_err(|source| GoldenError::File { path, source })
}

fn read_json(name: &str) -> Result<Value, GoldenError> {
    let text = read(name)?;
    let path = folder().join(name);
    serde_json::from_str(&text).map_err(|source| GoldenError::Json { path, source })
}

#[cfg(test)]
mod tests;
