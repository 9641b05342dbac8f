//! `plugin_results`: what the scripts of Sal's default plugins print.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::Machine;

use super::nsdate;

const DAY: i64 = 86_400;

/// Munki's preferences, as the report plugin's script lists them.
#[rustfmt::skip]
const MUNKI_PREFERENCES: &[&str] = &[
    "ManagedInstallDir", "ClientIdentifier", "LogFile", "LoggingLevel", "LogToSyslog",
    "InstallAppleSoftwareUpdates", "AppleSoftwareUpdatesOnly", "DaysBetweenNotifications",
    "LastNotifiedDate", "UseClientCertificate", "SuppressUserNotification", "SuppressAutoInstall",
    "SuppressStopButtonOnInstall", "PackageVerificationMode", "FollowHTTPRedirects",
    "UnattendedAppleUpdates", "ClientCertificatePath", "ClientKeyPath",
    "LastAppleSoftwareUpdateCheck", "LastCheckResult", "SoftwareRepoCACertificate",
    "SoftwareRepoCAPath", "IconURL", "ClientResourceURL", "ClientResourcesFilename", "HelpURL",
    "UseClientCertificateCNAsClientIdentifier", "SuppressLoginwindowInstall",
    "InstallRequiresLogout", "ShowRemovalDetail", "MSULogEnabled", "MSUDebugLogEnabled",
    "LocalOnlyManifest",
];

/// The results in the order the scripts run.
pub(crate) fn plugin_results(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let state = |name: &str, permille: u64| {
        let draw = m.draw.at("plugin").at(name);
        let mut now = draw.nth(draw.changes(run, 5));
        if now.happens(permille) {
            "Enabled"
        } else {
            "Disabled"
        }
    };
    let (vault, gatekeeper) = (state("FileVault", 900), state("Gatekeeper", 950));
    let sip = if m.operating_system(run).starts_with("10.14") {
        "Not Supported"
    } else {
        state("SIP", 980)
    };
    let seconds = uptime_seconds(m, at);
    let days = f64::from(seconds) / 86_400.0;
    let versions = m.draw.at("xprotect");
    let version = 5287 + versions.at("first").below(24) + versions.changes(run, 20);
    let mut results = vec![
        result(
            "ARD_Info",
            &json!({"ARD_Info_1": format!("A{:06}", 100_000 + m.index), "ARD_Info_2": "", "ARD_Info_3": "", "ARD_Info_4": ""}),
        ),
        result("Encryption", &json!({"FileVault": vault})),
        result("Gatekeeper", &json!({"Gatekeeper": gatekeeper})),
        result(
            "MachineDetailSecurity",
            &json!({"Filevault": vault, "SIP": sip, "Gatekeeper": gatekeeper}),
        ),
    ];
    // Munki 7 has no Python library that the script could read the preferences with.
    if m.draw.at("plugin").at("MunkiInfo").happens(800) {
        results.push(result("MunkiInfo", &munki_preferences(m, at)));
    }
    results.push(result("Sip", &json!({"SIP": sip})));
    results.push(result(
        "Uptime",
        &json!({"UptimeDays": days, "UptimeSeconds": seconds}),
    ));
    results.push(result(
        "XprotectVersion",
        &json!({"Version": version.to_string()}),
    ));
    Value::Array(results)
}

fn result(plugin: &str, data: &Value) -> Value {
    json!({"plugin": plugin, "historical": false, "data": data})
}

fn munki_preferences(m: &Machine<'_>, at: Timestamp) -> Value {
    let mut draw = m.draw.at("munki preferences");
    let mut rows: Map<String, Value> = MUNKI_PREFERENCES
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!(draw.pick(&["None", "True", "False", "1"])),
            )
        })
        .collect();
    let repository = draw.pick_weighted(&[
        ("https://munki.acme.example/repo", 80),
        ("https://munki-eu.acme.example/repo", 15),
        ("http://munki", 5),
    ]);
    rows.insert("SoftwareRepoURL".to_owned(), json!(repository));
    for name in ["PackageURL", "CatalogURL", "ManifestURL"] {
        rows.insert(name.to_owned(), json!("None"));
    }
    rows.insert("LastCheckDate".to_owned(), json!(nsdate(at)));
    Value::Object(rows)
}

/// Time since the last start. Each machine restarts in a rhythm of its own, 1 to 120 days.
fn uptime_seconds(m: &Machine<'_>, at: Timestamp) -> u32 {
    let mut draw = m.draw.at("uptime");
    let rhythm = draw.pick(&[DAY, 3 * DAY, 9 * DAY, 20 * DAY, 45 * DAY, 120 * DAY]);
    let phase = i64::try_from(draw.below(120 * 86_400)).unwrap_or(0);
    u32::try_from((at.as_second() + phase).rem_euclid(rhythm)).unwrap_or(0)
}
