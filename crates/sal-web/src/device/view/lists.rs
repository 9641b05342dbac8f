//! The lists that every machine's page has: messages, and results of plugin scripts.

use jiff::{Timestamp, tz::TimeZone};
use sal_store::device::{DeviceMessage, DevicePluginRow};

use crate::wording::{self, Moment, filled};

/// A message.
pub(crate) struct MessageLine {
    pub(crate) level: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) date: Moment,
}

/// What one script reported.
pub(crate) struct PluginResults {
    pub(crate) name: String,
    pub(crate) recorded: Moment,
    pub(crate) rows: Vec<(String, Option<String>)>,
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
                    let value = row.pluginscript_data.filter(|value| !value.is_empty());
                    (row.pluginscript_name, value)
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
pub(super) fn grouped<T>(values: Vec<T>, name: impl Fn(&T) -> String) -> Vec<(String, Vec<T>)> {
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

pub(super) fn size<T>(members: &[T]) -> String {
    wording::count(i64::try_from(members.len()).unwrap_or(i64::MAX))
}
