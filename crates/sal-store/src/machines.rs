//! `server_machine`: single rows for the client routes that touch nothing else, and deleting machines.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::ids::{GroupId, MachineId};
use crate::pool::Tx;

crate::queries! {
    /// The machine with this serial, locked against other check-ins until the transaction ends.
    lock_machine(serial: str) -> /// A machine that exists.
    LockedMachine {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE serial = $1 FOR NO KEY UPDATE";

    /// Records that a client reported itself broken. `hostname` and `sal_version` are kept when NULL is given.
    mark_broken(id: MachineId, group: GroupId, now: Timestamp, hostname: Option<String>, sal_version: Option<String>, deploy: bool) =
        "UPDATE server_machine
         SET machine_group_id = $2, last_checkin = $3, hostname = coalesce($4, hostname),
             sal_version = coalesce($5, sal_version), deployed = deployed OR $6, broken_client = true
         WHERE id = $1";

    /// Locks machines against check-ins and other writers until the transaction ends, in the order of their ids.
    lock_machines(ids: Vec<MachineId>) -> /// A machine that is still there.
    LockedForDeletion {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE id = ANY($1) ORDER BY id FOR UPDATE";

    /// Deletes machines and everything that belongs to them. Sal's foreign keys do not cascade; they are looked at
    /// when the transaction ends.
    delete_machine_rows(ids: Vec<MachineId>) =
        "WITH payloads AS (DELETE FROM profiles_payload
                 WHERE profile_id IN (SELECT id FROM profiles_profile WHERE machine_id = ANY($1))),
             profiles AS (DELETE FROM profiles_profile WHERE machine_id = ANY($1)),
             script_rows AS (DELETE FROM server_pluginscriptrow
                 WHERE submission_id IN (SELECT id FROM server_pluginscriptsubmission WHERE machine_id = ANY($1))),
             scripts AS (DELETE FROM server_pluginscriptsubmission WHERE machine_id = ANY($1)),
             inventory_items AS (DELETE FROM inventory_inventoryitem WHERE machine_id = ANY($1)),
             inventories AS (DELETE FROM inventory_inventory WHERE machine_id = ANY($1)),
             facts AS (DELETE FROM server_fact WHERE machine_id = ANY($1)),
             old_facts AS (DELETE FROM server_historicalfact WHERE machine_id = ANY($1)),
             items AS (DELETE FROM server_manageditem WHERE machine_id = ANY($1)),
             old_items AS (DELETE FROM server_manageditemhistory WHERE machine_id = ANY($1)),
             messages AS (DELETE FROM server_message WHERE machine_id = ANY($1)),
             searches AS (DELETE FROM search_searchcache WHERE machine_id = ANY($1)),
             checkins AS (DELETE FROM salrs_checkin WHERE machine_id = ANY($1))
         DELETE FROM server_machine WHERE id = ANY($1)";
}

/// Deletes machines with everything that belongs to them, and returns how many there were.
///
/// Check-ins that are under way end first; those that come later wait, and find no machine.
///
/// # Errors
/// When the database refuses.
pub async fn delete_machines(ids: &[MachineId], tx: &Tx) -> Result<u64, StoreError> {
    let ids = ids.to_vec();
    lock_machines(tx, &ids).await?;
    delete_machine_rows(tx, &ids).await
}
