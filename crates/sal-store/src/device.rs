//! What the page of one machine shows whichever of its tabs is open, and changing the machine by hand.
//!
//! Each part is asked by the machine's id, and each checks the scope itself. What belongs to one tab only is in `tabs`
//! and `timeline`.

/// Facts that Sal never shows: host keys, long and of no use to a reader.
macro_rules! hidden_facts {
    () => {
        "('sshrsakey', 'sshfp_rsa', 'sshfp_dsa', 'sshdsakey')"
    };
}

pub mod tabs;
pub mod timeline;

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    changed::leaving,
    error::StoreError,
    ids::{GroupId, ItemId, MachineId, UnitId},
    machine_query::MACHINES_IN_SCOPE,
    machine_row::{MachineRow, columns_of},
    pool::{Executor, query_typed},
    scope::Scope,
};

/// A machine with its group and unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its id.
    pub id: MachineId,
    /// Its own row.
    pub machine: MachineRow,
    /// Name of its machine group.
    pub group_name: String,
    /// The group's business unit.
    pub unit_id: UnitId,
    /// Name of the business unit.
    pub unit_name: String,
}

/// The machine with this id, if the viewer may see it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn device_by_id(
    db: &impl Executor,
    id: MachineId,
    scope: &Scope,
) -> Result<Option<Device>, StoreError> {
    let sql = format!(
        "SELECT {}machine.id, machine_group.name, business_unit.id, business_unit.name
         FROM {MACHINES_IN_SCOPE}
         JOIN server_businessunit business_unit ON business_unit.id = machine_group.business_unit_id
         WHERE machine.id = $2",
        columns_of("machine"),
    );
    let units = scope.units();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&units, Type::INT4_ARRAY), (&id, Type::INT8)];
    let rows = query_typed(&sql, &parameters, db).await?;
    rows.first().map(device).transpose()
}

fn device(row: &Row) -> Result<Device, StoreError> {
    let (machine, rest) = MachineRow::read(row)?;
    Ok(Device {
        machine,
        id: row.try_get(rest)?,
        group_name: row.try_get(rest + 1)?,
        unit_id: row.try_get(rest + 2)?,
        unit_name: row.try_get(rest + 3)?,
    })
}

