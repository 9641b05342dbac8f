//! What a plugin is, once its file has been checked. Its drawings are in [`crate::panel`].

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::{
    panel::{Filter, Panel},
    script::Script,
};

/// Where a plugin appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// On the overview.
    Widget,
    /// On a page of its own.
    Report,
    /// On the page of a machine.
    Detail,
}

/// A family of operating systems, spelled as clients report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum OsFamily {
    /// macOS.
    Darwin,
    /// Windows.
    Windows,
    /// Linux.
    Linux,
    /// ChromeOS.
    #[serde(rename = "ChromeOS")]
    ChromeOs,
}

impl OsFamily {
    /// Every family, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Darwin, Self::Windows, Self::Linux, Self::ChromeOs];

    /// The name in the protocol and the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Darwin => "Darwin",
            Self::Windows => "Windows",
            Self::Linux => "Linux",
            Self::ChromeOs => "ChromeOS",
        }
    }

    /// The name people use.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Darwin => "macOS",
            Self::Windows => "Windows",
            Self::Linux => "Linux",
            Self::ChromeOs => "Chrome OS",
        }
    }

    /// The name people use for a family as the database spells it; unknown ones stay as they are.
    #[must_use]
    pub fn title_of(name: &str) -> &str {
        Self::ALL
            .iter()
            .find(|family| family.name() == name)
            .map_or(name, |family| family.title())
    }
}

/// Where a plugin comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Inside the program.
    BuiltIn,
    /// A `plugin.toml` in the administrator's folder.
    Folder,
    /// A Python plugin of Django Sal in the administrator's folder: its scripts are served, its rows are shown in a
    /// table, its own drawing is not run.
    Python,
}

/// A checked plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The key in the database and in URLs.
    pub name: String,
    /// Where it appears.
    pub kind: Kind,
    /// Heading.
    pub title: String,
    /// One sentence for the settings page.
    pub description: String,
    /// Width in a grid of 12 columns, 1 to 12.
    pub width: u8,
    /// Operating systems it is for; decides where it is offered and which clients get its scripts.
    pub os: Vec<OsFamily>,
    /// What it draws.
    pub panels: Vec<Panel>,
    /// Where it comes from.
    pub origin: Origin,
    /// What clients run for it.
    pub scripts: Vec<Script>,
}

impl Plugin {
    /// Finds the list behind a segment by the key in its URL; `None` when no segment has it.
    ///
    /// For grouped panels the key is the value, or both values joined by `&`.
    #[must_use]
    pub fn filter(&self, data: &str) -> Option<Filter> {
        self.panels.iter().find_map(|panel| panel.filter(data))
    }

    /// The key that [`Self::filter`] takes, from an address of Sal's after the router decoded it: a query string where
    /// Sal reads one (`+` is a blank), percent-encoded once more where the plugin of Sal decodes it itself, and as it is
    /// for all others.
    #[must_use]
    pub fn data_of_link(&self, link: &str) -> String {
        let mut panels = self.panels.iter();
        let from_query = panels.find_map(|panel| panel.link_data(link));
        from_query.unwrap_or_else(|| match DECODES_ITSELF.contains(&self.name.as_str()) {
            true => percent_decode_str(link).decode_utf8_lossy().into_owned(),
            false => link.to_owned(),
        })
    }

    /// Whether it is for any of these families of operating systems, spelled as in the database. A part of the fleet
    /// without machines has none, and every plugin is for it.
    #[must_use]
    pub fn suits(&self, families: &[String]) -> bool {
        families.is_empty()
            || self
                .os
                .iter()
                .any(|os| families.iter().any(|family| family == os.name()))
    }
}

