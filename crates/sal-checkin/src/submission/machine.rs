//! The `Machine` and `Munki` sections' `extra_data`: columns of the machine's row.

use sal_store::checkin::changes::MachineColumns;

use super::Notes;
use crate::python::{Dict, Value};

/// The columns that `Machine` decides; Munki's, Sal's and `deployed` are still empty in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineSection {
    /// The columns.
    pub columns: MachineColumns,
}

/// The columns that `Munki` decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MunkiSection {
    /// Its version.
    pub version: Option<String>,
    /// Its manifest.
    pub manifest: Option<String>,
}

impl MachineSection {
    pub(super) fn read(extra: &Dict<'_>, notes: &mut Notes) -> Self {
        let mut text =
            |key: &str| notes.value(&format!("Machine.{key}"), extra.get(key), TEXT_LENGTH);
        let hostname = if extra.get("hostname").is_none() {
            Some(NO_NAME.to_owned())
        } else {
            text("hostname")
        };
        let mut columns = MachineColumns {
            hostname,
            // The set-up assistant's user is nobody.
            console_user: text("console_user").filter(|user| user != "_mbsetupuser"),
            os_family: text("os_family").unwrap_or_else(|| "Darwin".to_owned()),
            operating_system: text("operating_system"),
            hd_percent: text("hd_percent"),
            machine_model: text("machine_model"),
            machine_model_friendly: text("machine_model_friendly"),
            cpu_type: text("cpu_type"),
            cpu_speed: text("cpu_speed"),
            memory: text("memory"),
            ..MachineColumns::default()
        };
        columns.hd_space = whole_number("hd_space", extra, notes);
        columns.hd_total = whole_number("hd_total", extra, notes);
        columns.memory_kb = memory_kb(extra, notes);
        if extra.get("os_family") == Some(&Value::Null) {
            notes.warn("Machine.os_family", "null, taken as Darwin");
        }
        Self { columns }
    }
}

impl MunkiSection {
    pub(super) fn read(section: &Dict<'_>, notes: &mut Notes) -> Self {
        let Some(extra) = notes.dict("Munki.extra_data", section.get("extra_data")) else {
            return Self::default();
        };
        Self {
            version: notes.value(
                "Munki.munki_version",
                extra.get("munki_version"),
                TEXT_LENGTH,
            ),
            manifest: notes.value("Munki.manifest", extra.get("manifest"), TEXT_LENGTH),
        }
    }
}

fn memory_kb(extra: &Dict<'_>, notes: &mut Notes) -> i32 {
    if extra.get("memory_kb").is_none() {
        return 0;
    }
    let number = whole_number("memory_kb", extra, notes).map(i32::try_from);
    if let Some(Ok(fits)) = number {
        return fits;
    }
    notes.warn("Machine.memory_kb", "null or outside 32 bits, taken as 0");
    0
}

/// Python's `int()` of a number or a text, if it fits 64 bits.
fn whole_number(key: &str, extra: &Dict<'_>, notes: &mut Notes) -> Option<i64> {
    let value = extra.get(key).filter(|value| **value != Value::Null)?;
    let number = match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(digits) => digits.parse().ok(),
        Value::Float(number) => truncated(*number),
        Value::Text(text) => digits_of(text),
        Value::Null | Value::List(_) | Value::Dict(_) => None,
    };
    if number.is_none() {
        notes.warn(
            &format!("Machine.{key}"),
            "not a whole number of 64 bits, left out",
        );
    }
    number
}

fn truncated(number: f64) -> Option<i64> {
    // Through text, because there is no checked conversion: `{:.0}` of a truncated float is exact.
    number
        .is_finite()
        .then(|| format!("{:.0}", number.trunc()))
        .and_then(|text| text.parse().ok())
}

/// Digits as Python's `int(str)` takes them: blanks around, a sign, single underscores between digits.
fn digits_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let bad_underscore = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    if bad_underscore {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// What a machine without a host name is called.
pub(super) const NO_NAME: &str = "<NO NAME>";
/// The length of the text columns of `server_machine`.
const TEXT_LENGTH: usize = 256;
