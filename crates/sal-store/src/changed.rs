//! What changed since a program asked last: which machines, which of them are gone.
//!
//! A moment is a transaction id: the oldest that was still running when the answer was read (`pg_snapshot_xmin`, Postgres
//! manual, 9.26.9). Whatever committed later has that id or a later one, so that it is in the next answer; what was
//! running may be in both. Parts of a machine carry the id of the transaction that changed them last, in `salrs_checkin`;
//! rows of machines and groups carry their own (`xmin`), whoever changed them. `age` counts both from the same moment.

use jiff::Timestamp;

use crate::ids::{GroupId, MachineId};
use crate::scope::Scope;

/// What is noted of machines that are about to get another group, for statements that put them there: the change itself
/// (4 is [`Group`](crate::machine_changes::ChangeKind::Group)), and what programs of the API are told where it makes the
/// unit another.
macro_rules! leaving {
    ($ids:literal, $group:literal) => {
        concat!(
            "moved AS (
             INSERT INTO salrs_change (machine_id, at, kind, name, was, became)
             SELECT m.id, now(), 4, '', concat(g.name, ' (', u.name, ')'), concat(other.name, ' (', unit.name, ')')
             FROM server_machine m
             JOIN server_machinegroup g ON g.id = m.machine_group_id
             JOIN server_businessunit u ON u.id = g.business_unit_id
             JOIN server_machinegroup other ON other.id = ",
            $group,
            " AND other.id <> g.id
             JOIN server_businessunit unit ON unit.id = other.business_unit_id
             WHERE m.id = ANY(",
            $ids,
            ")),
         leaving AS (
             SELECT m.id, m.serial, g.business_unit_id FROM server_machine m
             JOIN server_machinegroup g ON g.id = m.machine_group_id
             JOIN server_machinegroup other ON other.id = ",
            $group,
            " AND other.business_unit_id <> g.business_unit_id
             WHERE m.id = ANY(",
            $ids,
            ")),
         arriving AS (
             UPDATE salrs_checkin c SET facts_changed = pg_current_xact_id(), managed_items_changed = pg_current_xact_id(),
                 applications_changed = pg_current_xact_id(), profiles_changed = pg_current_xact_id()
             FROM leaving WHERE c.machine_id = leaving.id),
         gone AS (
             INSERT INTO salrs_gone (machine_id, serial, unit_id)
             SELECT id, serial, business_unit_id FROM leaving)"
        )
    };
}
pub(crate) use leaving;

crate::queries! {
    /// Notes that machines get another group, before they are put there.
    note_moves(ids: [MachineId], group: GroupId) =
        concat!("WITH ", leaving!("$1", "$2"), " SELECT FROM leaving");

    /// Notes that machines are about to be deleted.
    note_deletions(ids: [MachineId]) =
        "INSERT INTO salrs_gone (machine_id, serial, unit_id)
         SELECT m.id, m.serial, g.business_unit_id FROM server_machine m
         JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE m.id = ANY($1)";

    /// Notes that a machine has other applications.
    note_applications(machine: MachineId) =
        "UPDATE salrs_checkin SET applications_changed = pg_current_xact_id() WHERE machine_id = $1";

    /// Notes that a machine has other profiles.
    note_profiles(machine: MachineId) =
        "UPDATE salrs_checkin SET profiles_changed = pg_current_xact_id() WHERE machine_id = $1";

    /// Forgets machines that were gone a week before the oldest cursor that is good.
    forget_gone(now: Timestamp, limit: i64) =
        "DELETE FROM salrs_gone WHERE ctid = ANY(ARRAY(SELECT ctid FROM salrs_gone WHERE at < $1::timestamptz - interval '37 days' LIMIT $2))";

    /// The present moment, and whose moment it is: ids of another cluster, of a promoted replica, of another database or of
    /// tables that were restored mean nothing here.
    present() -> /// Where the database is.
    Moment {
        /// The oldest transaction that is still running.
        oldest: i64,
        /// The first that has not begun.
        next: i64,
        /// Whose transactions they are.
        history: String,
    } = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
                concat_ws('.', system.system_identifier, checkpoint.timeline_id,
                    (SELECT oid FROM pg_database WHERE datname = current_database()), 'salrs_gone'::regclass::oid) AS history
         FROM pg_control_system() system, pg_control_checkpoint() checkpoint";

    /// The machines in scope of which `part` changed in the transaction `since` or later. A group that was changed may
    /// have come from another unit with all its machines.
    changed_machines(scope: Scope, part: str, since: str) -> /// A machine.
    ChangedMachine {
        /// Its id.
        id: MachineId,
    } = "SELECT m.id FROM server_machine m
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         LEFT JOIN salrs_checkin c ON c.machine_id = m.id
         CROSS JOIN LATERAL (SELECT CASE $2
             WHEN 'facts' THEN c.facts_changed WHEN 'managed_items' THEN c.managed_items_changed
             WHEN 'inventory' THEN c.applications_changed WHEN 'profiles' THEN c.profiles_changed END AS changed) part
         WHERE ($1::int[] IS NULL OR g.business_unit_id = ANY($1))
           -- Ids of the future came with a dump of another cluster; rows of a negative age are older than ids go back.
           AND (part.changed >= $3::text::xid8 AND part.changed < pg_snapshot_xmax(pg_current_snapshot())
                OR age(g.xmin) BETWEEN 0 AND age($3::text::xid8::xid)
                -- Rows of profiles show their machine's.
                OR age(m.xmin) BETWEEN 0 AND age($3::text::xid8::xid)
                   AND ($2 = 'profiles' OR part.changed IS NULL OR c.last_checkin IS DISTINCT FROM m.last_checkin))";

    /// The machines that were deleted or left the scope in the transaction `since` or later, and are not in it now.
    gone_machines(scope: Scope, since: str) -> /// A machine that is gone.
    GoneMachine {
        /// Its id.
        machine: MachineId,
        /// Its serial number, where it is known.
        serial: Option<String>,
    } = "SELECT x.machine_id AS machine, max(x.serial) AS serial FROM salrs_gone x
         WHERE x.changed >= $2::text::xid8 AND x.changed < pg_snapshot_xmax(pg_current_snapshot())
           AND ($1::int[] IS NULL OR x.unit_id IS NULL OR x.unit_id = ANY($1))
           AND NOT EXISTS (
               SELECT FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
               WHERE m.id = x.machine_id AND ($1::int[] IS NULL OR g.business_unit_id = ANY($1)))
         GROUP BY x.machine_id ORDER BY x.machine_id";
}
