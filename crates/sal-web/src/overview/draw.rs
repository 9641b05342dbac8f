//! Plugins and their counts become drawings: tiles, lines with badges, sorted bars. Pure.
//!
//! Every number is a link to the list of machines it counts. Bars are SVG with widths in percent, because the
//! security policy allows no inline styles.

use std::cmp::Ordering;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_plugins::{
    Bucket, BucketDrawing, GroupBy, GroupSort, OsFamily, Panel, Plugin, Style, version,
};
use sal_store::overview::GroupCount;

use super::counts::Counts;
use crate::wording;

/// A widget ready to be shown.
pub(crate) struct Widget {
    pub(crate) title: String,
    pub(crate) description: String,
    /// Columns of 12.
    pub(crate) width: u8,
    pub(crate) panels: Vec<Drawing>,
}

/// A panel ready to be shown.
pub(crate) enum Drawing {
    Tiles(Vec<Segment>),
    Lines(Vec<Segment>),
    Lights {
        slices: Vec<Slice>,
        lines: Vec<Segment>,
    },
    Blocks(Vec<Block>),
}

/// A tile or a line.
pub(crate) struct Segment {
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) count: String,
    pub(crate) href: String,
    /// `ok`, `warn`, `bad`, `info` or `plain`.
    pub(crate) tone: &'static str,
}

/// A part of a bar that is all counted machines.
pub(crate) struct Slice {
    /// Where it begins, in percent.
    pub(crate) start: String,
    /// How wide it is, in percent.
    pub(crate) width: String,
    pub(crate) tone: &'static str,
}

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
    pub(crate) href: String,
    /// Width in percent of the longest bar.
    pub(crate) width: String,
}

/// Draws the plugins that have panels. `counts` must come from the same plugins.
pub(super) fn widgets(plugins: &[&Plugin], mut counts: Counts) -> Vec<Widget> {
    plugins
        .iter()
        .filter(|plugin| !plugin.panels.is_empty())
        .map(|plugin| Widget {
            title: plugin.title.clone(),
            description: plugin.description.clone(),
            width: plugin.width,
            panels: plugin
                .panels
                .iter()
                .map(|panel| draw(plugin, panel, &mut counts))
                .collect(),
        })
        .collect()
}

fn draw(plugin: &Plugin, panel: &Panel, counts: &mut Counts) -> Drawing {
    match panel {
        Panel::Buckets { drawing, buckets } => {
            let counted: Vec<(&Bucket, i64)> = buckets
                .iter()
                .map(|bucket| (bucket, counts.buckets.next().unwrap_or(0)))
                .collect();
            let segments = counted
                .iter()
                .filter(|(bucket, count)| *count > 0 || !bucket.hide_when_zero)
                .map(|(bucket, count)| segment(plugin, bucket, *count, &counts.list_parameter))
                .collect();
            match drawing {
                BucketDrawing::Tiles => Drawing::Tiles(segments),
                BucketDrawing::Table => Drawing::Lines(segments),
                BucketDrawing::Lights => Drawing::Lights {
                    slices: slices(&counted),
                    lines: segments,
                },
            }
        }
        Panel::Groups(by) => {
            let groups = counts.groups.next().unwrap_or_default();
            let links = Links {
                plugin,
                by,
                part: &counts.list_parameter,
            };
            Drawing::Blocks(blocks(&links, groups))
        }
    }
}

/// The buckets as parts of one bar, in their order; none when nothing is counted.
fn slices(counted: &[(&Bucket, i64)]) -> Vec<Slice> {
    let total: i64 = counted.iter().map(|(_, count)| count).sum();
    let mut before = 0;
    let mut slices = Vec::new();
    for (bucket, count) in counted.iter().filter(|(_, count)| *count > 0) {
        slices.push(Slice {
            start: wording::percent(before, total),
            width: wording::percent(*count, total),
            tone: tone(bucket.style),
        });
        before += count;
    }
    slices
}

fn tone(style: Style) -> &'static str {
    match style {
        Style::Success => "ok",
        Style::Warning => "warn",
        Style::Danger => "bad",
        Style::Primary => "info",
        Style::Neutral => "plain",
    }
}

fn segment(plugin: &Plugin, bucket: &Bucket, count: i64, part: &str) -> Segment {
    let tone = match bucket.style {
        // Nothing to be alarmed about.
        Style::Warning | Style::Danger if count == 0 => "plain",
        style => tone(style),
    };
    Segment {
        label: bucket.label.clone(),
        title: bucket.title.clone(),
        count: wording::count(count),
        href: list_href(&plugin.name, &bucket.data, part),
        tone,
    }
}

/// Where the bars of a panel lead.
struct Links<'a> {
    plugin: &'a Plugin,
    by: &'a GroupBy,
    part: &'a str,
}

fn blocks(links: &Links<'_>, groups: Vec<GroupCount>) -> Vec<Block> {
    if links.by.then_by.is_none() {
        return block(links, String::new(), groups).into_iter().collect();
    }
    let mut headings: Vec<String> = links.by.values.clone();
    for group in &groups {
        if !headings.contains(&group.value) {
            headings.push(group.value.clone());
        }
    }
    headings
        .into_iter()
        .filter_map(|value| {
            let own = groups
                .iter()
                .filter(|group| group.value == value)
                .cloned()
                .collect();
            block(links, OsFamily::title_of(&value).to_owned(), own)
        })
        .collect()
}

