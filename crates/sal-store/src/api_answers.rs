//! `salrs_api_answer`: requests of programs that named themselves, so that one that is sent again changes nothing again.

use jiff::Timestamp;

crate::queries! {
    /// Begins a request, unless there is one of this name: one of the last day that is answered, or one of the last minute
    /// that is under way. Forgets old ones, but for those that another request begins again at this moment.
    begin_request(BeginRequest {
        caller: str,
        key: str,
        request: Vec<u8>,
        attempt: Vec<u8>,
        now: Timestamp,
        answered_after: Timestamp,
        under_way_after: Timestamp
    }) = "
        WITH old AS (
            DELETE FROM salrs_api_answer WHERE (caller, key) IN (
                SELECT caller, key FROM salrs_api_answer WHERE started <= $6 AND (caller, key) <> ($1, $2)
                FOR UPDATE SKIP LOCKED LIMIT 1000))
        INSERT INTO salrs_api_answer AS a (caller, key, request, try, started) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (caller, key) DO UPDATE
        SET request = excluded.request, try = excluded.try, started = excluded.started, status = NULL, body = NULL
        WHERE a.started <= $6 OR (a.status IS NULL AND a.started <= $7 AND a.request = excluded.request)";

    /// What there is of a request.
    known_request(caller: str, key: str) -> /// A request that named itself.
    KnownRequest {
        /// SHA-256 of method, address and body.
        request: Vec<u8>,
        /// What was answered; none while it is under way.
        status: Option<i32>,
        /// The body, where there was one.
        body: Option<String>,
    } = "SELECT request, status, body FROM salrs_api_answer WHERE caller = $1 AND key = $2";

    /// Notes the answer, in the transaction of the change. Nothing when another try took over.
    note_answer(caller: str, key: str, attempt: Vec<u8>, status: i32, body: Option<String>) =
        "UPDATE salrs_api_answer SET status = $4, body = $5 WHERE caller = $1 AND key = $2 AND try = $3 AND status IS NULL";

    /// Forgets a try that changed nothing.
    forget_request(caller: str, key: str, attempt: Vec<u8>) =
        "DELETE FROM salrs_api_answer WHERE caller = $1 AND key = $2 AND try = $3 AND status IS NULL";
}
