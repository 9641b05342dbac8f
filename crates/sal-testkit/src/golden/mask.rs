//! Hides what may differ between two runs: times, ids, generated keys, the address.
//!
//! The same rules made the recordings, so both sides are masked alike.

use std::collections::HashSet;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::names::Names;

pub(super) const DAY_SECONDS: i64 = 86_400;
/// The day of the recordings, 2026-11-22.
pub(super) const RECORDED_SECONDS: i64 = 1_795_305_600;

/// What is masked in one scenario.
pub(super) struct Mask {
    /// `http://host:port`, and `host:port`.
    pub(super) base: String,
    pub(super) host: String,
    pub(super) now: Timestamp,
    /// UUIDs and keys the scenario itself contains.
    pub(super) known: HashSet<String>,
    pub(super) names: Names,
}

#[expect(
    clippy::expect_used,
    reason = "constant patterns, each is used by a test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?(?:Z|GMT|BST|UTC|[+-][0-9]{2}:?[0-9]{2}))?",
    )
});
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
});
static GROUP_KEY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[a-z0-9]{128}\b"));
static MACHINE_PAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"/machine_detail/([0-9]+)/"));
static PAGE_DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b([A-Z][a-z]{2,8}\.?) ([0-9]{1,2}), ([0-9]{4})(?:, (?:noon|midnight|[0-9]{1,2}(?::[0-9]{2})? [ap]\.m\.))?",
    )
});
static DIGIT: LazyLock<Regex> = LazyLock::new(|| pattern("[0-9]"));
static FRACTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.[0-9]+"));

/// All UUIDs in a text, in lower case.
pub(super) fn uuids(text: &str) -> impl Iterator<Item = String> {
    UUID.find_iter(text)
        .map(|found| found.as_str().to_lowercase())
}

impl Mask {
    /// Masks a text.
    pub(super) fn text(&self, text: &str) -> String {
        let text = text
            .replace(&self.base, "<base>")
            .replace(&self.host, "<host>");
        let text = MACHINE_PAGE.replace_all(&text, |found: &Captures<'_>| {
            format!(
                "/machine_detail/<machine:{}>/",
                self.names.name("machine", group(found, 1))
            )
        });
        let text = UUID.replace_all(&text, |found: &Captures<'_>| {
            self.unless_known(group(found, 0), &group(found, 0).to_lowercase(), "<uuid>")
        });
        let text = GROUP_KEY.replace_all(&text, |found: &Captures<'_>| {
            self.unless_known(group(found, 0), group(found, 0), "<key128>")
        });
        let this_year = i32::from(self.now.to_zoned(TimeZone::UTC).year());
        let text = PAGE_DATE.replace_all(&text, |found: &Captures<'_>| {
            let year: i32 = group(found, 3).parse().unwrap_or(0);
            if year < this_year - 1 {
                group(found, 0).to_owned()
            } else {
                "<PAGEDATE>".to_owned()
            }
        });
        TIME.replace_all(&text, |found: &Captures<'_>| self.time(group(found, 0)))
            .into_owned()
    }

    /// Masks a JSON answer; the key decides what a value is.
    pub(super) fn json(&self, value: &Value, key: &str, scripts: bool) -> Value {
        match (key, value) {
            (_, Value::Object(fields)) => {
                let masked = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.json(value, name, scripts)));
                Value::Object(masked.collect::<Map<_, _>>())
            }
            (_, Value::Array(values)) => values
                .iter()
                .map(|value| self.json(value, key, scripts))
                .collect(),
            ("id", Value::Number(_) | Value::String(_)) => "<id>".into(),
            ("machine", Value::Number(id)) => self.named("machine", "machine", &id.to_string()),
            ("machine_group", Value::Number(id)) => self.named("group", "group", &id.to_string()),
            ("business_unit", Value::Number(id)) => self.named("bu", "bu", &id.to_string()),
            ("management_source", Value::String(id)) if is_uuid(id) => {
                self.named("source", "source", id)
            }
            (
                "submission" | "profile" | "application" | "search_group" | "saved_search",
                Value::Number(_),
            ) => "<fk>".into(),
            ("hash" | "content", Value::String(_)) if scripts => format!("<{key}>").into(),
            (_, Value::String(text)) => self.text(text).into(),
            _ => value.clone(),
        }
    }

    /// Whether a text on a page is a generated API key.
    pub(super) fn is_api_key(&self, text: &str) -> bool {
        let characters = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let not_hexadecimal = text
            .bytes()
            .any(|byte| byte.is_ascii_lowercase() && byte > b'f');
        [24, 64].contains(&text.len())
            && characters
            && not_hexadecimal
            && !self.known.contains(text)
    }

    fn named(&self, label: &str, kind: &str, id: &str) -> Value {
        format!("<{label}:{}>", self.names.name(kind, id)).into()
    }

    fn unless_known(&self, text: &str, key: &str, mask: &str) -> String {
        if self.known.contains(key) {
            text.to_owned()
        } else {
            mask.to_owned()
        }
    }

    /// A time that was not 200 days old when the recordings were made by its shape, an older one as it is.
    fn time(&self, text: &str) -> String {
        let minutes = format!(
            "{} {}",
            text.get(..10).unwrap_or(""),
            text.get(11..16).unwrap_or("")
        );
        let Ok(time) = DateTime::strptime("%Y-%m-%d %H:%M", minutes) else {
            return text.to_owned();
        };
        let Ok(time) = time.to_zoned(TimeZone::UTC) else {
            return text.to_owned();
        };
        let seconds = time.timestamp().as_second();
        // Not 200 days from now: what the scenarios send would grow older than that, one by one.
        if seconds < RECORDED_SECONDS - 200 * DAY_SECONDS {
            return text.to_owned();
        }
        let age = self.now.as_second() - seconds;
        let shape = FRACTION.replace_all(text, ".0");
        let shape = DIGIT.replace_all(&shape, "0").replace("BST", "GMT");
        // A day and an hour: the server may write the times of its own zone.
        let label = if age.abs() < DAY_SECONDS + 3600 {
            "NOW"
        } else {
            "RECENT"
        };
        format!("<{label} {shape}>")
    }
}

