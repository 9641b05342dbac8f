//! Counts per value as sorted bars. Pure.

use std::cmp::Ordering;

use sal_plugins::{GroupBy, GroupSort, OsFamily, Plugin, version};
use sal_store::overview::GroupCount;

use super::draw::Links;
use crate::wording;

/// Bars under one heading.
pub(crate) struct Block {
    pub(crate) heading: String,
    pub(crate) total: String,
    pub(crate) bars: Vec<Bar>,
    /// What does not fit, shown on request.
    pub(crate) rest: Vec<Bar>,
    pub(crate) rest_label: String,
}

/// One bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) count: String,
    pub(crate) href: Option<String>,
    /// Width in percent of the longest bar.
    pub(crate) width: String,
}

pub(super) fn blocks(
    plugin: &Plugin,
    by: &GroupBy,
    groups: &[GroupCount],
    links: &Links,
) -> Vec<Block> {
    let panel = BarPanel { plugin, by, links };
    if !by.has_pairs() {
        return panel
            .block(String::new(), groups.to_vec())
            .into_iter()
            .collect();
    }
    let mut headings: Vec<String> = by.shown.clone();
    for group in groups {
        if !headings.contains(&group.value) {
            headings.push(group.value.clone());
        }
    }
    headings
        .into_iter()
        .filter_map(|value| {
            let own = groups.iter().filter(|group| group.value == value);
            panel.block(
                OsFamily::title_of(&value).to_owned(),
                own.cloned().collect(),
            )
        })
        .collect()
}

struct BarPanel<'a> {
    plugin: &'a Plugin,
    by: &'a GroupBy,
    links: &'a Links,
}

impl BarPanel<'_> {
    fn block(&self, heading: String, mut groups: Vec<GroupCount>) -> Option<Block> {
        match self.by.sort {
            GroupSort::CountDesc => {}
            GroupSort::VersionDesc => {
                groups.sort_by(|left, right| version::compare(self.shown(right), self.shown(left)));
            }
            GroupSort::YearDesc => groups.sort_by(|left, right| self.by_year(left, right)),
        }
        let longest = groups.iter().map(|group| group.count).max()?;
        let total: i64 = groups.iter().map(|group| group.count).sum();
        let mut bars: Vec<Bar> = groups
            .iter()
            .map(|group| self.bar(group, longest))
            .collect();
        let at_once = match self.plugin.width {
            7.. => BARS_IN_WIDE,
            _ if self.by.has_pairs() => BARS_IN_BLOCK,
            _ => BARS_AT_ONCE,
        };
        let rest = bars.split_off(bars.len().min(at_once));
        Some(Block {
            heading,
            total: wording::count(total),
            rest_label: format!("{} more", wording::count(wording::size(rest.len()))),
            bars,
            rest,
        })
    }

    fn bar(&self, group: &GroupCount, longest: i64) -> Bar {
        let key = self.by.key(&group.value, group.then.as_deref());
        Bar {
            label: match self.shown(group) {
                "" => "(none)".to_owned(),
                shown => shown.to_owned(),
            },
            count: wording::count(group.count),
            href: self.links.list(self.plugin, &key),
            width: wording::percent(group.count, longest),
        }
    }

    /// The value a bar stands for.
    fn shown<'a>(&self, group: &'a GroupCount) -> &'a str {
        let then = group.then.as_deref().filter(|_| self.by.has_pairs());
        then.unwrap_or(&group.value)
    }

    fn by_year(&self, left: &GroupCount, right: &GroupCount) -> Ordering {
        let (one, other) = (self.shown(left), self.shown(right));
        let order = year(other).cmp(&year(one));
        order.then_with(|| one.cmp(other))
    }
}

/// The first four digits in a row: `MacBook Pro (14-inch, Nov 2024)` is of 2024.
fn year(text: &str) -> Option<u16> {
    let digits = |c: char| c.is_ascii_digit();
    text.split(|c: char| !digits(c))
        .find(|run| run.len() == 4)
        .and_then(|run| run.parse().ok())
}

const BARS_AT_ONCE: usize = 8;
/// Where there are several blocks: the other families must not be pushed out of sight.
const BARS_IN_BLOCK: usize = 5;
const BARS_IN_WIDE: usize = 15;

#[cfg(test)]
mod tests {
    use sal_plugins::{Panel, Registry};

    use super::*;

    fn drawn(name: &str, groups: &[GroupCount]) -> Vec<Block> {
        let registry = Registry::builtin();
        let plugin = registry.get(name).unwrap();
        let Panel::Groups(by) = &plugin.panels[0] else {
            panic!()
        };
        let links = Links {
            part: "&unit=7".to_owned(),
            shown: true,
        };
        blocks(plugin, by, groups, &links)
    }

    fn group(value: &str, then: &str, count: i64) -> GroupCount {
        GroupCount {
            value: value.to_owned(),
            then: Some(then.to_owned()),
            count,
        }
    }

    #[test]
    fn bars_are_blocks_per_family_newest_version_first() {
        let mut groups: Vec<_> = (0..12)
            .map(|n| group("Darwin", &format!("14.{n}"), 10 - n / 2))
            .collect();
        groups.push(group("Windows", "11 & later", 5));
        let blocks = drawn("OperatingSystem", &groups);
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].heading.as_str(), blocks[0].bars[0].label.as_str()),
            ("macOS", "14.11")
        );
        assert_eq!((blocks[0].bars.len(), blocks[0].rest.len()), (5, 7));
        assert_eq!(blocks[0].rest_label, "7 more");
        assert_eq!(blocks[0].rest[6].width, "100.0");
        assert_eq!(
            blocks[1].bars[0].href.as_deref(),
            Some("/machines/?widget=OperatingSystem&data=Windows%2611%20%26%20later&unit=7")
        );
    }

    #[test]
    fn models_are_sorted_by_the_year_they_were_sold_in() {
        let names = ["iMac", "MacBook Air (M1, 2020)", "Mac mini (2024)", "eMac"];
        let groups: Vec<_> = names.iter().map(|name| group(name, "", 1)).collect();
        let blocks = drawn("MachineModelsBar", &groups);
        let labels: Vec<_> = blocks[0]
            .bars
            .iter()
            .map(|bar| bar.label.as_str())
            .collect();
        assert_eq!(
            labels,
            ["Mac mini (2024)", "MacBook Air (M1, 2020)", "eMac", "iMac"]
        );
    }
}
