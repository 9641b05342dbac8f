//! Runs a search as this server understands it, and as Sal would: for `sal search`.

use jiff::Timestamp;
use sal_query::{
    Condition, Fragment,
    sal_search::{SalMeaning, TooLarge},
};

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// A machine that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMachine {
    /// Its id.
    pub id: MachineId,
    /// Its serial number.
    pub serial: String,
    /// Its name.
    pub hostname: Option<String>,
    /// Who used it last.
    pub console_user: Option<String>,
    /// When it last checked in.
    pub last_checkin: Option<Timestamp>,
}

/// The machines that fulfil a condition, in use or not, by serial number.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machines(
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<FoundMachine>, StoreError> {
    found(&condition.to_sql(now, FIRST_PARAMETER), scope, db).await
}

/// The machines that Sal finds; none when the search is too large for that.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machines_as_sal(
    meaning: &SalMeaning,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Result<Vec<FoundMachine>, TooLarge>, StoreError> {
    match meaning.to_sql(FIRST_PARAMETER) {
        Ok(fragment) => found(&fragment, scope, db).await.map(Ok),
        Err(too_large) => Ok(Err(too_large)),
    }
}

async fn found(
    fragment: &Fragment,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<FoundMachine>, StoreError> {
    let sql = format!(
        "SELECT machine.id, machine.serial, machine.hostname, machine.console_user, machine.last_checkin \
         FROM {MACHINES_IN_SCOPE} WHERE {} ORDER BY machine.serial",
        fragment.text
    );
    let rows = run(&sql, &[fragment], scope, db).await?;
    rows.iter()
        .map(|row| {
            Ok(FoundMachine {
                id: row.try_get(0)?,
                serial: row.try_get(1)?,
                hostname: row.try_get(2)?,
                console_user: row.try_get(3)?,
                last_checkin: row.try_get(4)?,
            })
        })
        .collect()
}