crate::queries! {
    /// The id of the machine with this serial number, if the viewer may see it.
    device_id_by_serial(serial: &str, scope: Scope) -> /// A machine that was found by its serial number.
    DeviceId {
        /// Its id.
        id: MachineId,
    } = "SELECT m.id FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE m.serial = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))";

    /// How much there is behind each tab, and the one fact that every page shows.
    device_counts(id: MachineId, scope: Scope) -> /// Numbers of rows.
    DeviceCounts {
        /// Managed items.
        items: i64,
        /// Managed items that wait to be installed or removed.
        pending: i64,
        /// Applications of the inventory.
        applications: i64,
        /// Profiles.
        profiles: i64,
        /// Facts that are shown.
        facts: i64,
        /// The fact `ipv4_address`.
        address: Option<String>,
    } = concat!(
        "SELECT (SELECT count(*) FROM server_manageditem i WHERE i.machine_id = m.id) AS items,
                (SELECT count(*) FROM server_manageditem i WHERE i.machine_id = m.id AND i.status = 'PENDING') AS pending,
                (SELECT count(*) FROM inventory_inventoryitem i WHERE i.machine_id = m.id) AS applications,
                (SELECT count(*) FROM profiles_profile p WHERE p.machine_id = m.id) AS profiles,
                (SELECT count(*) FROM server_fact f WHERE f.machine_id = m.id AND f.fact_name NOT IN ", hidden_facts!(), ") AS facts,
                (SELECT f.fact_data FROM server_fact f WHERE f.machine_id = m.id AND f.fact_name = 'ipv4_address'
                 ORDER BY f.id LIMIT 1) AS address
         FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE m.id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))");

    /// How old everything is that the machine sends beside its own row: `inventory`, `profiles`, each `source` and each
    /// `script`. A source without items has no time of its own: its facts came with the last check-in.
    device_freshness(id: MachineId, scope: Scope) -> /// When something came last.
    DeviceFreshness {
        /// `inventory`, `profiles`, `source` or `script`.
        kind: String,
        /// Name of the source or script.
        name: String,
        /// When; of profiles, when the newest was installed.
        at: Option<Timestamp>,
    } = "WITH mine AS (
             SELECT m.id, m.last_checkin FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
             WHERE m.id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))),
         sources AS (
             SELECT i.management_source_id AS source, max(i.date_managed) AS at
             FROM mine JOIN server_manageditem i ON i.machine_id = mine.id GROUP BY i.management_source_id
             UNION ALL
             SELECT DISTINCT f.management_source_id, NULL::timestamptz
             FROM mine JOIN server_fact f ON f.machine_id = mine.id WHERE f.management_source_id IS NOT NULL)
         SELECT kind, name, at FROM (
             SELECT 1 AS place, 'inventory' AS kind, '' AS name, v.datestamp AS at
             FROM mine JOIN inventory_inventory v ON v.machine_id = mine.id
             UNION ALL
             SELECT 2, 'profiles', '', max(p.install_date) FROM mine JOIN profiles_profile p ON p.machine_id = mine.id
             HAVING count(*) > 0
             UNION ALL
             SELECT 3, 'source', s.name, coalesce(max(sources.at), (SELECT last_checkin FROM mine))
             FROM sources JOIN server_managementsource s ON s.id = sources.source GROUP BY s.name
             UNION ALL
             SELECT 4, 'script', p.plugin, max(p.recorded)
             FROM mine JOIN server_pluginscriptsubmission p ON p.machine_id = mine.id GROUP BY p.plugin
         ) seen ORDER BY place, name";

    /// Its managed items: by source, trouble first, then by name.
    device_items(id: MachineId, scope: Scope) -> /// A managed item.
    DeviceItem {
        /// The row.
        id: ItemId,
        /// Name of the source.
        source: String,
        /// Name.
        name: String,
        /// `PRESENT`, `ABSENT`, `PENDING`, `ERROR` or `UNKNOWN`.
        status: String,
        /// Since when.
        date_managed: Timestamp,
        /// Details as JSON text.
        data: Option<String>,
    } = "SELECT i.id, s.name AS source, i.name, i.status, i.date_managed, i.data
         FROM server_manageditem i
         JOIN server_managementsource s ON s.id = i.management_source_id
         JOIN server_machine m ON m.id = i.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE i.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
         ORDER BY s.name, array_position(ARRAY['ERROR', 'PENDING', 'UNKNOWN', 'PRESENT', 'ABSENT'], i.status::text),
                  lower(i.name), i.id";

    /// Its messages, gravest first, newest first among equals.
    device_messages(id: MachineId, scope: Scope) -> /// A message.
    DeviceMessage {
        /// Name of the source.
        source: Option<String>,
        /// Text.
        text: Option<String>,
        /// `ERROR`, `WARNING`, `OTHER` or `DEBUG`.
        message_type: String,
        /// When it was raised.
        date: Timestamp,
    } = "SELECT s.name AS source, x.text, x.message_type, x.date
         FROM server_message x
         JOIN server_machine m ON m.id = x.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         LEFT JOIN server_managementsource s ON s.id = x.management_source_id
         WHERE x.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
         ORDER BY array_position(ARRAY['ERROR', 'WARNING', 'OTHER', 'DEBUG'], x.message_type::text), x.date DESC, x.id";

    /// What plugin scripts reported, the latest submission of each.
    device_plugin_rows(id: MachineId, scope: Scope) -> /// One value of a plugin script.
    DevicePluginRow {
        /// The script's name for itself.
        plugin: String,
        /// When it was reported.
        recorded: Timestamp,
        /// Name of the value.
        pluginscript_name: String,
        /// The value.
        pluginscript_data: Option<String>,
    } = "SELECT latest.plugin, latest.recorded, r.pluginscript_name, r.pluginscript_data
         FROM (
             SELECT DISTINCT ON (p.plugin) p.id, p.plugin, p.recorded
             FROM server_pluginscriptsubmission p
             JOIN server_machine m ON m.id = p.machine_id
             JOIN server_machinegroup g ON g.id = m.machine_group_id
             WHERE p.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
             ORDER BY p.plugin, p.recorded DESC, p.id DESC
         ) latest
         JOIN server_pluginscriptrow r ON r.submission_id = latest.id
         ORDER BY latest.plugin, r.pluginscript_name, r.id";

    /// Puts a machine into another group and says whether it is deployed; the last check-in stays as it was.
    edit_device(id: MachineId, group: GroupId, deployed: bool) =
        concat!("WITH ", leaving!("ARRAY[$1::bigint]", "$2"), "
         UPDATE server_machine SET machine_group_id = $2, deployed = $3 WHERE id = $1");
}
