//! Machines of one exact size, for measuring: every run changes 3 % of the values, and nothing else.
//!
//! A [`crate::Fleet`] is drawn to look real, so no two of its check-ins cost the same. Here all cost the same:
//! 150 facts of four sources, 100 managed items of three, seven plugin scripts with fifteen rows, and two messages
//! on every fifth machine. What is in a submission is also there as values, so that a benchmark can write the same
//! with statements of its own.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::submission::{PLIST, Submission};

/// Facts of a machine.
pub const FACTS: usize = 150;
/// Managed items of a machine.
pub const ITEMS: usize = 100;
/// In how many runs a value changes once: 3 % of the values in each run.
const CHANGES_EVERY: u64 = 33;

/// One machine at one run.
#[derive(Debug, Clone)]
pub struct Yardstick {
    /// Its serial number.
    pub serial: String,
    /// Columns of the machine itself: host name, then free disk in bytes.
    pub machine: (String, i64),
    /// Source, name, value.
    pub facts: Vec<(&'static str, String, String)>,
    /// What is managed.
    pub items: Vec<Item>,
    /// Source, type, text. None has a date, as Munki's have none.
    pub messages: Vec<(&'static str, &'static str, String)>,
    /// Plugin, and its rows: name and value.
    pub scripts: Vec<(&'static str, Vec<(String, String)>)>,
}

/// A managed item.
#[derive(Debug, Clone)]
pub struct Item {
    /// Who manages it.
    pub source: &'static str,
    /// Its name.
    pub name: String,
    /// PRESENT or PENDING.
    pub status: &'static str,
    /// Since when.
    pub date_managed: Timestamp,
    /// Details, as Python writes JSON.
    pub data: String,
}

impl Yardstick {
    /// Machine `index` at `run`. With `new_dates` every item carries the time of the run, as Munki stamps them;
    /// without, the time of its last change.
    #[must_use]
    pub fn new(index: u32, run: u32, new_dates: bool) -> Self {
        let serial = serial(index);
        let (index, run) = (u64::from(index), u64::from(run));
        let facts = (0..).take(FACTS).map(|number| fact(index, number, run));
        let items = (0..)
            .take(ITEMS)
            .map(|number| item(index, number, run, new_dates));
        let messages: &[_] = if index % 5 == 0 { &MESSAGES } else { &[] };
        Self {
            serial,
            machine: (
                format!("yardstick-{index}"),
                200_000_000_000 - i64::try_from(index).unwrap_or(0) * 4096,
            ),
            facts: facts.collect(),
            items: items.collect(),
            messages: messages
                .iter()
                .map(|(kind, text)| ("Munki", *kind, (*text).to_owned()))
                .collect(),
            scripts: scripts(index, run),
        }
    }

    /// The check-in that says all this. `key` is the machine group's.
    #[must_use]
    pub fn submission(&self, key: &str) -> Submission {
        let mut body = Map::new();
        for source in SOURCES {
            body.insert((*source).to_owned(), self.section(source, key));
        }
        let results = self.scripts.iter().map(|(plugin, rows)| {
            let data: Map<String, Value> = rows
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            json!({"plugin": plugin, "historical": false, "data": data})
        });
        body.insert("plugin_results".to_owned(), results.collect());
        Submission::checkin(self.serial.clone(), &body)
    }

    fn section(&self, source: &str, key: &str) -> Value {
        let facts: Map<String, Value> = self
            .facts
            .iter()
            .filter(|fact| fact.0 == source)
            .map(|(_, name, value)| (name.clone(), json!(value)))
            .collect();
        let items: Map<String, Value> = self
            .items
            .iter()
            .filter(|item| item.source == source)
            .map(|item| (item.name.clone(), item.as_json()))
            .collect();
        let messages: Vec<Value> = self
            .messages
            .iter()
            .filter(|message| message.0 == source)
            .map(|(_, kind, text)| json!({"message_type": kind, "text": text}))
            .collect();
        let extra = match source {
            "Machine" => json!({
                "serial": self.serial, "hostname": self.machine.0, "hd_space": self.machine.1,
                "os_family": "Darwin", "operating_system": "14.6.1", "machine_model": "Mac14,2",
                "machine_model_friendly": "MacBook Air (M2, 2022)", "cpu_type": "Apple M2", "cpu_speed": "",
                "memory": "8 GB", "memory_kb": 8_388_608, "hd_total": 494_384_795_648_i64, "hd_percent": "59.55",
                "console_user": "ada",
            }),
            "Sal" => json!({"sal_version": "4.9.0", "key": key}),
            "Munki" => {
                json!({"munki_version": "6.6.4.4720", "manifest": "site_default", "runtype": "auto"})
            }
            _ => json!({}),
        };
        json!({"extra_data": extra, "facts": facts, "managed_items": items, "messages": messages})
    }
}

/// An inventory of `applications` applications of machine `index`; in each run 2 % have another version. `fresh` is part
/// of all names: another one makes applications that nobody has yet.
#[must_use]
pub fn inventory(index: u32, run: u32, applications: u32, fresh: &str) -> Submission {
    let mut plist = format!("{PLIST}<array>\n");
    for number in 0..applications {
        let version = (u64::from(run) + u64::from(number) * 7 + u64::from(index)) / 50;
        plist.push_str(&format!(
            "<dict><key>CFBundleName</key><string>Application {number}{fresh}</string><key>bundleid</key>\
             <string>org.example{fresh}.application{number}</string><key>name</key><string>Application {number}{fresh}</string>\
             <key>path</key><string>/Applications/Application {number}.app</string><key>version</key>\
             <string>1.{version}</string></dict>\n"
        ));
    }
    plist.push_str("</array></plist>\n");
    Submission::packed(
        &serial(index),
        "/inventory/submit/",
        "base64bz2inventory",
        &plist,
    )
}

fn serial(index: u32) -> String {
    format!("C02Y{index:08}")
}

impl Item {
    fn as_json(&self) -> Value {
        let data: Value = serde_json::from_str(&self.data).unwrap_or_default();
        json!({"status": self.status, "date_managed": self.date_managed.to_string(), "data": data})
    }
}

/// How often value `number` of the machine changed until `run`; 3 % of all numbers change in a run.
fn changes(index: u64, number: u64, run: u64) -> u64 {
    (run + number * 7 + index) / CHANGES_EVERY
}

fn fact(index: u64, number: u64, run: u64) -> (&'static str, String, String) {
    let source = match number {
        0 => "Machine",
        1 => "Sal",
        2..40 => "Munki",
        _ => "Puppet",
    };
    let value = format!("value {} of {index}", changes(index, number, run));
    (source, format!("fact_{number:03}"), value)
}

fn item(index: u64, number: u64, run: u64, new_dates: bool) -> Item {
    let changed = changes(index, number, run);
    let minutes = if new_dates {
        run
    } else {
        changed * CHANGES_EVERY
    };
    let after = SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(0));
    let source = match number {
        0..70 => "Munki",
        70..90 => "Apple Software Update",
        _ => "Profiles",
    };
    Item {
        source,
        name: format!("Managed Application {number:03} 1.{}", number % 7),
        status: if changed.is_multiple_of(2) {
            "PRESENT"
        } else {
            "PENDING"
        },
        date_managed: EPOCH.saturating_add(after).unwrap_or(EPOCH),
        data: format!(
            "{{\"type\": \"ManagedInstalls\", \"self_serve\": \"False\", \"display_name\": \"Managed Application {number}\", \
             \"version\": \"1.{}\", \"installed_version\": \"1.{}\", \"installed_size\": {}, \
             \"description\": \"An application that the whole company uses for its work.\"}}",
            number % 7,
            number % 7,
            number * 1024
        ),
    }
}

fn scripts(index: u64, run: u64) -> Vec<(&'static str, Vec<(String, String)>)> {
    let mut number = 1000;
    let mut row = |name: &str| {
        number += 1;
        let value = format!("{}", changes(index, number, run) % 5);
        (name.to_owned(), value)
    };
    PLUGINS
        .iter()
        .map(|(plugin, names)| (*plugin, names.iter().map(|name| row(name)).collect()))
        .collect()
}

/// In the order in which a client sends them.
const SOURCES: &[&str] = &[
    "Apple Software Update",
    "Machine",
    "Munki",
    "Profiles",
    "Puppet",
    "Sal",
];
const MESSAGES: [(&str, &str); 2] = [
    (
        "WARNING",
        "Could not process item Editor for optional install. No pkginfo found in catalogs: production",
    ),
    (
        "ERROR",
        "Download of Viewer failed: error -1001: The request timed out.",
    ),
];
const PLUGINS: &[(&str, &[&str])] = &[
    ("Encryption", &["Filevault"]),
    ("Gatekeeper", &["Gatekeeper"]),
    ("MachineDetailSecurity", &["Filevault", "Sip", "Gatekeeper"]),
    (
        "MunkiInfo",
        &[
            "ManifestURL",
            "SoftwareRepoURL",
            "AppleSoftwareUpdatesOnly",
            "InstallAppleSoftwareUpdates",
            "ClientIdentifier",
            "DaysBetweenNotifications",
        ],
    ),
    ("Sip", &["Sip"]),
    ("Uptime", &["UptimeDays", "UptimeSeconds"]),
    ("XprotectVersion", &["Xprotect"]),
];
/// 2026-01-01T00:00:00Z.
const EPOCH: Timestamp = Timestamp::constant(1_767_225_600, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_changes_three_percent_and_a_second_look_nothing() {
        let body = |run, dates| Yardstick::new(5, run, dates).submission("key").body;
        assert_eq!(body(3, false), body(3, false));
        let (before, after) = (Yardstick::new(5, 3, false), Yardstick::new(5, 4, false));
        let facts = before
            .facts
            .iter()
            .zip(&after.facts)
            .filter(|(a, b)| a != b)
            .count();
        let items = before
            .items
            .iter()
            .zip(&after.items)
            .filter(|(a, b)| a.status != b.status)
            .count();
        assert!((3..=6).contains(&facts), "{facts}");
        assert!((2..=5).contains(&items), "{items}");
        let stamped = Yardstick::new(5, 4, true);
        assert!(
            stamped
                .items
                .iter()
                .zip(&Yardstick::new(5, 3, true).items)
                .all(|(a, b)| a.date_managed != b.date_managed)
        );
        assert!(
            (40_000..80_000).contains(&body(3, true).len()),
            "{}",
            body(3, true).len()
        );
    }
}
