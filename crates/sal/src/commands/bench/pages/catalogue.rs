//! Which pages are measured, and for each the plain SQL that finds the same by hand.
//!
//! `{machine}`, `{serial}` and `{application}` stand for one that is there. The SQL is what a person would write who
//! knows the answer's shape: as few statements as can be, sent together, columns by name, no scopes, no HTML.

/// Fifty lines of the list of machines, with the counts of their messages.
macro_rules! list {
    ($where:literal, $order:literal, $offset:literal) => {
        concat!(
            "SELECT m.id, m.serial, m.hostname, m.console_user, m.machine_model, m.machine_model_friendly, m.os_family,
                    m.operating_system, m.last_checkin, m.deployed, m.broken_client, g.name,
                    (SELECT count(*) FROM server_message x WHERE x.machine_id = m.id AND x.message_type = 'ERROR'),
                    (SELECT count(*) FROM server_message x WHERE x.machine_id = m.id AND x.message_type = 'WARNING')
             FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE ",
            $where, " ORDER BY ", $order, " LIMIT 50 OFFSET ", $offset
        )
    };
}
/// A page.
pub(super) struct Page {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) path: &'static str,
    /// How many links to a next page are followed first.
    pub(super) pages_on: u32,
    /// The same answer in plain SQL.
    pub(super) sql: &'static [&'static str],
}

const fn page(name: &'static str, path: &'static str, sql: &'static [&'static str]) -> Page {
    Page {
        name,
        path,
        pages_on: 0,
        sql,
    }
}

