//! `Puppet` and `Salt`: modules for configuration management, on a third of the machines.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::Machine;

use super::{before, python_iso};

/// Facter's facts, flattened with `=>`, and the state of the resources.
pub(crate) fn puppet(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let mut draw = m.draw.at("puppet");
    let stale_hours = if draw.happens(900) { 2 } else { 900 };
    let last = before(at, stale_hours * 3600);
    let mut facts = Map::new();
    let mut set = |name: String, value: Value| facts.insert(name, value);
    set("checkin_module_version".into(), json!("1.1.0"));
    set("puppetversion".into(), json!("7.28.0"));
    set(
        "last_puppet_run".into(),
        json!(last.strftime("%Y-%m-%d %H:%M:%S.%f+00:00").to_string()),
    );
    set(
        "puppet_errors".into(),
        json!(if draw.happens(250) { 2 } else { 0 }),
    );
    set("os=>family".into(), json!(m.family.as_str()));
    set("os=>release=>full".into(), json!(m.operating_system(run)));
    set("is_virtual".into(), json!(false));
    set("load_averages=>1m".into(), json!(load(m, run)));
    for number in 0..20 {
        set(
            format!("memory=>swap=>part{number}"),
            json!(draw.below(10_000)),
        );
    }
    let resources = [
        "File[/etc/motd]",
        "Service[com.acme.agent]",
        "Exec[rotate keys]",
        "User[admin]",
    ];
    let mut items = Map::new();
    for resource in resources {
        let changes = draw.at(resource).changes(run, 30);
        let failed = draw.at(resource).at("failed").nth(changes).happens(80);
        let status = if failed { "ERROR" } else { "PRESENT" };
        let data = json!({"corrective_change": failed});
        let item = json!({"date_managed": python_iso(last), "status": status, "data": data});
        items.insert(resource.to_owned(), item);
    }
    json!({"facts": facts, "managed_items": items})
}

/// Grains, and the states of the last highstate.
pub(crate) fn salt(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let mut draw = m.draw.at("salt");
    let mut facts = Map::new();
    facts.insert("checkin_module_version".to_owned(), json!("1.0.0"));
    facts.insert("saltversion".to_owned(), json!("3006.5"));
    facts.insert("pythonversion".to_owned(), json!("3.10.13.final.0"));
    facts.insert("Last Highstate".to_owned(), json!(python_iso(at)));
    for number in 0..20 {
        facts.insert(
            format!("grain_{number}"),
            json!(draw.below(10_000).to_string()),
        );
    }
    let mut items = Map::new();
    let mut messages = Vec::new();
    for number in 0..8 {
        let state = format!("file_|-/etc/acme/{number}.conf");
        let draw = draw.at(&state);
        let mut outcome = draw.nth(draw.changes(run, 30));
        let status = match outcome.below(100) {
            0..=2 => "ERROR",
            3..=9 => "ABSENT",
            _ => "PRESENT",
        };
        if status == "ERROR" {
            let text = format!("State {state} failed: source file not found");
            messages.push(json!({"message_type": "ERROR", "text": text, "date": python_iso(at)}));
        }
        let data = json!({"type": "file.managed", "duration": 4.25});
        items.insert(
            state,
            json!({"date_managed": python_iso(at), "status": status, "data": data}),
        );
    }
    let jid = at.strftime("%Y%m%d%H%M%S%6f").to_string();
    json!({
        "extra_data": {"jid": jid, "success": messages.is_empty(), "retcode": 0},
        "facts": facts,
        "managed_items": items,
        "messages": messages,
    })
}

/// A load average such as 1.37: a number with a fraction, as facter reports it.
fn load(m: &Machine<'_>, run: u32) -> f64 {
    let hundredths = m.draw.at("load").nth(u64::from(run)).below(800);
    f64::from(u32::try_from(hundredths).unwrap_or(0)) / 100.0
}
