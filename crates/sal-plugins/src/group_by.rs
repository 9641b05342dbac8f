//! Counts per value: what is counted, how the values are ordered, and which list a value opens.

use sal_query::{Condition, Field, Grouping, Shape, Shaped, Values, group::LEVELS};
use serde::Deserialize;

use crate::{
    panel::Filter,
    plugin::OsFamily,
    settings::{Number, Settings, TextSetting},
};

/// Counts per value.
#[derive(Clone, Debug)]
pub struct GroupBy {
    /// What is counted.
    pub values: Values,
    /// The values that are shown, in their order; all of them when empty.
    pub shown: Vec<String>,
    /// Order of the bars.
    pub sort: GroupSort,
    /// Heading of the panel; empty for none.
    pub heading: String,
    /// Title of a bar's list, with `{value}` and `{then}`.
    pub title: String,
    /// What stands before and after the value in URLs.
    pub key: (String, String),
    /// Values with fewer machines are left out.
    pub at_least: Number,
    /// The least severe level of messages that is counted.
    pub level: Option<TextSetting>,
    /// The setting that switches the shortening of versions off.
    pub shorten: Option<String>,
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
    /// By the first year in the value, newest first; values without one at the end.
    YearDesc,
}

impl GroupBy {
    /// The counting, with the settings as they are now.
    #[must_use]
    pub fn grouping(&self, settings: &Settings) -> Grouping {
        let mut values = self.values.clone();
        if let (Values::Messages { levels }, Some(level)) = (&mut values, &self.level) {
            let least = level.value(settings).to_ascii_uppercase();
            // An unknown level is taken for the default, as an unknown number is.
            let last = LEVELS
                .iter()
                .position(|known| *known == least)
                .or_else(|| LEVELS.iter().position(|known| *known == level.default));
            *levels = LEVELS
                .iter()
                .take(last.unwrap_or(0) + 1)
                .map(|&level| level.to_owned())
                .collect();
        }
        if let (Values::Field { first, then }, Some(setting)) = (&mut values, &self.shorten)
            && !settings.flag(setting, true)
        {
            for shaped in [Some(first), then.as_mut()].into_iter().flatten() {
                if let Ok(whole) = Shaped::new(shaped.field(), Shape::Whole) {
                    *shaped = whole;
                }
            }
        }
        Grouping {
            values,
            condition: self.condition.clone(),
            at_least: self.at_least.value(settings),
        }
    }

    /// Whether values come in pairs of a heading and a value below it.
    #[must_use]
    pub fn has_pairs(&self) -> bool {
        matches!(self.values, Values::Field { then: Some(_), .. })
    }

    /// Whether rows are counted instead of machines.
    #[must_use]
    pub fn counts_rows(&self) -> bool {
        matches!(self.values, Values::Messages { .. })
    }

    /// The key of a bar in URLs; [`GroupBy::filter`] reads it. For pairs, both values joined by `&`.
    #[must_use]
    pub fn key(&self, value: &str, then: Option<&str>) -> String {
        let (before, after) = &self.key;
        match then.filter(|_| self.has_pairs()) {
            Some(then) => format!("{before}{value}&{then}{after}"),
            None => format!("{before}{value}{after}"),
        }
    }

    pub(crate) fn filter(&self, data: &str) -> Option<Filter> {
        let (before, after) = &self.key;
        let data = data.strip_prefix(before.as_str())?;
        let data = data.strip_suffix(after.as_str())?;
        let (value, then) = if self.has_pairs() {
            let (value, then) = data.split_once('&')?;
            (value, Some(then))
        } else {
            (data, None)
        };
        if !self.shown.is_empty() && !self.shown.iter().any(|known| known == value) {
            return None;
        }
        let machines = self.values.machines_of(value, then).ok()?;
        Some(Filter {
            condition: Condition::all(vec![self.condition.clone(), machines]),
            title: self.list_title(value, then),
        })
    }

    fn list_title(&self, value: &str, then: Option<&str>) -> String {
        let is_family =
            matches!(&self.values, Values::Field { first, .. } if first.field() == Field::OsFamily);
        let shown = if is_family {
            OsFamily::title_of(value)
        } else {
            value
        };
        // The value itself may hold a placeholder: what is behind the first one is filled first.
        match self.title.split_once("{value}") {
            Some((before, after)) => format!(
                "{before}{shown}{}",
                after.replacen("{then}", then.unwrap_or_default(), 1)
            ),
            None => self.title.clone(),
        }
    }
}
