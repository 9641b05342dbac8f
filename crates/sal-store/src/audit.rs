//! `salrs_audit`: which person changed what. Written in the transaction of the change.

use jiff::Timestamp;

use crate::ids::UserId;

crate::queries! {
    /// Notes a change. `detail` says old and new values in words and holds no secret.
    insert_audit(InsertAudit {
        at: Timestamp,
        user: Option<UserId>,
        username: str,
        action: str,
        kind: str,
        object_id: str,
        object_name: str,
        detail: str
    }) = "INSERT INTO salrs_audit (at, user_id, username, action, kind, object_id, object_name, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    /// Notes logins that were refused. `detail` says how often and from where.
    insert_refusals(at: Timestamp, username: str, action: str, detail: str) -> /// A line of refused logins.
    RefusalRow {
        /// Its number.
        id: i64,
    } = "INSERT INTO salrs_audit (at, user_id, username, action, kind, object_id, object_name, detail)
         VALUES ($1, NULL, $2, $3, 'login', '', $2, $4) RETURNING id";

    /// Brings the number of a line of refused logins up to date.
    update_refusals(id: i64, detail: str) = "UPDATE salrs_audit SET detail = $2 WHERE id = $1 AND kind = 'login'";

    /// The newest changes, those before the id `before` when one is given; only of the kind and object when given.
    list_audit(before: Option<i64>, kind: Option<String>, object_id: Option<String>, limit: i64) -> /// A change.
    AuditRow {
        /// Its number.
        id: i64,
        /// When.
        at: Timestamp,
        /// Who.
        username: String,
        /// What was done.
        action: String,
        /// To what kind of thing.
        kind: String,
        /// Its key.
        object_id: String,
        /// Its name as it was then.
        object_name: String,
        /// Old and new values in words.
        detail: String,
    } = "SELECT id, at, username, action, kind, object_id, object_name, detail FROM salrs_audit
         WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR kind = $2)
           AND ($3::text IS NULL OR object_id = $3)
         ORDER BY id DESC LIMIT $4";

    /// A page of changes, the newest first: those before the id `before` when one is given, of the kind when given, and by
    /// people whose names hold `username`, upper or lower case, unless it is empty.
    search_audit(before: Option<i64>, kind: Option<String>, username: str, limit: i64) -> /// A change of the page.
    FoundChange {
        /// Its number.
        id: i64,
        /// When.
        at: Timestamp,
        /// Who.
        username: String,
        /// What was done.
        action: String,
        /// To what kind of thing.
        kind: String,
        /// Its key.
        object_id: String,
        /// Its name as it was then.
        object_name: String,
        /// Old and new values in words.
        detail: String,
    } = "SELECT id, at, username, action, kind, object_id, object_name, detail FROM salrs_audit
         WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR kind = $2)
           AND ($3::text = '' OR strpos(lower(username), lower($3)) > 0)
         ORDER BY id DESC LIMIT $4";

    /// The kinds of things that were ever changed. Hops from one to the next in the index, however many changes there are.
    audit_kinds() -> /// A kind of thing.
    AuditKind {
        /// Its word.
        kind: String,
    } = "WITH RECURSIVE kinds AS (
             (SELECT kind FROM salrs_audit ORDER BY kind LIMIT 1)
             UNION ALL
             SELECT (SELECT next.kind FROM salrs_audit next WHERE next.kind > kinds.kind ORDER BY next.kind LIMIT 1)
             FROM kinds WHERE kinds.kind IS NOT NULL
         )
         SELECT kind FROM kinds WHERE kind IS NOT NULL";
}
