//! `server_machinegroup` and `server_businessunit`: the keys that clients authenticate with; making units and groups,
//! changing and deleting groups.

use crate::{
    error::StoreError,
    ids::{GroupId, MachineId, UnitId},
    machines::delete_machines,
    pool::Tx,
};

crate::queries! {
    /// The group with this key, if any. The key is compared by Postgres, byte for byte.
    group_by_key(key: str) -> /// A machine group as the check-in door needs it.
    Group {
        /// Its id.
        id: GroupId,
        /// The unit it belongs to.
        business_unit_id: UnitId,
    } = "SELECT id, business_unit_id FROM server_machinegroup WHERE key = $1";

    /// Makes a business unit and returns its id.
    insert_unit(name: str) -> /// A new business unit.
    NewUnit {
        /// Its id.
        id: UnitId,
    } = "INSERT INTO server_businessunit (name) VALUES ($1) RETURNING id";

    /// Makes a machine group and returns its id. `key` must be unique; Sal makes keys of 128 characters.
    insert_group(unit: UnitId, name: str, key: str) -> /// A new machine group.
    NewGroup {
        /// Its id.
        id: GroupId,
    } = "INSERT INTO server_machinegroup (business_unit_id, name, key) VALUES ($1, $2, $3) RETURNING id";

    /// Gives a group another name and another unit.
    update_group(id: GroupId, name: str, unit: UnitId) =
        "WITH gone AS (
             INSERT INTO salrs_gone (machine_id, serial, unit_id)
             SELECT m.id, m.serial, g.business_unit_id FROM server_machine m
             JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE g.id = $1 AND g.business_unit_id <> $3)
         UPDATE server_machinegroup SET name = $2, business_unit_id = $3 WHERE id = $1";

    /// What would go with a group.
    count_in_group(id: GroupId) -> /// What belongs to a group.
    GroupContents {
        /// Machines.
        machines: i64,
        /// Munki's catalogs.
        catalogs: i64,
    } = "SELECT (SELECT count(*) FROM server_machine WHERE machine_group_id = $1) AS machines,
                (SELECT count(*) FROM catalog_catalog WHERE machine_group_id = $1) AS catalogs";

    /// Names of groups and their units.
    places_of_groups(ids: Vec<GroupId>) -> /// Where a group is.
    GroupPlace {
        /// The group.
        id: GroupId,
        /// Its name.
        name: String,
        /// Its unit.
        unit_id: UnitId,
        /// The unit's name.
        unit_name: String,
    } = "SELECT g.id, g.name, g.business_unit_id AS unit_id, u.name AS unit_name
         FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id WHERE g.id = ANY($1)";

    /// Locks groups until the transaction ends: nobody can put a machine into them meanwhile.
    lock_groups(ids: Vec<GroupId>) -> /// A group that is still there.
    LockedGroup {
        /// Its id.
        id: GroupId,
    } = "SELECT id FROM server_machinegroup WHERE id = ANY($1) ORDER BY id FOR UPDATE";

    /// Locks the machines of groups: one that is moved away meanwhile is not among them.
    machine_ids_of_groups(ids: Vec<GroupId>) -> /// A machine of a group.
    MachineOfGroup {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE machine_group_id = ANY($1) ORDER BY id FOR UPDATE";

    /// Deletes groups without machines, and their catalogs.
    delete_group_rows(ids: Vec<GroupId>) =
        "WITH catalogs AS (DELETE FROM catalog_catalog WHERE machine_group_id = ANY($1))
         DELETE FROM server_machinegroup WHERE id = ANY($1)";
}

/// Deletes groups with their machines and catalogs; returns how many machines there were.
///
/// A check-in that makes a machine in one of them at the same time fails when it ends, and its client is told that
/// the key is unknown.
///
/// # Errors
/// When the database refuses.
pub async fn delete_groups(ids: &[GroupId], tx: &Tx) -> Result<u64, StoreError> {
    let ids = ids.to_vec();
    lock_groups(tx, &ids).await?;
    let machines = machine_ids_of_groups(tx, &ids).await?;
    let machines: Vec<MachineId> = machines.into_iter().map(|machine| machine.id).collect();
    let deleted = delete_machines(&machines, tx).await?;
    delete_group_rows(tx, &ids).await?;
    Ok(deleted)
}