fn group<'t>(found: &Captures<'t>, number: usize) -> &'t str {
    found.get(number).map_or("", |found| found.as_str())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && UUID.is_match(text)
}

/// Ids in rows that are made for the script of a table: in `DT_RowId`, and in links to applications, whose ids depend on
/// the order in which applications were first seen.
pub(super) fn mask_row_ids(value: &mut Value) {
    static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new("(/inventory/(?:application|list)/[a-z_]+/[0-9]+/)[0-9]+/").ok()
    });
    match value {
        Value::Array(values) => values.iter_mut().for_each(mask_row_ids),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::Number(_) if name == "DT_RowId" => *value = Value::from("<id>"),
                    other => mask_row_ids(other),
                }
            }
        }
        Value::String(text) => {
            if let Some(link) = LINK.as_ref() {
                *text = link.replace_all(text, "${1}<id>/").into_owned();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mask() -> Mask {
        Mask {
            base: "http://127.0.0.1:8000".to_owned(),
            host: "127.0.0.1:8000".to_owned(),
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            known: HashSet::from(["0f8fad5b-d9cb-469f-a165-70867728950e".to_owned()]),
            names: Names::default(),
        }
    }

    #[test]
    fn times_are_masked_by_age_and_keep_their_shape() {
        let mask = mask();
        for (text, expected) in [
            (
                "2026-11-22T09:59:03.123456+00:00",
                "<NOW 0000-00-00T00:00:00.0+00:00>",
            ),
            ("at 2026-11-21 09:30:00Z.", "at <NOW 0000-00-00 00:00:00Z>."),
            ("2026-10-01T00:00Z", "<RECENT 0000-00-00T00:00Z>"),
            ("2027-02-01 10:00 BST", "<RECENT 0000-00-00 00:00 GMT>"),
            ("2025-03-01T08:00:00+00:00", "2025-03-01T08:00:00+00:00"),
            (
                "2026-05-13T10:49:36+00:00",
                "<RECENT 0000-00-00T00:00:00+00:00>",
            ),
            ("2026-05-04T10:49:36+00:00", "2026-05-04T10:49:36+00:00"),
            ("2026-13-45 99:99", "2026-13-45 99:99"),
            ("Nov. 22, 2026, 9:59 a.m.", "<PAGEDATE>"),
            ("March 1, 2024, noon", "March 1, 2024, noon"),
        ] {
            assert_eq!(mask.text(text), expected);
        }
    }

    #[test]
    fn what_was_recent_when_it_was_recorded_stays_recent() {
        let years_later = Mask {
            now: "2031-11-22T10:00:00Z".parse().unwrap(),
            ..mask()
        };
        assert_eq!(
            years_later.text("2026-05-13 10:49"),
            "<RECENT 0000-00-00 00:00>"
        );
        assert_eq!(years_later.text("2026-05-04 10:49"), "2026-05-04 10:49");
    }

    #[test]
    fn addresses_and_generated_values_are_masked_and_known_ones_stay() {
        let mask = mask();
        let key = "k".repeat(128);
        assert_eq!(
            mask.text(&format!("{}/x {} {key}", mask.base, mask.host)),
            "<base>/x <host> <key128>"
        );
        assert_eq!(
            mask.text("0F8FAD5B-D9CB-469F-A165-70867728950E"),
            "0F8FAD5B-D9CB-469F-A165-70867728950E"
        );
        assert_eq!(mask.text("1f8fad5b-d9cb-469f-a165-70867728950e"), "<uuid>");
        assert_eq!(
            mask.text("/machine_detail/5/"),
            "/machine_detail/<machine:?>/"
        );
        assert!(
            mask.is_api_key("zzzzzzzzzzzzzzzzzzzzzzzz")
                && !mask.is_api_key("abcdefabcdefabcdefabcdef")
        );
    }

    #[test]
    fn keys_of_json_decide_what_an_id_is() {
        let value = json!({"id": 5, "machine": 1, "hash": "ab", "n": 5, "rows": [{"id": "x"}]});
        let expected = json!({"id": "<id>", "machine": "<machine:?>", "hash": "<hash>", "n": 5, "rows": [{"id": "<id>"}]});
        assert_eq!(mask().json(&value, "", true), expected);
        assert_eq!(
            mask().json(&json!({"hash": "ab"}), "", false),
            json!({"hash": "ab"})
        );
    }
}
