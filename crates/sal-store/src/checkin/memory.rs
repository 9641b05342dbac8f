//! The statements that use our table `salrs_checkin`. They are a list of their own, because Postgres refuses to prepare
//! them where the table is missing.

use jiff::Timestamp;

use crate::ids::{GroupId, MachineId};

/// A check-in through Django Sal in between changed nobody knows what.
macro_rules! changed {
    ($is_new:literal, $column:literal) => {
        concat!(
            "CASE WHEN ",
            $is_new,
            " OR m.last_checkin IS DISTINCT FROM s.last_checkin THEN pg_current_xact_id() ELSE s.",
            $column,
            " END"
        )
    };
}

crate::queries! {
    /// Records a check-in that brings nothing new; whatever it finds, it tells.
    repeat(Repeat {
        auth_key: Option<String>, group_key: str, serial: str, now: Timestamp, texts: Vec<Option<String>>,
        memory_kb: i32, hd_space: Option<i64>, hd_total: Option<i64>, has_munki: bool, deploy: bool,
        digests: Vec<u8>, compared_after: Timestamp, plugins: Vec<String>, touch_messages: bool,
        body_bytes: i32, milliseconds: i32, address: str, client: str
    }) -> /// What there is.
    SeenRow {
        /// Whether the caller may check machines in.
        authorised: bool,
        /// The group of the body's key.
        group_id: Option<GroupId>,
        /// Whether that key is one that it had before.
        by_former_key: bool,
        /// The machine.
        machine_id: Option<MachineId>,
        /// The version of its row (Postgres manual, 5.5 system columns: `xmin`).
        version: Option<String>,
        /// What it sent last, as long as that is what the tables hold.
        digests: Option<Vec<u8>>,
        /// Whether all is written.
        done: bool,
    } = concat!("WITH door AS (
             SELECT $1::text IS NULL OR EXISTS (SELECT 1 FROM server_machinegroup WHERE key = $1)
                        OR EXISTS (SELECT 1 FROM salrs_group_key f JOIN server_machinegroup g ON g.id = f.group_id
                            WHERE f.key_hash = sha256(convert_to($1, 'UTF8')) AND f.ends > $4) AS authorised,
                    -- The former key is looked for only where the present one is not found.
                    coalesce(own.id, (SELECT g.id FROM salrs_group_key f JOIN server_machinegroup g ON g.id = f.group_id
                        WHERE f.key_hash = sha256(convert_to($2, 'UTF8')) AND f.ends > $4)) AS group_id,
                    own.id IS NULL AS by_former_key
             FROM (SELECT (SELECT id FROM server_machinegroup WHERE key = $2) AS id) own),
         -- Read by nobody: named here, so that a check-in learns before it writes that 0019 is missing.
         named AS (SELECT FROM salrs_change),
         seen AS (
             SELECT m.id, m.xmin::text AS version, s.last_checkin,
                    CASE WHEN s.last_checkin = m.last_checkin AND s.compared > $12
                         -- Never null: named here, so that a check-in learns before it writes that 0017 is missing.
                         AND s.facts_changed IS NOT NULL THEN s.digests END AS digests
             FROM server_machine m LEFT JOIN salrs_checkin s ON s.machine_id = m.id WHERE m.serial = $3),
         machine AS (
             UPDATE server_machine m SET
                 machine_group_id = door.group_id, last_checkin = $4, broken_client = false, ",
                 text_columns!(assignments_if_munki from "($5::text[])", has "$9", row "m",), "
                 memory_kb = $6, hd_space = $7, hd_total = $8, deployed = m.deployed OR $10
             FROM door, seen
             WHERE m.id = seen.id AND m.last_checkin = seen.last_checkin AND seen.digests = $11 AND NOT m.broken_client
                 AND door.authorised AND door.group_id = m.machine_group_id
             RETURNING m.id),
         trace AS (
             UPDATE salrs_checkin s SET last_checkin = $4, body_bytes = $15, milliseconds = $16, address = $17, client = $18,
                 by_former_key = door.by_former_key
             FROM machine, door WHERE s.machine_id = machine.id),
         scripts AS (
             UPDATE server_pluginscriptsubmission p SET recorded = $4
             FROM machine WHERE p.machine_id = machine.id AND p.plugin = ANY($13) AND NOT p.historical),
         messages AS (
             UPDATE server_message t SET date = $4 FROM machine WHERE $14 AND t.machine_id = machine.id)
         SELECT door.authorised, door.group_id, door.by_former_key, seen.id AS machine_id, seen.version, seen.digests,
                EXISTS (SELECT 1 FROM machine) AS done
         FROM door LEFT JOIN seen ON true");

    /// Overwrites the columns that a check-in decides, gives what came again its time, and remembers the check-in.
    store_machine(StoreMachine {
        id: MachineId, group: GroupId, now: Timestamp, texts: Vec<Option<String>>, memory_kb: i32,
        hd_space: Option<i64>, hd_total: Option<i64>, deployed: bool, plugins: Vec<String>, touch_messages: bool,
        digests: Vec<u8>, compared: bool, body_bytes: i32, milliseconds: i32, address: String, client: String,
        facts_changed: bool, managed_items_changed: bool, by_former_key: bool
    }) = concat!("WITH known AS (
             UPDATE salrs_checkin s SET last_checkin = $3, milliseconds = $14, body_bytes = $13,
                 compared = CASE WHEN $12 THEN $3 ELSE s.compared END, address = $15, client = $16, digests = $11, by_former_key = $19,
                 facts_changed = ", changed!("$17", "facts_changed"), ",
                 managed_items_changed = ", changed!("$18", "managed_items_changed"), ",
                 applications_changed = ", changed!("false", "applications_changed"), ",
                 profiles_changed = ", changed!("false", "profiles_changed"), "
             FROM server_machine m WHERE m.id = $1 AND s.machine_id = $1 RETURNING s.machine_id),
         made AS (
             INSERT INTO salrs_checkin
                 (machine_id, last_checkin, compared, digests, body_bytes, milliseconds, address, client, by_former_key)
             SELECT $1, $3, $3, $11, $13, $14, $15, $16, $19 WHERE NOT EXISTS (SELECT 1 FROM known)),",
        touch_and_update!());
}
