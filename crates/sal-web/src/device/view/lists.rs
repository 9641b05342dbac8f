//! The lists on a machine's page: messages, managed items, facts, results of plugin scripts. Pure.

use jiff::{Timestamp, tz::TimeZone};
use sal_store::device::{DeviceFact, DeviceItem, DeviceMessage, DevicePluginRow};
use serde_json::Value;

use crate::wording::{self, Moment, filled};

/// A message.
pub(crate) struct MessageLine {
    pub(crate) level: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) date: Moment,
}

/// The managed items of one source.
pub(crate) struct ItemSource {
    pub(crate) name: String,
    pub(crate) count: String,
    pub(crate) items: Vec<ItemLine>,
}

/// A managed item.
pub(crate) struct ItemLine {
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) version: String,
    pub(crate) since: Moment,
    /// What the source tells about it.
    pub(crate) details: Vec<(String, String)>,
}

/// The facts of one source.
pub(crate) struct FactSource {
    pub(crate) name: String,
    pub(crate) count: String,
    pub(crate) facts: Vec<(String, String)>,
}

/// What one script reported.
pub(crate) struct PluginResults {
    pub(crate) name: String,
    pub(crate) recorded: Moment,
    pub(crate) rows: Vec<(String, String)>,
}

pub(super) fn messages(
    messages: Vec<DeviceMessage>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<MessageLine> {
    let line = |message: DeviceMessage| {
        let (level, tone) = match message.message_type.as_str() {
            "ERROR" => ("Error", "bad"),
            "WARNING" => ("Warning", "warn"),
            "DEBUG" => ("Debug", "plain"),
            _ => ("Other", "plain"),
        };
        MessageLine {
            level,
            tone,
            text: filled(message.text.as_deref()).unwrap_or_else(|| "(no text)".to_owned()),
            source: message.source.unwrap_or_default(),
            date: Moment::new(message.date, now, zone),
        }
    };
    messages.into_iter().map(line).collect()
}

pub(super) fn items(items: Vec<DeviceItem>, now: Timestamp, zone: &TimeZone) -> Vec<ItemSource> {
    grouped(items, |item| item.source.clone())
        .into_iter()
        .map(|(name, items)| ItemSource {
            count: size(&items),
            items: items
                .into_iter()
                .map(|item| item_line(item, now, zone))
                .collect(),
            name,
        })
        .collect()
}

fn item_line(item: DeviceItem, now: Timestamp, zone: &TimeZone) -> ItemLine {
    let (status, tone) = match item.status.as_str() {
        "PRESENT" => ("Installed", "ok"),
        "PENDING" => ("Pending", "info"),
        "ERROR" => ("Error", "bad"),
        "ABSENT" => ("Absent", "plain"),
        _ => ("Unknown", "plain"),
    };
    let details = details(item.data.as_deref());
    let find = |wanted: &str| {
        details
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    ItemLine {
        version: find("version")
            .or_else(|| find("installed_version"))
            .or_else(|| find("version_to_install"))
            .unwrap_or_default(),
        name: item.name,
        status,
        tone,
        since: Moment::new(item.date_managed, now, zone),
        details,
    }
}

/// The members of a JSON object as text; other texts are one line.
fn details(data: Option<&str>) -> Vec<(String, String)> {
    let Some(text) = filled(data) else {
        return Vec::new();
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => members
            .into_iter()
            .map(|(name, value)| (name, plain(&value)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        _ => vec![("data".to_owned(), text)],
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "Yes" } else { "No" }.to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

pub(super) fn facts(facts: Vec<DeviceFact>) -> Vec<FactSource> {
    let shown = facts
        .into_iter()
        .filter(|fact| !EXCLUDED_FACTS.contains(&fact.fact_name.as_str()));
    grouped(shown.collect(), |fact| {
        fact.source.clone().unwrap_or_else(|| "Legacy".to_owned())
    })
    .into_iter()
    .map(|(name, facts)| FactSource {
        count: size(&facts),
        facts: facts
            .into_iter()
            .map(|fact| (fact.fact_name, fact.fact_data))
            .collect(),
        name,
    })
    .collect()
}

pub(super) fn plugins(
    rows: Vec<DevicePluginRow>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<PluginResults> {
    grouped(rows, |row| row.plugin.clone())
        .into_iter()
        .filter_map(|(name, rows)| {
            let recorded = Moment::new(rows.first()?.recorded, now, zone);
            let rows = rows
                .into_iter()
                .map(|row| {
                    (
                        row.pluginscript_name,
                        row.pluginscript_data.unwrap_or_default(),
                    )
                })
                .collect();
            Some(PluginResults {
                name,
                recorded,
                rows,
            })
        })
        .collect()
}

/// Puts neighbours of the same name together; the order stays.
fn grouped<T>(values: Vec<T>, name: impl Fn(&T) -> String) -> Vec<(String, Vec<T>)> {
    let mut groups: Vec<(String, Vec<T>)> = Vec::new();
    for value in values {
        let name = name(&value);
        match groups.last_mut() {
            Some((last, members)) if *last == name => members.push(value),
            _ => groups.push((name, vec![value])),
        }
    }
    groups
}

fn size<T>(members: &[T]) -> String {
    wording::count(i64::try_from(members.len()).unwrap_or(i64::MAX))
}

/// Sal never shows these: host keys, long and of no use to a reader.
const EXCLUDED_FACTS: [&str; 4] = ["sshrsakey", "sshfp_rsa", "sshfp_dsa", "sshdsakey"];

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(source: Option<&str>, name: &str) -> DeviceFact {
        DeviceFact {
            source: source.map(str::to_owned),
            fact_name: name.to_owned(),
            fact_data: "x".to_owned(),
        }
    }

    #[test]
    fn facts_are_grouped_by_source_without_host_keys() {
        let facts = facts(vec![
            fact(None, "old"),
            fact(Some("Munki"), "a"),
            fact(Some("Munki"), "sshrsakey"),
        ]);
        let shown: Vec<_> = facts
            .iter()
            .map(|source| (source.name.as_str(), source.count.as_str()))
            .collect();
        assert_eq!(shown, [("Legacy", "1"), ("Munki", "1")]);
    }

    #[test]
    fn the_data_of_an_item_is_shown_whatever_it_is() {
        let data = r#"{"version": "1.2", "size": 3, "list": ["a", true], "none": null}"#;
        let shown = details(Some(data));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            shown,
            [
                pair("version", "1.2"),
                pair("size", "3"),
                pair("list", "a, Yes")
            ]
        );
        assert_eq!(details(Some("not json")), [pair("data", "not json")]);
        assert!(details(None).is_empty());
    }
}
