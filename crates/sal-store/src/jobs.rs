//! `salrs_job` and the advisory locks of maintenance: which server works, what is due, how the last runs went.
//!
//! [`WORKER`] is held by the one server that works, on a connection that does nothing else: a connection that is lost
//! loses the lock, and another server takes over. [`RUN`] is held around each run, also by one that was started by hand.

use jiff::Timestamp;

crate::queries! {
    /// Takes a lock for this connection, if nobody has it.
    try_lock(key: i64) -> /// An answer.
    Locked {
        /// Whether it was had.
        locked: bool,
    } = "SELECT pg_try_advisory_lock($1) AS locked";

    /// Gives a lock back.
    unlock(key: i64) = "SELECT pg_advisory_unlock($1)";

    /// Says who this connection belongs to, lets Postgres notice within two minutes when the other end is gone (a lock
    /// must not outlive its server), and never waits long for what somebody else has locked.
    introduce(name: str) = "
        SELECT set_config('application_name', $1, false), set_config('tcp_keepalives_idle', '30', false),
               set_config('tcp_keepalives_interval', '15', false), set_config('tcp_keepalives_count', '5', false),
               set_config('lock_timeout', '5s', false)";

    /// The time of the database.
    database_time() -> /// A moment.
    DatabaseTime {
        /// Now.
        now: Timestamp,
    } = "SELECT clock_timestamp() AS now";

    /// Who holds a lock in this database.
    lock_holder(key: i64) -> /// A connection that holds a lock.
    LockHolder {
        /// What it calls itself.
        name: String,
        /// When it was opened.
        since: Option<Timestamp>,
        /// Its process in Postgres.
        pid: i32,
    } = "SELECT COALESCE(a.application_name, '') AS name, a.backend_start AS since, COALESCE(l.pid, 0) AS pid
         FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND ((l.classid::bigint << 32) | l.objid::bigint) = $1";

    /// Makes the rows of jobs that have none, and says again what they do and how often.
    register(names: Vec<String>, whats: Vec<String>, every_seconds: Vec<i64>, now: Timestamp) = "
        INSERT INTO salrs_job AS j (name, what, every_seconds, next_due)
        SELECT name, what, every_seconds, $4 FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (name, what, every_seconds)
        ON CONFLICT (name) DO UPDATE SET what = excluded.what, every_seconds = excluded.every_seconds
        WHERE (j.what, j.every_seconds) IS DISTINCT FROM (excluded.what, excluded.every_seconds)";

    /// Those of the jobs that are due, the longest waiting first.
    due(names: Vec<String>, now: Timestamp) -> /// A job that is due.
    DueJob {
        /// Which.
        name: String,
    } = "SELECT name FROM salrs_job WHERE name = ANY($1) AND next_due <= $2 ORDER BY next_due, name";

    /// Notes that a job begins, if it is still due at `due_by`; 0 when somebody else did it meanwhile. Should this
    /// server be killed, the next one begins again at `again`.
    start(name: str, due_by: Timestamp, server: str, again: Timestamp, now: Timestamp) = "
        UPDATE salrs_job SET last_started = $5, last_finished = NULL, last_result = 'running', last_server = $3,
            next_due = $4, runs = runs + 1
        WHERE name = $1 AND next_due <= $2";

    /// Notes how a job ended.
    finish(Finish {
        name: str, finished: Timestamp, result: str, rows: i64, milliseconds: i64, detail: str, error: str, next_due: Timestamp
    }) = "UPDATE salrs_job SET last_finished = $2, last_result = $3, rows = $4, duration_ms = $5, last_detail = $6,
             last_error = $7, next_due = $8, failures = failures + CASE WHEN $3::text = 'failed' THEN 1 ELSE 0 END
         WHERE name = $1";

    /// Makes a job due. Returns 0 when there is none of that name.
    make_due(name: str, now: Timestamp) = "UPDATE salrs_job SET next_due = $2 WHERE name = $1";

    /// All jobs that some server knows.
    list_jobs() -> /// A job and its last run.
    JobRow {
        /// Its name.
        name: String,
        /// What it does.
        what: String,
        /// How often.
        every_seconds: i64,
        /// When next.
        next_due: Timestamp,
        /// When it last began.
        last_started: Option<Timestamp>,
        /// When that run ended.
        last_finished: Option<Timestamp>,
        /// How.
        last_result: Option<String>,
        /// On which server.
        last_server: Option<String>,
        /// Rows it changed.
        rows: i64,
        /// How long it took.
        duration_ms: i64,
        /// What it did, in words.
        last_detail: String,
        /// What went wrong.
        last_error: String,
        /// How often it ran.
        runs: i64,
        /// How often it failed.
        failures: i64,
    } = "SELECT name, what, every_seconds, next_due, last_started, last_finished, last_result, last_server, rows,
                duration_ms, last_detail, last_error, runs, failures
         FROM salrs_job ORDER BY name";
}

/// The lock of the server that works: the letters `saljobsw` as a number.
pub const WORKER: i64 = 0x7361_6c6a_6f62_7377;
/// The lock around each run: the letters `saljobsr` as a number.
pub const RUN: i64 = 0x7361_6c6a_6f62_7372;
