//! A line of the list with everything its columns may show.

use tokio_postgres::Row;

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_row::{MachineRow, columns_of},
};

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRow {
    /// Its id.
    pub id: MachineId,
    /// Its own row.
    pub machine: MachineRow,
    /// Name of the machine group.
    pub group: String,
    /// Name of the business unit.
    pub unit: String,
    /// Number of messages of level ERROR.
    pub errors: i64,
    /// Number of messages of level WARNING.
    pub warnings: i64,
    /// What it is sorted by, as [`super::SortKey`] takes it.
    pub(super) sort_text: Option<String>,
}

/// The columns as [`device_row`] takes them; `machine` has the names of group and unit and the sort value.
pub(super) fn device_columns() -> String {
    format!(
        "{}machine.id, machine.group_name, machine.unit_name, \
         coalesce(messages.errors, 0), coalesce(messages.warnings, 0), machine.sort_text",
        columns_of("machine"),
    )
}

/// Messages are counted for the lines that are shown only.
pub(super) const MESSAGES: &str = "CROSS JOIN LATERAL ( \
        SELECT count(*) FILTER (WHERE message_type = 'ERROR') AS errors, \
               count(*) FILTER (WHERE message_type = 'WARNING') AS warnings \
        FROM server_message WHERE machine_id = machine.id \
    ) messages";

/// The business unit of each machine, beside [`crate::machine_query::MACHINES_IN_SCOPE`].
pub(super) const UNIT_OF_MACHINE: &str = "JOIN server_businessunit business_unit \
    ON business_unit.id = machine_group.business_unit_id";

pub(super) fn device_row(row: &Row) -> Result<DeviceRow, StoreError> {
    let (machine, rest) = MachineRow::read(row)?;
    Ok(DeviceRow {
        machine,
        id: row.try_get(rest)?,
        group: row.try_get(rest + 1)?,
        unit: row.try_get(rest + 2)?,
        errors: row.try_get(rest + 3)?,
        warnings: row.try_get(rest + 4)?,
        sort_text: row.try_get(rest + 5)?,
    })
}
