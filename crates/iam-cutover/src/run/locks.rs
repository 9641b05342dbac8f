//! Who holds the locks that a statement waited for.

use tokio_postgres::{Client, error::SqlState};

use crate::error::CutoverError;

/// The same error, with the transactions that hold locks in this database where it was a lock that did not come.
pub(super) async fn explained(error: CutoverError, db: &Client) -> CutoverError {
    let (action, source) = match error {
        CutoverError::Postgres { action, source } => (action, source),
        other => return other,
    };
    if source.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
        return CutoverError::Postgres { action, source };
    }
    let rows = db.query(HOLDERS, &[]).await.unwrap_or_default();
    let holders: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    match holders.is_empty() {
        true => CutoverError::Postgres { action, source },
        false => CutoverError::Locked {
            action,
            seconds: LOCK_SECONDS,
            holders,
        },
    }
}

/// As `lock_timeout` says in [`super::BEGIN`].
const LOCK_SECONDS: u32 = 5;

/// Any lock on a relation keeps it from getting another owner. The oldest transactions come first; a few suffice.
const HOLDERS: &str = "
SELECT pg_catalog.format('session %s of %s (%s, %s) since %s on %s', a.pid, a.usename, COALESCE(NULLIF(a.application_name, ''), '?'),
           COALESCE(a.state, '?'), COALESCE(pg_catalog.date_trunc('second', a.xact_start)::text, '?'), pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname), ', '))
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.granted AND a.pid <> pg_catalog.pg_backend_pid() AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND n.nspname NOT LIKE 'pg\\_%'
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start ORDER BY a.xact_start LIMIT 3";
