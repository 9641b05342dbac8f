//! The tables that are compared, as one query each, keyed by what people know: never by id.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::Client;

use super::GoldenError;
use super::canonical;
use super::mask::Mask;

/// The rows of the compared tables, masked and in canonical order.
pub(super) type Tables = BTreeMap<String, Vec<Value>>;

/// Reads all tables in one statement, that is in one snapshot.
pub(super) async fn dump(database: &Client, mask: &Mask) -> Result<Tables, GoldenError> {
    database
        .batch_execute("SET timezone = 'UTC'; SET search_path = public")
        .await?;
    let tables: Vec<String> = TABLES
        .iter()
        .map(|(name, query)| {
            format!("'{name}', (SELECT coalesce(json_agg(x), '[]'::json) FROM ({query}) x)")
        })
        .collect();
    let query = format!("SELECT json_build_object({})::text", tables.join(", "));
    let row = database.query_one(&query, &[]).await?;
    let tables: Value = serde_json::from_str(row.try_get(0)?).map_err(GoldenError::Dump)?;
    let tables = tables.as_object().into_iter().flatten();
    Ok(tables
        .map(|(name, rows)| (name.clone(), masked_rows(name, rows, mask)))
        .collect())
}

/// Brings recorded rows into the same order as dumped ones.
pub(super) fn sorted(tables: &Tables) -> Tables {
    let mut tables = tables.clone();
    tables.values_mut().for_each(|rows| canonical::sort(rows));
    tables
}

fn masked_rows(table: &str, rows: &Value, mask: &Mask) -> Vec<Value> {
    let mut rows: Vec<Value> = rows.as_array().cloned().unwrap_or_default();
    for (column, value) in rows.iter_mut().filter_map(Value::as_object_mut).flatten() {
        if let Value::String(text) = value {
            let text = mask.text(text);
            // The original stores JSON as Python writes it; the spelling is not compared.
            let parsed = (table == "manageditem" && column == "data")
                .then(|| serde_json::from_str::<Value>(&text).ok());
            *value = match parsed.flatten() {
                Some(parsed) => serde_json::json!({"json": parsed}),
                None => text.into(),
            };
        }
    }
    canonical::sort(&mut rows);
    rows
}

