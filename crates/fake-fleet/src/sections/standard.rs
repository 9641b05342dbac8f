//! `Machine` and `Sal`: the two sections every client sends.

use serde_json::{Map, Value, json};

use crate::machine::{Family, Machine};

/// Hardware, system and user.
pub(crate) fn machine(m: &Machine<'_>, run: u32) -> Value {
    let mut extra = Map::new();
    let mut set = |name: &str, value: Value| extra.insert(name.to_owned(), value);
    let free = free_bytes(m, run);
    set("hostname", json!(m.hostname));
    set("os_family", json!(m.family.as_str()));
    set("console_user", console_user(m, run));
    set("serial", json!(m.serial));
    set("operating_system", json!(m.operating_system(run)));
    if m.family == Family::ChromeOs {
        set("hd_space", json!(m.disk_bytes));
        if !m.model.cpu_type.is_empty() {
            set("cpu_type", json!(m.model.cpu_type));
        }
        set("cpu_speed", json!(m.model.cpu_speed));
        set("memory", json!(format!("{}.23 GB", m.memory_gb)));
        return json!({"extra_data": extra, "facts": {"google_device_id": m.draw.at("device id").hex(32)}});
    }
    set("machine_model", json!(m.model.identifier));
    if m.family == Family::Darwin {
        let version = m.operating_system(run);
        let response = version.split_once(' ').map_or("", |(_, suffix)| suffix);
        set("rsr_version", json!(response));
    }
    if !m.model.friendly.is_empty() {
        set("machine_model_friendly", json!(m.model.friendly));
    }
    set("cpu_type", json!(m.model.cpu_type));
    set("cpu_speed", json!(m.model.cpu_speed));
    set("memory", json!(format!("{} GB", m.memory_gb)));
    set("memory_kb", json!(m.memory_gb * 1024 * 1024));
    set("hd_space", json!(free));
    set("hd_total", json!(m.disk_bytes));
    set("hd_percent", json!(percent_used(free, m.disk_bytes)));
    json!({"extra_data": extra, "facts": {"checkin_module_version": "1.1.0"}})
}

/// The client's version and the group's key.
pub(crate) fn sal(m: &Machine<'_>, key: &str) -> Value {
    let version = match m.draw.at("client").below(10) {
        0 | 1 => "4.2.1",
        2 => "4.6.0",
        _ => "4.9.0",
    };
    json!({
        "extra_data": {"sal_version": version, "key": key},
        "facts": {"checkin_module_version": "1.1.0"},
    })
}

/// Mostly the owner; sometimes nobody, or the set-up assistant's user.
fn console_user(m: &Machine<'_>, run: u32) -> Value {
    match m.draw.at("console").nth(u64::from(run)).below(100) {
        0..=2 => Value::Null,
        3 => json!("_mbsetupuser"),
        _ if m.family == Family::ChromeOs => json!(format!("{}@example.com", m.user)),
        _ => json!(m.user),
    }
}

/// Free bytes: 3 to 85 % of the disk at first, less with each run, never under 2 GB.
fn free_bytes(m: &Machine<'_>, run: u32) -> u64 {
    let draw = m.draw.at("disk");
    let free = m.disk_bytes / 1000 * draw.at("free").between(30, 850);
    let grown = u64::from(run) * 37_000_000 + draw.nth(u64::from(run)).below(400_000_000);
    free.saturating_sub(grown).max(2_000_000_000)
}

/// The share in use with two decimals, as text: the real client sends text.
fn percent_used(free: u64, total: u64) -> String {
    let used = total.saturating_sub(free);
    let basis_points = (used * 10_000).checked_div(total).unwrap_or(0);
    format!("{}.{:02}", basis_points / 100, basis_points % 100)
}
