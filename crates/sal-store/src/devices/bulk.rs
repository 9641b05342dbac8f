//! Changes to many machines at once. Which ones is found, with the viewer's scope, and locked first; the change itself
//! goes by their ids.

use jiff::Timestamp;
use sal_query::Condition;

use crate::{
    changed::leaving,
    error::StoreError,
    ids::{GroupId, MachineId, UnitId},
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::{Executor, Tx},
    scope::Scope,
};

crate::queries! {
    /// The groups in scope, by unit and name.
    groups_in_scope(scope: Scope) -> /// A machine group that machines can be in, or be moved to.
    ScopeGroup {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
        /// Its unit.
        unit_id: UnitId,
        /// Name of its unit.
        unit: String,
    } = "SELECT g.id, g.name, u.id AS unit_id, u.name AS unit
         FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id
         WHERE $1::int[] IS NULL OR u.id = ANY($1::int[])
         ORDER BY u.name, g.name, g.id";

    /// Moves machines to a group.
    move_machines(ids: [MachineId], group: GroupId) =
        concat!("WITH ", leaving!("$1", "$2"), "
         UPDATE server_machine SET machine_group_id = $2 WHERE id = ANY($1) AND machine_group_id <> $2");

    /// Says of machines whether they count as deployed.
    set_deployed(ids: [MachineId], deployed: bool) =
        "UPDATE server_machine SET deployed = $2 WHERE id = ANY($1) AND deployed <> $2";
}

/// A machine that is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkMachine {
    /// Its id.
    pub id: MachineId,
    /// Serial number.
    pub serial: String,
    /// Name.
    pub hostname: Option<String>,
}

/// The machines of a selection, by id.
///
/// # Errors
/// When the database cannot be asked.
pub async fn bulk_machines(
    filter: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<BulkMachine>, StoreError> {
    select(filter, "", now, scope, db).await
}

/// The machines of a selection, by id, locked until the transaction ends: neither a check-in nor somebody else changes
/// them meanwhile.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lock_bulk_machines(
    filter: &Condition,
    now: Timestamp,
    scope: &Scope,
    tx: &Tx,
) -> Result<Vec<BulkMachine>, StoreError> {
    select(filter, "FOR UPDATE OF machine", now, scope, tx).await
}

async fn select(
    filter: &Condition,
    lock: &str,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<BulkMachine>, StoreError> {
    let fragment = filter.to_sql(now, FIRST_PARAMETER);
    let sql = format!(
        "SELECT machine.id, machine.serial, machine.hostname FROM {MACHINES_IN_SCOPE} WHERE {} \
         ORDER BY machine.id {lock}",
        fragment.text
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let machines = rows.iter().map(|row| {
        Ok(BulkMachine {
            id: row.try_get(0)?,
            serial: row.try_get(1)?,
            hostname: row.try_get(2)?,
        })
    });
    machines.collect()
}
