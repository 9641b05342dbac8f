//! One text per JSON value: what "equal" means in the replay.
//!
//! Keys are sorted, and numbers are compared as numbers (`1`, `1.0` and `1e0` are one), as
//! the recordings were compared when they were made.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The canonical text of a value.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

/// Whether two values say the same.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    left == right || canonical(left) == canonical(right)
}

/// A masked time of weeks ago as it is written in summer. Sal's zone was London: the same number of days before another day
/// is in the other half of the year, where Django writes `Z` for `+01:00`.
fn in_summer(text: &str) -> String {
    let of_winter = text.strip_prefix("<RECENT ").and(text.strip_suffix("Z>"));
    of_winter.map_or_else(|| text.to_owned(), |rest| format!("{rest}+00:00>"))
}

/// Sorts values by their canonical text.
pub(super) fn sort(values: &mut [Value]) {
    values.sort_by_cached_key(canonical);
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&canonical_number(number)),
        Value::String(value) => {
            let _ = write!(text, "{}", Value::String(in_summer(value)));
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                write_canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in names {
                let _ = write!(text, "{}:", Value::String(name.clone()));
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

fn canonical_number(number: &Number) -> String {
    let text = number.to_string();
    if let Ok(whole) = text.parse::<i128>() {
        return whole.to_string();
    }
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => {
            let shown = format!("{float:?}");
            shown.strip_suffix(".0").map(str::to_owned).unwrap_or(shown)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_time_of_weeks_ago_may_be_of_summer_or_of_winter() {
        let same = |left: &str, right: &str| equal(&Value::from(left), &Value::from(right));
        let winter = "<RECENT 0000-00-00T00:00:00.0Z>";
        assert!(same(winter, "<RECENT 0000-00-00T00:00:00.0+00:00>"));
        assert!(!same(winter, "<RECENT 0000-00-00T00:00:00.0>"));
        let now = winter.replace("RECENT", "NOW");
        assert!(!same(&now, "<NOW 0000-00-00T00:00:00.0+00:00>"));
    }

    #[test]
    fn order_of_keys_and_shape_of_numbers_do_not_matter() {
        let left = parse(r#"{"a": 1.0, "b": [1e2, 0.50], "c": 12345678901234567890123}"#);
        let right = parse(r#"{"c": 12345678901234567890123, "b": [100, 5e-1], "a": 1}"#);
        assert!(equal(&left, &right));
    }

    #[test]
    fn order_of_lists_and_types_do_matter() {
        for (left, right) in [
            ("[1,2]", "[2,1]"),
            ("1", "\"1\""),
            ("null", "\"null\""),
            ("[]", "{}"),
            ("0", "false"),
        ] {
            assert!(!equal(&parse(left), &parse(right)), "{left} {right}");
        }
    }
}
