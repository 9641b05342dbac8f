//! What a fleet can be made of: computer models, systems, and one Munki repository.
//!
//! The models and versions are real; the packages are mostly invented. Shares follow an
//! ordinary company: laptops first, a tail of Intel Macs.

use crate::draw::Draw;
use crate::words::{PRODUCTS, VENDORS, WELL_KNOWN};

/// A kind of computer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Model {
    /// The identifier, as `Mac14,2`.
    pub(crate) identifier: &'static str,
    /// The name in a shop, empty when the client cannot know it.
    pub(crate) friendly: &'static str,
    pub(crate) cpu_type: &'static str,
    pub(crate) cpu_speed: &'static str,
    /// Memory sizes sold, in GB.
    pub(crate) memories_gb: &'static [u64],
    /// Disk sizes sold, in GB of 10^9 bytes.
    pub(crate) disks_gb: &'static [u64],
    /// Systems it can run, oldest first; a machine only ever moves up.
    pub(crate) systems: &'static [&'static str],
}

const SINCE_10: &[&str] = &[
    "10.14.6", "10.15.7", "11.7.10", "12.7.6", "13.7", "14.7", "14.7.8",
];
const SINCE_11: &[&str] = &[
    "11.6.8",
    "12.7.6",
    "13.4.1 (c)",
    "13.7",
    "14.7.8",
    "15.3.2",
    "15.6.1",
];
const SINCE_13: &[&str] = &[
    "13.5.2", "13.7", "14.6.1", "14.7.8", "15.3.2", "15.6.1", "26.0.1",
];
const SINCE_14: &[&str] = &[
    "14.4.1", "14.7", "14.7.8", "15.3.2", "15.6.1", "26.0", "26.0.1",
];
const SINCE_15: &[&str] = &["15.1", "15.3.2", "15.6.1", "26.0", "26.0.1"];

const fn mac(
    identifier: &'static str,
    friendly: &'static str,
    cpu_type: &'static str,
    memories_gb: &'static [u64],
    disks_gb: &'static [u64],
    systems: &'static [&'static str],
) -> Model {
    Model {
        identifier,
        friendly,
        cpu_type,
        cpu_speed: "",
        memories_gb,
        disks_gb,
        systems,
    }
}

const fn at_speed(model: Model, cpu_speed: &'static str) -> Model {
    Model { cpu_speed, ..model }
}

/// Macs and how common they are.
#[rustfmt::skip]
pub(crate) const MACS: &[(Model, u64)] = &[
    (mac("MacBookPro18,1", "MacBook Pro (16-inch, 2021)", "Apple M1 Pro", &[16, 32], &[500, 1000], SINCE_13), 14),
    (mac("Mac14,7", "MacBook Pro (13-inch, M2, 2022)", "Apple M2", &[8, 16, 24], &[256, 500, 1000], SINCE_13), 12),
    (mac("Mac15,6", "MacBook Pro (14-inch, Nov 2023)", "Apple M3 Pro", &[18, 36], &[500, 1000], SINCE_14), 15),
    (mac("Mac16,1", "MacBook Pro (14-inch, Nov 2024)", "Apple M4", &[16, 24, 32], &[500, 1000], SINCE_15), 8),
    (mac("MacBookAir10,1", "MacBook Air (M1, 2020)", "Apple M1", &[8, 16], &[256, 500], SINCE_11), 14),
    (mac("Mac14,2", "MacBook Air (M2, 2022)", "Apple M2", &[8, 16], &[256, 500], SINCE_13), 12),
    (mac("Macmini9,1", "Mac mini (M1, 2020)", "Apple M1", &[8, 16], &[256, 500], SINCE_11), 5),
    (mac("iMac21,1", "iMac (24-inch, M1, 2021)", "Apple M1", &[8, 16], &[256, 500], SINCE_11), 5),
    (mac("Mac13,1", "Mac Studio (2022)", "Apple M1 Max", &[32, 64], &[1000, 2000], SINCE_13), 3),
    (at_speed(mac("MacBookPro16,1", "MacBook Pro (16-inch, 2019)", "8-Core Intel Core i9", &[16, 32, 64], &[500, 1000], SINCE_10), "2,3 GHz"), 7),
    (at_speed(mac("MacPro7,1", "", "16-Core Intel Xeon W", &[96, 192], &[1000, 4000], SINCE_10), "3.2 GHz"), 1),
    (at_speed(mac("iMac19,1", "iMac (Retina 5K, 27-inch, 2019)", "6-Core Intel Core i5", &[8, 16, 40], &[1000], SINCE_10), "3.1 GHz"), 4),
];

