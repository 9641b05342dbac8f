//! Rows as JSON, as Django REST framework writes it: fields in their order, times in the server's zone.

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
        Value::Json(text) => serde_json::from_str(&text).unwrap_or_default(),
    }
}

/// ISO 8601 with microseconds where there are any, and `Z` where the zone has no offset.
pub(crate) fn time(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    let fraction = match local.subsec_nanosecond() / 1000 {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    let offset = local.offset();
    let offset = if offset.is_zero() {
        "Z".to_owned()
    } else {
        local.strftime("%:z").to_string()
    };
    format!("{}{fraction}{offset}", local.strftime("%Y-%m-%dT%H:%M:%S"))
}

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
