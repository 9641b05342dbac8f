//! The tabs of applications, profiles and facts.

use jiff::{Timestamp, tz::TimeZone};
use sal_store::{
    device::tabs::{DeviceApplication, DeviceFact, DevicePayload, DeviceProfile},
    ids::MachineId,
};

use super::lists::{grouped, size};
use crate::{
    device::{
        facts::{LEGACY, facts_path},
        params::contains,
    },
    wording::{Moment, filled},
};

/// The applications of the inventory.
pub(crate) struct ApplicationsTab {
    pub(crate) filter: String,
    pub(crate) lines: Vec<ApplicationLine>,
    /// Whether there are applications at all, shown or not.
    pub(crate) has_any: bool,
}

/// An application in one place.
pub(crate) struct ApplicationLine {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) bundleid: String,
    pub(crate) version: String,
    pub(crate) path: String,
}

/// The profiles.
pub(crate) struct ProfilesTab {
    pub(crate) profiles: Vec<ProfileLine>,
}

/// A profile with what is in it.
pub(crate) struct ProfileLine {
    pub(crate) name: String,
    pub(crate) installed: Moment,
    pub(crate) details: Vec<(&'static str, String)>,
    /// Types and identifiers.
    pub(crate) payloads: Vec<(String, String)>,
}

/// The facts of all sources.
pub(crate) struct FactsTab {
    pub(crate) filter: String,
    pub(crate) sources: Vec<FactSource>,
    /// Whether there are facts at all, shown or not.
    pub(crate) has_any: bool,
}

/// The facts of one source.
pub(crate) struct FactSource {
    pub(crate) name: String,
    /// The page of this source.
    pub(crate) href: String,
    pub(crate) count: String,
    pub(crate) facts: Vec<(String, String)>,
}

/// `place` is the part of the fleet in the addresses of applications.
pub(super) fn applications(
    rows: Vec<DeviceApplication>,
    filter: &str,
    place: &str,
) -> ApplicationsTab {
    let has_any = !rows.is_empty();
    let shown = |row: &DeviceApplication| {
        let path = row.path.as_deref().unwrap_or_default();
        contains(filter, &[&row.name, &row.bundleid, &row.version, path])
    };
    let lines = rows.into_iter().filter(shown).map(|row| ApplicationLine {
        name: filled(Some(&row.name))
            .or_else(|| filled(Some(&row.bundleid)))
            .unwrap_or_else(|| "(no name)".to_owned()),
        href: format!("/inventory/application/{place}/{}/", row.application_id),
        bundleid: row.bundleid,
        version: row.version,
        path: row.path.unwrap_or_default(),
    });
    ApplicationsTab {
        filter: filter.to_owned(),
        lines: lines.collect(),
        has_any,
    }
}

pub(super) fn profiles(
    profiles: Vec<DeviceProfile>,
    payloads: &[DevicePayload],
    now: Timestamp,
    zone: &TimeZone,
) -> ProfilesTab {
    let line = |profile: DeviceProfile| ProfileLine {
        installed: Moment::new(profile.install_date, now, zone),
        payloads: payloads
            .iter()
            .filter(|payload| payload.profile_id == profile.id)
            .map(|payload| (payload.payload_type.clone(), payload.identifier.clone()))
            .collect(),
        name: filled(Some(&profile.display_name)).unwrap_or_else(|| profile.identifier.clone()),
        details: [
            ("Identifier", profile.identifier),
            ("Description", profile.description),
            ("Organization", profile.organization),
            ("Signature", profile.verification_state),
        ]
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .collect(),
    };
    ProfilesTab {
        profiles: profiles.into_iter().map(line).collect(),
    }
}

pub(super) fn facts(facts: Vec<DeviceFact>, filter: &str, id: MachineId) -> FactsTab {
    let has_any = !facts.is_empty();
    let shown = facts
        .into_iter()
        .filter(|fact| contains(filter, &[&fact.fact_name, &fact.fact_data]));
    let sources = grouped(shown.collect(), |fact| {
        fact.source.clone().unwrap_or_else(|| LEGACY.to_owned())
    });
    let source = |(key, facts): (String, Vec<DeviceFact>)| FactSource {
        count: size(&facts),
        href: facts_path(id, &key),
        name: if facts.iter().any(|fact| fact.source.is_none()) {
            "Legacy".to_owned()
        } else {
            key
        },
        facts: facts
            .into_iter()
            .map(|fact| (fact.fact_name, fact.fact_data))
            .collect(),
    };
    FactsTab {
        filter: filter.to_owned(),
        sources: sources.into_iter().map(source).collect(),
        has_any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(source: Option<&str>, name: &str) -> DeviceFact {
        DeviceFact {
            source: source.map(str::to_owned),
            fact_name: name.to_owned(),
            fact_data: "x".to_owned(),
        }
    }

    #[test]
    fn facts_are_grouped_by_source_and_filtered() {
        let rows = || {
            vec![
                fact(None, "old"),
                fact(Some("Apple Software Update"), "catalog"),
                fact(Some("Munki"), "b"),
            ]
        };
        let all = facts(rows(), "", MachineId(7));
        let shown: Vec<_> = all
            .sources
            .iter()
            .map(|source| (source.name.as_str(), source.href.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Legacy", "/machine_detail/facts/7/None/"),
                (
                    "Apple Software Update",
                    "/machine_detail/facts/7/Apple%20Software%20Update/"
                ),
                ("Munki", "/machine_detail/facts/7/Munki/")
            ]
        );
        let some = facts(rows(), "OLD", MachineId(7));
        assert_eq!((some.sources.len(), some.has_any), (1, true));
    }

    #[test]
    fn applications_are_found_by_any_of_their_texts() {
        let row = |name: &str, path: Option<&str>| DeviceApplication {
            application_id: 3,
            name: name.to_owned(),
            bundleid: "org.x".to_owned(),
            version: "1".to_owned(),
            path: path.map(str::to_owned),
        };
        let rows = vec![
            row("Firefox", Some("/Applications/Firefox.app")),
            row("", None),
        ];
        let tab = applications(rows.clone(), "applications", "all/0");
        assert_eq!(tab.lines.len(), 1);
        assert_eq!(tab.lines[0].href, "/inventory/application/all/0/3/");
        assert_eq!(applications(rows, "", "all/0").lines[1].name, "org.x");
    }
}
