//! Profiles before + submission + now = changes. Pure.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use sal_store::profiles::{Changes, Details, NewProfile, Payload, PayloadRow, ProfileRow};

use super::submission::{Profile, Submission};

/// Compares, and plans only what differs. A profile is recognised by its identifier and UUID.
pub(super) fn plan(
    profiles: &[ProfileRow],
    payloads: &[PayloadRow],
    submission: &Submission,
    now: Timestamp,
) -> Changes {
    let mut there: HashMap<(&str, &str), VecDeque<&ProfileRow>> = HashMap::new();
    for row in profiles {
        let key = (row.identifier.as_str(), row.uuid.as_str());
        there.entry(key).or_default().push_back(row);
    }
    let mut within: HashMap<i64, Vec<&PayloadRow>> = HashMap::new();
    for row in payloads {
        within.entry(row.profile_id).or_default().push(row);
    }
    let mut changes = Changes::default();
    for profile in &submission.profiles {
        let key = (profile.identifier.as_str(), profile.uuid.as_str());
        match there.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(row) => {
                let details = profile.details(row.install_date);
                if !is_same(row, &details) {
                    changes.profiles_changed.push((row.id, details));
                }
                let before = within.remove(&row.id).unwrap_or_default();
                plan_payloads(row.id, &before, profile, &mut changes);
            }
            None => changes.profiles_new.push(NewProfile {
                identifier: profile.identifier.clone(),
                uuid: profile.uuid.clone(),
                details: profile.details(now),
                payloads: profile.payloads.clone(),
            }),
        }
    }
    changes.profiles_gone = there.into_values().flatten().map(|row| row.id).collect();
    changes
}

fn plan_payloads(row: i64, before: &[&PayloadRow], profile: &Profile, changes: &mut Changes) {
    let mut there: HashMap<(&str, &str, &str), Vec<i64>> = HashMap::new();
    for row in before {
        let key = (
            row.identifier.as_str(),
            row.uuid.as_str(),
            row.payload_type.as_str(),
        );
        there.entry(key).or_default().push(row.id);
    }
    for payload in &profile.payloads {
        let Payload {
            identifier,
            uuid,
            payload_type,
        } = payload;
        let key = (identifier.as_str(), uuid.as_str(), payload_type.as_str());
        if there.get_mut(&key).and_then(Vec::pop).is_none() {
            changes.payloads_new.push((row, payload.clone()));
        }
    }
    changes.payloads_gone.extend(there.into_values().flatten());
}

fn is_same(row: &ProfileRow, details: &Details) -> bool {
    // Postgres keeps microseconds.
    row.install_date.as_microsecond() == details.install_date.as_microsecond()
        && row.display_name == details.display_name
        && row.description == details.description
        && row.organization == details.organization
        && row.verification_state == details.verification_state
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn submission(profiles: &[(&str, Option<&str>, &[&str])]) -> Submission {
        let profile = |(identifier, date, payloads): &(&str, Option<&str>, &[&str])| {
            let date =
                date.map(|date| format!("<key>ProfileInstallDate</key><string>{date}</string>"));
            let payloads: String = payloads
                .iter()
                .map(|id| format!("<dict><key>PayloadIdentifier</key><string>{id}</string></dict>"))
                .collect();
            format!(
                "<dict><key>ProfileIdentifier</key><string>{identifier}</string>{}\
                 <key>ProfileItems</key><array>{payloads}</array></dict>",
                date.unwrap_or_default()
            )
        };
        let profiles: String = profiles.iter().map(profile).collect();
        let plist = format!(
            "<plist><dict><key>_computerlevel</key><array>{profiles}</array></dict></plist>"
        );
        Submission::read(plist.as_bytes(), 100_000, &TimeZone::UTC).unwrap()
    }

    fn row(id: i64, identifier: &str, date: &str) -> ProfileRow {
        ProfileRow {
            id,
            identifier: identifier.to_owned(),
            uuid: String::new(),
            display_name: String::new(),
            description: String::new(),
            organization: String::new(),
            verification_state: String::new(),
            install_date: date.parse().unwrap(),
        }
    }

    fn payload_row(id: i64, profile_id: i64, identifier: &str) -> PayloadRow {
        PayloadRow {
            id,
            profile_id,
            identifier: identifier.to_owned(),
            uuid: String::new(),
            payload_type: String::new(),
        }
    }

    const DATE: &str = "2025-03-01T08:00:00Z";

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_same_profiles_change_nothing_twins_included() {
        let sent = submission(&[("a", Some(DATE), &["p", "p"]), ("a", Some(DATE), &["q"])]);
        let profiles = [row(1, "a", DATE), row(2, "a", DATE)];
        let payloads = [
            payload_row(10, 1, "p"),
            payload_row(11, 1, "p"),
            payload_row(12, 2, "q"),
        ];
        assert_eq!(plan(&profiles, &payloads, &sent, now()), Changes::default());
    }

    #[test]
    fn q023_payloads_that_the_original_never_stored_are_added() {
        let sent = submission(&[("a", Some(DATE), &["p"]), ("b", Some(DATE), &["q", "r"])]);
        let profiles = [row(1, "a", DATE), row(2, "b", DATE)];
        let changes = plan(&profiles, &[payload_row(10, 1, "old")], &sent, now());
        let added: Vec<_> = changes
            .payloads_new
            .iter()
            .map(|(profile, payload)| (*profile, payload.identifier.as_str()))
            .collect();
        assert_eq!(added, [(1, "p"), (2, "q"), (2, "r")]);
        assert_eq!(changes.payloads_gone, [10]);
        assert_eq!(changes.profiles_changed, []);
    }

    #[test]
    fn q024_without_a_date_the_stored_one_stays_and_a_new_profile_gets_now() {
        let sent = submission(&[("a", None, &[]), ("b", None, &[])]);
        let changes = plan(&[row(1, "a", DATE)], &[], &sent, now());
        assert_eq!(changes.profiles_changed, []);
        assert_eq!(changes.profiles_new[0].details.install_date, now());
    }

    #[test]
    fn changed_profiles_keep_their_row_and_missing_ones_go() {
        let sent = submission(&[("a", Some("2025-04-01"), &["p"])]);
        let profiles = [row(1, "a", DATE), row(2, "b", DATE)];
        let payloads = [payload_row(10, 1, "p"), payload_row(11, 2, "q")];
        let changes = plan(&profiles, &payloads, &sent, now());
        assert_eq!(changes.profiles_changed.len(), 1);
        assert_eq!(changes.profiles_changed[0].0, 1);
        assert_eq!(changes.profiles_gone, [2]);
        assert_eq!(
            changes.payloads_gone, [0_i64; 0],
            "they go with their profile"
        );
        assert_eq!(changes.payloads_new, []);
    }
}
