//! `licenses_license`: how many seats of an application a business unit has, and how many are in use.

use crate::ids::UnitId;

crate::queries! {
    /// Licences of a unit: those with these names, or all, in the order of their names. Used seats are the machines
    /// of the unit, deployed or not, with an application that meets every criterion that is not empty.
    licences(unit: UnitId, everything: bool, names: Vec<String>) -> /// A licence with its seats.
    LicenceRow {
        /// Its name.
        item_name: String,
        /// Seats.
        total: i32,
        /// Seats in use.
        used: Option<i64>,
    } = "SELECT l.item_name, l.total, (
             SELECT count(DISTINCT i.machine_id) FROM inventory_application a
             JOIN inventory_inventoryitem i ON i.application_id = a.id
             JOIN server_machine m ON m.id = i.machine_id
             JOIN server_machinegroup g ON g.id = m.machine_group_id
             WHERE g.business_unit_id = l.business_unit_id
                 AND (l.inventory_name = '' OR a.name = l.inventory_name)
                 AND (l.inventory_bundleid = '' OR a.bundleid = l.inventory_bundleid)
                 AND (l.inventory_bundlename = '' OR a.bundlename = l.inventory_bundlename)
                 AND (l.inventory_path = '' OR i.path = l.inventory_path)
                 AND (l.inventory_version = '' OR CASE WHEN l.inventory_version LIKE '%*'
                     THEN starts_with(i.version, left(l.inventory_version, -1)) ELSE i.version = l.inventory_version END)
         ) AS used
         FROM licenses_license l WHERE l.business_unit_id = $1 AND ($2 OR l.item_name = ANY($3)) ORDER BY l.item_name";
}
