//! Plugins and their numbers become drawings: tiles, lines with badges, bars of segments, sorted bars. Pure.
//!
//! Every number is a link to the list of machines it counts, for those who may see machines. Bars are SVG with widths
//! in percent, because the security policy allows no inline styles.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    App,
    access::{Level, Viewer},
};
use sal_plugins::{Bucket, BucketDrawing, Buckets, Panel, Plugin, Settings, Style, panel::Rows};
use sal_store::reports::RowCount;

use super::{
    bars::{self, Block},
    counts::Counted,
    items::{self, ItemTable},
    series::{self, Days},
};
use crate::{fleet_part::FleetPart, wording};

/// A widget ready to be shown.
pub(crate) struct Widget {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Columns of 12.
    pub(crate) width: u8,
    pub(crate) panels: Vec<Drawing>,
}

impl Widget {
    /// A plugin that is for none of the systems of these machines.
    pub(crate) fn without_machines(plugin: &Plugin) -> Self {
        Self {
            name: plugin.name.clone(),
            title: plugin.title.clone(),
            description: plugin.description.clone(),
            width: plugin.width,
            panels: Vec::new(),
        }
    }
}

/// A panel ready to be shown.
pub(crate) struct Drawing {
    /// Empty for none.
    pub(crate) heading: String,
    pub(crate) kind: DrawingKind,
}

/// How a panel looks.
pub(crate) enum DrawingKind {
    Tiles(Vec<Segment>),
    Lines(Vec<Segment>),
    Lights {
        slices: Vec<Slice>,
        lines: Vec<Segment>,
    },
    Blocks(Vec<Block>),
    Days(Days),
    Items(ItemTable),
}

/// A tile or a line.
pub(crate) struct Segment {
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) count: String,
    /// The list it counts; absent for those who may see no machines.
    pub(crate) href: Option<String>,
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

/// Where the numbers of a page lead.
pub(crate) struct Links {
    /// What the addresses of lists say of the part of the fleet: `&unit=1`, `&group=1`, or nothing.
    pub(crate) part: String,
    /// Whether the viewer may see machines.
    pub(crate) shown: bool,
}

impl Links {
    pub(super) fn of(part: &FleetPart, viewer: &Viewer) -> Self {
        let parameter = part.parameter();
        Self {
            part: parameter.map_or_else(String::new, |(name, id)| format!("&{name}={id}")),
            shown: viewer.level >= Level::ReadOnly,
        }
    }

    /// The list behind a segment of a plugin.
    pub(super) fn list(&self, plugin: &Plugin, data: &str) -> Option<String> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        self.shown.then(|| {
            format!(
                "/machines/?widget={}&data={}{}",
                encode(&plugin.name),
                encode(data),
                self.part
            )
        })
    }
}

/// Draws a plugin.
pub(super) fn widget(
    plugin: &Plugin,
    counted: &[Counted],
    settings: &Settings,
    links: &Links,
    search: &str,
    app: &App,
) -> Widget {
    let panels = plugin.panels.iter().zip(counted);
    Widget {
        name: plugin.name.clone(),
        title: plugin.title.clone(),
        description: plugin.description.clone(),
        width: plugin.width,
        panels: panels
            .filter(|(panel, _)| is_shown(panel, settings))
            .filter_map(|(panel, counted)| draw(plugin, panel, counted, links, search, app))
            .collect(),
    }
}

fn is_shown(panel: &Panel, settings: &Settings) -> bool {
    match panel {
        Panel::Buckets(Buckets {
            shown_if: Some(setting),
            ..
        }) => settings.flag(setting, false),
        _ => true,
    }
}

fn draw(
    plugin: &Plugin,
    panel: &Panel,
    counted: &Counted,
    links: &Links,
    search: &str,
    app: &App,
) -> Option<Drawing> {
    let (heading, kind) = match (panel, counted) {
        (Panel::Buckets(panel), Counted::Buckets(counts)) => {
            (panel.heading.clone(), buckets(plugin, panel, counts, links))
        }
        (Panel::Groups(by), Counted::Groups(groups)) => (
            by.heading.clone(),
            DrawingKind::Blocks(bars::blocks(plugin, by, groups, links)),
        ),
        (Panel::Series(series), Counted::Series(days)) => {
            let today = app.now().to_zoned(app.config.time_zone.clone()).date();
            (
                String::new(),
                DrawingKind::Days(series::days(series, days, today)),
            )
        }
        (Panel::Items(items), Counted::Items(counts)) => (
            String::new(),
            DrawingKind::Items(items::table(plugin, items, counts, links, search)),
        ),
        (Panel::Rows(_), Counted::Rows(rows)) => (
            "What its scripts reported".to_owned(),
            DrawingKind::Lines(row_lines(plugin, rows, links)),
        ),
        _ => return None,
    };
    Some(Drawing { heading, kind })
}