/// All of them.
pub(super) const PAGES: &[Page] = &[
    page("overview", "/", OVERVIEW),
    page(
        "machines",
        "/machines/",
        &[
            COUNT,
            list!("TRUE", "m.last_checkin DESC NULLS LAST, m.id DESC", "0"),
        ],
    ),
    Page {
        name: "machines, 20 pages on",
        path: "/machines/",
        pages_on: 20,
        sql: &[
            COUNT,
            list!("TRUE", "m.last_checkin DESC NULLS LAST, m.id DESC", "1000"),
        ],
    },
    page(
        "machines by name, from the end",
        "/machines/?sort=-hostname",
        &[
            COUNT,
            list!("TRUE", "m.hostname DESC NULLS LAST, m.id DESC", "0"),
        ],
    ),
    page(
        "machines with errors",
        "/machines/?widget=Status&data=errors",
        &[
            "SELECT count(DISTINCT machine_id) FROM server_message WHERE message_type = 'ERROR'",
            list!(
                "m.id IN (SELECT machine_id FROM server_message WHERE message_type = 'ERROR')",
                "m.last_checkin DESC NULLS LAST, m.id DESC",
                "0"
            ),
        ],
    ),
    page(
        "machines, search",
        "/machines/?q=grace",
        &[
            "SELECT count(*) FROM server_machine m WHERE hostname ILIKE '%grace%' OR console_user ILIKE '%grace%' OR serial ILIKE '%grace%'",
            list!(
                "m.hostname ILIKE '%grace%' OR m.console_user ILIKE '%grace%' OR m.serial ILIKE '%grace%'",
                "m.last_checkin DESC NULLS LAST, m.id DESC",
                "0"
            ),
        ],
    ),
    page("one machine", "/machine_detail/{machine}/", MACHINE),
    page(
        "inventory",
        "/inventory/all/0/",
        &["SELECT a.id, a.name, a.bundleid, a.bundlename, i.installs, i.machines
           FROM (SELECT application_id, count(*) AS installs, count(DISTINCT machine_id) AS machines
                 FROM inventory_inventoryitem GROUP BY 1) i
           JOIN inventory_application a ON a.id = i.application_id ORDER BY a.name, a.id LIMIT 100"],
    ),
    page(
        "one application",
        "/inventory/application/all/0/{application}/",
        &[
            "SELECT name, bundleid, bundlename FROM inventory_application WHERE id = {application}",
            "SELECT version, count(*) FROM inventory_inventoryitem WHERE application_id = {application} GROUP BY 1 ORDER BY 1 DESC",
            "SELECT path, count(*) FROM inventory_inventoryitem WHERE application_id = {application} GROUP BY 1 ORDER BY 1",
        ],
    ),
    page(
        "install report",
        "/report/InstallReport/all/0/",
        &["SELECT i.name, i.status, count(*) FROM server_manageditem i
           JOIN server_managementsource s ON s.id = i.management_source_id WHERE s.name = 'Munki'
           GROUP BY 1, 2 ORDER BY 1, 2"],
    ),
    page(
        "updates",
        "/updates/",
        &["SELECT s.name, i.name, count(*) FROM server_manageditem i
           JOIN server_managementsource s ON s.id = i.management_source_id WHERE i.status = 'PENDING'
           GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"],
    ),
    page("CSV, Sal's address", "/csv/Status/all_machines/all/0/", EXPORT),
    page("CSV, list of machines", "/machines/export/?format=csv", EXPORT),
];

const COUNT: &str = "SELECT count(*) FROM server_machine";
/// The numbers of all widgets that are on by default.
const OVERVIEW: &[&str] = &[
    "SELECT count(*), count(*) FILTER (WHERE last_checkin >= now() - interval '1 hour'),
            count(*) FILTER (WHERE last_checkin >= now() - interval '1 day'),
            count(*) FILTER (WHERE last_checkin <= now() - interval '31 days' AND last_checkin >= now() - interval '91 days'),
            count(*) FILTER (WHERE last_checkin <= now() - interval '91 days'),
            count(*) FILTER (WHERE broken_client), count(*) FILTER (WHERE NOT deployed),
            count(*) FILTER (WHERE memory_kb >= 16777216), count(*) FILTER (WHERE memory_kb BETWEEN 8388608 AND 16777215),
            count(*) FILTER (WHERE memory_kb < 8388608), count(*) FILTER (WHERE hd_percent::numeric < 80),
            count(*) FILTER (WHERE hd_percent::numeric >= 80 AND hd_percent::numeric < 90),
            count(*) FILTER (WHERE hd_percent::numeric >= 90)
     FROM server_machine",
    "SELECT os_family, operating_system, count(*) FROM server_machine GROUP BY 1, 2",
    "SELECT munki_version, count(*) FROM server_machine GROUP BY 1",
    "SELECT message_type, count(DISTINCT machine_id) FROM server_message GROUP BY 1",
    "SELECT s.name, i.name, count(*) FROM server_manageditem i
     JOIN server_managementsource s ON s.id = i.management_source_id WHERE i.status = 'PENDING' GROUP BY 1, 2",
    "SELECT r.submission_and_script_name, r.pluginscript_data, count(*) FROM server_pluginscriptrow r
     WHERE r.submission_and_script_name IN ('Encryption: FileVault', 'Gatekeeper: Gatekeeper', 'Sip: SIP', 'XprotectVersion: Version')
     GROUP BY 1, 2",
    "SELECT count(*) FILTER (WHERE r.pluginscript_data::numeric <= 30), count(*) FILTER (WHERE r.pluginscript_data::numeric > 90), count(*)
     FROM server_pluginscriptrow r WHERE r.submission_and_script_name = 'Uptime: UptimeDays'",
];
/// Everything of one machine.
const MACHINE: &[&str] = &[
    "SELECT m.*, g.name, u.name FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
     JOIN server_businessunit u ON u.id = g.business_unit_id WHERE m.id = {machine}",
    "SELECT s.name, f.fact_name, f.fact_data FROM server_fact f LEFT JOIN server_managementsource s ON s.id = f.management_source_id
     WHERE f.machine_id = {machine} ORDER BY 1, 2",
    "SELECT s.name, i.name, i.status, i.date_managed, i.data FROM server_manageditem i
     JOIN server_managementsource s ON s.id = i.management_source_id WHERE i.machine_id = {machine} ORDER BY 1, 3, 2",
    "SELECT text, message_type, date FROM server_message WHERE machine_id = {machine}",
    "SELECT p.plugin, p.recorded, r.pluginscript_name, r.pluginscript_data FROM server_pluginscriptsubmission p
     JOIN server_pluginscriptrow r ON r.submission_id = p.id WHERE p.machine_id = {machine}",
];
/// All columns of all machines.
const EXPORT: &[&str] = &[
    "SELECT m.*, g.name, u.name FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
     JOIN server_businessunit u ON u.id = g.business_unit_id ORDER BY m.id",
];
