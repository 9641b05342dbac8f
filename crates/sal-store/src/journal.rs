//! `salrs_journal` and `salrs_rejected_body`: what did not go as usual at the machines' door, so that "why is my Mac
//! missing?" has an answer. Both tables are bounded; equal events are one row that counts.

use jiff::Timestamp;

crate::queries! {
    /// Adds events, or counts them where they are known. Fingerprints must all be different.
    note_events(NoteEvents {
        fingerprints: Vec<Vec<u8>>, serials: Vec<String>, routes: Vec<String>, outcomes: Vec<String>, reasons: Vec<String>,
        addresses: Vec<String>, clients: Vec<String>, times: Vec<i64>, first: Vec<Timestamp>, last: Vec<Timestamp>,
        body_bytes: Vec<i64>, milliseconds: Vec<i64>, has_key: Vec<bool>
    }) = "INSERT INTO salrs_journal AS j (fingerprint, serial, route, outcome, reason, address, client, times, first_at, last_at,
             body_bytes, milliseconds, has_key)
         SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
             $9::timestamptz[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::boolean[]) AS new (fingerprint) ORDER BY new.fingerprint
         ON CONFLICT (fingerprint) DO UPDATE SET times = j.times + EXCLUDED.times, last_at = EXCLUDED.last_at,
             body_bytes = EXCLUDED.body_bytes, milliseconds = EXCLUDED.milliseconds, has_key = EXCLUDED.has_key";

    /// Removes all but the newest events of those who showed a key, and of strangers.
    trim_events(keep: i64, keep_of_strangers: i64) =
        "DELETE FROM salrs_journal WHERE fingerprint IN (
             (SELECT fingerprint FROM salrs_journal WHERE has_key ORDER BY last_at DESC OFFSET $1)
             UNION ALL (SELECT fingerprint FROM salrs_journal WHERE NOT has_key ORDER BY last_at DESC OFFSET $2))";

    /// Keeps a body; of equal fingerprints only the newest.
    keep_body(KeepBody { fingerprint: Vec<u8>, at: Timestamp, path: String, content_type: String, serial: String, reason: String, address: String, body: Vec<u8> }) =
        "INSERT INTO salrs_rejected_body (fingerprint, at, path, content_type, serial, reason, address, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (fingerprint) DO UPDATE SET at = EXCLUDED.at, content_type = EXCLUDED.content_type, body = EXCLUDED.body";

    /// Removes all but the newest bodies.
    trim_bodies(keep: i64) =
        "DELETE FROM salrs_rejected_body WHERE id IN (SELECT id FROM salrs_rejected_body ORDER BY at DESC, id DESC OFFSET $1)";

    /// The newest events, of one machine or of all; serial numbers are compared without case.
    events(serial: Option<String>, limit: i64) -> /// Something that did not go as usual.
    Event {
        /// The serial number, as far as it was known.
        serial: String,
        /// Which route.
        route: String,
        /// `refused`, `failed` or `stored`.
        outcome: String,
        /// Why, or what was unusual.
        reason: String,
        /// The client's address.
        address: String,
        /// What the client calls itself.
        client: String,
        /// How often.
        times: i64,
        /// When first.
        first_at: Timestamp,
        /// When last.
        last_at: Timestamp,
        /// Bytes of the last body.
        body_bytes: i64,
        /// How long the last one took.
        milliseconds: i64,
    } = "SELECT serial, route, outcome, reason, address, client, times, first_at, last_at, body_bytes, milliseconds
         FROM salrs_journal WHERE $1::text IS NULL OR upper(serial) = upper($1) ORDER BY last_at DESC LIMIT $2";

    /// A page of events, the last ones first: those after the given one in that order when one is given, of serial numbers
    /// that hold `serial`, upper or lower case, unless it is empty, and of the outcome when given.
    search_events(
        before: Option<Timestamp>, before_fingerprint: Option<Vec<u8>>, serial: str, outcome: Option<String>, limit: i64
    ) -> /// An event of a page.
    FoundEvent {
        /// What tells it from all others.
        fingerprint: Vec<u8>,
        /// The serial number, as far as it was known.
        serial: String,
        /// Which route.
        route: String,
        /// `refused`, `failed` or `stored`.
        outcome: String,
        /// Why, or what was unusual.
        reason: String,
        /// The client's address.
        address: String,
        /// What the client calls itself.
        client: String,
        /// How often.
        times: i64,
        /// When first.
        first_at: Timestamp,
        /// When last.
        last_at: Timestamp,
        /// Bytes of the last body.
        body_bytes: i64,
        /// How long the last one took.
        milliseconds: i64,
    } = "SELECT fingerprint, serial, route, outcome, reason, address, client, times, first_at, last_at, body_bytes, milliseconds
         FROM salrs_journal
         WHERE ($1::timestamptz IS NULL OR (last_at, fingerprint) < ($1, $2::bytea))
           AND ($3::text = '' OR strpos(upper(serial), upper($3)) > 0) AND ($4::text IS NULL OR outcome = $4)
         ORDER BY last_at DESC, fingerprint DESC LIMIT $5";

    /// The last check-in of a machine that was taken.
    last_checkin(serial: String) -> /// A check-in that was taken.
    LastCheckin {
        /// When, by whichever server.
        last_checkin: Option<Timestamp>,
        /// When one was taken by this server.
        taken_here: Option<Timestamp>,
        /// Bytes of its body.
        body_bytes: Option<i32>,
        /// Milliseconds until its rows were about to be written.
        milliseconds: Option<i32>,
        /// The client's address.
        address: Option<String>,
        /// What the client calls itself.
        client: Option<String>,
    } = "SELECT m.last_checkin, s.last_checkin AS taken_here, s.body_bytes, s.milliseconds, s.address, s.client
         FROM server_machine m LEFT JOIN salrs_checkin s ON s.machine_id = m.id WHERE upper(m.serial) = upper($1)";

    /// The bodies that are kept, the newest first, without their bytes.
    rejected_bodies() -> /// A body that is kept.
    RejectedBody {
        /// Its number.
        id: i64,
        /// When it came.
        at: Timestamp,
        /// Where it was sent.
        path: String,
        /// The serial number, as far as it was known.
        serial: String,
        /// Why it was refused.
        reason: String,
        /// The client's address.
        address: String,
        /// How large it is.
        bytes: Option<i32>,
    } = "SELECT id, at, path, serial, reason, address, length(body) AS bytes FROM salrs_rejected_body ORDER BY at DESC, id DESC";

    /// One of them, to be sent again.
    rejected_body(id: i64) -> /// A body to be sent again.
    Resend {
        /// Where it was sent.
        path: String,
        /// `Content-Type`.
        content_type: String,
        /// The bytes.
        body: Vec<u8>,
    } = "SELECT path, content_type, body FROM salrs_rejected_body WHERE id = $1";

    /// Forgets a body.
    forget_body(id: i64) = "DELETE FROM salrs_rejected_body WHERE id = $1";

    /// Some machine group's key: each of them opens the machines' door.
    any_group_key() -> /// A key.
    GroupKey {
        /// The key.
        key: Option<String>,
    } = "SELECT key FROM server_machinegroup WHERE key IS NOT NULL ORDER BY id LIMIT 1";
}
