//! A check-in's body as a value that cannot be wrong: identities are whole, texts fit their columns, numbers their range.
//!
//! What cannot be repaired refuses the whole check-in with a 400 that says why; everything else is kept as far as
//! it can be, with a [`Warning`]. The rule: a *value* that does not fit is cut or replaced; a *name*
//! that does not fit is left out, because a cut name would be another name.

mod latest;
mod machine;
mod parts;
mod scripts;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_store::checkin::changes::{ItemUpdate, MachineColumns};
use sal_store::serials::{apart, is_placeholder};

use crate::python::{Dict, Value};
use crate::serial;

pub use machine::{MachineSection, MunkiSection};
pub use scripts::{Row, ScriptResult};

/// A whole check-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The cleaned serial number, with the host name behind one that is a placeholder.
    pub serial: String,
    /// The machine group's key.
    pub group_key: String,
    /// What the `Machine` section says.
    pub machine: MachineSection,
    /// The client's version.
    pub sal_version: Option<String>,
    /// What the `Munki` section says, if there is one.
    pub munki: Option<MunkiSection>,
    /// All sections, in the order of the body.
    pub sections: Vec<Section>,
    /// Results of plugin scripts, one for each script.
    pub scripts: Vec<ScriptResult>,
    /// What was cut, replaced or left out.
    pub warnings: Vec<Warning>,
}

/// One management source's part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The source's name.
    pub source: String,
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// Managed items.
    pub items: Vec<Item>,
    /// Messages.
    pub messages: Vec<Message>,
}

/// A managed item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ItemUpdate,
    /// Whether its status is one to write history of: a status that did not fit is not.
    pub has_history: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub kind: String,
    /// Its text.
    pub text: Option<String>,
    /// Its date; `None` means that of the check-in.
    pub date: Option<Timestamp>,
}

/// Something that did not fit, for the log: which place, and what was done. Holds no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(pub String);

/// Why a check-in is refused. The texts are the original's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an object, or without the section.
    #[error("Checkin JSON is missing required key \"Machine\"!")]
    NoMachine,
    /// No serial number, or not a text.
    #[error("Checkin JSON is missing required \"Machine\" key \"serial\"!")]
    NoSerial,
    /// No `Sal` section with `extra_data` (the original: 500).
    #[error("Checkin JSON is missing required \"Sal\" key \"key\"!")]
    NoSal,
    /// The serial number does not fit its column (the original: 500).
    #[error("Checkin serial is longer than {SERIAL_LENGTH} characters or holds a NUL character!")]
    BadSerial,
    /// More sources than any client has; each would become a row that stays.
    #[error("Checkin has more than {SOURCES_LIMIT} management sources!")]
    TooManySources,
    /// No key, or none that could be a key: answered like an unknown one, with 404.
    #[error("no machine group key")]
    NoKey,
}

/// What reading needs to know beside the body.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The time of the check-in.
    pub now: Timestamp,
    /// The zone of message dates without one.
    pub zone: &'a TimeZone,
    /// Facts to drop, by a match at the start of their names.
    pub ignore_facts: Option<&'a regex::Regex>,
}

impl Submission {
    /// Reads a parsed body.
    ///
    /// # Errors
    /// See [`Refusal`]. Everything else is repaired with a warning.
    pub fn read(body: &Value<'_>, context: &Context<'_>) -> Result<Self, Refusal> {
        let body = body.as_dict().ok_or(Refusal::NoMachine)?;
        if body.len() > SOURCES_LIMIT {
            return Err(Refusal::TooManySources);
        }
        let machine = body.get("Machine").ok_or(Refusal::NoMachine)?;
        let extra = machine
            .as_dict()
            .and_then(|section| section.get("extra_data"))
            .and_then(Value::as_dict);
        let extra = extra.ok_or(Refusal::NoSerial)?;
        let mut notes = Notes::default();
        let machine = MachineSection::read(extra, &mut notes);
        let serial = read_serial(extra, &machine, &mut notes)?;
        let sal = body
            .get("Sal")
            .and_then(Value::as_dict)
            .and_then(|section| section.get("extra_data"));
        let sal = sal.and_then(Value::as_dict).ok_or(Refusal::NoSal)?;
        let munki = body.get("Munki").and_then(Value::as_dict);
        Ok(Self {
            serial,
            group_key: read_key(sal)?,
            machine,
            sal_version: notes.value("Sal.sal_version", sal.get("sal_version"), 255),
            munki: munki.map(|section| MunkiSection::read(section, &mut notes)),
            sections: parts::sections(body, context, &mut notes),
            scripts: scripts::read(body.get("plugin_results"), &mut notes),
            warnings: notes.warnings,
        })
    }