fn block(links: &Links<'_>, heading: String, mut groups: Vec<GroupCount>) -> Option<Block> {
    if links.by.sort == GroupSort::VersionDesc {
        groups.sort_by(newest_first);
    }
    let longest = groups.iter().map(|group| group.count).max()?;
    let total: i64 = groups.iter().map(|group| group.count).sum();
    let mut bars: Vec<Bar> = groups
        .iter()
        .map(|group| bar(links, group, longest))
        .collect();
    let rest = bars.split_off(bars.len().min(BARS_AT_ONCE));
    Some(Block {
        heading,
        total: wording::count(total),
        rest_label: wording::count_of(
            i64::try_from(rest.len()).unwrap_or(i64::MAX),
            "more",
            "more",
        ),
        bars,
        rest,
    })
}

fn newest_first(left: &GroupCount, right: &GroupCount) -> Ordering {
    version::compare(shown(right), shown(left))
}

fn bar(links: &Links<'_>, group: &GroupCount, longest: i64) -> Bar {
    let key = links.by.key(&group.value, group.then.as_deref());
    Bar {
        label: shown(group).to_owned(),
        count: wording::count(group.count),
        href: list_href(&links.plugin.name, &key, links.part),
        width: wording::percent(group.count, longest),
    }
}

/// The value a bar stands for.
fn shown(group: &GroupCount) -> &str {
    group.then.as_deref().unwrap_or(&group.value)
}

/// `part` restricts the list to a unit or group: `&unit=1`, or nothing.
fn list_href(plugin: &str, data: &str, part: &str) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!(
        "/machines/?widget={}&data={}{part}",
        encode(plugin),
        encode(data)
    )
}

const BARS_AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use sal_plugins::Registry;

    use super::*;

    fn drawn(name: &str, buckets: Vec<i64>, groups: Vec<GroupCount>) -> Vec<Drawing> {
        let registry = Registry::builtin();
        let counts = Counts {
            machines: 1,
            list_parameter: "&unit=7".to_owned(),
            buckets: buckets.into_iter(),
            groups: vec![groups].into_iter(),
        };
        let mut widgets = widgets(&[registry.get(name).unwrap()], counts);
        widgets.remove(0).panels
    }

    fn group(value: &str, then: &str, count: i64) -> GroupCount {
        GroupCount {
            value: value.to_owned(),
            then: Some(then.to_owned()),
            count,
        }
    }

    #[test]
    fn a_tile_links_to_the_list_it_counts() {
        let Drawing::Tiles(tiles) = &drawn("Activity", vec![1_458, 0, 0, 3], vec![])[0] else {
            panic!()
        };
        assert_eq!(tiles[0].count, "1,458");
        assert_eq!(tiles[0].href, "/machines/?widget=Activity&data=hour&unit=7");
        assert_eq!(
            tiles.iter().map(|tile| tile.tone).collect::<Vec<_>>(),
            ["ok", "info", "plain", "bad"]
        );
    }

    #[test]
    fn broken_clients_are_a_line_only_when_there_are_some() {
        let Drawing::Lines(lines) = &drawn("Status", vec![0; 9], vec![])[0] else {
            panic!()
        };
        assert_eq!(lines.len(), 8);
        let Drawing::Lines(lines) = &drawn("Status", vec![1; 9], vec![])[0] else {
            panic!()
        };
        assert_eq!(
            (lines.len(), lines[0].label.as_str()),
            (9, "Broken clients")
        );
    }

    #[test]
    fn lights_are_one_bar_of_the_counted_machines() {
        let drawn = drawn("Memory", vec![3, 0, 1], vec![]);
        let Drawing::Lights { slices, lines } = &drawn[0] else {
            panic!()
        };
        let shown: Vec<_> = slices
            .iter()
            .map(|slice| (slice.start.as_str(), slice.width.as_str(), slice.tone))
            .collect();
        assert_eq!(shown, [("0.0", "75.0", "ok"), ("75.0", "25.0", "bad")]);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn bars_are_blocks_per_family_newest_version_first() {
        let mut groups: Vec<_> = (0..12)
            .map(|n| group("Darwin", &format!("14.{n}"), 10 - n / 2))
            .collect();
        groups.push(group("Windows", "11 & later", 5));
        let Drawing::Blocks(blocks) = &drawn("OperatingSystem", vec![], groups)[0] else {
            panic!()
        };
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].heading.as_str(), blocks[0].bars[0].label.as_str()),
            ("macOS", "14.11")
        );
        assert_eq!((blocks[0].bars.len(), blocks[0].rest.len()), (8, 4));
        assert_eq!(blocks[0].rest[3].width, "100.0");
        assert_eq!(
            blocks[1].bars[0].href,
            "/machines/?widget=OperatingSystem&data=Windows%2611%20%26%20later&unit=7"
        );
    }
}
