//! What maintenance asks of `salrs_change`.

use jiff::Timestamp;

crate::queries! {
    /// Writes of machines in use that did not check in since `before` that they went missing, `days` after their last
    /// check-in; at most so many, each once. Not of those that went missing before `kept`: that would be removed again.
    insert_missing(before: Timestamp, kept: Timestamp, days: i32, limit: i64) =
        "INSERT INTO salrs_change (machine_id, at, kind, name, was)
         SELECT m.id, m.last_checkin + make_interval(hours => 24 * $3::int), 3, '',
                to_char(m.last_checkin AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
         FROM server_machine m
         WHERE m.deployed AND m.last_checkin < $1 AND NOT EXISTS (
             SELECT FROM salrs_change c WHERE c.machine_id = m.id AND c.at > m.last_checkin AND c.kind = 3)
           AND m.last_checkin + make_interval(hours => 24 * $3::int) >= $2
         LIMIT $4";

    /// Counts the machines of which [`insert_missing`] would write.
    count_missing(before: Timestamp, kept: Timestamp, days: i32) -> /// A count.
    MissingCount {
        /// Machines.
        machines: i64,
    } = "SELECT count(*) AS machines FROM server_machine m
         WHERE m.deployed AND m.last_checkin < $1 AND NOT EXISTS (
             SELECT FROM salrs_change c WHERE c.machine_id = m.id AND c.at > m.last_checkin AND c.kind = 3)
           AND m.last_checkin + make_interval(hours => 24 * $3::int) >= $2";

    /// Removes the oldest lines that are older than this, at most so many.
    delete_old_changes(before: Timestamp, limit: i64) =
        "DELETE FROM salrs_change WHERE (at, id) IN (SELECT at, id FROM salrs_change WHERE at < $1 ORDER BY at, id LIMIT $2)";

    /// How many lines are older than this, and how many there are.
    count_old_changes(before: Timestamp) -> /// Counts of lines.
    ChangeCounts {
        /// Older.
        old: i64,
        /// All.
        all: i64,
    } = "SELECT count(*) FILTER (WHERE at < $1) AS old, count(*) AS \"all\" FROM salrs_change";

    /// Removes lines of machines that are gone, at most so many.
    delete_changes_of_gone(limit: i64) =
        "DELETE FROM salrs_change WHERE (at, id) IN (
             SELECT x.at, x.id FROM salrs_change x
             WHERE NOT EXISTS (SELECT FROM server_machine m WHERE m.id = x.machine_id) LIMIT $1)";

    /// Counts the lines of machines that are gone, and all.
    count_changes_of_gone() -> /// Counts of lines.
    GoneChanges {
        /// Of machines that are gone.
        gone: i64,
        /// All.
        all: i64,
    } = "SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM server_machine m WHERE m.id = x.machine_id)) AS gone,
                count(*) AS \"all\"
         FROM salrs_change x";
}
