//! `Apple Software Update` and `Profiles`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::machine::Machine;
use crate::submission::{PLIST, plist_pair};
use crate::words::{APPLE_UPDATES, PAYLOADS};

use super::{before, python_iso};

const DAY: u64 = 86_400;

/// What Apple's updater installed, and now and then what waits.
pub(crate) fn apple_software_update(m: &Machine<'_>, run: u32, at: Timestamp) -> Value {
    let mut draw = m.draw.at("apple updates");
    let mut items = Map::new();
    let count = usize::try_from(draw.between(4, 7)).unwrap_or(4);
    for number in draw.sample(count, APPLE_UPDATES.len()) {
        if let Some((name, version)) = APPLE_UPDATES.get(number) {
            // A fixed day of the past: what is installed stays installed.
            let installed = format!(
                "2026-{:02}-{:02}T{:02}:{:02}:00+00:00",
                draw.between(1, 6),
                draw.between(1, 28),
                draw.below(24),
                draw.below(60)
            );
            let data = json!({"type": "Apple SUS Install", "version": version});
            let item = json!({"date_managed": installed, "status": "PRESENT", "data": data});
            items.insert((*name).to_owned(), item);
        }
    }
    let waiting = draw.at("waiting");
    let mut waiting = waiting.nth(waiting.changes(run, 30));
    if waiting.happens(300) {
        let recommended = if waiting.happens(700) {
            "TRUE"
        } else {
            "FALSE"
        };
        let data = json!({"version": "26.1", "recommended": recommended, "action": "restart"});
        let item = json!({"date_managed": python_iso(at), "status": "PENDING", "data": data});
        items.insert("macOS Tahoe 26.1-25B78".to_owned(), item);
    }
    let checked = before(at, draw.at("checked").nth(u64::from(run)).below(DAY));
    json!({
        "facts": {
            "checkin_module_version": "1.2.0",
            "catalog": "https://swscan.apple.com/content/catalogs/others/index-14.merged-1.sucatalog",
            "last_check": python_iso(checked),
        },
        "managed_items": items,
        "update_history": [],
    })
}

/// The same profiles as macOS's own tool lists them, for `/profiles/submit/`.
pub(crate) fn profiles_plist(m: &Machine<'_>) -> String {
    let section = profiles(m);
    let mut plist = format!("{PLIST}<dict><key>_computerlevel</key><array>\n");
    let items = section.get("managed_items").and_then(Value::as_object);
    for (name, item) in items.into_iter().flatten() {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let data = item.get("data");
        let detail = |key: &str| text(data.and_then(|data| data.get(key)));
        plist.push_str("<dict>");
        for (key, value) in [
            ("ProfileDisplayName", name.clone()),
            ("ProfileIdentifier", detail("identifier")),
            ("ProfileUUID", detail("uuid")),
            ("ProfileDescription", detail("profile_description")),
            ("ProfileOrganization", detail("organization")),
            ("ProfileVerificationState", detail("verification_state")),
            ("ProfileInstallDate", text(item.get("date_managed"))),
        ] {
            plist_pair(key, &value, &mut plist);
        }
        plist.push_str("<key>ProfileItems</key><array>");
        let payloads = data.and_then(Value::as_object).into_iter().flatten();
        for (_, payload) in payloads.filter(|(key, _)| key.starts_with("payload ")) {
            plist.push_str("<dict>");
            for key in ["PayloadIdentifier", "PayloadUUID", "PayloadType"] {
                plist_pair(key, &text(payload.get(key)), &mut plist);
            }
            plist.push_str("</dict>");
        }
        plist.push_str("</array></dict>\n");
    }
    plist.push_str("</array></dict></plist>\n");
    plist
}

/// Configuration profiles; they do not change between runs.
pub(crate) fn profiles(m: &Machine<'_>) -> Value {
    let mut draw = m.draw.at("profiles");
    let count = usize::try_from(draw.between(4, 9)).unwrap_or(4);
    let mut items = Map::new();
    for kind in PAYLOADS.iter().take(count) {
        let short = kind.rsplit('.').next().unwrap_or(kind);
        let uuid = draw.uuid();
        let mut data = Map::new();
        for number in 1..=draw.between(1, 3) {
            let payload = json!({
                "PayloadIdentifier": format!("{kind}.{}", draw.uuid()),
                "PayloadUUID": draw.uuid(),
                "PayloadType": kind,
                "PayloadContent": if draw.happens(200) { json!("BINARY DATA") } else { json!({}) },
            });
            data.insert(format!("payload {number}"), payload);
        }
        data.insert("payload_types".to_owned(), json!(kind));
        data.insert(
            "profile_description".to_owned(),
            json!(format!("Settings for {kind}")),
        );
        data.insert(
            "identifier".to_owned(),
            json!(format!("com.acme.profile.{short}")),
        );
        data.insert("organization".to_owned(), json!("Acme"));
        data.insert("uuid".to_owned(), json!(uuid));
        let state = if draw.happens(900) {
            "verified"
        } else {
            "unsigned"
        };
        data.insert("verification_state".to_owned(), json!(state));
        let (month, day) = (draw.between(1, 12), draw.between(1, 28));
        let installed = format!("2025-{month:02}-{day:02} 10:49:{:02} +0000", draw.below(60));
        let item = json!({"date_managed": installed, "status": "PRESENT", "data": data});
        items.insert(format!("Acme {short}"), item);
    }
    json!({"facts": {"checkin_module_version": "1.0.0"}, "managed_items": items})
}
