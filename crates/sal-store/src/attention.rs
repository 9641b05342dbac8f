//! Machines that somebody should look at: a broken client, errors at the last check-in, a disk that is nearly full.

use jiff::Timestamp;
use sal_query::Condition;

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
    serials::has_placeholder,
};

/// A machine that needs attention, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionRow {
    /// Its id.
    pub id: MachineId,
    /// Serial number.
    pub serial: String,
    /// Name.
    pub hostname: Option<String>,
    /// Last check-in.
    pub last_checkin: Option<Timestamp>,
    /// Whether the client reported itself broken.
    pub broken_client: bool,
    /// Number of messages of level ERROR.
    pub errors: i64,
    /// The used share of the disk as the client worded it, where it is 95 % or more.
    pub full_disk: Option<String>,
    /// Whether it has no serial number of its own.
    pub has_placeholder: bool,
    /// How many machines of the part need attention.
    pub all: i64,
}

/// The machines of a part of the fleet that need attention most; deployed ones only. The gravest first, then who was seen
/// last.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machines_needing_attention(
    part: &Condition,
    most: u16,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<AttentionRow>, StoreError> {
    let fragment = part.to_sql(now, FIRST_PARAMETER);
    let sql = format!(
        "SELECT machine.id, machine.serial, machine.hostname, machine.last_checkin, machine.broken_client, \
             coalesce(messages.errors, 0), \
             CASE WHEN machine.hd_percent ~ {FULL} THEN machine.hd_percent END, {placeholder}, count(*) OVER () \
         FROM {MACHINES_IN_SCOPE} \
         LEFT JOIN (SELECT machine_id, count(*) AS errors FROM server_message WHERE message_type = 'ERROR' \
                    GROUP BY machine_id) messages ON messages.machine_id = machine.id \
         WHERE machine.deployed AND {part} \
           AND (machine.broken_client OR messages.errors > 0 OR machine.hd_percent ~ {FULL} OR {placeholder}) \
         ORDER BY machine.broken_client DESC, (messages.errors > 0) DESC NULLS LAST, \
             machine.last_checkin DESC NULLS LAST, machine.id LIMIT {most}",
        part = fragment.text,
        placeholder = has_placeholder(),
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    rows.iter()
        .map(|row| {
            Ok(AttentionRow {
                id: row.try_get(0)?,
                serial: row.try_get(1)?,
                hostname: row.try_get(2)?,
                last_checkin: row.try_get(3)?,
                broken_client: row.try_get(4)?,
                errors: row.try_get(5)?,
                full_disk: row.try_get(6)?,
                has_placeholder: row.try_get(7)?,
                all: row.try_get(8)?,
            })
        })
        .collect()
}

/// 95 to 100 per cent, with or without decimals.
const FULL: &str = "'^ *(9[5-9]([.][0-9]+)?|100([.]0+)?) *$'";