fn buckets(plugin: &Plugin, panel: &Buckets, counts: &[i64], links: &Links) -> DrawingKind {
    let counted: Vec<(&Bucket, i64)> = panel.buckets.iter().zip(counts.iter().copied()).collect();
    let segments = counted
        .iter()
        .filter(|(bucket, count)| *count > 0 || !bucket.hide_when_zero)
        .map(|(bucket, count)| segment(plugin, bucket, *count, links))
        .collect();
    match panel.drawing {
        BucketDrawing::Tiles => DrawingKind::Tiles(segments),
        BucketDrawing::Table => DrawingKind::Lines(segments),
        BucketDrawing::Lights => DrawingKind::Lights {
            slices: slices(&counted),
            lines: segments,
        },
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

pub(super) fn tone(style: Style) -> &'static str {
    match style {
        Style::Success => "ok",
        Style::Warning => "warn",
        Style::Danger => "bad",
        Style::Primary => "info",
        Style::Neutral => "plain",
    }
}

fn segment(plugin: &Plugin, bucket: &Bucket, count: i64, links: &Links) -> Segment {
    let tone = match bucket.style {
        // Nothing to be alarmed about.
        Style::Warning | Style::Danger if count == 0 => "plain",
        style => tone(style),
    };
    Segment {
        label: bucket.label.clone(),
        title: bucket.title.clone(),
        count: wording::count(count),
        href: links.list(plugin, &bucket.data),
        tone,
    }
}

fn row_lines(plugin: &Plugin, rows: &[RowCount], links: &Links) -> Vec<Segment> {
    rows.iter()
        .map(|row| Segment {
            label: format!("{}: {}", row.name, row.value),
            title: format!("Machines with {} {}", row.name, row.value),
            count: wording::count(row.count),
            href: links.list(plugin, &Rows::key(&row.name, &row.value)),
            tone: "plain",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sal_plugins::Registry;

    use super::*;

    fn links() -> Links {
        Links {
            part: "&unit=7".to_owned(),
            shown: true,
        }
    }

    fn drawn(name: &str, counts: &[i64]) -> DrawingKind {
        let registry = Registry::builtin();
        let plugin = registry.get(name).unwrap();
        let Panel::Buckets(panel) = &plugin.panels[0] else {
            panic!()
        };
        buckets(plugin, panel, counts, &links())
    }

    #[test]
    fn a_tile_links_to_the_list_it_counts() {
        let DrawingKind::Tiles(tiles) = drawn("Activity", &[1_458, 0, 0, 3]) else {
            panic!()
        };
        assert_eq!(tiles[0].count, "1,458");
        let href = tiles[0].href.as_deref();
        assert_eq!(href, Some("/machines/?widget=Activity&data=hour&unit=7"));
        assert_eq!(
            tiles.iter().map(|tile| tile.tone).collect::<Vec<_>>(),
            ["ok", "info", "plain", "bad"]
        );
    }

    #[test]
    fn q050_who_sees_only_numbers_gets_no_links() {
        let registry = Registry::builtin();
        let links = Links {
            part: String::new(),
            shown: false,
        };
        assert_eq!(links.list(registry.get("Activity").unwrap(), "hour"), None);
    }

    #[test]
    fn broken_clients_are_a_line_only_when_there_are_some() {
        let DrawingKind::Lines(lines) = drawn("Status", &[0; 9]) else {
            panic!()
        };
        assert_eq!(lines.len(), 8);
        let DrawingKind::Lines(lines) = drawn("Status", &[1; 9]) else {
            panic!()
        };
        assert_eq!(
            (lines.len(), lines[0].label.as_str()),
            (9, "Broken clients")
        );
    }

    #[test]
    fn lights_are_one_bar_of_the_counted_machines() {
        let DrawingKind::Lights { slices, lines } = drawn("Memory", &[3, 0, 1]) else {
            panic!()
        };
        let shown: Vec<_> = slices
            .iter()
            .map(|slice| (slice.start.as_str(), slice.width.as_str(), slice.tone))
            .collect();
        assert_eq!(shown, [("0.0", "75.0", "ok"), ("75.0", "25.0", "bad")]);
        assert_eq!(lines.len(), 3);
    }
}
