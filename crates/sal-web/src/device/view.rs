//! The machine's page as text: header, chips, freshness, cards, lists, and the open tab. Pure.

mod cards;
mod freshness;
mod items;
mod lists;
mod tabs;
mod timeline;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sal_plugins::OsFamily;
use sal_store::device::{
    Device, DeviceCounts, DeviceFreshness, DeviceItem, DeviceMessage, DevicePluginRow,
    tabs::{DeviceApplication, DeviceFact, DevicePayload, DeviceProfile},
    timeline::DeviceEvent,
};

use super::params::{Tab, TabParams};
use crate::{
    fleet_part::{group_path, unit_path},
    machine,
    widgets::details::DetailCard,
    wording::{self, Moment, filled},
};
pub(crate) use cards::Card;
use freshness::Fresh;
pub(crate) use items::{Details, details, status_words};
use items::{ItemsTab, items_tab};
use lists::{MessageLine, PluginResults};
use tabs::{ApplicationsTab, FactsTab, ProfilesTab};
use timeline::TimelineTab;

/// What belongs to a machine in other tables.
pub(crate) struct Parts {
    /// The cards of enabled detail plugins.
    pub(crate) detail_cards: Vec<DetailCard>,
    pub(crate) counts: DeviceCounts,
    pub(crate) freshness: Vec<DeviceFreshness>,
    pub(crate) messages: Vec<DeviceMessage>,
    pub(crate) plugin_rows: Vec<DevicePluginRow>,
    pub(crate) tab: TabRows,
    /// Whether links may lead to pages about all units.
    pub(crate) sees_all_units: bool,
}

/// The rows of the open tab.
pub(crate) enum TabRows {
    Items(Vec<DeviceItem>),
    Applications(Vec<DeviceApplication>),
    Profiles(Vec<DeviceProfile>, Vec<DevicePayload>),
    Facts(Vec<DeviceFact>),
    Timeline(Vec<DeviceEvent>),
}

/// The whole page.
pub(crate) struct DeviceView {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) serial: String,
    pub(crate) subtitle: String,
    pub(crate) status: Chip,
    pub(crate) seen: Option<Moment>,
    pub(crate) unit: String,
    pub(crate) unit_href: String,
    pub(crate) group: String,
    pub(crate) group_id: i32,
    pub(crate) group_href: String,
    pub(crate) is_deployed: bool,
    pub(crate) chips: Vec<Chip>,
    pub(crate) freshness: Vec<Fresh>,
    pub(crate) cards: Vec<Card>,
    /// Cards of detail plugins, after the others.
    pub(crate) detail_cards: Vec<DetailCard>,
    pub(crate) messages: Vec<MessageLine>,
    pub(crate) plugins: Vec<PluginResults>,
    pub(crate) tabs: Vec<TabLink>,
    pub(crate) content: Content,
    /// One line for a ticket.
    pub(crate) summary: String,
}

/// A word with a meaning, and where its evidence is.
pub(crate) struct Chip {
    pub(crate) label: String,
    pub(crate) value: String,
    /// `ok`, `warn`, `bad`, `info` or `plain`.
    pub(crate) tone: &'static str,
    pub(crate) href: &'static str,
}

/// The way to a tab.
pub(crate) struct TabLink {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// How much is there, where that is known.
    pub(crate) count: Option<String>,
    pub(crate) is_open: bool,
}

/// What the open tab shows.
pub(crate) enum Content {
    Items(ItemsTab),
    Applications(ApplicationsTab),
    Profiles(ProfilesTab),
    Facts(FactsTab),
    Timeline(TimelineTab),
}

impl DeviceView {
    pub(crate) fn new(
        device: Device,
        parts: Parts,
        params: &TabParams,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let name = machine::name(&device.machine);
        let seen = device
            .machine
            .last_checkin
            .map(|at| Moment::new(at, now, zone));
        let subtitle = subtitle(&device);
        let last = seen
            .as_ref()
            .map_or("never checked in", |seen| seen.exact.as_str());
        Self {
            id: device.id.0,
            summary: format!(
                "{name} · {} · {subtitle} · last check-in {last}",
                device.machine.serial
            ),
            subtitle,
            status: status(&device, now),
            seen,
            unit_href: unit_path(device.unit_id),
            group_id: device.machine.machine_group_id.0,
            group_href: group_path(device.machine.machine_group_id),
            is_deployed: device.machine.deployed,
            chips: chips(&device, &parts),
            freshness: freshness::freshness(
                &parts.freshness,
                device.machine.last_checkin,
                now,
                zone,
            ),
            cards: cards::cards(&device, parts.counts.address.as_deref(), now, zone),
            detail_cards: parts.detail_cards,
            messages: lists::messages(parts.messages, now, zone),
            plugins: lists::plugins(parts.plugin_rows, now, zone),
            tabs: tab_links(&parts.counts, params.tab()),
            content: content(parts.tab, params, &device, parts.sees_all_units, now, zone),
            unit: device.unit_name,
            group: device.group_name,
            serial: device.machine.serial,
            name,
        }
    }
}

