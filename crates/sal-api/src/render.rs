//! Rows as JSON, as Django REST framework writes it: fields in their order, times in the server's zone.

use std::fmt::{self, Write};

use jiff::{Timestamp, tz::TimeZone};
use sal_store::resources::{Record, Resource, Value};
use serde_json::{Map, Value as Json};

/// A row as an object; `machine.serial` becomes `serial` in an object `machine`.
pub(crate) fn object(resource: &Resource, record: Record, zone: &TimeZone) -> Json {
    let mut object = Map::new();
    for (column, value) in resource.columns.iter().zip(record) {
        let value = json(value, zone);
        match column.name.split_once('.') {
            None => {
                object.insert(column.name.to_owned(), value);
            }
            Some((outer, inner)) => {
                let nested = object
                    .entry(outer)
                    .or_insert_with(|| Json::Object(Map::new()));
                if let Json::Object(nested) = nested {
                    nested.insert(inner.to_owned(), value);
                }
            }
        }
    }
    Json::Object(object)
}

fn json(value: Value, zone: &TimeZone) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Flag(flag) => flag.into(),
        Value::Time(at) => time(at, zone).into(),
        Value::Json(text) => parsed(&text),
    }
}

/// JSON that the database wrote, with blanks and line ends of its own.
pub(crate) fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_default()
}

/// ISO 8601 with microseconds where there are any, and `Z` where the zone has no offset.
pub(crate) fn time(at: Timestamp, zone: &TimeZone) -> String {
    let mut text = String::with_capacity(LONGEST_TIME);
    // Writing to a string does not fail.
    let _ = write_time(at, zone, &mut text);
    text
}

/// The same at the end of a text, without one of its own: streams have millions of them.
pub(crate) fn write_time(at: Timestamp, zone: &TimeZone, text: &mut impl Write) -> fmt::Result {
    let offset = zone.to_offset(at);
    let local = offset.to_datetime(at);
    write!(
        text,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )?;
    match local.subsec_nanosecond() / 1000 {
        0 => {}
        micros => write!(text, ".{micros:06}")?,
    }
    if offset.is_zero() {
        return text.write_char('Z');
    }
    let seconds = offset.seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

const LONGEST_TIME: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_zone_of_the_server() {
        let london = TimeZone::get("Europe/London").unwrap();
        for (at, written) in [
            ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
            ("2025-01-01T00:00:00.5Z", "2025-01-01T00:00:00.500000Z"),
            (
                "2025-07-01T12:00:00.000001Z",
                "2025-07-01T13:00:00.000001+01:00",
            ),
            (
                "1969-12-31T23:59:59.75Z",
                "1970-01-01T00:59:59.750000+01:00",
            ),
        ] {
            assert_eq!(time(at.parse().unwrap(), &london), written);
        }
    }
}
