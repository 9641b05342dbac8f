//! The sections of a check-in, one per module of the real clients.

mod apple;
mod configuration;
mod munki;
mod other_systems;
mod plugins;
mod standard;

use jiff::Timestamp;
use serde_json::Value;

pub(crate) use apple::{apple_software_update, profiles, profiles_plist};
pub(crate) use configuration::{puppet, salt};
pub(crate) use munki::munki;
pub(crate) use other_systems::{apt, chrome, gorilla};
pub(crate) use plugins::plugin_results;
pub(crate) use standard::{machine, sal};

/// How many managed items a section has.
pub(crate) fn item_count(section: &Value) -> usize {
    section
        .get("managed_items")
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len)
}

/// A time as Python's `isoformat()` writes it in UTC.
fn python_iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// A time as the description of an `NSDate`: what Munki and property lists show.
fn nsdate(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// `seconds` before `at`; `at` itself where that leaves the calendar.
fn before(at: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(0);
    at.checked_sub(jiff::SignedDuration::from_secs(seconds))
        .unwrap_or(at)
}
