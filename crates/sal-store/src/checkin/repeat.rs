//! The first statement of a check-in, and the only one when the machine sends what it sent last time.
//!
//! It lets the caller in, finds group and machine, and where the digests are those of the last check-in through this
//! server, it writes what such a check-in changes: the machine's row, and the times of messages and script results.

use jiff::Timestamp;

use super::changes::{MachineColumns, Trace};
use super::memory::{Repeat, repeat};
use crate::error::StoreError;
use crate::ids::{GroupId, MachineId};
use crate::pool::Executor;

crate::queries! {
    /// What there is, where our table is missing: nothing is remembered, so nothing can be a repetition.
    look(auth_key: Option<String>, group_key: str, serial: str) -> /// What there is.
    LookRow {
        /// Whether the caller may check machines in.
        authorised: bool,
        /// The group of the body's key.
        group_id: Option<GroupId>,
        /// The machine.
        machine_id: Option<MachineId>,
        /// The version of its row (Postgres manual, 5.5 system columns: `xmin`).
        version: Option<String>,
    } = "SELECT $1::text IS NULL OR EXISTS (SELECT 1 FROM server_machinegroup WHERE key = $1) AS authorised,
                (SELECT id FROM server_machinegroup WHERE key = $2) AS group_id,
                seen.machine_id, seen.version
         FROM (SELECT) one LEFT JOIN (
             SELECT m.id AS machine_id, m.xmin::text AS version FROM server_machine m WHERE m.serial = $3) seen ON true";
}

/// A check-in as far as it can be told without knowing what is there.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The key that the caller showed; none where no key is asked for.
    pub auth_key: Option<String>,
    /// The key in the body.
    pub group_key: String,
    /// The cleaned serial number.
    pub serial: String,
    /// The time of the check-in.
    pub now: Timestamp,
    /// The columns that it decides; `deployed` is not looked at.
    pub columns: MachineColumns,
    /// Whether Munki's columns are the submission's; otherwise they stay.
    pub has_munki: bool,
    /// Whether a check-in marks its machine as in use.
    pub deploy: bool,
    /// What the submission holds.
    pub digests: Vec<u8>,
    /// Digests count when all rows were compared later than this.
    pub compared_after: Timestamp,
    /// Plugin scripts whose results get the time of the check-in.
    pub plugins: Vec<String>,
    /// Whether all messages do.
    pub touch_messages: bool,
    /// Whence it came.
    pub trace: Trace,
}

/// What there was when a check-in arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether the caller may check machines in.
    pub authorised: bool,
    /// The group of the body's key.
    pub group: Option<GroupId>,
    /// Whether the key in the body is one that the group had before.
    pub by_former_key: bool,
    /// The machine, if it was seen before.
    pub machine: Option<MachineId>,
    /// What it sent last, as long as that is what the tables hold.
    pub digests: Option<Vec<u8>>,
    /// The machine's row as it was, to be compared once it is locked.
    pub version: Option<String>,
    /// Whether all is written, because nothing was new.
    pub done: bool,
}

/// Looks the check-in up, and records it at once when it repeats the last one. One statement, one round trip.
///
/// # Errors
/// The statement's error; then nothing was written.
pub async fn arrive(arrival: &Arrival, db: &impl Executor) -> Result<Seen, StoreError> {
    let (columns, trace) = (&arrival.columns, &arrival.trace);
    let rows = repeat(
        db,
        Repeat {
            auth_key: &arrival.auth_key,
            group_key: &arrival.group_key,
            serial: &arrival.serial,
            now: &arrival.now,
            texts: &columns.texts(),
            memory_kb: &columns.memory_kb,
            hd_space: &columns.hd_space,
            hd_total: &columns.hd_total,
            has_munki: &arrival.has_munki,
            deploy: &arrival.deploy,
            digests: &arrival.digests,
            compared_after: &arrival.compared_after,
            plugins: &arrival.plugins,
            touch_messages: &arrival.touch_messages,
            body_bytes: &trace.body_bytes,
            milliseconds: &trace.milliseconds,
            address: &trace.address,
            client: &trace.client,
        },
    )
    .await?;
    Ok(rows
        .into_iter()
        .next()
        .map_or_else(Seen::nobody, |row| Seen {
            authorised: row.authorised,
            group: row.group_id,
            by_former_key: row.by_former_key,
            machine: row.machine_id,
            digests: row.digests,
            version: row.version,
            done: row.done,
        }))
}

/// Looks the check-in up where our table is missing.
///
/// # Errors
/// The statement's error.
pub async fn arrive_unremembered(
    arrival: &Arrival,
    db: &impl Executor,
) -> Result<Seen, StoreError> {
    let (auth_key, group_key) = (&arrival.auth_key, &arrival.group_key);
    let rows = look(db, auth_key, group_key, &arrival.serial).await?;
    Ok(rows
        .into_iter()
        .next()
        .map_or_else(Seen::nobody, |row| Seen {
            authorised: row.authorised,
            group: row.group_id,
            by_former_key: false,
            machine: row.machine_id,
            digests: None,
            version: row.version,
            done: false,
        }))
}

impl Seen {
    /// What a statement without rows would mean; both always return one.
    fn nobody() -> Self {
        Self {
            authorised: false,
            group: None,
            by_former_key: false,
            machine: None,
            digests: None,
            version: None,
            done: false,
        }
    }
}
