//! What single tabs of a machine's page show: facts, applications, profiles, the history of a managed item.

use jiff::Timestamp;

use crate::ids::{ItemId, MachineId};
use crate::scope::Scope;

crate::queries! {
    /// Its facts, by source and name, without those that are never shown. Rows without a source come first.
    device_facts(id: MachineId, scope: Scope) -> /// A fact.
    DeviceFact {
        /// Name of the source.
        source: Option<String>,
        /// Name.
        fact_name: String,
        /// Value.
        fact_data: String,
    } = concat!(
        "SELECT s.name AS source, f.fact_name, f.fact_data
         FROM server_fact f
         JOIN server_machine m ON m.id = f.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         LEFT JOIN server_managementsource s ON s.id = f.management_source_id
         WHERE f.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
           AND f.fact_name NOT IN ", hidden_facts!(), "
         ORDER BY s.name NULLS FIRST, f.fact_name, f.id");

    /// Its facts of one source, or those without a source; by name, without those that are never shown.
    device_source_facts(id: MachineId, source: Option<String>, scope: Scope) -> /// A fact of a source.
    DeviceSourceFact {
        /// Name.
        fact_name: String,
        /// Value.
        fact_data: String,
    } = concat!(
        "SELECT f.fact_name, f.fact_data
         FROM server_fact f
         JOIN server_machine m ON m.id = f.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         LEFT JOIN server_managementsource s ON s.id = f.management_source_id
         WHERE f.machine_id = $1 AND s.name IS NOT DISTINCT FROM $2::text
           AND ($3::int[] IS NULL OR g.business_unit_id = ANY($3))
           AND f.fact_name NOT IN ", hidden_facts!(), "
         ORDER BY f.fact_name, f.id");

    /// The applications of its inventory by name; one that lies in two places is listed twice.
    device_applications(id: MachineId, scope: Scope) -> /// An application of a machine.
    DeviceApplication {
        /// Its row in `inventory_application`.
        application_id: i64,
        /// Its name.
        name: String,
        /// Its bundle id.
        bundleid: String,
        /// Which version.
        version: String,
        /// Where it is.
        path: Option<String>,
    } = "SELECT i.application_id, a.name, a.bundleid, i.version, i.path
         FROM inventory_inventoryitem i
         JOIN inventory_application a ON a.id = i.application_id
         JOIN server_machine m ON m.id = i.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE i.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
         ORDER BY lower(a.name), a.name, i.version, i.id";

    /// Its profiles by name.
    device_profiles(id: MachineId, scope: Scope) -> /// A profile of a machine.
    DeviceProfile {
        /// The row.
        id: i64,
        /// Its identifier.
        identifier: String,
        /// Its name for people; may be empty.
        display_name: String,
        /// What it is for; may be empty.
        description: String,
        /// Who made it; may be empty.
        organization: String,
        /// Whether it is signed, in the client's words; may be empty.
        verification_state: String,
        /// When it was installed.
        install_date: Timestamp,
    } = "SELECT p.id, p.identifier, p.display_name, p.description, p.organization, p.verification_state, p.install_date
         FROM profiles_profile p
         JOIN server_machine m ON m.id = p.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE p.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
         ORDER BY lower(coalesce(nullif(p.display_name, ''), p.identifier)), p.id";

    /// What is in its profiles.
    device_payloads(id: MachineId, scope: Scope) -> /// A payload of a profile of a machine.
    DevicePayload {
        /// The profile it is in.
        profile_id: i64,
        /// What it configures.
        payload_type: String,
        /// Its identifier.
        identifier: String,
    } = "SELECT l.profile_id, l.payload_type, l.identifier
         FROM profiles_payload l
         JOIN profiles_profile p ON p.id = l.profile_id
         JOIN server_machine m ON m.id = p.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE p.machine_id = $1 AND ($2::int[] IS NULL OR g.business_unit_id = ANY($2))
         ORDER BY l.profile_id, l.payload_type, l.id";

    /// One of its managed items.
    device_item(machine: MachineId, item: ItemId, scope: Scope) -> /// A managed item with its details.
    DeviceItemDetail {
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
    } = "SELECT s.name AS source, i.name, i.status, i.date_managed, i.data
         FROM server_manageditem i
         JOIN server_managementsource s ON s.id = i.management_source_id
         JOIN server_machine m ON m.id = i.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE i.machine_id = $1 AND i.id = $2 AND ($3::int[] IS NULL OR g.business_unit_id = ANY($3))";

    /// Which status one of its managed items had when, the newest first, at most two hundred.
    device_item_history(machine: MachineId, item: ItemId, scope: Scope) -> /// A status that began.
    DeviceItemStatus {
        /// As in the item.
        status: String,
        /// When it began.
        recorded: Timestamp,
    } = "SELECT h.status, h.recorded
         FROM server_manageditem i
         JOIN server_manageditemhistory h ON h.machine_id = i.machine_id AND h.name = i.name
             AND h.management_source_id = i.management_source_id
         JOIN server_machine m ON m.id = i.machine_id
         JOIN server_machinegroup g ON g.id = m.machine_group_id
         WHERE i.machine_id = $1 AND i.id = $2 AND ($3::int[] IS NULL OR g.business_unit_id = ANY($3))
         ORDER BY h.recorded DESC, h.id DESC LIMIT 200";
}
