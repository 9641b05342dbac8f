//! A line of the list with everything its columns may show.

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::{error::StoreError, ids::MachineId};

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
    /// Model identifier.
    pub machine_model: Option<String>,
    /// Model as sold.
    pub machine_model_friendly: Option<String>,
    /// `Darwin`, `Windows`, `Linux`, `ChromeOS`.
    pub os_family: String,
    /// Version of the operating system.
    pub operating_system: Option<String>,
    /// Memory as the client words it.
    pub memory: Option<String>,
    /// Memory in kibibytes; 0 when never reported.
    pub memory_kb: i32,
    /// Free disk space in bytes.
    pub hd_space: Option<i64>,
    /// Disk size in bytes.
    pub hd_total: Option<i64>,
    /// Used share of the disk, 0 to 100, as text.
    pub hd_percent: Option<String>,
    /// Processor.
    pub cpu_type: Option<String>,
    /// Processor speed.
    pub cpu_speed: Option<String>,
    /// Munki's version.
    pub munki_version: Option<String>,
    /// Version of the client's scripts.
    pub sal_version: Option<String>,
    /// Munki's manifest.
    pub manifest: Option<String>,
    /// Last check-in.
    pub last_checkin: Option<Timestamp>,
    /// First check-in.
    pub first_checkin: Option<Timestamp>,
    /// Whether it counts as deployed.
    pub deployed: bool,
    /// Whether the client reported itself broken.
    pub broken_client: bool,
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

/// The columns in the order of [`device_row`]; `{machine}` has the names of group and unit and the sort value.
pub(super) const DEVICE_COLUMNS: &str = "machine.id, machine.serial, machine.hostname, machine.console_user, \
    machine.machine_model, machine.machine_model_friendly, machine.os_family, machine.operating_system, \
    machine.memory, machine.memory_kb, machine.hd_space, machine.hd_total, machine.hd_percent, machine.cpu_type, \
    machine.cpu_speed, machine.munki_version, machine.sal_version, machine.manifest, machine.last_checkin, \
    machine.first_checkin, machine.deployed, machine.broken_client, machine.group_name, machine.unit_name, \
    messages.errors, messages.warnings, machine.sort_text";

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
    Ok(DeviceRow {
        id: row.try_get(0)?,
        serial: row.try_get(1)?,
        hostname: row.try_get(2)?,
        console_user: row.try_get(3)?,
        machine_model: row.try_get(4)?,
        machine_model_friendly: row.try_get(5)?,
        os_family: row.try_get(6)?,
        operating_system: row.try_get(7)?,
        memory: row.try_get(8)?,
        memory_kb: row.try_get(9)?,
        hd_space: row.try_get(10)?,
        hd_total: row.try_get(11)?,
        hd_percent: row.try_get(12)?,
        cpu_type: row.try_get(13)?,
        cpu_speed: row.try_get(14)?,
        munki_version: row.try_get(15)?,
        sal_version: row.try_get(16)?,
        manifest: row.try_get(17)?,
        last_checkin: row.try_get(18)?,
        first_checkin: row.try_get(19)?,
        deployed: row.try_get(20)?,
        broken_client: row.try_get(21)?,
        group: row.try_get(22)?,
        unit: row.try_get(23)?,
        errors: row.try_get(24)?,
        warnings: row.try_get(25)?,
        sort_text: row.try_get(26)?,
    })
}
