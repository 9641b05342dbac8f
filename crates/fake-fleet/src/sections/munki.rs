//! `Munki`: conditions as facts, packages as managed items, errors and warnings.
//!
//! Munki stamps every item with the time of the run, so that at each check-in all items
//! differ from the stored ones although hardly any changed.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::catalogue::Package;
use crate::draw::Draw;
use crate::machine::Machine;
use crate::words::{DEPARTMENTS, ERRORS, SITES, WARNINGS};

use super::{before, nsdate, python_iso};

/// Facts the other sections of a Mac's check-in hold.
const FACTS_ELSEWHERE: usize = 6;
/// In how many of 1000 runs a fact or a package changes.
const CHANGE_PERMILLE: u64 = 30;
/// Packages that are kept off the machine, sent as ABSENT.
const UNINSTALLED: usize = 3;

/// The section; `items_elsewhere` is what other sections already contribute.
pub(crate) fn munki(m: &Machine<'_>, run: u32, at: Timestamp, items_elsewhere: usize) -> Value {
    let draw = m.draw.at("munki");
    let version = draw.at("version").pick_weighted(&[
        ("6.6.4.4720", 50),
        ("6.5.1.4661", 20),
        ("7.0.3.5200", 20),
        ("5.7.3.4447", 10),
    ]);
    let manifest = match draw.at("manifest").below(5) {
        0 => format!("serials/{}", m.serial),
        n => ["site_default", "engineering", "design", "finance"]
            .into_iter()
            .nth(usize::try_from(n).unwrap_or(0) - 1)
            .unwrap_or_default()
            .to_owned(),
    };
    let runtype = match draw.at("run type").nth(u64::from(run)).below(20) {
        0 => "manualcheck",
        1 => "installatstartup",
        _ => "auto",
    };
    let wanted = m.fleet.options.items.saturating_sub(items_elsewhere);
    let mut section = json!({
        "extra_data": {"munki_version": version, "manifest": manifest, "runtype": runtype},
        "facts": facts(m, run, at, runtype, version),
        "managed_items": items(m, run, at, wanted),
    });
    let messages = messages(&draw.at("messages"), run);
    if let (Some(section), false) = (section.as_object_mut(), messages.is_empty()) {
        section.insert("messages".to_owned(), Value::Array(messages));
    }
    section
}

fn facts(
    m: &Machine<'_>,
    run: u32,
    at: Timestamp,
    runtype: &str,
    version: &str,
) -> Map<String, Value> {
    let mut draw = m.draw.at("conditions");
    let moving = m
        .draw
        .at("moving conditions")
        .nth(u64::from(run))
        .between(200, 9000);
    let took = draw.between(20, 200);
    let system = m.operating_system(run);
    let mut parts = system.split('.');
    let (major, minor) = (parts.next().unwrap_or("0"), parts.next().unwrap_or("0"));
    let laptop = m.model.friendly.contains("Book");
    let address = (draw.below(256), draw.below(256), draw.between(1, 254));
    let Value::Object(mut facts) = json!({
        "checkin_module_version": "1.2.0",
        "RunType": runtype,
        "StartTime": nsdate(before(at, took)),
        "EndTime": nsdate(at),
        "arch": if m.model.cpu_type.starts_with("Apple") { "arm64" } else { "x86_64" },
        "os_vers": system,
        "os_vers_major": major,
        "os_vers_minor": minor,
        "os_build_last_component": draw.pick(&["90", "730", "362", "109", "6"]),
        "hostname": m.hostname,
        "serial_number": m.serial,
        "machine_model": m.model.identifier,
        "machine_type": if laptop { "laptop" } else { "desktop" },
        "munki_version": version,
        "catalogs": if draw.happens(900) { "production" } else { "testing, production" },
        "ipv4_address": format!("10.{}.{}.{}", address.0, address.1, address.2),
        "mac_address": draw.hex(12),
        "date": python_iso(at),
        "battery_cycles": draw.between(1, 900) + u64::from(run / 24),
        "battery_health": draw.pick(&["Good", "Fair", "Check Battery"]),
        "filevault_user": m.user,
        "user_language": draw.pick(&["en-GB", "en-US", "de-DE", "fr-FR", "ja-JP"]),
        "site": draw.pick(SITES),
        "department": draw.pick(DEPARTMENTS),
        "asset_tag": format!("A{:06}", 100_000 + m.index),
        "memoryfree_mb": moving,
        "admin_users": format!("admin, {}", m.user),
        "screen_lock": draw.happens(800),
        "installed_fonts": "",
        "secure_boot": draw.pick(&["full", "medium", "none"]),
        "mdm_enrolled": draw.pick(&["Yes (User Approved)", "Yes", "No"]),
    }) else {
        return Map::new();
    };
    let wanted = m
        .fleet
        .options
        .facts
        .saturating_sub(FACTS_ELSEWHERE + facts.len());
    for number in (0..).take(wanted) {
        // All machines have the same conditions; only the values are theirs.
        let name = condition_name(&m.fleet.draw, number);
        let value = condition_value(&m.draw.at("condition").nth(number), &name, run);
        facts.insert(name, value);
    }
    facts
}

