//! `server_businessunit` and `server_machinegroup` as places of the fleet: by id, and listed with their machines.
//!
//! Making them, and finding a group by its key, is in `groups`; keys for pages are in `group_keys`.

use crate::{
    ids::{GroupId, UnitId},
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

    /// How many units are not among these, counted no further than one.
    count_units_outside(units: Vec<i32>) -> /// A count of units.
    UnitsOutside {
        /// 0 or 1.
        count: i64,
    } = "SELECT count(*) AS count FROM (SELECT FROM server_businessunit WHERE id <> ALL($1) LIMIT 1) AS few";
}
