//! `licenses_license`: how many seats of an application a business unit has, and how many are in use.

use crate::ids::UnitId;

/// Used seats of the licence `l`: the machines of its unit, deployed or not, with an application that meets every
/// criterion that is not empty.
///
/// Applications are found first, and then the machines that have one of them, 20 times faster than by one join. Only a
/// licence that names no application reads all items.
macro_rules! used_seats {
    () => {
        concat!(
            "(SELECT count(*) FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
              WHERE g.business_unit_id = l.business_unit_id AND CASE
                WHEN concat(l.inventory_name, l.inventory_bundleid, l.inventory_bundlename) = '' THEN EXISTS (
                    SELECT FROM inventory_inventoryitem i WHERE i.machine_id = m.id AND ",
            meets_version_and_path!(),
            ") ELSE EXISTS (
                    SELECT FROM inventory_inventoryitem i WHERE i.machine_id = m.id AND ",
            meets_version_and_path!(),
            " AND i.application_id = ANY (ARRAY(
                        SELECT a.id FROM inventory_application a
                        WHERE (l.inventory_name = '' OR a.name = l.inventory_name)
                            AND (l.inventory_bundleid = '' OR a.bundleid = l.inventory_bundleid)
                            AND (l.inventory_bundlename = '' OR a.bundlename = l.inventory_bundlename)))) END)"
        )
    };
}

/// Whether the item `i` is of the version and at the path of the licence `l`.
macro_rules! meets_version_and_path {
    () => {
        "(l.inventory_path = '' OR i.path = l.inventory_path)
         AND (l.inventory_version = '' OR CASE WHEN l.inventory_version LIKE '%*'
             THEN starts_with(i.version, left(l.inventory_version, -1)) ELSE i.version = l.inventory_version END)"
    };
}

crate::queries! {
    /// Licences of a unit: those with these names, or all, in the order of their names.
    licences(unit: UnitId, everything: bool, names: Vec<String>) -> /// A licence with its seats.
    LicenceRow {
        /// Its name.
        item_name: String,
        /// Seats.
        total: i32,
        /// Seats in use.
        used: Option<i64>,
    } = concat!("SELECT l.item_name, l.total, ", used_seats!(), " AS used
         FROM licenses_license l WHERE l.business_unit_id = $1 AND ($2 OR l.item_name = ANY($3)) ORDER BY l.item_name");

    /// All licences by name, for global admins.
    list_licences() -> /// A licence of the list.
    ListedLicence {
        /// Its name.
        item_name: String,
        /// Seats.
        total: i32,
        /// Seats in use.
        used: Option<i64>,
        /// The unit that has it.
        unit_id: UnitId,
        /// Name of the unit.
        unit: String,
    } = concat!("SELECT l.item_name, l.total, ", used_seats!(), " AS used, u.id AS unit_id, u.name AS unit
         FROM licenses_license l JOIN server_businessunit u ON u.id = l.business_unit_id
         ORDER BY lower(l.item_name), l.item_name");

    /// The licence with this name.
    find_licence(name: str) -> /// Everything that is known of a licence.
    Licence {
        /// Its name, which is its key.
        item_name: String,
        /// Seats.
        total: i32,
        /// What a seat costs, in whatever money.
        cost_per_seat: i32,
        /// Name of the application; empty for any.
        inventory_name: String,
        /// Its version, `*` at the end for any that begins so; empty for any.
        inventory_version: String,
        /// Its bundle id; empty for any.
        inventory_bundleid: String,
        /// Its bundle name; empty for any.
        inventory_bundlename: String,
        /// Where it is; empty for anywhere.
        inventory_path: String,
        /// The unit that has the licence.
        business_unit_id: UnitId,
        /// What people wrote.
        notes: String,
    } = "SELECT item_name, total, cost_per_seat, inventory_name, inventory_version, inventory_bundleid,
                inventory_bundlename, inventory_path, business_unit_id, notes
         FROM licenses_license WHERE item_name = $1";

    /// Makes a licence, unless there is one with this name: then no row is made.
    insert_licence(InsertLicence {
        item_name: String,
        total: i32,
        cost_per_seat: i32,
        inventory_name: String,
        inventory_version: String,
        inventory_bundleid: String,
        inventory_bundlename: String,
        inventory_path: String,
        business_unit_id: UnitId,
        notes: String
    }) = "INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version,
             inventory_bundleid, inventory_bundlename, inventory_path, business_unit_id, notes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (item_name) DO NOTHING";

    /// Changes a licence and its name, unless another one has the new name: then no row is changed.
    update_licence(UpdateLicence {
        item_name: String,
        total: i32,
        cost_per_seat: i32,
        inventory_name: String,
        inventory_version: String,
        inventory_bundleid: String,
        inventory_bundlename: String,
        inventory_path: String,
        business_unit_id: UnitId,
        notes: String,
        old_name: str
    }) = "UPDATE licenses_license SET item_name = $1, total = $2, cost_per_seat = $3, inventory_name = $4,
             inventory_version = $5, inventory_bundleid = $6, inventory_bundlename = $7, inventory_path = $8,
             business_unit_id = $9, notes = $10
         WHERE item_name = $11
             AND NOT EXISTS (SELECT FROM licenses_license WHERE item_name = $1 AND item_name <> $11)";

    /// Removes a licence.
    delete_licence(name: str) = "DELETE FROM licenses_license WHERE item_name = $1";
}
