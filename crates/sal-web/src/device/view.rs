//! The machine's page as text: header, chips, facts of the machine, and the lists below them. Pure.

mod lists;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sal_plugins::OsFamily;
use sal_store::device::{Device, DeviceFact, DeviceItem, DeviceMessage, DevicePluginRow};

use crate::wording::{self, Moment, filled};
use lists::{FactSource, ItemSource, MessageLine, PluginResults};

/// What belongs to a machine in other tables.
pub(crate) struct Parts {
    pub(crate) facts: Vec<DeviceFact>,
    pub(crate) items: Vec<DeviceItem>,
    pub(crate) messages: Vec<DeviceMessage>,
    pub(crate) plugin_rows: Vec<DevicePluginRow>,
}

/// The whole page.
pub(crate) struct DeviceView {
    pub(crate) name: String,
    pub(crate) serial: String,
    pub(crate) subtitle: String,
    pub(crate) status: Chip,
    pub(crate) seen: Option<Moment>,
    pub(crate) chips: Vec<Chip>,
    pub(crate) cards: Vec<Card>,
    pub(crate) messages: Vec<MessageLine>,
    pub(crate) items: Vec<ItemSource>,
    pub(crate) facts: Vec<FactSource>,
    pub(crate) plugins: Vec<PluginResults>,
    /// One line for a ticket.
    pub(crate) summary: String,
}

/// A word with a meaning, and where its evidence is on the page.
pub(crate) struct Chip {
    pub(crate) label: String,
    pub(crate) value: String,
    /// `ok`, `warn`, `bad` or `plain`.
    pub(crate) tone: &'static str,
    pub(crate) href: &'static str,
}

/// Some facts under a heading.
pub(crate) struct Card {
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<Line>,
}

/// A name and a value; without one, the page says that it was never reported.
pub(crate) struct Line {
    pub(crate) label: &'static str,
    pub(crate) value: Option<String>,
}

