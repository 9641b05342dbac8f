//! A machine: what it is for good, and the requests its client makes.
//!
//! What a section of a check-in holds is in `sections/`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::catalogue::{CHROMEBOOKS, LINUX, MACS, Model, WINDOWS};
use crate::draw::Draw;
use crate::fleet::Fleet;
use crate::sections;
use crate::submission::Submission;
use crate::words::{FIRST_NAMES, LAST_NAMES};

/// What a machine runs, which decides which modules its client has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// macOS with Munki: 85 % of a fleet.
    #[default]
    Darwin,
    /// Windows with Gorilla.
    Windows,
    /// Linux with apt.
    Linux,
    /// A Chromebook with the browser extension.
    ChromeOs,
}

impl Family {
    /// The text in `os_family`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Darwin => "Darwin",
            Self::Windows => "Windows",
            Self::Linux => "Linux",
            Self::ChromeOs => "ChromeOS",
        }
    }
}

/// A check-in that went wrong on the machine's side; each was seen in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// `system_profiler` failed: `Machine` has neither a serial nor hardware.
    ProfilerFailed,
    /// Salt crashed: its messages are plain texts instead of objects.
    SaltCrashed,
}

/// One machine of a fleet.
#[derive(Clone, Debug)]
pub struct Machine<'f> {
    pub(crate) fleet: &'f Fleet,
    pub(crate) index: u32,
    pub(crate) draw: Draw,
    pub(crate) family: Family,
    pub(crate) serial: String,
    pub(crate) user: String,
    pub(crate) hostname: String,
    pub(crate) model: Model,
    pub(crate) memory_gb: u64,
    pub(crate) disk_bytes: u64,
}

impl<'f> Machine<'f> {
    pub(crate) fn new(fleet: &'f Fleet, index: u32) -> Self {
        let root = fleet.draw.at("machine").nth(u64::from(index));
        let mut draw = root.at("identity");
        let family = draw.pick_weighted(&[
            (Family::Darwin, 85),
            (Family::Windows, 8),
            (Family::Linux, 4),
            (Family::ChromeOs, 3),
        ]);
        let models = match family {
            Family::Darwin => MACS,
            Family::Windows => WINDOWS,
            Family::Linux => LINUX,
            Family::ChromeOs => CHROMEBOOKS,
        };
        let model = draw.pick_weighted(models);
        let first = draw.pick(FIRST_NAMES);
        let user = format!("{first}.{}", draw.pick(LAST_NAMES));
        let serial = serial(family, index, &mut draw);
        Self {
            hostname: hostname(family, first, &serial, &mut draw),
            memory_gb: draw.pick(model.memories_gb),
            disk_bytes: (draw.pick(model.disks_gb) * 1_000_000_000).saturating_sub(5_242_880_000),
            draw: root,
            fleet,
            index,
            family,
            serial,
            user,
            model,
        }
    }

    /// The serial number, upper-case letters and digits; no other machine of the fleet has it.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// What it runs.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// The check-in of a run. Run 0 is the first; later runs stamp every Munki item with
    /// `at`, move times and free disk, and change about 3 % of the other values.
    /// `key` is the machine group's key.
    #[must_use]
    pub fn checkin(&self, run: u32, at: Timestamp, key: &str) -> Submission {
        Submission::checkin(self.serial.clone(), &self.sections(run, at, key))
    }

    /// A check-in that went wrong, for servers that want to be tried.
    #[must_use]
    pub fn checkin_with(&self, mishap: Mishap, run: u32, at: Timestamp, key: &str) -> Submission {
        let mut sections = self.sections(run, at, key);
        match mishap {
            Mishap::ProfilerFailed => {
                let left = json!({
                    "hostname": self.hostname, "os_family": "Darwin", "console_user": self.user,
                });
                let facts = json!({"checkin_module_version": "1.1.0"});
                sections.insert(
                    "Machine".into(),
                    json!({"extra_data": left, "facts": facts}),
                );
            }
            Mishap::SaltCrashed => {
                let messages = [
                    "Salt run failed",
                    "No highstate or sls specified, no changes made",
                ];
                sections.insert("Salt".into(), json!({"facts": {}, "messages": messages}));
            }
        }
        Submission::checkin(self.serial.clone(), &sections)
    }

    /// The question which plugin scripts to run, asked before a check-in.
    #[must_use]
    pub fn preflight(&self) -> Submission {
        let fields = [("os_family", self.family.as_str())];
        Submission::form(self.serial.clone(), "/preflight-v2/", &fields)
    }

    /// The plist of a Mac's configuration profiles; other systems have none.
    #[must_use]
    pub fn profiles_plist(&self) -> Option<String> {
        (self.family == Family::Darwin).then(|| sections::profiles_plist(self))
    }