fn condition_name(fleet: &Draw, number: u64) -> String {
    let mut draw = fleet.at("condition").nth(number);
    let kind = if draw.happens(660) { "pref" } else { "cond" };
    let shape = if draw.happens(400) {
        "enabled"
    } else {
        "value"
    };
    format!("{kind}_{:03}_{}_{shape}", number, draw.hex(6))
}

fn condition_value(draw: &Draw, name: &str, run: u32) -> Value {
    let mut draw = draw.nth(draw.at("changes").changes(run, CHANGE_PERMILLE));
    if name.ends_with("_enabled") {
        return json!(if draw.happens(500) { "True" } else { "False" });
    }
    match draw.below(7) {
        0 => json!(""),
        1 => json!("not set"),
        2 => json!(draw.below(100_000)),
        3 => json!(draw.hex(32)),
        4 => json!(format!(
            "/Library/Preferences/com.acme.{}.plist",
            draw.below(100)
        )),
        5 => json!(format!("3.{}.{}", draw.below(20), draw.below(10))),
        _ => json!(draw.happens(500)),
    }
}

fn items(m: &Machine<'_>, run: u32, at: Timestamp, wanted: usize) -> Map<String, Value> {
    let stamp = python_iso(at);
    let mut draw = m.draw.at("packages");
    let installs = wanted.saturating_sub(UNINSTALLED);
    let mut items: Map<String, Value> = draw
        .sample(installs, m.fleet.packages.len())
        .into_iter()
        .filter_map(|number| m.fleet.packages.get(number))
        .map(|package| item(package, &m.draw.at(&package.name), run, &stamp))
        .collect();
    for _ in 0..wanted.min(UNINSTALLED) {
        let name = format!("Legacy{}", items.len() % 7 + 1);
        let data = json!({"self_serve": "False", "type": "ManagedUninstalls"});
        items.insert(
            name,
            json!({"date_managed": stamp, "status": "ABSENT", "data": data}),
        );
    }
    items
}

/// A package: its name in the check-in ends with the version, so an update is a new item.
fn item(package: &Package, draw: &Draw, run: u32, stamp: &str) -> (String, Value) {
    let updates = draw.at("updates").changes(run, CHANGE_PERMILLE);
    let patch = draw.at("patch").below(3) + updates;
    let version = format!("{}.{}.{patch}", package.major, package.minor);
    let name = format!("{} {version}", package.name);
    let mut state = draw.at("state").nth(updates);
    let status = match state.below(1000) {
        0..=9 => "ERROR",
        10..=59 => "PENDING",
        _ => "PRESENT",
    };
    let mut data = Map::new();
    let mut set = |key: &str, value: Value| data.insert(key.to_owned(), value);
    set("type", json!("ManagedInstalls"));
    set(
        "self_serve",
        json!(if draw.at("self serve").happens(200) {
            "True"
        } else {
            "False"
        }),
    );
    set("display_name", json!(package.display_name));
    set("description", json!(package.description));
    set("installed_size", json!(package.installed_size_kb));
    match status {
        "PRESENT" => {
            set("installed_version", json!(version));
        }
        "PENDING" => {
            set("version_to_install", json!(version));
            set(
                "installer_item",
                json!(format!("apps/{}-{version}.dmg", package.name)),
            );
            set("installer_item_size", json!(package.installed_size_kb / 2));
            set("unattended_install", json!(state.happens(800)));
            set("blocking_applications", json!([package.display_name]));
        }
        _ => {
            set("applesus", json!(false));
            set("status", json!(1));
            set("version", json!(version));
            set("duration_seconds", json!(state.between(1, 90)));
            set("download_kbytes_per_sec", json!(state.between(100, 20_000)));
            set("unattended", json!(true));
        }
    }
    let item = json!({"name": name, "date_managed": stamp, "status": status, "data": data});
    (name, item)
}

fn messages(draw: &Draw, run: u32) -> Vec<Value> {
    let kinds = [("ERROR", ERRORS, 120), ("WARNING", WARNINGS, 250)];
    let mut messages = Vec::new();
    for (kind, texts, permille) in kinds {
        let draw = draw.at(kind);
        let mut state = draw.nth(draw.changes(run, CHANGE_PERMILLE));
        if state.happens(permille) {
            messages.push(json!({"message_type": kind, "text": state.pick(texts)}));
        }
    }
    messages
}
