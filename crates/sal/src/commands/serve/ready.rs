//! The way from a listening server to a ready one: it logs in, looks at the tables, makes what is missing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rds_iam::Clock;
use sal_plugins::Registry;
use sal_store::Store;
use sal_store::schema::{self, Ensured, Severity};
use tokio_postgres::Client;
use tracing::{info, warn};

use super::{first_user, legacy};
use crate::config::server::ServerConfig;
use crate::output;
use crate::wiring::{self, DatabaseLogin};

/// The way from a listening server to a ready one.
pub(super) struct Ready {
    pub(super) config: ServerConfig,
    pub(super) login: Arc<DatabaseLogin>,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) address: String,
    /// What the server knows of plugins.
    pub(super) registry: Arc<Registry>,
}

impl Ready {
    /// Logs in, looks at the tables, makes what is missing, says that the server is ready.
    pub(super) async fn reach(self) -> Result<()> {
        let mut wait = Duration::from_secs(1);
        loop {
            match self.prepare().await {
                Ok(()) => break,
                Err(Obstacle::Unfit(error)) => return Err(error),
                Err(Obstacle::Away(why)) => {
                    warn!(again_in_seconds = wait.as_secs(), "not ready yet: {why}")
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(15));
        }
        match self.config.logs_json {
            true => info!("sal is ready on http://{}", self.address),
            false => output::note(&format!("sal is ready on http://{}", self.address)),
        }
        Ok(())
    }

    async fn prepare(&self) -> Result<(), Obstacle> {
        let connection = self.login.connect().await.map_err(|error| {
            let explanation = error.explain();
            wiring::log_refusal(&explanation);
            Obstacle::Away(explanation.what)
        })?;
        let mut db = connection.client;
        warn_of_rights(&db).await?;
        keep_out(&db).await?;
        let ensured = ensure_as_owner(&mut db).await?;
        say_what_was_made(&ensured);
        refuse_unfit(&db).await?;
        warn_of_what_was_taken_back(&db).await?;
        let told = legacy::tell(&self.registry, &self.store).await;
        told.map_err(|error| Obstacle::Away(error.to_string()))?;
        if ensured.additions_refused.is_some() {
            return Ok(());
        }
        first_user::make(self).await
    }
}

/// What this server makes belongs to whoever owns Sal's tables, also where the login user's SET role is off.
async fn ensure_as_owner(db: &mut Client) -> Result<Ensured, Obstacle> {
    let refused = |error: tokio_postgres::Error| Obstacle::of_statement(&error);
    let owner = schema::owner_to_work_as(db).await.map_err(refused)?;
    if let Some(owner) = &owner {
        let role = iam_cutover::sql::identifier(&owner.owner);
        // A member that may not work as it (Postgres 16, `SET FALSE`) is warned of below like any other.
        if let Err(error) = db.batch_execute(&format!("SET ROLE {role}")).await {
            warn!("`{}` cannot work as `{}`: {error}", owner.user, owner.owner);
        }
    }
    let ensured = schema::ensure(db).await.map_err(refused)?;
    if owner.is_some() {
        db.batch_execute("RESET ROLE").await.map_err(refused)?;
    }
    Ok(ensured)
}

/// A mistake in DB_NAME must not fill another program's database with tables.
async fn keep_out(db: &Client) -> Result<(), Obstacle> {
    let why = schema::keep_out(db).await;
    match why.map_err(|error| Obstacle::of_statement(&error))? {
        Some(why) => Err(Obstacle::Unfit(anyhow::anyhow!(why))),
        None => Ok(()),
    }
}

/// One line for each thing that was made in the database, or could not be.
fn say_what_was_made(ensured: &Ensured) {
    if ensured.created {
        info!("the database was empty: Sal's tables and first rows were made");
    }
    for addition in ensured.added_additions() {
        info!(
            addition = addition.name,
            "added {} to the database: {}", addition.name, addition.what
        );
    }
    if let Some(why) = &ensured.additions_refused {
        warn!(
            "this server's own tables cannot be made ({why}): check-ins work, logging in to the pages does not"
        );
    }
    for (name, why) in &ensured.savings_refused {
        warn!(
            "{name} is left out ({why}): check-ins cost the database more. The owner of Sal's tables can apply it with `sal db init`"
        );
    }
}

/// Compares the tables with Sal's, and warns of what is different.
async fn refuse_unfit(db: &Client) -> Result<(), Obstacle> {
    let differences = schema::differences(db)
        .await
        .map_err(|error| Obstacle::of_statement(&error))?;
    for difference in differences
        .iter()
        .filter(|difference| difference.severity == Severity::Attention)
    {
        warn!(
            "the tables are not as Sal 4.4.1 leaves them: {}",
            difference.what
        );
    }
    let blocking: Vec<_> = differences
        .iter()
        .filter(|difference| difference.severity == Severity::Blocking)
        .map(|d| d.what.as_str())
        .collect();
    if !blocking.is_empty() {
        let list = blocking.join("; ");
        return Err(Obstacle::Unfit(anyhow::anyhow!(
            "this database cannot be used ({list}); `sal db check` shows everything"
        )));
    }
    Ok(())
}

/// A start makes what is missing, but nothing that an administrator took out.
async fn warn_of_what_was_taken_back(db: &Client) -> Result<(), Obstacle> {
    let taken = schema::taken_back(db).await;
    for difference in taken.map_err(|error| Obstacle::of_statement(&error))? {
        warn!("{}", difference.what);
    }
    Ok(())
}

/// A server with more rights than the owners of its tables lends them to these.
async fn warn_of_rights(db: &Client) -> Result<(), Obstacle> {
    let surplus = wiring::rights::look(db).await;
    if let Some(surplus) = surplus.map_err(|error| Obstacle::of_statement(&error))? {
        warn!(
            "{surplus}: their triggers and functions run with these rights. Let the server log in as `{}`, or as a member of it and of nothing else",
            surplus.owner
        );
    }
    Ok(())
}

/// Why the server is not ready.
pub(super) enum Obstacle {
    /// It may pass.
    Away(String),
    /// It will not.
    Unfit(anyhow::Error),
}

impl Obstacle {
    pub(super) fn of_statement(error: &tokio_postgres::Error) -> Self {
        let refused = error
            .as_db_error()
            .map(|refusal| format!("Postgres refused a statement: {}", refusal.message()));
        match refused {
            Some(text) => Self::Unfit(anyhow::anyhow!(text)),
            None => Self::Away(error.to_string()),
        }
    }
}
