//! The drawings of widgets and reports, once they have been checked.
//!
//! All conditions here already include the plugin's own restrictions (deployed machines only, operating systems), so
//! that a number and the list behind it cannot differ.

use sal_query::Condition;
use serde::Deserialize;

use crate::{detail::Detail, group_by::GroupBy};

/// One drawing.
#[derive(Clone, Debug)]
pub enum Panel {
    /// Counts under fixed conditions.
    Buckets(Buckets),
    /// Counts per value, drawn as bars.
    Groups(Box<GroupBy>),
    /// What happened each day.
    Series(Series),
    /// Managed items with their counts by status.
    Items(Items),
    /// Values of one machine.
    Detail(Detail),
    /// Whatever a plugin's scripts reported, of all machines or of one.
    Rows(Rows),
}

/// The rows of a plugin that declares no drawing.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Name of the plugin, which its scripts mostly report under.
    pub plugin: String,
    /// Which machines are counted.
    pub condition: Condition,
}

/// Counts under fixed conditions.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Heading; empty for none.
    pub heading: String,
    /// How they are drawn.
    pub drawing: BucketDrawing,
    /// The counts in their order.
    pub buckets: Vec<Bucket>,
    /// The setting that shows the panel at all.
    pub shown_if: Option<String>,
}

/// How buckets are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketDrawing {
    /// Large numbers side by side.
    Tiles,
    /// One line per bucket.
    Table,
    /// One bar of a few segments, and a line per bucket.
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

/// What happened to managed items, day by day.
#[derive(Clone, Debug)]
pub struct Series {
    /// Management source whose history is counted.
    pub source: String,
    /// One line each.
    pub lines: Vec<SeriesLine>,
    /// How many days, today included.
    pub days: u16,
    /// Which machines are counted.
    pub condition: Condition,
}

/// A line of a series.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesLine {
    /// Status of the items: `PRESENT`, `PENDING`, `ERROR`, …
    pub status: String,
    /// What it is called.
    pub label: String,
    /// What it means.
    #[serde(default)]
    pub style: Style,
}

/// Managed items of a source with a count for each status.
#[derive(Clone, Debug)]
pub struct Items {
    /// The management source.
    pub source: String,
    /// One for each status that is counted.
    pub columns: Vec<ItemColumn>,
    /// Which machines are counted.
    pub condition: Condition,
}

/// A count by status.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemColumn {
    /// Status of the items.
    pub status: String,
    /// Heading.
    pub label: String,
    /// What stands before the item's name in URLs.
    pub key: String,
    /// Title of the list, with `{value}` for the item's name.
    pub title: String,
}

/// The machines behind a bar, tile or line.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Which machines.
    pub condition: Condition,
    /// Title of the list.
    pub title: String,
}

impl Panel {
    /// The key of a segment as this panel's own links in Sal's pages write it.
    pub(crate) fn link_data(&self, link: &str) -> Option<String> {
        match self {
            Self::Items(items) => items.link_data(link),
            _ => None,
        }
    }

    /// Finds the list behind a segment by the key in its URL.
    pub(crate) fn filter(&self, data: &str) -> Option<Filter> {
        match self {
            Self::Buckets(panel) => {
                panel
                    .buckets
                    .iter()
                    .find(|bucket| bucket.data == data)
                    .map(|bucket| Filter {
                        condition: bucket.condition.clone(),
                        title: bucket.title.clone(),
                    })
            }
            Self::Groups(by) => by.filter(data),
            Self::Items(items) => items.filter(data),
            Self::Rows(rows) => rows.filter(data),
            Self::Series(_) | Self::Detail(_) => None,
        }
    }
}

impl Items {
    /// What a query string of Sal's own links means, such as `PENDING?NAME=Firefox+131.0`: the same key, decoded as
    /// Python's `parse_qs` does it. `None` when it is no query string of one of the columns.
    fn link_data(&self, link: &str) -> Option<String> {
        let (path, query) = link.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        self.columns.iter().find_map(|column| {
            let (wanted_path, name) = column.key.strip_suffix('=')?.split_once('?')?;
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, value) = pairs.find(|(key, value)| key == name && !value.is_empty())?;
            (wanted_path == path).then(|| format!("{}{value}", column.key))
        })
    }
}

impl Rows {
    /// The key of a value of a row: name and value with a line feed between them, which no name of a row has.
    #[must_use]
    pub fn key(name: &str, value: &str) -> String {
        format!("{name}\n{value}")
    }

    fn filter(&self, data: &str) -> Option<Filter> {
        let (name, value) = data.split_once('\n')?;
        let row = sal_query::Related::Row {
            plugin: self.plugin.clone(),
            name: name.to_owned(),
        };
        let equal = sal_query::Check::Compare(sal_query::Operator::Equal, value.to_owned());
        let test = sal_query::Test::new(sal_query::Cast::Text, equal).ok()?;
        let machines = Condition::has(row, vec![test]).ok()?;
        Some(Filter {
            condition: self.condition.clone().and(machines),
            title: format!("Machines with {name} {value}"),
        })
    }
}

impl Items {
    fn filter(&self, data: &str) -> Option<Filter> {
        self.columns.iter().find_map(|column| {
            let name = data.strip_prefix(column.key.as_str())?;
            let item = sal_query::Related::Item {
                source: Some(self.source.clone()),
                status: Some(column.status.clone()),
                name: Some(name.to_owned()),
            };
            let machines = Condition::has(item, Vec::new()).ok()?;
            Some(Filter {
                condition: self.condition.clone().and(machines),
                title: column.title.replacen("{value}", name, 1),
            })
        })
    }
}
