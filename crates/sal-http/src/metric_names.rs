//! Every metric, with its help text. No label has unbounded values.

/// Name and help text of each metric.
pub const METRICS: &[(&str, &str)] = &[
    (REQUESTS, "Requests answered, by door and status class"),
    (REQUEST_SECONDS, "Seconds from request to answer, by door"),
    (CHECKINS, "Check-ins by outcome: stored, rejected, failed"),
    (
        CHECKIN_WARNINGS,
        "Values of check-ins that were cut, replaced or left out",
    ),
    (DB_LOGINS, "Logins to the database by outcome: ok, failed"),
    (
        DB_CONNECTIONS,
        "Connections of the pool by state: open, idle, waiting",
    ),
    (
        CONNECTIONS,
        "Connections of clients and browsers that are open",
    ),
    (
        CONNECTIONS_CLOSED,
        "Connections that had to make room, by why: idle, slow, or refused because every request was worked on",
    ),
    (ACCEPT_ERRORS, "Connections that could not be accepted"),
    (
        MEMORY_BUSY,
        "Requests answered with 503 because the budget of memory (SAL_MEMORY_BUDGET) was taken",
    ),
    (
        TURNED_AWAY,
        "Check-ins answered with 503 because more came than end in time",
    ),
    (
        DB_BUSY,
        "Requests answered with 503 because the database was busy, a lock was held, or no connection became free",
    ),
    (
        DB_CREDENTIAL_SECONDS,
        "Seconds until the AWS credentials expire",
    ),
    (
        JOB_RUNS,
        "Runs of maintenance on this server, by job and outcome: done, failed, stopped",
    ),
    (
        JOB_LAST_DONE,
        "When a job last succeeded on this server, in seconds since 1970, by job",
    ),
];

/// Requests answered.
pub const REQUESTS: &str = "sal_http_requests_total";
/// Time to answer.
pub const REQUEST_SECONDS: &str = "sal_http_request_duration_seconds";
/// Check-ins.
pub const CHECKINS: &str = "sal_checkins_total";
/// Values of check-ins that did not fit.
pub const CHECKIN_WARNINGS: &str = "sal_checkin_warnings_total";
/// Database logins.
pub const DB_LOGINS: &str = "sal_db_logins_total";
/// Pool connections.
pub const DB_CONNECTIONS: &str = "sal_db_connections";
/// Requests that found no room in the budget of memory.
pub const MEMORY_BUSY: &str = "sal_memory_busy_total";
/// Open connections of the HTTP server.
pub const CONNECTIONS: &str = "sal_http_connections";
/// Connections closed by the server for want of room.
pub const CONNECTIONS_CLOSED: &str = "sal_http_connections_closed_total";
/// Failures to accept a connection.
pub const ACCEPT_ERRORS: &str = "sal_http_accept_errors_total";
/// Check-ins that came in too great a crowd.
pub const TURNED_AWAY: &str = "sal_checkins_turned_away_total";
/// Requests that a busy database turned away.
pub const DB_BUSY: &str = "sal_db_busy_total";
/// Life left in the AWS credentials.
pub const DB_CREDENTIAL_SECONDS: &str = "sal_db_credential_remaining_seconds";
/// Runs of maintenance.
pub const JOB_RUNS: &str = "sal_job_runs_total";
/// The last success of a job.
pub const JOB_LAST_DONE: &str = "sal_job_last_success_timestamp_seconds";