    /// The list of profiles as the client sends it.
    #[must_use]
    pub fn profile_list(&self) -> Option<Submission> {
        let plist = self.profiles_plist()?;
        let (path, field) = ("/profiles/submit/", "base64bz2profiles");
        Some(Submission::packed(&self.serial, path, field, &plist))
    }

    /// What the stand-by tool posts when the client itself cannot run any more.
    #[must_use]
    pub fn broken_client_report(&self, key: &str) -> Submission {
        let fields = [
            ("broken_client", "true"),
            ("serial", self.serial.as_str()),
            ("key", key),
        ];
        Submission::form(self.serial.clone(), "/report_broken_client/", &fields)
    }

    /// The sections in the order the family's client sends them.
    fn sections(&self, run: u32, at: Timestamp, key: &str) -> Map<String, Value> {
        let machine = sections::machine(self, run);
        let sal = sections::sal(self, key);
        let mut body = Map::new();
        let mut add = |name: &str, section: Value| body.insert(name.to_owned(), section);
        match self.family {
            Family::Darwin => {
                let apple = sections::apple_software_update(self, run, at);
                let profiles = sections::profiles(self);
                let taken = sections::item_count(&apple) + sections::item_count(&profiles);
                add("Apple Software Update", apple);
                add("Machine", machine);
                add("Munki", sections::munki(self, run, at, taken));
                add("Profiles", profiles);
            }
            Family::Windows => {
                add("Gorilla", sections::gorilla(self, run, at));
                add("Machine", machine);
            }
            Family::Linux => {
                add("Apt", sections::apt(self, run, at));
                add("Machine", machine);
            }
            Family::ChromeOs => {
                add("Machine", machine);
                add("Chrome", sections::chrome(self, at));
            }
        }
        match self.draw.at("configuration management").below(10) {
            0 | 1 if self.family != Family::ChromeOs => {
                add("Puppet", sections::puppet(self, run, at))
            }
            2 if self.family != Family::ChromeOs => add("Salt", sections::salt(self, run, at)),
            _ => None,
        };
        add("Sal", sal);
        if self.family == Family::Darwin {
            add("plugin_results", sections::plugin_results(self, run, at));
        }
        body
    }

    /// The system's version in a run; it only moves up.
    pub(crate) fn operating_system(&self, run: u32) -> &'static str {
        let draw = self.draw.at("system");
        let last = u64::try_from(self.model.systems.len())
            .unwrap_or(0)
            .saturating_sub(1);
        let first = draw.at("first").below(last + 1);
        let current = (first + draw.at("updates").changes(run, 10)).min(last);
        let current = usize::try_from(current).unwrap_or(0);
        self.model.systems.get(current).copied().unwrap_or_default()
    }
}

/// A serial in the family's style. Its last seven digits are the machine's number, shuffled
/// one to one so that serials look unlike each other and no two machines share one.
fn serial(family: Family, index: u32, draw: &mut Draw) -> String {
    const DIGITS: &[char] = &[
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L',
        'M', 'N', 'P', 'Q', 'R', 'T', 'V', 'W', 'X', 'Y',
    ];
    let prefix = match family {
        Family::Darwin => "C02",
        Family::Windows => "W5C",
        Family::Linux => "LNX",
        Family::ChromeOs => "CHR",
    };
    // The factor has no divisor in common with 28, so no number comes up twice.
    let mut number = (u64::from(index) * 3_141_592_621 + 9_876_543_210) % 28_u64.pow(7);
    let mut digits = Vec::new();
    for _ in 0..7 {
        let digit = usize::try_from(number % 28).unwrap_or(0);
        digits.push(DIGITS.get(digit).copied().unwrap_or('0'));
        number /= 28;
    }
    let digits: String = digits.iter().rev().collect();
    format!("{prefix}{}{}", draw.pick(DIGITS), digits)
}

fn hostname(family: Family, first: &str, serial: &str, draw: &mut Draw) -> String {
    let tail: String = serial
        .chars()
        .rev()
        .take(6)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    if family == Family::ChromeOs {
        return serial.to_owned();
    }
    let mut capital = first.chars();
    let owner: String = capital
        .next()
        .map(|c| c.to_uppercase().chain(capital).collect())
        .unwrap_or_default();
    match draw.below(4) {
        0 => format!("{first}-{}", tail.to_lowercase()),
        1 if family == Family::Darwin => format!("{owner}’s Mac ({tail})"),
        2 if family != Family::Darwin => format!("HOST-{tail}"),
        _ => format!("ACME-{serial}"),
    }
}