    /// The columns of the machine's row after this check-in. What the body does not say is reset, except Munki's
    /// two columns without a `Munki` section, and `deployed`.
    pub fn columns(&self, munki_before: Option<MunkiSection>, deployed: bool) -> MachineColumns {
        let munki = self.munki.clone().or(munki_before).unwrap_or_default();
        MachineColumns {
            munki_version: munki.version,
            manifest: munki.manifest,
            sal_version: self.sal_version.clone(),
            deployed,
            ..self.machine.columns.clone()
        }
    }
}

fn read_serial(
    extra: &Dict<'_>,
    machine: &MachineSection,
    notes: &mut Notes,
) -> Result<String, Refusal> {
    let Some(Value::Text(raw)) = extra.get("serial").filter(|value| value.is_truthy()) else {
        return Err(Refusal::NoSerial);
    };
    let serial = serial::clean(raw);
    if serial.is_empty() {
        return Err(Refusal::NoSerial);
    }
    if serial.chars().count() > SERIAL_LENGTH || serial.contains('\0') {
        return Err(Refusal::BadSerial);
    }
    if !is_placeholder(&serial) {
        return Ok(serial);
    }
    notes.warn(
        "Machine.serial",
        "a placeholder that other machines send too, the host name tells them apart",
    );
    let hostname = machine.columns.hostname.as_deref();
    let hostname = hostname.filter(|name| *name != machine::NO_NAME);
    Ok(apart(&serial, hostname.unwrap_or_default()))
}

fn read_key(sal: &Dict<'_>) -> Result<String, Refusal> {
    let key = sal
        .get("key")
        .filter(|key| **key != Value::Null)
        .ok_or(Refusal::NoKey)?;
    let key = crate::python::text(key);
    if key.contains('\0') {
        Err(Refusal::NoKey)
    } else {
        Ok(key)
    }
}

/// Collects warnings while values are made to fit.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    warnings: Vec<Warning>,
}

impl Notes {
    /// The warnings, when all is read.
    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// Notes that something at `place` did not fit. Bounded, so that a hostile body cannot make a long list.
    pub(crate) fn warn(&mut self, place: &str, what: &str) {
        if self.warnings.len() < 50 {
            self.warnings.push(Warning(format!("{place}: {what}")));
        }
    }

    /// A value as a text of at most `length` characters; null and absent are `None`.
    pub(crate) fn value(
        &mut self,
        place: &str,
        value: Option<&Value<'_>>,
        length: usize,
    ) -> Option<String> {
        let value = value.filter(|value| **value != Value::Null)?;
        Some(self.cut(place, crate::python::text(value), length))
    }

    /// `text` without NUL characters, at most `length` characters long.
    pub(crate) fn cut(&mut self, place: &str, text: String, length: usize) -> String {
        let mut text = self.without_nul(place, text);
        if let Some((end, _)) = text.char_indices().nth(length) {
            self.warn(place, &format!("longer than {length} characters, cut"));
            text.truncate(end);
        }
        text
    }

    /// `text` without NUL characters, which Postgres cannot store.
    pub(crate) fn without_nul(&mut self, place: &str, text: String) -> String {
        if !text.contains('\0') {
            return text;
        }
        self.warn(place, "NUL characters left out");
        text.replace('\0', "")
    }

    /// A name, if it fits as it is.
    pub(crate) fn name(&mut self, place: &str, name: &str, length: usize) -> Option<String> {
        if name.chars().count() > length {
            self.warn(
                place,
                &format!("a name longer than {length} characters, left out"),
            );
            return None;
        }
        Some(self.without_nul(place, name.to_owned()))
    }

    /// The dict at `place`; anything else is left out with a warning.
    pub(crate) fn dict<'a>(
        &mut self,
        place: &str,
        value: Option<&'a Value<'a>>,
    ) -> Option<&'a Dict<'a>> {
        let value = value?;
        if value.as_dict().is_none() {
            self.warn(
                place,
                &format!("{} instead of an object, left out", value.type_name()),
            );
        }
        value.as_dict()
    }
}

/// The most sections of one check-in. Clients send about ten.
pub const SOURCES_LIMIT: usize = 256;

pub use sal_store::serials::SERIAL_LENGTH;

#[cfg(test)]
mod tests;
