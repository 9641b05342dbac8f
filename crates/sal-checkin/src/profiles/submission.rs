//! The plist of a machine's profiles as values that fit their columns.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_store::profiles::{Details, Payload};

use crate::date;
use crate::payload::{Unreadable, plist};
use crate::python::{self, Dict, Value};
use crate::submission::{Notes, Warning};

/// All profiles of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submission {
    /// The profiles, in the order of the plist.
    pub(super) profiles: Vec<Profile>,
    /// What was cut or left out.
    pub(super) warnings: Vec<Warning>,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) identifier: String,
    pub(super) uuid: String,
    display_name: String,
    description: String,
    organization: String,
    verification_state: String,
    /// When it was installed, if the client said so in a way that can be read.
    install_date: Option<Timestamp>,
    pub(super) payloads: Vec<Payload>,
}

impl Submission {
    /// Reads a plist. Times without a zone are in `zone`. Without the key for the computer's own profiles there are none.
    pub(super) fn read(
        bytes: &[u8],
        limit_bytes: usize,
        zone: &TimeZone,
    ) -> Result<Self, Unreadable> {
        let Value::Dict(dict) = plist::read(bytes, limit_bytes)? else {
            return Err(Unreadable::WrongShape("The profiles are not a dict."));
        };
        let list = match dict.get("_computerlevel") {
            None => &[][..],
            Some(Value::List(list)) => list,
            Some(_) => {
                return Err(Unreadable::WrongShape(
                    "The profiles under `_computerlevel` are not a list.",
                ));
            }
        };
        let mut notes = Notes::default();
        let profiles = list
            .iter()
            .filter_map(|value| Profile::read(value, zone, &mut notes))
            .collect();
        Ok(Self {
            profiles,
            warnings: notes.into_warnings(),
        })
    }
}

impl Profile {
    fn read(value: &Value<'_>, zone: &TimeZone, notes: &mut Notes) -> Option<Self> {
        let dict = notes.dict("profile", Some(value))?;
        let identifier = identity(dict, "ProfileIdentifier", notes)?;
        let uuid = identity(dict, "ProfileUUID", notes)?;
        let items = match dict.get("ProfileItems") {
            None => &[][..],
            Some(Value::List(items)) => items,
            Some(_) => {
                notes.warn("ProfileItems", "not a list, left out");
                &[]
            }
        };
        let payloads = items
            .iter()
            .filter_map(|item| payload(item, notes))
            .collect();
        let mut cut = |key: &str| notes.cut(key, text(dict, key), TEXT_LENGTH);
        Some(Self {
            identifier,
            uuid,
            display_name: cut("ProfileDisplayName"),
            organization: cut("ProfileOrganization"),
            verification_state: cut("ProfileVerificationState"),
            description: notes.without_nul("ProfileDescription", text(dict, "ProfileDescription")),
            install_date: install_date(dict, zone, notes),
            payloads,
        })
    }

    /// The details; `otherwise` is the date where the client gave none.
    pub(super) fn details(&self, otherwise: Timestamp) -> Details {
        Details {
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            organization: self.organization.clone(),
            verification_state: self.verification_state.clone(),
            install_date: self.install_date.unwrap_or(otherwise),
        }
    }
}

fn payload(value: &Value<'_>, notes: &mut Notes) -> Option<Payload> {
    let dict = notes.dict("ProfileItems", Some(value))?;
    Some(Payload {
        identifier: identity(dict, "PayloadIdentifier", notes)?,
        uuid: identity(dict, "PayloadUUID", notes)?,
        payload_type: notes.cut("PayloadType", text(dict, "PayloadType"), TEXT_LENGTH),
    })
}

fn install_date(dict: &Dict<'_>, zone: &TimeZone, notes: &mut Notes) -> Option<Timestamp> {
    let read = match dict.get("ProfileInstallDate") {
        Some(Value::Text(text)) => date::in_any_form(text, zone),
        _ => None,
    };
    if read.is_none() {
        notes.warn(
            "ProfileInstallDate",
            "missing or not a date, the one before is kept or now is taken",
        );
    }
    read
}

fn identity(dict: &Dict<'_>, key: &str, notes: &mut Notes) -> Option<String> {
    notes.name(key, &text(dict, key), TEXT_LENGTH)
}

/// A value as Python prints it; absent is empty.
fn text(dict: &Dict<'_>, key: &str) -> String {
    dict.get(key).map(python::text).unwrap_or_default()
}

/// The length of the text columns of `profiles_profile` and `profiles_payload`.
const TEXT_LENGTH: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Submission, Unreadable> {
        let plist = format!("<plist version=\"1.0\">{content}</plist>");
        Submission::read(plist.as_bytes(), 1024 * 1024, &TimeZone::UTC)
    }

    fn read_one(profile: &str) -> (Option<Profile>, usize) {
        let content =
            format!("<dict><key>_computerlevel</key><array><dict>{profile}</dict></array></dict>");
        let read = read(&content).unwrap();
        (read.profiles.into_iter().next(), read.warnings.len())
    }

    #[test]
    fn q024_plist_dates_are_read_and_nonsense_is_none() {
        let cases = [
            (
                "<string>2025-03-01 08:00:00 +0000</string>",
                Some("2025-03-01T08:00:00Z"),
            ),
            (
                "<date>2025-03-01T08:00:00Z</date>",
                Some("2025-03-01T08:00:00Z"),
            ),
            ("<string>soon</string>", None),
            ("<integer>5</integer>", None),
        ];
        for (value, date) in cases {
            let (profile, warnings) = read_one(&format!("<key>ProfileInstallDate</key>{value}"));
            let read = profile.unwrap().install_date.map(|at| at.to_string());
            assert_eq!(read.as_deref(), date, "{value}");
            assert_eq!(warnings, usize::from(date.is_none()));
        }
    }

    #[test]
    fn long_texts_are_cut_and_long_identities_left_out() {
        let date = "<key>ProfileInstallDate</key><string>2025-03-01</string>";
        let long = "x".repeat(256);
        let (profile, warnings) = read_one(&format!(
            "{date}<key>ProfileDisplayName</key><string>{long}</string>\
             <key>ProfileDescription</key><string>{long}</string>\
             <key>ProfileItems</key><array>\
               <dict><key>PayloadIdentifier</key><string>{long}</string></dict>\
               <dict><key>PayloadType</key><string>{long}</string></dict><true/></array>"
        ));
        let profile = profile.unwrap();
        assert_eq!(profile.display_name.len(), 255);
        assert_eq!(profile.description.len(), 256);
        assert_eq!(profile.payloads.len(), 1);
        assert_eq!(profile.payloads[0].payload_type.len(), 255);
        assert_eq!(warnings, 4);
        let (profile, warnings) = read_one(&format!(
            "{date}<key>ProfileUUID</key><string>{long}</string>"
        ));
        assert_eq!((profile, warnings), (None, 1));
    }

    #[test]
    fn q021_another_shape_is_refused_and_no_key_is_no_profiles() {
        assert_eq!(read("<dict/>").unwrap().profiles, []);
        for other in [
            "<array/>",
            "<string>a</string>",
            "<dict><key>_computerlevel</key><dict/></dict>",
        ] {
            assert!(
                matches!(read(other), Err(Unreadable::WrongShape(_))),
                "{other}"
            );
        }
    }
}
