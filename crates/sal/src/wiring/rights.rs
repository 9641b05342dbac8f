//! Whether a session may work with the deployment's tables, or would lend its own rights to whoever owns them.

use rds_iam::guard;
use rds_iam::power::{self, Surplus};
use tokio_postgres::{Client, Error};

/// Lets a session look for names where the deployment does, unless its user may more than the owners of what is there:
/// then it goes on looking in `pg_catalog` only, and what the owners could have done with it is returned.
///
/// # Errors
/// Postgres's.
pub(crate) async fn use_deployments_path(db: &Client) -> Result<Option<Surplus>, Error> {
    let found = surplus(db).await?;
    if found.is_none() {
        guard::use_deployments_path(db).await?;
    }
    Ok(found)
}

/// The same question for the deployment's own session, which goes on either way.
///
/// # Errors
/// Postgres's.
pub(crate) async fn look(db: &Client) -> Result<Option<Surplus>, Error> {
    let found = surplus(db).await;
    guard::use_deployments_path(db).await?;
    found
}

async fn surplus(db: &Client) -> Result<Option<Surplus>, Error> {
    db.batch_execute(guard::CATALOG_ONLY).await?;
    let schemas = guard::deployments_schemas(db).await?;
    power::surplus(&schemas, db).await
}
