//! The fields that programs may write, and how Django REST framework reads each. Pure.

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value as Json, json};

use super::body::Body;

/// A field of a resource that programs may write.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
    /// May be null; texts that may be are also allowed to be blank.
    pub(crate) is_nullable: bool,
}

/// How a field's value is read.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// A whole number of a column with 32 bits.
    Int4,
    /// A whole number of a column with 64 bits.
    Int8,
    Flag,
    Time,
    Choice(&'static [&'static str]),
    /// The id of another row.
    Id,
    /// Ids of other rows.
    Ids,
}

/// The fields of a business unit.
pub(crate) const UNIT: &[Field] = &[
    required("name", Kind::Text(100)),
    optional("users", Kind::Ids),
];
/// The fields of a machine group.
pub(crate) const GROUP: &[Field] = &[
    required("business_unit", Kind::Id),
    required("name", Kind::Text(100)),
];
/// The fields of a machine.
pub(crate) const MACHINE: &[Field] = &[
    nullable("sal_version", Kind::Text(255)),
    optional("deployed", Kind::Flag),
    optional("broken_client", Kind::Flag),
    nullable("last_checkin", Kind::Time),
    required("serial", Kind::Text(100)),
    nullable("hostname", Kind::Text(256)),
    nullable("operating_system", Kind::Text(256)),
    nullable("memory", Kind::Text(256)),
    optional("memory_kb", Kind::Int4),
    nullable("hd_space", Kind::Int8),
    nullable("hd_total", Kind::Int8),
    nullable("hd_percent", Kind::Text(256)),
    nullable("console_user", Kind::Text(256)),
    nullable("machine_model", Kind::Text(256)),
    nullable("machine_model_friendly", Kind::Text(256)),
    nullable("cpu_type", Kind::Text(256)),
    nullable("cpu_speed", Kind::Text(256)),
    optional(
        "os_family",
        Kind::Choice(&["Darwin", "Windows", "Linux", "ChromeOS"]),
    ),
    nullable("munki_version", Kind::Text(256)),
    nullable("manifest", Kind::Text(256)),
    required("machine_group", Kind::Id),
];

const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        is_required: true,
        is_nullable: false,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        is_required: false,
        is_nullable: false,
    }
}

const fn nullable(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        is_required: false,
        is_nullable: true,
    }
}

/// The values of the fields that a body has, or what is wrong with each field. With `partial` nothing is required.
pub(super) fn read(
    fields: &[Field],
    body: &Body,
    partial: bool,
    zone: &TimeZone,
) -> Result<Map<String, Json>, Map<String, Json>> {
    let (mut values, mut errors) = (Map::new(), Map::new());
    for field in fields {
        let value = match body.value(field, partial) {
            Some(value) => field.read(&value, zone),
            None if field.is_required && !partial => Err("This field is required.".to_owned()),
            None => continue,
        };
        match value {
            Ok(value) => values.insert(field.name.to_owned(), value),
            Err(message) => errors.insert(field.name.to_owned(), json!([message])),
        };
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

impl Field {
    fn read(&self, value: &Json, zone: &TimeZone) -> Result<Json, String> {
        if value.is_null() {
            return match self.is_nullable {
                true => Ok(Json::Null),
                false => Err("This field may not be null.".to_owned()),
            };
        }
        match self.kind {
            Kind::Text(most) => self.text(value, most),
            Kind::Int4 => integer(value, i32::MIN.into(), i32::MAX.into()),
            Kind::Int8 => integer(value, i64::MIN, i64::MAX),
            Kind::Flag => flag(value).ok_or_else(|| "Must be a valid boolean.".to_owned()),
            Kind::Time => time(value, zone).ok_or_else(|| WRONG_TIME.to_owned()),
            Kind::Choice(choices) => {
                let text = plain(value);
                match text.as_deref().filter(|text| choices.contains(text)) {
                    Some(text) => Ok(text.into()),
                    None => Err(format!("\"{}\" is not a valid choice.", python(value))),
                }
            }
            Kind::Id => id(value),
            Kind::Ids => {
                let Json::Array(ids) = value else {
                    let kind = python_type(value);
                    return Err(format!("Expected a list of items but got type \"{kind}\"."));
                };
                ids.iter().map(id).collect()
            }
        }
    }

    fn text(&self, value: &Json, most: usize) -> Result<Json, String> {
        let text = plain(value).ok_or_else(|| "Not a valid string.".to_owned())?;
        let text = text.trim();
        if text.is_empty() {
            return match self.is_nullable {
                true => Ok("".into()),
                false => Err("This field may not be blank.".to_owned()),
            };
        }
        if text.chars().count() > most {
            return Err(format!(
                "Ensure this field has no more than {most} characters."
            ));
        }
        if text.contains('\0') {
            return Err("Null characters are not allowed.".to_owned());
        }
        Ok(text.into())
    }
}

/// Text, or a number as Python writes it.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn integer(value: &Json, least: i64, most: i64) -> Result<Json, String> {
    let wrong = || "A valid integer is required.".to_owned();
    let text = plain(value).ok_or_else(wrong)?;
    if text.len() > 1000 {
        return Err("String value too large.".to_owned());
    }
    let text = text.trim();
    // 1.0 is 1.
    let whole = match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    let number: i128 = whole.parse().map_err(|_no_number| wrong())?;
    if number > most.into() {
        return Err(format!(
            "Ensure this value is less than or equal to {most}."
        ));
    }
    if number < least.into() {
        return Err(format!(
            "Ensure this value is greater than or equal to {least}."
        ));
    }
    i64::try_from(number)
        .map(Json::from)
        .map_err(|_too_large| wrong())
}

fn flag(value: &Json) -> Option<Json> {
    let known = match value {
        Json::Bool(flag) => *flag,
        Json::Number(_) | Json::String(_) => match plain(value)?.as_str() {
            "t" | "T" | "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on"
            | "On" | "ON" | "1" | "1.0" => true,
            "f" | "F" | "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off"
            | "Off" | "OFF" | "0" | "0.0" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Json::Bool(known))
}

/// A moment; without an offset it is in the server's zone.
fn time(value: &Json, zone: &TimeZone) -> Option<Json> {
    let text = value.as_str()?.trim();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_without_offset) => {
            let local: DateTime = text.parse().ok()?;
            local.to_zoned(zone.clone()).ok()?.timestamp()
        }
    };
    is_in_our_era(at).then(|| at.to_string().into())
}

