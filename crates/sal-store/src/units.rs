//! `server_businessunit` and `server_machinegroup` as places of the fleet: by id, and listed with their machines.
//!
//! Making them, finding a group by its key, and changing groups is in `groups`; keys for pages are in `group_keys`.

use crate::{
    error::StoreError,
    groups::delete_groups,
    ids::{GroupId, UnitId, UserId},
    pool::Tx,
    scope::Scope,
};

crate::queries! {
    /// The unit with this id, whoever asks: the caller compares it with the viewer's scope.
    find_unit(id: UnitId) -> /// A business unit that exists.
    FoundUnit {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
    } = "SELECT id, name FROM server_businessunit WHERE id = $1";

    /// The group with this id, whoever asks: the caller compares its unit with the viewer's scope.
    find_group(id: GroupId) -> /// A machine group that exists.
    FoundGroup {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
        /// The unit it belongs to.
        unit_id: UnitId,
        /// Name of the unit.
        unit: String,
    } = "SELECT g.id, g.name, u.id AS unit_id, u.name AS unit
         FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id WHERE g.id = $1";

    /// The units in scope by name, with the number of their deployed machines, as Sal counts them in its menu.
    list_units(scope: Scope) -> /// A business unit of a list.
    ListedUnit {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
        /// How many machines of all its groups are deployed.
        deployed: i64,
    } = "SELECT u.id, u.name, count(m.id) AS deployed
         FROM server_businessunit u
         LEFT JOIN server_machinegroup g ON g.business_unit_id = u.id
         LEFT JOIN server_machine m ON m.machine_group_id = g.id AND m.deployed
         WHERE $1::int[] IS NULL OR u.id = ANY($1::int[])
         GROUP BY u.id, u.name ORDER BY u.name, u.id";

    /// The groups of a unit by name, with the number of their deployed machines; none when it is out of scope.
    list_groups(unit: UnitId, scope: Scope) -> /// A machine group of a list.
    ListedGroup {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
        /// How many of its machines are deployed.
        deployed: i64,
    } = "SELECT g.id, g.name, count(m.id) AS deployed
         FROM server_machinegroup g
         LEFT JOIN server_machine m ON m.machine_group_id = g.id AND m.deployed
         WHERE g.business_unit_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2::int[]))
         GROUP BY g.id, g.name ORDER BY g.name, g.id";

    /// The units in scope by name.
    units_in_scope(scope: Scope) -> /// A business unit that can be chosen.
    UnitChoice {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
    } = "SELECT id, name FROM server_businessunit WHERE $1::int[] IS NULL OR id = ANY($1::int[]) ORDER BY name, id";

    /// Whether a scope has every unit that there is, and one at least. Sal gives its members what it gives global admins
    /// to read.
    has_all_units(scope: Scope) -> /// An answer.
    AllUnits {
        /// Whether none is missing.
        all: bool,
    } = "SELECT $1::int[] IS NULL OR (cardinality($1::int[]) > 0
             AND NOT EXISTS (SELECT FROM server_businessunit WHERE id <> ALL($1::int[]))) AS all";

    /// All units by name, with how many people belong to each.
    list_units_with_members() -> /// A business unit of the administrators' list.
    ManagedUnit {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
        /// How many people belong to it.
        members: i64,
    } = "SELECT u.id, u.name,
                (SELECT count(*) FROM server_businessunit_users b WHERE b.businessunit_id = u.id) AS members
         FROM server_businessunit u ORDER BY u.name, u.id";

    /// The groups in scope by unit and name, with the numbers of their machines.
    list_all_groups(scope: Scope) -> /// A machine group with its unit.
    ManagedGroup {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
        /// Its unit.
        unit_id: UnitId,
        /// Name of its unit.
        unit: String,
        /// How many machines it has.
        machines: i64,
        /// How many of them are deployed.
        deployed: i64,
    } = "SELECT g.id, g.name, u.id AS unit_id, u.name AS unit, coalesce(c.machines, 0) AS machines,
                coalesce(c.deployed, 0) AS deployed
         FROM server_machinegroup g
         JOIN server_businessunit u ON u.id = g.business_unit_id
         LEFT JOIN (SELECT machine_group_id, count(*) AS machines, count(*) FILTER (WHERE deployed) AS deployed
                    FROM server_machine GROUP BY machine_group_id) c ON c.machine_group_id = g.id
         WHERE $1::int[] IS NULL OR u.id = ANY($1::int[])
         ORDER BY u.name, u.id, g.name, g.id";

    /// What would go with a unit.
    count_in_unit(id: UnitId) -> /// What belongs to a unit.
    UnitContents {
        /// Machine groups.
        groups: i64,
        /// Machines of all its groups.
        machines: i64,
        /// Licences.
        licences: i64,
        /// People who belong to it.
        members: i64,
    } = "SELECT (SELECT count(*) FROM server_machinegroup g WHERE g.business_unit_id = u.id) AS groups,
                (SELECT count(*) FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
                 WHERE g.business_unit_id = u.id) AS machines,
                (SELECT count(*) FROM licenses_license l WHERE l.business_unit_id = u.id) AS licences,
                (SELECT count(*) FROM server_businessunit_users b WHERE b.businessunit_id = u.id) AS members
         FROM server_businessunit u WHERE u.id = $1";

    /// The people who can belong to a unit, by name: global admins see all units anyway. Who has no level yet is read only.
    list_unit_people(unit: UnitId) -> /// Somebody who can belong to a unit.
    UnitPerson {
        /// The person's id.
        id: UserId,
        /// The person's user name.
        username: String,
        /// Whether the person belongs to it.
        is_member: bool,
    } = "SELECT u.id, u.username,
                EXISTS (SELECT FROM server_businessunit_users b WHERE b.businessunit_id = $1 AND b.user_id = u.id) AS is_member
         FROM auth_user u LEFT JOIN server_userprofile p ON p.user_id = u.id
         WHERE p.level IS DISTINCT FROM 'GA' ORDER BY lower(u.username), u.id";

    /// Gives a unit another name.
    rename_unit(id: UnitId, name: str) = "UPDATE server_businessunit SET name = $2 WHERE id = $1";

    /// Makes people members of a unit.
    insert_members(unit: UnitId, people: Vec<UserId>) =
        "INSERT INTO server_businessunit_users (businessunit_id, user_id)
         SELECT $1, id FROM auth_user WHERE id = ANY($2) ON CONFLICT (businessunit_id, user_id) DO NOTHING";

    /// Ends people's membership of a unit.
    delete_members(unit: UnitId, people: Vec<UserId>) =
        "DELETE FROM server_businessunit_users WHERE businessunit_id = $1 AND user_id = ANY($2)";

    /// Locks a unit until the transaction ends: nobody can put a group or a licence into it meanwhile.
    lock_unit(id: UnitId) -> /// A unit that is still there.
    LockedUnit {
        /// Its name.
        name: String,
    } = "SELECT name FROM server_businessunit WHERE id = $1 FOR UPDATE";

    /// Locks the groups of a unit: one that is moved away meanwhile is not among them.
    group_ids_of_unit(unit: UnitId) -> /// A group of a unit.
    GroupOfUnit {
        /// Its id.
        id: GroupId,
    } = "SELECT id FROM server_machinegroup WHERE business_unit_id = $1 ORDER BY id FOR UPDATE";

    /// Deletes a unit without groups, its licences and its memberships; searches that were shared with it become private.
    delete_unit_rows(id: UnitId) =
        "WITH licences AS (DELETE FROM licenses_license WHERE business_unit_id = $1),
             searches AS (UPDATE salrs_search SET sharing = 'private', unit_id = NULL WHERE unit_id = $1),
             members AS (DELETE FROM server_businessunit_users WHERE businessunit_id = $1)
         DELETE FROM server_businessunit WHERE id = $1";
}

/// Deletes a unit with its groups, machines, catalogs, licences and memberships; returns how many machines there were.
///
/// # Errors
/// When the database refuses.
pub async fn delete_unit(id: UnitId, tx: &Tx) -> Result<u64, StoreError> {
    lock_unit(tx, &id).await?;
    let groups = group_ids_of_unit(tx, &id).await?;
    let groups: Vec<GroupId> = groups.into_iter().map(|group| group.id).collect();
    let machines = delete_groups(&groups, tx).await?;
    delete_unit_rows(tx, &id).await?;
    Ok(machines)
}
