//! A check-in's body: from bytes to JSON as Python reads it, to a submission whose texts fit their columns.
//!
//! Three judges: `serde_json` says what plain JSON is and what stands in it; writing and reading again must change
//! nothing; and the lengths below are those of Sal's tables, which refuse the whole check-in for one letter more.

mod fits;
mod json;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_checkin::python::{self, Dict, Value};
use sal_checkin::submission::{Context, Submission};

use crate::Outcome;

/// Checks one body.
pub fn check(data: &[u8]) -> Outcome {
    // The server refuses any other encoding before it looks further.
    let Ok(text) = str::from_utf8(data) else {
        return Outcome::Refused;
    };
    let parsed = python::parse(text);
    json::agrees_with_a_second_opinion(text, parsed.as_ref().ok());
    let Ok(value) = parsed else {
        return Outcome::Refused;
    };
    json::survives_writing_and_reading(&value);
    let everywhere = read(&everywhere(&value)).expect("a body with a serial and a key is taken");
    fits::every_text_fits_its_column(&everywhere);
    match read(&value) {
        Some(submission) => {
            fits::every_text_fits_its_column(&submission);
            Outcome::Accepted
        }
        None => Outcome::Refused,
    }
}

fn read(body: &Value<'_>) -> Option<Submission> {
    let context = Context {
        now: Timestamp::UNIX_EPOCH,
        zone: &TimeZone::UTC,
        ignore_facts: None,
    };
    Submission::read(body, &context).ok()
}

/// A body that is always taken and holds `value` in every place, so that a short input reaches all of the reader.
fn everywhere<'a>(value: &Value<'a>) -> Value<'a> {
    let section = dict([
        ("extra_data", value),
        ("facts", value),
        ("managed_items", value),
        ("messages", &Value::List(vec![value.clone()])),
    ]);
    let mut body = match value {
        Value::Dict(named) => named.clone(),
        _ => Dict::default(),
    };
    let machine = with(value, "serial", "C02");
    let machine = dict([("extra_data", &machine), ("facts", value)]);
    let sal = with(value, "key", "k");
    body.set("Machine".to_owned(), machine);
    body.set("Sal".to_owned(), dict([("extra_data", &sal)]));
    body.set("Munki".to_owned(), section);
    let script = dict([("plugin", value), ("data", value), ("historical", value)]);
    let scripts = Value::List(vec![script, value.clone()]);
    body.set("plugin_results".to_owned(), scripts);
    Value::Dict(body)
}

fn dict<'a, const N: usize>(entries: [(&str, &Value<'a>); N]) -> Value<'a> {
    let mut dict = Dict::default();
    for (name, value) in entries {
        dict.set(name.to_owned(), value.clone());
    }
    Value::Dict(dict)
}

/// `value`'s own entries and one more that cannot be missing; every column of the machine holds it otherwise.
fn with<'a>(value: &Value<'a>, name: &str, text: &str) -> Value<'a> {
    const COLUMNS: [&str; 7] = [
        "hostname",
        "os_family",
        "hd_space",
        "hd_total",
        "memory_kb",
        "sal_version",
        "console_user",
    ];
    let mut dict = match value {
        Value::Dict(named) => named.clone(),
        other => {
            let mut dict = Dict::default();
            for column in COLUMNS {
                dict.set(column.to_owned(), other.clone());
            }
            dict
        }
    };
    dict.set(name.to_owned(), Value::Text(text.to_owned().into()));
    Value::Dict(dict)
}
