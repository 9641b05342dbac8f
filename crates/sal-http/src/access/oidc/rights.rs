//! What somebody may do after a login: what the groups give, and what they do not take away unknown. Pure.

use oidc_login::person::{Extent, Groups};

use super::{config::OidcConfig, error::Refusal};
use crate::access::Level;

/// What somebody gets; nothing where it is not mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) level: Option<Level>,
    pub(super) is_staff: Option<bool>,
    /// Names of business units, each once.
    pub(super) units: Option<Vec<String>>,
}

/// What somebody has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Present {
    /// None before the first visit.
    pub(super) level: Option<Level>,
    pub(super) is_staff: bool,
    pub(super) units: Vec<String>,
}

/// The rights of somebody in these groups, who has `present` until now.
///
/// Where all groups are known, the mapping is the whole truth. Where they are not, a right that a group may have given is
/// not taken away: with a mapping that names groups nobody is let in with less than before, because nobody can know what
/// is right; with one that only says `*`, what somebody has stays.
pub(super) fn rights(
    groups: &Groups,
    present: &Present,
    config: &OidcConfig,
) -> Result<Rights, Refusal> {
    let mapped = Rights {
        level: config
            .levels
            .as_ref()
            .and_then(|levels| levels.of(&groups.names)),
        is_staff: config
            .staff
            .as_ref()
            .map(|staff| staff.has_any(&groups.names)),
        units: config.units.as_ref().map(|units| units.of(&groups.names)),
    };
    let is_left_out = groups.extent == Extent::LeftOut;
    let is_known = groups.extent == Extent::All;
    if !is_known && present.loses_by(&mapped, config) && config.names_groups() {
        return Err(Refusal::GroupsUnknown {
            left_out: is_left_out,
        });
    }
    let rights = if is_known {
        mapped
    } else {
        present.and(mapped, config)
    };
    if config.levels.is_some() && rights.level.is_none() {
        return Err(Refusal::NoLevel {
            groups_left_out: is_left_out,
        });
    }
    Ok(rights)
}

impl Present {
    /// Whether the mapping, as far as it is known, would take something away.
    fn loses_by(&self, mapped: &Rights, config: &OidcConfig) -> bool {
        let level = config.levels.is_some() && mapped.level < self.level;
        let staff = mapped.is_staff == Some(false) && self.is_staff;
        let units = mapped
            .units
            .as_ref()
            .is_some_and(|units| self.units.iter().any(|unit| !units.contains(unit)));
        level || staff || units
    }

    /// What there is and what the mapping gives, together.
    fn and(&self, mapped: Rights, config: &OidcConfig) -> Rights {
        let level = mapped.level.max(self.level);
        Rights {
            level: config.levels.is_some().then_some(level).flatten(),
            is_staff: mapped.is_staff.map(|is_staff| is_staff || self.is_staff),
            units: mapped.units.map(|mut units| {
                units.extend(self.units.iter().cloned());
                units.sort_unstable();
                units.dedup();
                units
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::oidc::{
        config::Issuer,
        mapping::{self, Levels, Units},
    };

    fn config(levels: &str) -> OidcConfig {
        OidcConfig {
            issuer: Issuer::parse("https://login.example.org").unwrap(),
            client_id: String::new(),
            client_secret: None,
            redirect_uri: String::new(),
            scopes: String::new(),
            username_claim: String::new(),
            join_claim: None,
            groups_claim: String::new(),
            levels: (!levels.is_empty()).then(|| Levels::parse(levels).unwrap()),
            staff: Some(mapping::Groups::parse("admins").unwrap()),
            units: Some(Units::parse("lab=Science").unwrap()),
            label: String::new(),
            only: false,
        }
    }

    fn groups(names: &[&str], extent: Extent) -> Groups {
        Groups {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            extent,
        }
    }

    fn administrator() -> Present {
        Present {
            level: Some(Level::GlobalAdmin),
            is_staff: true,
            units: vec!["Science".to_owned()],
        }
    }

    const UNKNOWN: [Extent; 2] = [Extent::Unsaid, Extent::LeftOut];

    #[test]
    fn known_groups_are_the_whole_truth() {
        let none = rights(
            &groups(&[], Extent::All),
            &administrator(),
            &config("*=RO,admins=GA"),
        );
        let none = none.unwrap();
        assert_eq!(none.level, Some(Level::ReadOnly));
        assert_eq!(none.is_staff, Some(false));
        assert_eq!(none.units, Some(Vec::new()));
        let no_level = rights(
            &groups(&[], Extent::All),
            &administrator(),
            &config("admins=GA"),
        );
        assert_eq!(
            no_level,
            Err(Refusal::NoLevel {
                groups_left_out: false
            })
        );
    }

    #[test]
    fn unknown_groups_take_nothing_away() {
        for extent in UNKNOWN {
            let left_out = extent == Extent::LeftOut;
            for present in [
                administrator(),
                Present {
                    level: Some(Level::ReadWrite),
                    ..Present::default()
                },
                Present {
                    level: Some(Level::ReadOnly),
                    is_staff: true,
                    units: Vec::new(),
                },
                Present {
                    level: Some(Level::ReadOnly),
                    is_staff: false,
                    units: vec!["Arts".to_owned()],
                },
            ] {
                let refused = rights(&groups(&[], extent), &present, &config("*=RO,admins=GA"));
                assert_eq!(
                    refused,
                    Err(Refusal::GroupsUnknown { left_out }),
                    "{present:?}"
                );
            }
        }
    }

    #[test]
    fn who_loses_nothing_by_unknown_groups_is_let_in() {
        for extent in UNKNOWN {
            let reader = Present {
                level: Some(Level::ReadOnly),
                ..Present::default()
            };
            for present in [Present::default(), reader] {
                let found = rights(&groups(&[], extent), &present, &config("*=RO,admins=GA"));
                assert_eq!(found.unwrap().level, Some(Level::ReadOnly));
            }
            // Some groups are named, and give all there was.
            let all = rights(
                &groups(&["admins", "lab"], extent),
                &administrator(),
                &config("*=RO,admins=GA"),
            );
            assert_eq!(all.unwrap().level, Some(Level::GlobalAdmin));
        }
    }

    #[test]
    fn everybodys_level_alone_never_lowers_anybody_by_silence() {
        let mut config = config("*=RO");
        (config.staff, config.units) = (None, None);
        for extent in UNKNOWN {
            let kept = rights(&groups(&[], extent), &administrator(), &config).unwrap();
            assert_eq!(kept.level, Some(Level::GlobalAdmin));
            assert_eq!((kept.is_staff, kept.units), (None, None));
        }
    }

    #[test]
    fn nobody_gets_in_without_a_level_by_silence_either() {
        for (extent, groups_left_out) in [(Extent::Unsaid, false), (Extent::LeftOut, true)] {
            let found = rights(
                &groups(&[], extent),
                &Present::default(),
                &config("admins=GA"),
            );
            assert_eq!(found, Err(Refusal::NoLevel { groups_left_out }));
        }
        let without = rights(
            &groups(&[], Extent::Unsaid),
            &Present::default(),
            &config(""),
        );
        assert_eq!(without.unwrap().level, None);
    }
}