impl DeviceView {
    pub(crate) fn new(device: Device, parts: Parts, now: Timestamp, zone: &TimeZone) -> Self {
        let name = filled(device.hostname.as_deref()).unwrap_or_else(|| device.serial.clone());
        let model = filled(device.machine_model_friendly.as_deref())
            .or_else(|| filled(device.machine_model.as_deref()));
        let system = format!(
            "{} {}",
            OsFamily::title_of(&device.os_family),
            device.operating_system.as_deref().unwrap_or_default()
        );
        let seen = device.last_checkin.map(|at| Moment::new(at, now, zone));
        let status = status(&device, now);
        let shown: Vec<String> = [
            model.clone(),
            Some(system.clone()),
            filled(device.console_user.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let last = seen
            .as_ref()
            .map_or("never checked in", |seen| seen.exact.as_str());
        Self {
            summary: format!(
                "{name} · {} · {} · last check-in {last}",
                device.serial,
                shown.join(" · ")
            ),
            subtitle: shown.join(" · "),
            chips: chips(&device, &parts),
            cards: cards(&device, model, system, &parts.facts, now, zone),
            messages: lists::messages(parts.messages, now, zone),
            items: lists::items(parts.items, now, zone),
            facts: lists::facts(parts.facts),
            plugins: lists::plugins(parts.plugin_rows, now, zone),
            serial: device.serial,
            name,
            status,
            seen,
        }
    }
}

/// The one word about the machine. The words are the same everywhere in the product.
fn status(device: &Device, now: Timestamp) -> Chip {
    let age = device.last_checkin.map(|at| now.duration_since(at));
    let (value, tone) = match age {
        _ if !device.deployed => ("Undeployed", "plain"),
        _ if device.broken_client => ("Problem", "bad"),
        None => ("Unknown", "plain"),
        Some(age) if age > MISSING_AFTER => ("Missing", "bad"),
        Some(age) if age > ATTENTION_AFTER => ("Attention", "warn"),
        Some(_) => ("OK", "ok"),
    };
    Chip {
        label: "Status".to_owned(),
        value: value.to_owned(),
        tone,
        href: "#machine",
    }
}

fn chips(device: &Device, parts: &Parts) -> Vec<Chip> {
    let messages = |level: &str| {
        parts
            .messages
            .iter()
            .filter(|message| message.message_type == level)
            .count()
    };
    let pending = parts
        .items
        .iter()
        .filter(|item| item.status == "PENDING")
        .count();
    let counted = |label: &str, count: usize, tone, href| Chip {
        label: label.to_owned(),
        value: wording::count(i64::try_from(count).unwrap_or(i64::MAX)),
        tone: if count == 0 { "ok" } else { tone },
        href,
    };
    let mut chips = vec![
        counted("Errors", messages("ERROR"), "bad", "#messages"),
        counted("Warnings", messages("WARNING"), "warn", "#messages"),
        counted("Pending", pending, "info", "#items"),
        disk_chip(device),
    ];
    chips.extend(row_chip(
        parts,
        "FileVault",
        &[
            ("Encryption", "FileVault"),
            ("MachineDetailSecurity", "Filevault"),
        ],
    ));
    chips.extend(row_chip(
        parts,
        "Gatekeeper",
        &[("Gatekeeper", "Gatekeeper")],
    ));
    chips
}

fn disk_chip(device: &Device) -> Chip {
    let used = device
        .hd_percent
        .as_deref()
        .and_then(|text| text.trim().parse::<f64>().ok());
    let (value, tone) = match used.filter(|used| used.is_finite()) {
        None => ("Unknown".to_owned(), "plain"),
        Some(used) if used >= 90.0 => (format!("{used:.0} % used"), "bad"),
        Some(used) if used >= 80.0 => (format!("{used:.0} % used"), "warn"),
        Some(used) => (format!("{used:.0} % used"), "ok"),
    };
    Chip {
        label: "Disk".to_owned(),
        value,
        tone,
        href: "#hardware",
    }
}

/// A chip for what a plugin's script reported, when one of these rows is there.
fn row_chip(parts: &Parts, label: &str, places: &[(&str, &str)]) -> Option<Chip> {
    let row = places.iter().find_map(|(plugin, name)| {
        parts
            .plugin_rows
            .iter()
            .find(|row| row.plugin == *plugin && row.pluginscript_name == *name)
    })?;
    let value = filled(row.pluginscript_data.as_deref())?;
    let tone = match value.as_str() {
        "Enabled" => "ok",
        "Disabled" => "bad",
        _ => "plain",
    };
    Some(Chip {
        label: label.to_owned(),
        value,
        tone,
        href: "#plugins",
    })
}

fn cards(
    device: &Device,
    model: Option<String>,
    system: String,
    facts: &[DeviceFact],
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Card> {
    let line = |label, value: Option<String>| Line { label, value };
    let moment = |at: Option<Timestamp>| {
        at.map(|at| Moment::new(at, now, zone))
            .map(|moment| format!("{} ({})", moment.exact, moment.relative))
    };
    let address = facts.iter().find(|fact| fact.fact_name == "ipv4_address");
    let free = match (device.hd_space, device.hd_total) {
        (Some(free), Some(total)) if total > 0 => Some(format!(
            "{} of {}",
            wording::bytes(free),
            wording::bytes(total)
        )),
        _ => None,
    };
    let processor: Vec<String> = [device.cpu_type.as_deref(), device.cpu_speed.as_deref()]
        .into_iter()
        .filter_map(filled)
        .collect();
    vec![
        Card {
            title: "Hardware",
            lines: vec![
                line("Model", model),
                line("Model identifier", filled(device.machine_model.as_deref())),
                line(
                    "Processor",
                    (!processor.is_empty()).then(|| processor.join(", ")),
                ),
                line("Memory", filled(device.memory.as_deref())),
                line("Free disk space", free),
            ],
        },
        Card {
            title: "System and network",
            lines: vec![
                line("Operating system", Some(system)),
                line("Console user", filled(device.console_user.as_deref())),
                line(
                    "IP address",
                    address.and_then(|fact| filled(Some(&fact.fact_data))),
                ),
                line("Last check-in", moment(device.last_checkin)),
                line("First check-in", moment(device.first_checkin)),
            ],
        },
        Card {
            title: "Management",
            lines: vec![
                line("Business unit", Some(device.unit_name.clone())),
                line("Machine group", Some(device.group_name.clone())),
                line(
                    "Deployed",
                    Some(if device.deployed { "Yes" } else { "No" }.to_owned()),
                ),
                line("Sal client", filled(device.sal_version.as_deref())),
                line("Munki", filled(device.munki_version.as_deref())),
                line("Munki manifest", filled(device.manifest.as_deref())),
            ],
        },
    ]
}

/// Clients check in at least every half hour while they are on.
const ATTENTION_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
const MISSING_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use sal_store::ids::MachineId;

    use super::*;

    fn device() -> Device {
        Device {
            id: MachineId(7),
            serial: "C02X".to_owned(),
            hostname: Some("anna-mbp".to_owned()),
            operating_system: Some("15.1".to_owned()),
            os_family: "Darwin".to_owned(),
            memory: None,
            munki_version: Some("None".to_owned()),
            manifest: Some(String::new()),
            hd_space: Some(100),
            hd_total: Some(0),
            hd_percent: Some("82.4".to_owned()),
            console_user: Some("anna".to_owned()),
            machine_model: Some("Mac15,3".to_owned()),
            machine_model_friendly: None,
            cpu_type: None,
            cpu_speed: None,
            sal_version: None,
            last_checkin: Some(now() - SignedDuration::from_mins(12)),
            first_checkin: None,
            deployed: true,
            broken_client: false,
            group_name: "Labs".to_owned(),
            unit_name: "Science".to_owned(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn view(device: Device) -> DeviceView {
        let parts = Parts {
            facts: vec![],
            items: vec![],
            messages: vec![],
            plugin_rows: vec![],
        };
        DeviceView::new(device, parts, now(), &TimeZone::UTC)
    }

    #[test]
    fn the_status_word_follows_the_age_of_the_last_check_in() {
        let seen = |hours: Option<i64>| {
            let last_checkin = hours.map(|hours| now() - SignedDuration::from_hours(hours));
            view(Device {
                last_checkin,
                ..device()
            })
            .status
            .value
        };
        assert_eq!(seen(Some(1)), "OK");
        assert_eq!(seen(Some(8 * 24)), "Attention");
        assert_eq!(seen(Some(31 * 24)), "Missing");
        assert_eq!(seen(None), "Unknown");
        assert_eq!(
            view(Device {
                broken_client: true,
                ..device()
            })
            .status
            .value,
            "Problem"
        );
        assert_eq!(
            view(Device {
                deployed: false,
                ..device()
            })
            .status
            .value,
            "Undeployed"
        );
    }

    #[test]
    fn what_was_never_reported_is_said_to_be_so() {
        let view = view(device());
        let missing: Vec<_> = view
            .cards
            .iter()
            .flat_map(|card| &card.lines)
            .filter(|line| line.value.is_none())
            .map(|line| line.label)
            .collect();
        assert_eq!(
            missing,
            [
                "Processor",
                "Memory",
                "Free disk space",
                "IP address",
                "First check-in",
                "Sal client",
                "Munki",
                "Munki manifest"
            ]
        );
    }

    #[test]
    fn a_full_disk_is_bad_and_an_unreadable_one_unknown() {
        let disk = |percent: &str| {
            let chip = disk_chip(&Device {
                hd_percent: Some(percent.to_owned()),
                ..device()
            });
            (chip.value, chip.tone)
        };
        assert_eq!(disk("82.4"), ("82 % used".to_owned(), "warn"));
        assert_eq!(disk("100"), ("100 % used".to_owned(), "bad"));
        assert_eq!(disk("9.5"), ("10 % used".to_owned(), "ok"));
        for text in ["", "NaN", "lots"] {
            assert_eq!(disk(text).1, "plain", "{text}");
        }
    }
}