/// Sal's plugins that call `unquote` on what Django has decoded already.
const DECODES_ITSELF: [&str; 3] = ["OperatingSystem", "Messages", "MunkiInfo"];

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use sal_query::Parameter;

    use crate::registry::Registry;

    fn list(plugin: &str, data: &str) -> Option<(String, String, Vec<Parameter>)> {
        let registry = Registry::builtin();
        let filter = registry.get(plugin)?.filter(data)?;
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let fragment = filter.condition.to_sql(now, 1);
        Some((filter.title, fragment.text, fragment.parameters))
    }

    /// Left: what the router hands over; right: what Python's `parse_qs` or `unquote` makes of it in Sal.
    #[test]
    fn links_of_sal_are_decoded_as_the_plugin_decodes_them() {
        let registry = Registry::builtin();
        for (plugin, link, data) in [
            (
                "InstallReport",
                "PRESENT?NAME=1Password+6.0.2",
                "PRESENT?NAME=1Password 6.0.2",
            ),
            (
                "InstallReport",
                "PENDING?NAME=Firefox%20131.0",
                "PENDING?NAME=Firefox 131.0",
            ),
            (
                "InstallReport",
                "PENDING?NAME=C%2B%2B+%26+C%23",
                "PENDING?NAME=C++ & C#",
            ),
            (
                "InstallReport",
                "PENDING?x=1&NAME=&NAME=a%252Fb",
                "PENDING?NAME=a%2Fb",
            ),
            (
                "InstallReport",
                "PENDING?NAME=%C3%84pfel#top",
                "PENDING?NAME=Äpfel",
            ),
            ("InstallReport", "ERROR?NAME=a+b", "ERROR?NAME=a+b"),
            ("OperatingSystem", "Darwin%2614.1+x", "Darwin&14.1+x"),
            ("Messages", "a+b%3Fc", "a+b?c"),
            ("Pending3rdPartyUpdates", "A%20B", "A%20B"),
            ("MunkiVersion", "100%25", "100%25"),
            (
                "MunkiInfo",
                "SoftwareRepo?URL=\"http%3A//munki\"",
                "SoftwareRepo?URL=\"http://munki\"",
            ),
        ] {
            assert_eq!(
                registry.get(plugin).unwrap().data_of_link(link),
                data,
                "{link}"
            );
        }
    }

    #[test]
    fn a_tile_of_activity_opens_the_machines_it_counts() {
        let (title, text, parameters) = list("Activity", "month").unwrap();
        assert_eq!(title, "Machines inactive for a month");
        assert_eq!(
            text,
            "((machine.deployed = $1::boolean) AND ((machine.last_checkin >= $2::timestamptz) \
             AND (machine.last_checkin <= $3::timestamptz)))"
        );
        let time = |text: &str| Parameter::Time(text.parse().unwrap());
        assert_eq!(
            parameters[1..],
            [time("2026-08-23T12:00:00Z"), time("2026-10-22T12:00:00Z")]
        );
        assert!(list("Activity", "year").is_none());
    }

    #[test]
    fn only_two_lists_of_status_show_machines_that_are_not_deployed() {
        let (_, text, _) = list("Status", "all_machines").unwrap();
        assert_eq!(text, "(TRUE AND TRUE)");
        let (_, _, parameters) = list("Status", "undeployed_machines").unwrap();
        assert_eq!(parameters, [Parameter::Boolean(false)]);
        for data in ["broken_clients", "errors", "warnings", "ninetydayactive"] {
            let (_, text, parameters) = list("Status", data).unwrap();
            assert!(text.contains("machine.deployed"), "{text}");
            assert_eq!(parameters[0], Parameter::Boolean(true));
        }
    }

    #[test]
    fn a_bar_of_operating_system_names_family_and_version() {
        let (title, text, _) = list("OperatingSystem", "Darwin&15.1").unwrap();
        assert_eq!(title, "Machines running macOS 15.1");
        assert!(text.contains("machine.operating_system = "), "{text}");
        let (title, _, _) = list("OperatingSystem", "ChromeOS&{os_family}&1").unwrap();
        assert_eq!(title, "Machines running Chrome OS {os_family}&1");
        assert!(list("OperatingSystem", "BeOS&5").is_none());
        assert!(list("OperatingSystem", "Darwin").is_none());
    }
}
