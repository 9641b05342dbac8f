//! Names that somebody pasted: which of them belong to a machine.

use tokio_postgres::types::Type;

use crate::{
    error::StoreError,
    machine_query::MACHINES_IN_SCOPE,
    pool::{Executor, query_typed},
    scope::Scope,
};

/// A machine that one of the asked names belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName {
    /// Its serial number in upper case.
    pub serial: String,
    /// Its name.
    pub hostname: Option<String>,
}

/// The machines in scope that have one of these serial numbers, in any case, or host names.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known_names(
    names: &[String],
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<KnownName>, StoreError> {
    let upper: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let sql = format!(
        "SELECT upper(machine.serial), machine.hostname FROM {MACHINES_IN_SCOPE}
         WHERE upper(machine.serial) = ANY($2::text[]) OR machine.hostname = ANY($3::text[])"
    );
    let units = scope.units();
    let rows = query_typed(
        &sql,
        &[
            (&units, Type::INT4_ARRAY),
            (&upper, Type::TEXT_ARRAY),
            (&names, Type::TEXT_ARRAY),
        ],
        db,
    )
    .await?;
    let known = rows.iter().map(|row| {
        Ok(KnownName {
            serial: row.try_get(0)?,
            hostname: row.try_get(1)?,
        })
    });
    known.collect()
}
