//! `salrs_snapshot`: how many machines of each group were what on each day. Only machines in use.
//!
//! A row for each day and group; units and the whole fleet are sums. A group that is in another unit now takes its past
//! with it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ids::GroupId;
use crate::scope::Scope;

crate::queries! {
    /// Counts the machines of every group for a day, instead of what was counted for it before. `seen` are those that
    /// checked in since the first moment, `missing` those that did not since the second. Of versions each group has its
    /// 40 most common of each kind: they are what clients say.
    take_snapshot(day: Date, seen: Timestamp, missing: Timestamp) =
        "WITH machine AS (
             SELECT m.id, m.machine_group_id AS group_id, m.last_checkin, m.broken_client, m.os_family, m.operating_system,
                    m.munki_version, m.sal_version,
                    CASE WHEN m.hd_total > 0 AND m.hd_space BETWEEN 0 AND m.hd_total
                         -- Clients say any number; the product may be no bigint.
                         THEN (m.hd_total - m.hd_space)::numeric * 100 / m.hd_total >= 90 ELSE false END AS is_full
             FROM server_machine m WHERE m.deployed),
         counted AS (
             SELECT group_id, what, n FROM (
                 SELECT group_id, count(*) AS machines, count(*) FILTER (WHERE last_checkin >= $2) AS seen,
                        count(*) FILTER (WHERE last_checkin < $3) AS missing,
                        count(*) FILTER (WHERE broken_client) AS broken, count(*) FILTER (WHERE is_full) AS full_disk
                 FROM machine GROUP BY group_id) all_of,
             LATERAL (VALUES ('machines', machines), ('seen', seen), ('missing', missing), ('broken', broken),
                             ('full disk', full_disk)) AS number (what, n)
             UNION ALL
             SELECT group_id, what, count(*) FROM (
                 SELECT DISTINCT m.group_id, m.id,
                        CASE t.message_type WHEN 'ERROR' THEN 'errors' ELSE 'warnings' END AS what
                 FROM server_message t JOIN machine m ON m.id = t.machine_id
                 WHERE t.message_type IN ('ERROR', 'WARNING')) told GROUP BY group_id, what
             UNION ALL
             SELECT group_id, 'pending', count(*) FROM machine m
             WHERE EXISTS (SELECT FROM server_manageditem i WHERE i.machine_id = m.id AND i.status = 'PENDING')
             GROUP BY group_id
             UNION ALL
             SELECT group_id, what, n FROM (
                 SELECT group_id, kind || ' ' || version AS what, n,
                        row_number() OVER (PARTITION BY group_id, kind ORDER BY n DESC, version) AS place
                 FROM (SELECT group_id, kind, left(version, 64) AS version, count(*) AS n FROM machine,
                       LATERAL (VALUES ('os', os_family || ' ' || operating_system), ('munki', munki_version),
                                       ('client', sal_version)) AS said (kind, version)
                       WHERE version <> '' GROUP BY 1, 2, 3) versions) placed
             WHERE place <= 40),
         -- A group that has no machine any more keeps nothing of what was counted earlier that day.
         emptied AS (
             DELETE FROM salrs_snapshot WHERE day = $1 AND group_id NOT IN (SELECT group_id FROM counted))
         INSERT INTO salrs_snapshot (day, group_id, counts)
         SELECT $1, group_id, jsonb_object_agg(what, n) FROM counted WHERE n > 0 GROUP BY group_id
         ON CONFLICT (day, group_id) DO UPDATE SET counts = EXCLUDED.counts";

    /// Of days before this one, keeps Mondays only.
    thin_snapshots(before: Date) =
        "DELETE FROM salrs_snapshot WHERE day < $1 AND extract(isodow FROM day) <> 1";

    /// The counts of these days: of the groups in scope, or of one of them.
    snapshots(scope: Scope, group: Option<GroupId>, days: Vec<Date>) -> /// A count.
    SnapshotCount {
        /// The day.
        day: Date,
        /// Of what.
        what: String,
        /// How many machines.
        count: i64,
    } = "SELECT s.day, c.key AS what, sum(c.value::bigint)::bigint AS count
         FROM salrs_snapshot s LEFT JOIN server_machinegroup g ON g.id = s.group_id
         CROSS JOIN LATERAL jsonb_each_text(s.counts) c
         WHERE s.day = ANY($3) AND ($1::int[] IS NULL OR g.business_unit_id = ANY($1))
           AND ($2::int IS NULL OR s.group_id = $2)
         GROUP BY s.day, c.key ORDER BY s.day, c.key";

    /// The first day that was counted.
    first_snapshot() -> /// A day.
    FirstSnapshot {
        /// None where nothing was counted yet.
        day: Option<Date>,
    } = "SELECT min(day) AS day FROM salrs_snapshot";
}
