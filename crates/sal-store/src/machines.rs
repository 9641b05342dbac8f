//! `server_machine`: single rows for the client routes that touch nothing else, and the end of machines.

use jiff::Timestamp;

use crate::{
    changed::note_deletions,
    error::StoreError,
    ids::{GroupId, MachineId},
    pool::Tx,
};

/// Deletes machines and all that hangs on them; returns how many machines there were.
///
/// The caller has checked that they may be deleted. Nothing in Sal's tables cascades, so children go first; the machines
/// are locked before, so that a check-in that is under way has ended and the next one finds none.
///
/// # Errors
/// When a statement fails; the transaction must then be given up.
pub async fn delete_machines(ids: &[MachineId], tx: &Tx) -> Result<u64, StoreError> {
    lock_machines(tx, ids).await?;
    note_deletions(tx, ids).await?;
    delete_reports(ids, tx).await?;
    delete_facts(tx, ids).await?;
    delete_historical_facts(tx, ids).await?;
    delete_managed_items(tx, ids).await?;
    delete_managed_item_histories(tx, ids).await?;
    delete_messages(tx, ids).await?;
    delete_search_cache(tx, ids).await?;
    delete_checkin_memory(tx, ids).await?;
    delete_changes(tx, ids).await?;
    delete_machine_rows(tx, ids).await
}

/// Profiles, results of plugin scripts and inventories: each with the rows that hang on it.
async fn delete_reports(ids: &[MachineId], tx: &Tx) -> Result<(), StoreError> {
    delete_payloads(tx, ids).await?;
    delete_profiles(tx, ids).await?;
    delete_plugin_rows(tx, ids).await?;
    delete_plugin_submissions(tx, ids).await?;
    delete_inventory_items(tx, ids).await?;
    delete_inventories(tx, ids).await?;
    Ok(())
}

crate::queries! {
    /// The machine with this serial, locked against other check-ins until the transaction ends.
    lock_machine(serial: str) -> /// A machine that exists.
    LockedMachine {
        /// Its id.
        id: MachineId,
        /// The group it is in.
        machine_group_id: GroupId,
        /// Its host name.
        hostname: Option<String>,
        /// Its client's version.
        sal_version: Option<String>,
        /// Whether its client is broken.
        broken_client: bool,
        /// Its last check-in.
        last_checkin: Option<Timestamp>,
    } = "SELECT id, machine_group_id, hostname, sal_version, broken_client, last_checkin
         FROM server_machine WHERE serial = $1 FOR NO KEY UPDATE";

    /// Records that a client reported itself broken. `hostname` and `sal_version` are kept when NULL is given.
    mark_broken(id: MachineId, group: GroupId, now: Timestamp, hostname: Option<String>, sal_version: Option<String>, deploy: bool) =
        "UPDATE server_machine
         SET machine_group_id = $2, last_checkin = $3, hostname = coalesce($4, hostname),
             sal_version = coalesce($5, sal_version), deployed = deployed OR $6, broken_client = true
         WHERE id = $1";

    /// Locks machines until the transaction ends.
    lock_machines(ids: [MachineId]) =
        "SELECT id FROM server_machine WHERE id = ANY($1) ORDER BY id FOR UPDATE";

    /// Deletes the payloads of their profiles.
    delete_payloads(ids: [MachineId]) =
        "DELETE FROM profiles_payload
         WHERE profile_id IN (SELECT id FROM profiles_profile WHERE machine_id = ANY($1))";

    /// Deletes their profiles.
    delete_profiles(ids: [MachineId]) =
        "DELETE FROM profiles_profile WHERE machine_id = ANY($1)";

    /// Deletes what plugin scripts reported.
    delete_plugin_rows(ids: [MachineId]) =
        "DELETE FROM server_pluginscriptrow
         WHERE submission_id IN (SELECT id FROM server_pluginscriptsubmission WHERE machine_id = ANY($1))";

    /// Deletes that plugin scripts reported.
    delete_plugin_submissions(ids: [MachineId]) =
        "DELETE FROM server_pluginscriptsubmission WHERE machine_id = ANY($1)";

    /// Deletes what was installed.
    delete_inventory_items(ids: [MachineId]) =
        "DELETE FROM inventory_inventoryitem WHERE machine_id = ANY($1)";

    /// Deletes when it was reported.
    delete_inventories(ids: [MachineId]) =
        "DELETE FROM inventory_inventory WHERE machine_id = ANY($1)";

    /// Deletes their facts.
    delete_facts(ids: [MachineId]) =
        "DELETE FROM server_fact WHERE machine_id = ANY($1)";

    /// Deletes the history of their facts.
    delete_historical_facts(ids: [MachineId]) =
        "DELETE FROM server_historicalfact WHERE machine_id = ANY($1)";

    /// Deletes their managed items.
    delete_managed_items(ids: [MachineId]) =
        "DELETE FROM server_manageditem WHERE machine_id = ANY($1)";

    /// Deletes the history of their managed items.
    delete_managed_item_histories(ids: [MachineId]) =
        "DELETE FROM server_manageditemhistory WHERE machine_id = ANY($1)";

    /// Deletes their messages.
    delete_messages(ids: [MachineId]) =
        "DELETE FROM server_message WHERE machine_id = ANY($1)";

    /// Deletes what quick search knows of them.
    delete_search_cache(ids: [MachineId]) =
        "DELETE FROM search_searchcache WHERE machine_id = ANY($1)";

    /// Deletes what this server remembers of their check-ins.
    delete_checkin_memory(ids: [MachineId]) =
        "DELETE FROM salrs_checkin WHERE machine_id = ANY($1)";

    /// Deletes what became of them.
    delete_changes(ids: [MachineId]) = "DELETE FROM salrs_change WHERE machine_id = ANY($1)";

    /// Deletes the machines themselves.
    delete_machine_rows(ids: [MachineId]) =
        "DELETE FROM server_machine WHERE id = ANY($1)";
}