/// Table name in the recordings, and what is compared of it.
#[rustfmt::skip]
const TABLES: &[(&str, &str)] = &[
    ("businessunit", "\
        SELECT b.name, (SELECT json_agg(u.username ORDER BY u.username) FROM server_businessunit_users x \
        JOIN auth_user u ON u.id=x.user_id WHERE x.businessunit_id=b.id) AS users FROM server_businessunit b"),
    ("machinegroup", "\
        SELECT g.name, g.key, b.name AS business_unit FROM server_machinegroup g JOIN server_businessunit b \
        ON b.id=g.business_unit_id"),
    ("machine", "\
        SELECT m.serial, g.name AS machine_group, m.sal_version, m.deployed, m.broken_client, \
        m.last_checkin, m.first_checkin, m.hostname, m.operating_system, m.memory, m.memory_kb, m.hd_space, \
        m.hd_total, m.hd_percent, m.console_user, m.machine_model, m.machine_model_friendly, m.cpu_type, \
        m.cpu_speed, m.os_family, m.munki_version, m.manifest FROM server_machine m JOIN server_machinegroup \
        g ON g.id=m.machine_group_id"),
    ("managementsource", "SELECT name FROM server_managementsource"),
    ("fact", "\
        SELECT m.serial, s.name AS source, t.fact_name, t.fact_data FROM server_fact t JOIN server_machine m \
        ON m.id=t.machine_id LEFT JOIN server_managementsource s ON s.id=t.management_source_id"),
    ("historicalfact", "\
        SELECT m.serial, s.name AS source, t.fact_name, t.fact_data, t.fact_recorded FROM \
        server_historicalfact t JOIN server_machine m ON m.id=t.machine_id LEFT JOIN server_managementsource \
        s ON s.id=t.management_source_id"),
    ("manageditem", "\
        SELECT m.serial, s.name AS source, t.name, t.date_managed, t.status, t.data FROM server_manageditem \
        t JOIN server_machine m ON m.id=t.machine_id LEFT JOIN server_managementsource s ON \
        s.id=t.management_source_id"),
    ("manageditemhistory", "\
        SELECT m.serial, s.name AS source, t.name, t.status, t.recorded FROM server_manageditemhistory t \
        JOIN server_machine m ON m.id=t.machine_id LEFT JOIN server_managementsource s ON \
        s.id=t.management_source_id"),
    ("message", "\
        SELECT m.serial, s.name AS source, t.text, t.message_type, t.date FROM server_message t JOIN \
        server_machine m ON m.id=t.machine_id LEFT JOIN server_managementsource s ON \
        s.id=t.management_source_id"),
    ("pluginscript", r#"
        SELECT m.serial, t.plugin, t.historical, t.recorded, (SELECT
        json_agg(json_build_array(r.pluginscript_name, r.pluginscript_data, r.pluginscript_data_string,
        r.pluginscript_data_int, r.pluginscript_data_date, r.submission_and_script_name) ORDER BY
        r.pluginscript_name COLLATE "C") FROM server_pluginscriptrow r WHERE r.submission_id=t.id) AS rows
        FROM server_pluginscriptsubmission t JOIN server_machine m ON m.id=t.machine_id"#),
    ("plugin", r#"SELECT name, "order" FROM server_plugin"#),
    ("machinedetailplugin", r#"SELECT name, "order" FROM server_machinedetailplugin"#),
    ("report", "SELECT name FROM server_report"),
    ("salsetting", "\
        SELECT name, value FROM server_salsetting WHERE name NOT IN \
        ('last_sent_data','last_version_check_date','current_version')"),
    ("apikey", "\
        SELECT name, has_been_seen, read_write, length(public_key) AS public_len, length(private_key) AS \
        private_len FROM server_apikey"),
    ("userprofile", "\
        SELECT u.username, u.is_superuser, u.is_staff, u.is_active, u.email, u.first_name, u.last_name, \
        p.level FROM auth_user u LEFT JOIN server_userprofile p ON p.user_id=u.id"),
    ("application", "\
        SELECT name, bundleid, bundlename, to_jsonb(a) - 'id' - 'name' - 'bundleid' - 'bundlename' AS other \
        FROM (SELECT * FROM inventory_application) a"),
    ("inventory", "\
        SELECT m.serial, i.sha256hash, i.datestamp FROM inventory_inventory i JOIN server_machine m ON \
        m.id=i.machine_id"),
    ("inventoryitem", "\
        SELECT m.serial, a.name, a.bundleid, a.bundlename, i.version, i.path FROM inventory_inventoryitem i \
        JOIN inventory_application a ON a.id=i.application_id JOIN server_machine m ON m.id=i.machine_id"),
    ("catalog", "\
        SELECT g.name AS machine_group, c.name, c.sha256hash, c.content FROM catalog_catalog c JOIN \
        server_machinegroup g ON g.id=c.machine_group_id"),
    ("profile", "\
        SELECT m.serial, p.identifier, p.display_name, p.description, p.install_date, p.organization, \
        p.uuid, p.verification_state FROM profiles_profile p JOIN server_machine m ON m.id=p.machine_id"),
    ("payload", "\
        SELECT m.serial, p.identifier AS profile, y.payload_type, y.identifier, y.uuid FROM profiles_payload \
        y JOIN profiles_profile p ON p.id=y.profile_id JOIN server_machine m ON m.id=p.machine_id"),
    ("savedsearch", "\
        SELECT s.name, s.save_search, u.username AS created_by, s.created, (SELECT \
        json_agg(json_build_array(g.position, g.and_or, (SELECT json_agg(json_build_array(r.position, \
        r.search_models, r.search_field, r.and_or, r.operator, r.search_term) ORDER BY r.position) FROM \
        search_searchrow r WHERE r.search_group_id=g.id)) ORDER BY g.position) FROM search_searchgroup g \
        WHERE g.saved_search_id=s.id) AS groups FROM search_savedsearch s JOIN auth_user u ON \
        u.id=s.created_by_id"),
    ("searchcache", "SELECT m.serial, c.search_item FROM search_searchcache c JOIN server_machine m ON m.id=c.machine_id"),
    ("searchfieldcache", "SELECT search_model, search_field FROM search_searchfieldcache"),
    ("license", "\
        SELECT l.item_name, l.total, l.cost_per_seat, l.inventory_name, l.inventory_version, \
        l.inventory_bundleid, l.inventory_bundlename, l.inventory_path, b.name AS business_unit, l.notes \
        FROM licenses_license l JOIN server_businessunit b ON b.id=l.business_unit_id"),
];