/// PCs with Windows.
#[rustfmt::skip]
pub(crate) const WINDOWS: &[(Model, u64)] = &[
    (mac("Latitude 7440", "", "13th Gen Intel(R) Core(TM) i7-1365U", &[16, 32], &[512], &["10.0.19045", "10.0.22631", "10.0.26100"]), 4),
    (mac("OptiPlex 7090", "", "Intel(R) Core(TM) i5-10500", &[8, 16], &[256, 512], &["10.0.19045", "10.0.22631"]), 3),
    (mac("ThinkPad T14 Gen 3", "", "AMD Ryzen 7 PRO 6850U", &[16, 32], &[512, 1000], &["10.0.22631", "10.0.26100"]), 3),
];

/// Linux servers and work stations.
#[rustfmt::skip]
pub(crate) const LINUX: &[(Model, u64)] = &[
    (at_speed(mac("PowerEdge R650", "", "Intel(R) Xeon(R) Gold 6330", &[64, 128], &[1000, 4000], &["Debian 12", "Debian 13"]), "2.0 GHz"), 1),
    (mac("ThinkStation P3", "", "Intel(R) Core(TM) i9-13900", &[32, 64], &[1000], &["Ubuntu 22.04", "Ubuntu 24.04"]), 1),
];

/// Chromebooks.
#[rustfmt::skip]
pub(crate) const CHROMEBOOKS: &[(Model, u64)] = &[
    (mac("Acer Chromebook 714", "", "", &[8], &[256], &["128.0.6613.161", "129.0.6668.99", "140.0.7339.127"]), 1),
    (mac("HP Chromebook x360", "", "Intel(R) Core(TM) i5", &[8, 16], &[128], &["128.0.6613.162", "129.0.6668.99", "140.0.7339.127"]), 1),
];

/// A package in the Munki repository all machines of a fleet share.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// The Munki name, without blanks.
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    /// Installed size in KB, as Munki counts.
    pub(crate) installed_size_kb: u64,
    pub(crate) major: u64,
    pub(crate) minor: u64,
}

/// Makes a repository of `count` packages with names that do not repeat.
pub(crate) fn packages(count: usize, draw: Draw) -> Vec<Package> {
    let invented = (0..).flat_map(|round: u32| {
        PRODUCTS.iter().flat_map(move |product| {
            VENDORS.iter().map(move |vendor| match round {
                0 => format!("{vendor} {product}"),
                _ => format!("{vendor} {product} {}", round + 1),
            })
        })
    });
    let names = WELL_KNOWN.iter().map(ToString::to_string).chain(invented);
    (0..)
        .zip(names.take(count))
        .map(|(n, name)| package(name, draw.nth(n)))
        .collect()
}

fn package(display_name: String, mut draw: Draw) -> Package {
    let team = draw.pick(&["Client Platform", "IT Support", "Engineering Tools"]);
    let advice = "Contact the help desk for questions. ";
    let advice = advice.repeat(usize::from(draw.happens(500)) + usize::from(draw.happens(300)));
    Package {
        name: display_name.replace(' ', ""),
        description: format!("{display_name} is provided by the {team} team. {advice}"),
        display_name,
        installed_size_kb: draw.between(400, 2_000_000),
        major: draw.between(1, 30),
        minor: draw.below(20),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn package_names_do_not_repeat() {
        let packages = packages(2000, Draw::root(7));
        let names: BTreeSet<_> = packages.iter().map(|p| &p.name).collect();
        assert_eq!(names.len(), 2000);
    }
}
