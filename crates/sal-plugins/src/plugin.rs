//! What a plugin is, once its file has been checked.
//!
//! All conditions here already include the plugin's own restrictions (deployed machines only,
//! operating systems), so that a number and the list behind it cannot differ.

use sal_query::{Condition, Field, Operator, Value};
use serde::Deserialize;

use crate::script::Script;

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
    /// What it draws; empty when its panels are not declared yet, and then it is not drawn.
    pub panels: Vec<Panel>,
    /// What clients run for it.
    pub scripts: Vec<Script>,
}

/// One drawing.
#[derive(Clone, Debug)]
pub enum Panel {
    /// Counts under fixed conditions.
    Buckets {
        /// How they are drawn.
        drawing: BucketDrawing,
        /// The counts in their order.
        buckets: Vec<Bucket>,
    },
    /// Counts per value of one or two fields, drawn as bars.
    Groups(GroupBy),
}

/// How buckets are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketDrawing {
    /// Large numbers side by side.
    Tiles,
    /// One line per bucket.
    Table,
    /// One bar of up to three segments.
    Lights,
}

/// What a count means, for colour and symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Good.
    Success,
    /// Worth a look.
    Warning,
    /// Bad.
    Danger,
    /// Information.
    Primary,
    /// Nothing in particular.
    #[default]
    Neutral,
}

/// A count under a condition, and the list it opens.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The key in URLs.
    pub data: String,
    /// Words beside the number.
    pub label: String,
    /// Title of the list.
    pub title: String,
    /// What it means.
    pub style: Style,
    /// Whether it is left out when nothing is counted.
    pub hide_when_zero: bool,
    /// Which machines it counts.
    pub condition: Condition,
}

/// Counts per value.
#[derive(Clone, Debug)]
pub struct GroupBy {
    /// The field whose values are counted, or the heading of a block when there is a second one.
    pub field: Field,
    /// The values of `field` that are shown, in their order; all of them when empty.
    pub values: Vec<String>,
    /// The field that is counted inside a block.
    pub then_by: Option<Field>,
    /// Order of the bars.
    pub sort: GroupSort,
    /// Title of a bar's list, with `{field_name}` for values.
    pub title: String,
    /// Which machines are counted at all.
    pub condition: Condition,
}

/// Order of bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSort {
    /// Most machines first.
    #[default]
    CountDesc,
    /// Newest version first.
    VersionDesc,
}

/// The machines behind a bar, tile or line.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Which machines.
    pub condition: Condition,
    /// Title of the list.
    pub title: String,
}

impl Plugin {
    /// Finds the list behind a segment by the key in its URL; `None` when no segment has it.
    ///
    /// For grouped panels the key is the value, or both values joined by `&`.
    #[must_use]
    pub fn filter(&self, data: &str) -> Option<Filter> {
        self.panels.iter().find_map(|panel| match panel {
            Panel::Buckets { buckets, .. } => buckets
                .iter()
                .find(|bucket| bucket.data == data)
                .map(|bucket| Filter {
                    condition: bucket.condition.clone(),
                    title: bucket.title.clone(),
                }),
            Panel::Groups(group_by) => group_by.filter(data),
        })
    }
}

impl GroupBy {
    /// The key of a bar in URLs; [`Plugin::filter`] reads it.
    #[must_use]
    pub fn key(&self, value: &str, then: Option<&str>) -> String {
        match then {
            Some(then) => format!("{value}&{then}"),
            None => value.to_owned(),
        }
    }

    fn filter(&self, data: &str) -> Option<Filter> {
        let (value, then) = match self.then_by {
            Some(_) => data
                .split_once('&')
                .map(|(value, then)| (value, Some(then)))?,
            None => (data, None),
        };
        if !self.values.is_empty() && !self.values.iter().any(|known| known == value) {
            return None;
        }
        let mut parts = vec![self.condition.clone(), equals(self.field, value)?];
        let mut title = fill(&self.title, self.field, value);
        if let (Some(field), Some(then)) = (self.then_by, then) {
            parts.push(equals(field, then)?);
            title = fill(&title, field, then);
        }
        Some(Filter {
            condition: Condition::all(parts),
            title,
        })
    }
}

fn equals(field: Field, value: &str) -> Option<Condition> {
    Condition::compare(field, Operator::Equal, Value::Text(value.to_owned())).ok()
}

/// Puts a value into a title; families are named as people name them.
fn fill(title: &str, field: Field, value: &str) -> String {
    let shown = match field {
        Field::OsFamily => OsFamily::title_of(value),
        _ => value,
    };
    title.replacen(&format!("{{{}}}", field.name()), shown, 1)
}

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
