//! Applications: what an inventory lists. 3,000 different ones, of which a Mac has about 150.
//!
//! Some are on every Mac, some on many, most on few; of each several versions are about, the newest one most.

use std::collections::BTreeSet;

use crate::catalogue::packages;
use crate::draw::Draw;
use crate::machine::{Family, Machine};
use crate::submission::{PLIST, Submission, plist_pair};
use crate::words::SYSTEM_APPLICATIONS;

/// An application of the fleet.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    name: String,
    bundle_id: String,
    major: u64,
    minor: u64,
}

/// All applications of a fleet: macOS's own, then the others, the most common ones first.
pub(crate) fn applications(draw: Draw) -> Vec<Application> {
    let own = SYSTEM_APPLICATIONS.iter().map(|name| Application {
        name: (*name).to_owned(),
        bundle_id: format!("com.apple.{}", name.replace(' ', "")),
        major: 0,
        minor: 0,
    });
    let others = packages(DIFFERENT - SYSTEM_APPLICATIONS.len(), draw)
        .into_iter()
        .map(|package| {
            let maker = package.display_name.split(' ').next().unwrap_or_default();
            Application {
                bundle_id: format!("com.{}.{}", maker.to_lowercase(), package.name),
                name: package.display_name,
                major: package.major,
                minor: package.minor,
            }
        });
    own.chain(others).collect()
}

impl Machine<'_> {
    /// The plist of the applications on a Mac; other systems send none. In each run about 3 % have a newer version.
    #[must_use]
    pub fn inventory_plist(&self, run: u32) -> Option<String> {
        if self.family != Family::Darwin {
            return None;
        }
        let mut plist = format!("{PLIST}<array>\n");
        for number in self.application_numbers() {
            if let Some(application) = self.fleet.applications.get(number) {
                self.list(application, number, run, &mut plist);
            }
        }
        plist.push_str("</array></plist>\n");
        Some(plist)
    }

    /// The inventory as the client sends it.
    #[must_use]
    pub fn inventory(&self, run: u32) -> Option<Submission> {
        let plist = self.inventory_plist(run)?;
        let (path, field) = ("/inventory/submit/", "base64bz2inventory");
        Some(Submission::packed(&self.serial, path, field, &plist))
    }

    fn application_numbers(&self) -> BTreeSet<usize> {
        let mut draw = self.draw.at("applications");
        let own = SYSTEM_APPLICATIONS.len();
        let mut numbers: BTreeSet<usize> = (0..own).collect();
        numbers.extend(
            draw.sample(COMMON_ONES, COMMON)
                .into_iter()
                .map(|number| own + number),
        );
        let rest = u64::try_from(DIFFERENT - own - COMMON).unwrap_or(0);
        let wanted = numbers.len() + draw.pick(&[20, 35, 50, 60, 75, 90]);
        while numbers.len() < wanted {
            // The smaller of two draws: the first ones are on more machines than the last.
            let number = draw.below(rest).min(draw.below(rest));
            numbers.insert(own + COMMON + usize::try_from(number).unwrap_or(0));
        }
        numbers
    }

    fn list(&self, application: &Application, number: usize, run: u32, plist: &mut String) {
        let Application {
            name, bundle_id, ..
        } = application;
        let draw = self.draw.at(bundle_id);
        let (version, path) = if number < SYSTEM_APPLICATIONS.len() {
            let system = self.operating_system(run);
            let system = system.split(' ').next().unwrap_or_default();
            (
                system.to_owned(),
                format!("/System/Applications/{name}.app"),
            )
        } else {
            let behind = draw.at("behind").pick_weighted(&[
                (0, 55),
                (1, 20),
                (2, 10),
                (4, 8),
                (7, 5),
                (8, 2),
            ]);
            let behind = behind - draw.at("updates").changes(run, 30).min(behind);
            let place = match draw.at("place").below(25) {
                0 => format!("/Users/{}/Applications", self.user),
                1 => "/Applications/Utilities".to_owned(),
                _ => "/Applications".to_owned(),
            };
            let version = format!("{}.{}.{}", application.major, application.minor, 8 - behind);
            (version, format!("{place}/{name}.app"))
        };
        plist.push_str("<dict>");
        plist_pair("CFBundleName", name, plist);
        plist_pair("bundleid", bundle_id, plist);
        plist_pair("name", name, plist);
        plist_pair("path", &path, plist);
        plist_pair("version", &version, plist);
        plist.push_str("</dict>\n");
    }
}

/// Different applications in a fleet.
const DIFFERENT: usize = 3000;
/// Those that a company gives to many of its machines,
const COMMON: usize = 120;
/// and how many of them a machine has.
const COMMON_ONES: usize = 55;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::fleet::{Fleet, FleetOptions};

    #[test]
    fn a_mac_has_about_150_of_3000_applications_in_several_versions() {
        let fleet = Fleet::new(FleetOptions {
            machines: 600,
            ..FleetOptions::default()
        });
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for machine in fleet.machines() {
            let Some(plist) = machine.inventory_plist(0) else {
                assert_ne!(machine.family(), Family::Darwin);
                continue;
            };
            let count = plist.matches("<dict>").count();
            assert!((110..=190).contains(&count), "{count}");
            for entry in plist.split("<dict>").skip(1) {
                let value = |key: &str| {
                    let (_, rest) = entry
                        .split_once(&format!("<key>{key}</key><string>"))
                        .unwrap();
                    rest.split_once('<').unwrap().0.to_owned()
                };
                versions
                    .entry(value("bundleid"))
                    .or_default()
                    .insert(value("version"));
            }
        }
        assert!(
            (2500..=3000).contains(&versions.len()),
            "{}",
            versions.len()
        );
        let spread = versions
            .values()
            .filter(|versions| versions.len() > 3)
            .count();
        assert!(spread > 1000, "{spread}");
    }
}