/// Years that Python and Postgres both know.
pub(crate) fn is_in_our_era(at: Timestamp) -> bool {
    let year = at.to_zoned(TimeZone::UTC).year();
    (1..=9999).contains(&year)
}

fn id(value: &Json) -> Result<Json, String> {
    let whole = match value {
        Json::Number(_) | Json::String(_) => plain(value),
        _ => None,
    };
    let whole = whole.map(|text| text.trim().to_owned()).filter(|text| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    // One that no column can hold exists nowhere.
    let number = whole.map(|text| text.parse::<i64>().map_or(Json::String(text), Json::from));
    number.ok_or_else(|| {
        format!(
            "Incorrect type. Expected pk value, received {}.",
            python_type(value)
        )
    })
}

/// As Python's `str` writes it.
fn python(value: &Json) -> String {
    match value {
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        other => plain(other).unwrap_or_else(|| other.to_string()),
    }
}

/// The name of its type in Python.
pub(super) fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if !number.to_string().contains(['.', 'e', 'E']) => "int",
        Json::Number(_) => "float",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

const WRONG_TIME: &str = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(name: &str, value: &Json) -> Result<Json, String> {
        let field = MACHINE.iter().chain(UNIT).find(|field| field.name == name);
        field
            .unwrap()
            .read(value, &TimeZone::get("Europe/London").unwrap())
    }

    #[test]
    fn values_are_read_as_django_rest_framework_reads_them() {
        for (name, value, read) in [
            ("hostname", json!(" a "), json!("a")),
            ("hostname", json!(""), json!("")),
            ("hostname", json!(15), json!("15")),
            ("memory_kb", json!("12.0"), json!(12)),
            ("deployed", json!("off"), json!(false)),
            ("deployed", json!(1), json!(true)),
            (
                "last_checkin",
                json!("2025-07-01T10:00:00"),
                json!("2025-07-01T09:00:00Z"),
            ),
            (
                "last_checkin",
                json!("2025-07-01"),
                json!("2025-06-30T23:00:00Z"),
            ),
            (
                "last_checkin",
                json!("2025-07-01 10:00:00+02:00"),
                json!("2025-07-01T08:00:00Z"),
            ),
            ("machine_group", json!("7"), json!(7)),
            ("users", json!([1, "2"]), json!([1, 2])),
        ] {
            assert_eq!(read_one(name, &value), Ok(read), "{name} {value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_its_words() {
        for (name, value, message) in [
            ("hostname", json!(true), "Not a valid string."),
            ("serial", json!("  "), "This field may not be blank."),
            ("serial", json!(null), "This field may not be null."),
            ("memory_kb", json!(true), "A valid integer is required."),
            ("memory_kb", json!(1.5), "A valid integer is required."),
            (
                "hd_space",
                json!("9223372036854775808"),
                "Ensure this value is less than or equal to 9223372036854775807.",
            ),
            (
                "os_family",
                json!(["x"]),
                "\"[\"x\"]\" is not a valid choice.",
            ),
            (
                "machine_group",
                json!(true),
                "Incorrect type. Expected pk value, received bool.",
            ),
            (
                "machine_group",
                json!("x"),
                "Incorrect type. Expected pk value, received str.",
            ),
            (
                "users",
                json!("1"),
                "Expected a list of items but got type \"str\".",
            ),
        ] {
            assert_eq!(
                read_one(name, &value),
                Err(message.to_owned()),
                "{name} {value}"
            );
        }
    }
}
