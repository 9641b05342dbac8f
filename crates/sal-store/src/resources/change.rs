//! What programs write: machines by a JSON object whose names are columns, and what the other writable resources need.
//!
//! `jsonb_populate_record` (Postgres manual, 9.16) reads the object as a row of the table, so that a column that is not
//! in the object keeps its value.

use sal_query::machine_column_names;

use crate::{
    ids::{GroupId, MachineId, UnitId, UserId},
    scope::Scope,
};

macro_rules! names {
    ($first:ident, $($name:ident,)*) => { concat!(stringify!($first), $(", ", stringify!($name)),*) };
}

macro_rules! assignments {
    ($first:ident, $($name:ident,)*) => {
        concat!(
            stringify!($first), " = new.", stringify!($first),
            $(", ", stringify!($name), " = new.", stringify!($name)),*
        )
    };
}

crate::queries! {
    /// Makes a machine of an object with every column that has no default; nothing when the serial number exists.
    insert_machine_of(values: str) -> /// A new machine.
    MadeMachine {
        /// Its id.
        id: MachineId,
    } = concat!(
        "INSERT INTO server_machine (", machine_column_names!(names), ")
         SELECT ", machine_column_names!(names), " FROM jsonb_populate_record(NULL::server_machine, $1::text::jsonb)
         ON CONFLICT (serial) DO NOTHING RETURNING id"
    );

    /// Gives a machine the values of an object.
    update_machine_by(id: MachineId, values: str) = concat!(
        "UPDATE server_machine m SET ", machine_column_names!(assignments), "
         FROM server_machine old CROSS JOIN LATERAL jsonb_populate_record(old, $2::text::jsonb) new
         WHERE old.id = $1 AND m.id = $1"
    );

    /// Locks a machine until the transaction ends.
    lock_machine_of(serial: str) -> /// A machine that is there.
    LockedMachine {
        /// Its id.
        id: MachineId,
        /// The unit of its group.
        business_unit_id: UnitId,
    } = "SELECT m.id, g.business_unit_id FROM server_machine m
         JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE m.serial = $1 FOR UPDATE OF m";

    /// Whether another machine has this serial number.
    has_serial(serial: str) -> /// Whether there is one.
    KnownSerial {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE serial = $1";

    /// Those of these units that exist, which nobody removes until the transaction ends.
    known_units(ids: [UnitId]) -> /// A unit.
    KnownUnit {
        /// Its id.
        id: UnitId,
    } = "SELECT id FROM server_businessunit WHERE id = ANY($1) FOR KEY SHARE";

    /// Those of these groups that exist, which nobody removes until the transaction ends.
    known_groups(ids: [GroupId]) -> /// A group.
    KnownGroup {
        /// Its id.
        id: GroupId,
        /// Its unit.
        business_unit_id: UnitId,
    } = "SELECT id, business_unit_id FROM server_machinegroup WHERE id = ANY($1) FOR KEY SHARE";

    /// Those of these users that exist, whom nobody removes until the transaction ends.
    known_users(ids: [UserId]) -> /// A user.
    KnownUser {
        /// Its id.
        id: UserId,
    } = "SELECT id FROM auth_user WHERE id = ANY($1) FOR KEY SHARE";

    /// Locks a group until the transaction ends.
    lock_group_of(id: GroupId) -> /// A group that is there.
    LockedGroup {
        /// Its name.
        name: String,
        /// Its unit.
        business_unit_id: UnitId,
    } = "SELECT name, business_unit_id FROM server_machinegroup WHERE id = $1 FOR UPDATE";

    /// Makes whoever looks for the same name wait until the transaction ends. The names are those of the callers.
    lock_name(name: str) = "SELECT pg_advisory_xact_lock(hashtextextended($1, 16))";

    /// The oldest unit of this name in the scope.
    unit_by_name(name: str, scope: Scope) -> /// A unit that was looked for.
    NamedUnit {
        /// Its id.
        id: UnitId,
    } = "SELECT id FROM server_businessunit WHERE name = $1 AND ($2::int[] IS NULL OR id = ANY($2::int[])) ORDER BY id LIMIT 1";

    /// The oldest group of this name in a unit.
    group_by_name(name: str, unit: UnitId) -> /// A group that was looked for.
    NamedGroup {
        /// Its id.
        id: GroupId,
    } = "SELECT id FROM server_machinegroup WHERE name = $1 AND business_unit_id = $2 ORDER BY id LIMIT 1";

    /// Those of these machines that are in the scope, by id.
    machines_of(ids: [MachineId], serials: [String], scope: Scope) -> /// A machine as it is.
    MachineNow {
        /// Its id.
        id: MachineId,
        /// Its serial number.
        serial: String,
        /// The group it is in.
        machine_group_id: GroupId,
        /// Whether it counts as deployed.
        deployed: bool,
    } = "SELECT m.id, m.serial, m.machine_group_id, m.deployed FROM server_machine m
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE (m.id = ANY($1) OR m.serial = ANY($2)) AND ($3::int[] IS NULL OR g.business_unit_id = ANY($3::int[]))
         ORDER BY m.id";

    /// The same, locked until the transaction ends.
    lock_machines_of(ids: [MachineId], serials: [String], scope: Scope) -> /// A machine as it stays.
    MachineLocked {
        /// Its id.
        id: MachineId,
        /// Its serial number.
        serial: String,
        /// The group it is in.
        machine_group_id: GroupId,
        /// Whether it counts as deployed.
        deployed: bool,
    } = "SELECT m.id, m.serial, m.machine_group_id, m.deployed FROM server_machine m
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE (m.id = ANY($1) OR m.serial = ANY($2)) AND ($3::int[] IS NULL OR g.business_unit_id = ANY($3::int[]))
         ORDER BY m.id FOR UPDATE OF m";

    /// Makes these people the members of a unit, and nobody else.
    replace_members(unit: UnitId, people: [UserId]) =
        "WITH gone AS (DELETE FROM server_businessunit_users WHERE businessunit_id = $1 AND user_id <> ALL($2))
         INSERT INTO server_businessunit_users (businessunit_id, user_id)
         SELECT $1, id FROM auth_user WHERE id = ANY($2) ON CONFLICT (businessunit_id, user_id) DO NOTHING";
}
