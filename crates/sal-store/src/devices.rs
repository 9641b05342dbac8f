//! One page of the device list: filtered, sorted, counted.

use jiff::Timestamp;
use sal_query::{Condition, Field};

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// What a page of the list shows.
#[derive(Debug, Clone)]
pub struct DeviceQuery {
    /// Which machines.
    pub condition: Condition,
    /// Sorted by this field, then by id.
    pub sort: Field,
    /// Direction of sorting; machines without a value come last in both.
    pub direction: Direction,
    /// How many machines to skip.
    pub offset: i64,
    /// How many machines to return.
    pub limit: i64,
}

/// Direction of sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest, oldest, A first.
    Ascending,
    /// Largest, newest, Z first.
    Descending,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRow {
    /// Its id.
    pub id: MachineId,
    /// Serial number.
    pub serial: String,
    /// Name.
    pub hostname: Option<String>,
    /// User at the last check-in.
    pub console_user: Option<String>,
    /// Model as sold, else the identifier.
    pub model: Option<String>,
    /// `Darwin`, `Windows`, `Linux`, `ChromeOS`.
    pub os_family: String,
    /// Version of the operating system.
    pub operating_system: Option<String>,
    /// Last check-in.
    pub last_checkin: Option<Timestamp>,
    /// Whether it counts as deployed.
    pub deployed: bool,
    /// Whether the client reported itself broken.
    pub broken_client: bool,
    /// Number of messages of level ERROR.
    pub errors: i64,
    /// Number of messages of level WARNING.
    pub warnings: i64,
    /// Name of the machine group.
    pub group: String,
}

/// Lists machines.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_devices(
    query: &DeviceQuery,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<DeviceRow>, StoreError> {
    let fragment = query.condition.to_sql(now, FIRST_PARAMETER);
    let direction = match query.direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    // Messages are counted for the machines of this page only.
    let sql = format!(
        "SELECT machine.id, machine.serial, machine.hostname, machine.console_user, \
             coalesce(nullif(machine.machine_model_friendly, ''), machine.machine_model), \
             machine.os_family, machine.operating_system, machine.last_checkin, machine.deployed, \
             machine.broken_client, messages.errors, messages.warnings, machine.group_name \
         FROM ( \
             SELECT machine.*, machine_group.name AS group_name FROM {MACHINES_IN_SCOPE} WHERE {} \
             ORDER BY {sort} {direction} NULLS LAST, machine.id {direction} LIMIT {} OFFSET {} \
         ) machine \
         CROSS JOIN LATERAL ( \
             SELECT count(*) FILTER (WHERE message_type = 'ERROR') AS errors, \
                    count(*) FILTER (WHERE message_type = 'WARNING') AS warnings \
             FROM server_message WHERE machine_id = machine.id \
         ) messages \
         ORDER BY {sort} {direction} NULLS LAST, machine.id {direction}",
        fragment.text,
        query.limit.max(0),
        query.offset.max(0),
        sort = query.sort.column(),
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    rows.iter().map(device_row).collect()
}

/// Counts the machines under a condition.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_devices(
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<i64, StoreError> {
    let fragment = condition.to_sql(now, FIRST_PARAMETER);
    let sql = format!(
        "SELECT count(*) FROM {MACHINES_IN_SCOPE} WHERE {}",
        fragment.text
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
}

fn device_row(row: &tokio_postgres::Row) -> Result<DeviceRow, StoreError> {
    Ok(DeviceRow {
        id: row.try_get(0)?,
        serial: row.try_get(1)?,
        hostname: row.try_get(2)?,
        console_user: row.try_get(3)?,
        model: row.try_get(4)?,
        os_family: row.try_get(5)?,
        operating_system: row.try_get(6)?,
        last_checkin: row.try_get(7)?,
        deployed: row.try_get(8)?,
        broken_client: row.try_get(9)?,
        errors: row.try_get(10)?,
        warnings: row.try_get(11)?,
        group: row.try_get(12)?,
    })
}
