//! Everything that can belong to a machine, a group or a unit, and what is left behind without its owner.

use crate::site::Site;

/// Gives machines rows in every table that points at machines.
pub(crate) async fn fill_machines(site: &Site) {
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki') ON CONFLICT DO NOTHING;
         INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
             SELECT m.id, s.id, 'os_vers', '15.1' FROM server_machine m, server_managementsource s;
         INSERT INTO server_historicalfact (machine_id, fact_name, fact_data, fact_recorded) SELECT id, 'os_vers', '15.0', now() FROM server_machine;
         INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
             SELECT gen_random_uuid(), m.id, s.id, 'Firefox', 'PENDING', now(), NULL FROM server_machine m, server_managementsource s;
         INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
             SELECT gen_random_uuid(), m.id, s.id, 'Firefox', 'PENDING', now() FROM server_machine m, server_managementsource s;
         INSERT INTO server_message (machine_id, text, date, message_type) SELECT id, 'x', now(), 'ERROR' FROM server_machine;
         INSERT INTO server_pluginscriptsubmission (machine_id, plugin, historical, recorded) SELECT id, 'Uptime', false, now() FROM server_machine;
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name, pluginscript_data_int)
             SELECT id, 'Days', '3', 'Uptime: Days', 0 FROM server_pluginscriptsubmission;
         INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ('Firefox', 'org.mozilla.firefox', 'Firefox', '') ON CONFLICT DO NOTHING;
         INSERT INTO inventory_inventory (machine_id, datestamp, sha256hash) SELECT id, now(), 'x' FROM server_machine;
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path) SELECT m.id, a.id, '133.0', '/Applications/Firefox.app' FROM server_machine m, inventory_application a;
         INSERT INTO profiles_profile (machine_id, identifier, display_name, description, organization, uuid, verification_state, install_date)
             SELECT id, 'org.example.wifi', 'Wi-Fi', '', 'Example', 'u', 'verified', now() FROM server_machine;
         INSERT INTO profiles_payload (profile_id, payload_type, identifier, uuid) SELECT id, 'com.apple.wifi.managed', 'p', 'u' FROM profiles_profile;
         INSERT INTO search_searchcache (machine_id, search_item) SELECT id, 'x' FROM server_machine;
         INSERT INTO salrs_checkin (machine_id, last_checkin, milliseconds, body_bytes, compared, address, client, digests)
             SELECT id, now(), 1, 1, now(), '', '', '' FROM server_machine;
         INSERT INTO catalog_catalog (machine_group_id, name, sha256hash, content) SELECT id, 'production', 'x', 'x' FROM server_machinegroup;
         INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version, inventory_bundleid, inventory_bundlename, inventory_path, notes, business_unit_id)
             SELECT 'Office ' || id, 5, 0, '', '', '', '', '', '', id FROM server_businessunit",
    )
    .await;
}

/// Rows whose machine, group or unit is gone, whatever the foreign keys say, and how many rows there are of each kind
/// for one machine at least.
pub(crate) async fn orphans(site: &Site) -> i64 {
    let mut parts: Vec<String> = Vec::new();
    for (table, column, owner) in OWNED {
        parts.push(format!(
            "(SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT FROM {owner} o WHERE o.id = t.{column}))"
        ));
    }
    site.number(&format!("SELECT {}", parts.join(" + "))).await
}

/// How many rows belong to a machine, in all tables together.
pub(crate) async fn belongings(site: &Site, machine: i64) -> i64 {
    let parts: Vec<String> = OWNED
        .iter()
        .filter(|(_, _, owner)| *owner == "server_machine")
        .map(|(table, column, _)| {
            format!("(SELECT count(*) FROM {table} WHERE {column} = {machine})")
        })
        .collect();
    site.number(&format!("SELECT {}", parts.join(" + "))).await
}

/// Table, column, and the table it points at.
const OWNED: [(&str, &str, &str); 18] = [
    ("server_fact", "machine_id", "server_machine"),
    ("server_historicalfact", "machine_id", "server_machine"),
    ("server_manageditem", "machine_id", "server_machine"),
    ("server_manageditemhistory", "machine_id", "server_machine"),
    ("server_message", "machine_id", "server_machine"),
    (
        "server_pluginscriptsubmission",
        "machine_id",
        "server_machine",
    ),
    ("inventory_inventory", "machine_id", "server_machine"),
    ("inventory_inventoryitem", "machine_id", "server_machine"),
    ("profiles_profile", "machine_id", "server_machine"),
    ("search_searchcache", "machine_id", "server_machine"),
    ("salrs_checkin", "machine_id", "server_machine"),
    (
        "server_pluginscriptrow",
        "submission_id",
        "server_pluginscriptsubmission",
    ),
    ("profiles_payload", "profile_id", "profiles_profile"),
    ("server_machine", "machine_group_id", "server_machinegroup"),
    ("catalog_catalog", "machine_group_id", "server_machinegroup"),
    (
        "server_machinegroup",
        "business_unit_id",
        "server_businessunit",
    ),
    (
        "licenses_license",
        "business_unit_id",
        "server_businessunit",
    ),
    (
        "server_businessunit_users",
        "businessunit_id",
        "server_businessunit",
    ),
];
