//! Facts, managed items and messages of every section.

use jiff::Timestamp;
use sal_store::checkin::changes::ItemUpdate;

use super::latest::{Latest, last_of_equal};
use super::{Context, Item, Message, Notes, Section};
use crate::date;
use crate::python::{self, Dict, Value};

/// Every section of the body, in its order. `plugin_results` is not one.
pub(super) fn sections(body: &Dict<'_>, context: &Context<'_>, notes: &mut Notes) -> Vec<Section> {
    // Two names can become one when NUL characters go; the later one counts.
    let mut sections = Latest::new();
    for (name, value) in body.iter().filter(|(name, _)| *name != "plugin_results") {
        let Some(source) = notes.name("section", name, 255) else {
            continue;
        };
        let Some(content) = notes.dict(&short(&source), Some(value)) else {
            continue;
        };
        let section = section(source, content, context, notes);
        sections.push(section.source.clone(), section);
    }
    sections.into_entries()
}

fn section(
    source: String,
    content: &Dict<'_>,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Section {
    let place = short(&source);
    let mut section = Section {
        source,
        ..Section::default()
    };
    if let Some(facts) = notes.dict(&format!("{place}.facts"), content.get("facts")) {
        section.facts = read_facts(&place, facts, context, notes);
    }
    if let Some(items) = notes.dict(
        &format!("{place}.managed_items"),
        content.get("managed_items"),
    ) {
        section.items = read_items(&place, items, context, notes);
    }
    match content.get("messages") {
        None => {}
        Some(Value::List(list)) => {
            section.messages = list
                .iter()
                .map(|value| message(&place, value, context, notes))
                .collect();
        }
        Some(other) => notes.warn(
            &format!("{place}.messages"),
            &format!("{} instead of a list, left out", other.type_name()),
        ),
    }
    section
}

fn read_facts(
    place: &str,
    facts: &Dict<'_>,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Vec<(String, String)> {
    let place = format!("{place}.facts");
    let mut read = Vec::with_capacity(facts.len());
    let mut cut = false;
    for (name, value) in facts.iter() {
        let ignored =
            |pattern: &regex::Regex| pattern.find(name).is_some_and(|found| found.start() == 0);
        if context.ignore_facts.is_some_and(ignored) {
            continue;
        }
        cut |= name.contains('\0');
        // Python's `str(None)`: what the original stores wherever it can store anything.
        let data = notes.without_nul(&place, python::text(value));
        read.push((notes.without_nul(&place, name.to_owned()), data));
    }
    if cut {
        last_of_equal(read, |(name, _)| name)
    } else {
        read
    }
}

fn read_items(
    place: &str,
    items: &Dict<'_>,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Vec<Item> {
    let place = format!("{place}.managed_items");
    let mut read = Vec::with_capacity(items.len());
    let mut cut = false;
    for (name, value) in items.iter() {
        cut |= name.contains('\0');
        let Some(name) = notes.name(&place, name, 255) else {
            continue;
        };
        let Some(content) = notes.dict(&place, Some(value)) else {
            continue;
        };
        read.push(item(&place, name, content, context.now, notes));
    }
    if cut {
        last_of_equal(read, |item| &item.name)
    } else {
        read
    }
}

fn item(place: &str, name: String, content: &Dict<'_>, now: Timestamp, notes: &mut Notes) -> Item {
    let status = match content.get("status") {
        None => Some("UNKNOWN".to_owned()),
        Some(Value::Null) => None,
        Some(value) => Some(python::text(value)).filter(|status| fits_seven(status)),
    };
    let has_history = status.is_some();
    if !has_history {
        notes.warn(
            place,
            "a status that is null or longer than 7 characters, taken as UNKNOWN",
        );
    }
    let date_managed = match content
        .get("date_managed")
        .filter(|value| value.is_truthy())
    {
        Some(Value::Text(text)) => date::of_item(text).unwrap_or(now),
        _ => now,
    };
    let data = content
        .get("data")
        .filter(|data| data.is_truthy())
        .map(python::dumps);
    let state = ItemUpdate {
        status: status.unwrap_or_else(|| "UNKNOWN".to_owned()),
        date_managed,
        data,
    };
    Item {
        name,
        state,
        has_history,
    }
}

fn message(place: &str, value: &Value<'_>, context: &Context<'_>, notes: &mut Notes) -> Message {
    let place = format!("{place}.messages");
    let Some(content) = value.as_dict() else {
        // Salt's module sends plain texts when it crashed: they are worth reading.
        notes.warn(&place, "not an object, kept as a text");
        let text = notes.without_nul(&place, python::text(value));
        return Message {
            kind: OTHER.to_owned(),
            text: Some(text),
            date: None,
        };
    };
    let kind = content
        .get("message_type")
        .filter(|kind| **kind != Value::Null)
        .map(python::text);
    let kind = kind.filter(|kind| fits_seven(kind)).unwrap_or_else(|| {
        notes.warn(
            &place,
            "a type that is missing or longer than 7 characters, taken as OTHER",
        );
        OTHER.to_owned()
    });
    let text = content
        .get("text")
        .filter(|text| **text != Value::Null)
        .map(python::text);
    let date = content.get("date").and_then(|value| {
        let read = match value {
            Value::Text(text) => date::of_message(text, context.zone),
            _ => None,
        };
        if read.is_none() {
            notes.warn(&place, "a date that cannot be read, taken as now");
        }
        read
    });
    Message {
        kind,
        text: text.map(|text| notes.without_nul(&place, text)),
        date,
    }
}

fn fits_seven(text: &str) -> bool {
    text.chars().count() <= 7 && !text.contains('\0')
}

/// A section's name for a warning.
fn short(source: &str) -> String {
    source.chars().take(40).collect()
}

const OTHER: &str = "OTHER";
