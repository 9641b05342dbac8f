//! What maintenance asks of `salrs_change`.

use jiff::Timestamp;

/// Machines that have lines and are gone. Hops from one machine to the next in the index, however many lines there are.
macro_rules! gone_machines {
    () => {
        "ids AS (
             SELECT min(machine_id) AS machine_id FROM salrs_change
             UNION ALL
             SELECT (SELECT min(c.machine_id) FROM salrs_change c WHERE c.machine_id > ids.machine_id)
             FROM ids WHERE ids.machine_id IS NOT NULL),
         gone AS (
             SELECT machine_id FROM ids WHERE machine_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM server_machine m WHERE m.id = ids.machine_id))"
    };
}

/// How many lines there are. Counting hundreds of millions would read them all.
macro_rules! all_changes {
    () => {
        "(SELECT CASE WHEN t.reltuples < 1000000 THEN (SELECT count(*) FROM salrs_change) ELSE t.reltuples::bigint END
          FROM pg_class t WHERE t.oid = 'salrs_change'::regclass)"
    };
}

crate::queries! {
    /// Writes of machines that did not check in since `before` that they went missing, `days` after their last
    /// check-in; at most so many, each once. Not of those that went missing before `kept`: that would be removed again.
    insert_missing(before: Timestamp, kept: Timestamp, days: i32, limit: i64) =
        "INSERT INTO salrs_change (machine_id, at, kind, name, was)
         SELECT m.id, m.last_checkin + make_interval(hours => 24 * $3::int), 3, '',
                to_char(m.last_checkin AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
         FROM server_machine m
         WHERE m.last_checkin < $1 AND NOT EXISTS (
             SELECT FROM salrs_change c WHERE c.machine_id = m.id AND c.at > m.last_checkin AND c.kind = 3)
           AND m.last_checkin + make_interval(hours => 24 * $3::int) >= $2
         LIMIT $4";

    /// Counts the machines of which [`insert_missing`] would write.
    count_missing(before: Timestamp, kept: Timestamp, days: i32) -> /// A count.
    MissingCount {
        /// Machines.
        machines: i64,
    } = "SELECT count(*) AS machines FROM server_machine m
         WHERE m.last_checkin < $1 AND NOT EXISTS (
             SELECT FROM salrs_change c WHERE c.machine_id = m.id AND c.at > m.last_checkin AND c.kind = 3)
           AND m.last_checkin + make_interval(hours => 24 * $3::int) >= $2";

    /// Removes the oldest lines that are older than this, at most so many.
    delete_old_changes(before: Timestamp, limit: i64) =
        "DELETE FROM salrs_change WHERE (at, id) IN (SELECT at, id FROM salrs_change WHERE at < $1 ORDER BY at, id LIMIT $2)";

    /// How many lines are older than this, and how many there are; of a large table as Postgres estimates.
    count_old_changes(before: Timestamp) -> /// Counts of lines.
    ChangeCounts {
        /// Older.
        old: i64,
        /// All.
        all: i64,
    } = concat!("SELECT (SELECT count(*) FROM salrs_change WHERE at < $1) AS old, ", all_changes!(), " AS \"all\"");

    /// Removes lines of machines that are gone, at most so many.
    delete_changes_of_gone(limit: i64) = concat!("WITH RECURSIVE ", gone_machines!(), "
         DELETE FROM salrs_change WHERE (at, id) IN (
             SELECT c.at, c.id FROM gone JOIN salrs_change c ON c.machine_id = gone.machine_id LIMIT $1)");

    /// Counts the lines of machines that are gone, and all; of a large table as Postgres estimates.
    count_changes_of_gone() -> /// Counts of lines.
    GoneChanges {
        /// Of machines that are gone.
        gone: i64,
        /// All.
        all: i64,
    } = concat!("WITH RECURSIVE ", gone_machines!(), "
         SELECT (SELECT count(*) FROM gone JOIN salrs_change c ON c.machine_id = gone.machine_id) AS gone, ",
        all_changes!(), " AS \"all\"");
}
