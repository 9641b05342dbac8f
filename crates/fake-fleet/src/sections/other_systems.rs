//! Windows (Gorilla), Linux (apt) and `ChromeOS` (the browser extension).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::Machine;

use super::python_iso;

/// Gorilla: Munki's relative on Windows.
pub(crate) fn gorilla(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let mut facts = Map::new();
    facts.insert("checkin_module_version".to_owned(), json!("1.0"));
    facts.insert("gorilla_version".to_owned(), json!("1.0.0"));
    for number in 0..60 {
        let draw = m.draw.at("wmi").nth(number);
        let value = draw.nth(draw.changes(run, 30)).hex(16);
        facts.insert(format!("wmi_{number}"), json!(value));
    }
    json!({"facts": facts, "managed_items": packages(m, run, at, 20, "ManagedInstalls")})
}

/// apt: packages with their versions.
pub(crate) fn apt(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let draw = m.draw.at("kernel");
    let build = 10 + draw.at("build").below(20) + draw.changes(run, 10);
    let mut facts = Map::new();
    facts.insert("kernel".to_owned(), json!(format!("6.1.0-{build}-amd64")));
    for number in 0..40 {
        let value = m.draw.at("sysctl").nth(number).below(4096);
        facts.insert(format!("sysctl_{number}"), json!(value));
    }
    json!({"facts": facts, "managed_items": packages(m, run, at, 40, "Packages")})
}

/// The extension reports other extensions.
pub(crate) fn chrome(m: &Machine<'_>, at: Timestamp) -> Value {
    let extensions = [
        "uBlock Origin",
        "1Password",
        "Google Docs Offline",
        "Endpoint Verification",
    ];
    let items: Map<String, Value> = extensions
        .into_iter()
        .filter(|name| m.draw.at(name).happens(700))
        .map(|name| {
            let data = json!({"type": "Extension"});
            let item = json!({"date_managed": python_iso(at), "status": "PRESENT", "data": data});
            (name.to_owned(), item)
        })
        .collect();
    json!({"facts": {"checkin_module_version": "3.2.1"}, "managed_items": items})
}

fn packages(
    m: &Machine<'_>,
    run: u32,
    at: Timestamp,
    count: usize,
    kind: &str,
) -> Map<String, Value> {
    let mut draw = m.draw.at(kind);
    let numbers = draw.sample(count, m.fleet.packages.len());
    let packages = numbers.into_iter().filter_map(|n| m.fleet.packages.get(n));
    packages
        .map(|package| {
            let draw = m.draw.at(kind).at(&package.name);
            let updates = draw.changes(run, 30);
            let status = if draw.nth(updates).happens(80) {
                "PENDING"
            } else {
                "PRESENT"
            };
            let version = format!("{}.{}.{updates}", package.major, package.minor);
            let data = json!({"type": kind, "version": version});
            let item = json!({"date_managed": python_iso(at), "status": status, "data": data});
            (package.name.clone(), item)
        })
        .collect()
}
