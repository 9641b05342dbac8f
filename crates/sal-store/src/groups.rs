//! `server_machinegroup` and `server_businessunit`: the keys that clients authenticate with.

use crate::ids::{GroupId, UnitId};

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
}
