//! What happened to a machine, as one stream: status changes of managed items, values of facts whose history is kept,
//! what became of the machine itself, and what people changed.

use jiff::Timestamp;

use crate::ids::MachineId;
use crate::scope::Scope;

crate::queries! {
    /// The newest events, those before `before` when it is given; only of this kind when one is given. Events of the
    /// moment at which `limit` is reached come all, so that the next page can begin with the moments before it.
    device_timeline(id: MachineId, scope: Scope, before: Option<Timestamp>, kind: Option<String>, limit: i64) -> /// An event.
    DeviceEvent {
        /// `items`, `facts`, `checkins`, `machine`, `messages`, `software` or `changes`.
        kind: String,
        /// When.
        at: Timestamp,
        /// The source that told it, or who did it.
        who: String,
        /// Name of the item or fact, or what was done.
        what: String,
        /// The new status, the new value, or old and new values in words.
        detail: String,
        /// Which change of the machine ([`crate::machine_changes::ChangeKind`]); none for other events.
        change: Option<i16>,
        /// What it was before that change.
        was: Option<String>,
        /// What it became.
        became: Option<String>,
    } = "WITH mine AS (
             SELECT m.id, m.first_checkin, m.last_checkin FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
             WHERE m.id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))),
         page AS (
             SELECT kind, at, who, what, detail, change, was, became FROM (
                 SELECT 'items' AS kind, h.recorded AS at, s.name AS who, h.name AS what, h.status AS detail,
                        NULL::smallint AS change, NULL AS was, NULL AS became
                 FROM mine JOIN server_manageditemhistory h ON h.machine_id = mine.id
                 JOIN server_managementsource s ON s.id = h.management_source_id
                 UNION ALL
                 SELECT 'facts', h.fact_recorded, coalesce(s.name, 'Legacy'), h.fact_name, h.fact_data, NULL, NULL, NULL
                 FROM mine JOIN server_historicalfact h ON h.machine_id = mine.id
                 LEFT JOIN server_managementsource s ON s.id = h.management_source_id
                 UNION ALL
                 SELECT 'checkins', mine.first_checkin, '', '', '', NULL, NULL, NULL FROM mine
                 -- Of a machine that a page or program made this is no check-in.
                 WHERE mine.first_checkin IS NOT NULL AND mine.last_checkin IS NOT NULL
                   AND NOT EXISTS (SELECT FROM salrs_change c WHERE c.machine_id = mine.id AND c.kind = 1)
                 UNION ALL
                 SELECT CASE WHEN c.kind IN (1, 2, 3, 14) THEN 'checkins' WHEN c.kind IN (15, 16) THEN 'messages'
                             WHEN c.kind = 17 THEN 'items' WHEN c.kind IN (18, 19) THEN 'software' ELSE 'machine' END,
                        c.at, '', c.name, '', c.kind, c.was, c.became
                 FROM mine JOIN salrs_change c ON c.machine_id = mine.id
                 UNION ALL
                 SELECT 'changes', a.at, a.username, a.action, a.detail, NULL, NULL, NULL
                 FROM mine JOIN salrs_audit a ON a.kind = 'machine' AND a.object_id = mine.id::text
                 -- A move by a check-in is among the machine's own changes, unless it is older than their table.
                 WHERE a.username <> 'check-in' OR NOT EXISTS (
                     SELECT FROM salrs_change c WHERE c.machine_id = mine.id AND c.kind = 4
                     AND c.at BETWEEN a.at - interval '1 minute' AND a.at + interval '1 minute')
             ) stream
             WHERE ($3::timestamptz IS NULL OR at < $3) AND ($4::text IS NULL OR kind = $4)
             ORDER BY at DESC FETCH FIRST ($5::bigint) ROWS WITH TIES)
         SELECT kind, at, who, what, detail, change, was, became FROM page ORDER BY at DESC, kind, what, detail";
}