/// Model, system and user in one line.
fn subtitle(device: &Device) -> String {
    let shown = [
        machine::model(&device.machine),
        Some(machine::system(&device.machine)),
        filled(device.machine.console_user.as_deref()),
    ];
    shown.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The one word about the machine. The words are the same everywhere in the product.
fn status(device: &Device, now: Timestamp) -> Chip {
    let age = device.machine.last_checkin.map(|at| now.duration_since(at));
    let (value, tone) = match age {
        _ if !device.machine.deployed => ("Undeployed", "plain"),
        _ if device.machine.broken_client => ("Problem", "bad"),
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
    let counted = |label: &str, count: i64, tone, href| Chip {
        label: label.to_owned(),
        value: wording::count(count),
        tone: if count == 0 { "ok" } else { tone },
        href,
    };
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let pending = parts.counts.pending;
    let mut chips = vec![
        counted("Errors", size(messages("ERROR")), "bad", "#messages"),
        counted("Warnings", size(messages("WARNING")), "warn", "#messages"),
        counted("Pending", pending, "info", PENDING_HREF),
        disk_chip(device),
    ];
    chips.extend(row_chip(parts, "FileVault", &FILEVAULT_ROWS));
    chips.extend(row_chip(parts, "Gatekeeper", &GATEKEEPER_ROWS));
    chips.push(Chip {
        label: OsFamily::title_of(&device.machine.os_family).to_owned(),
        value: filled(device.machine.operating_system.as_deref())
            .unwrap_or_else(|| "Unknown".to_owned()),
        tone: "plain",
        href: "#system",
    });
    chips
}

fn disk_chip(device: &Device) -> Chip {
    let used = device
        .machine
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

fn tab_links(counts: &DeviceCounts, open: Tab) -> Vec<TabLink> {
    Tab::ALL
        .into_iter()
        .map(|tab| TabLink {
            key: tab.key(),
            title: tab.title(),
            count: match tab {
                Tab::Items => Some(counts.items),
                Tab::Applications => Some(counts.applications),
                Tab::Profiles => Some(counts.profiles),
                Tab::Facts => Some(counts.facts),
                Tab::Timeline => None,
            }
            .map(wording::count),
            is_open: tab == open,
        })
        .collect()
}

fn content(
    rows: TabRows,
    params: &TabParams,
    device: &Device,
    sees_all_units: bool,
    now: Timestamp,
    zone: &TimeZone,
) -> Content {
    match rows {
        TabRows::Items(items) => Content::Items(items_tab(items, params.status(), now, zone)),
        TabRows::Applications(rows) => {
            let place = if sees_all_units {
                "all/0".to_owned()
            } else {
                format!("business_unit/{}", device.unit_id)
            };
            Content::Applications(tabs::applications(rows, params.filter(), &place))
        }
        TabRows::Profiles(profiles, payloads) => {
            Content::Profiles(tabs::profiles(profiles, &payloads, now, zone))
        }
        TabRows::Facts(facts) => Content::Facts(tabs::facts(facts, params.filter(), device.id)),
        TabRows::Timeline(events) => {
            Content::Timeline(timeline::timeline(events, params, now, zone))
        }
    }
}

/// Where plugin scripts tell of FileVault: script and row.
const FILEVAULT_ROWS: [(&str, &str); 2] = [
    ("Encryption", "FileVault"),
    ("MachineDetailSecurity", "Filevault"),
];
const GATEKEEPER_ROWS: [(&str, &str); 2] = [
    ("Gatekeeper", "Gatekeeper"),
    ("MachineDetailSecurity", "Gatekeeper"),
];
const PENDING_HREF: &str = "?tab=items&status=PENDING#items";
/// Clients check in at least every half hour while they are on.
pub(crate) const ATTENTION_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
const MISSING_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

#[cfg(test)]
mod tests;
