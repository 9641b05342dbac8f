//! What is drawn of counts over time. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sal_plugins::version;
use sal_store::snapshots::SnapshotCount;

use crate::widgets::series::{Days, stacked};
use crate::wording;

/// A chart.
pub(crate) struct Chart {
    pub(crate) title: String,
    /// The last number that was counted, and how it changed; only of charts with one number.
    pub(crate) now: Option<String>,
    pub(crate) change: Option<String>,
    pub(crate) days: Days,
}

type Counts<'a> = BTreeMap<(&'a str, Date), i64>;

/// All charts of these days, the oldest first.
pub(super) fn charts(rows: &[SnapshotCount], days: &[Date]) -> Vec<Chart> {
    let counts: Counts<'_> = rows
        .iter()
        .map(|row| ((row.what.as_str(), row.day), row.count))
        .collect();
    let single = SINGLE
        .iter()
        .map(|(what, title, tone)| single(what, title, tone, &counts, days));
    let versions = VERSIONS
        .iter()
        .map(|(kind, title)| versions(kind, title, rows, &counts, days));
    let mut charts: Vec<Chart> = [seen(&counts, days)]
        .into_iter()
        .chain(single)
        .chain(versions)
        .collect();
    for chart in &mut charts {
        for (day, date) in chart.days.days.iter_mut().zip(days) {
            if !is_counted(*date, &counts) {
                day.title = format!("{date}: not counted");
                day.counts.fill("\u{2013}".to_owned());
            }
        }
    }
    charts
}

/// Whether the job counted on that day: a group without machines has no row.
fn is_counted(day: Date, counts: &Counts<'_>) -> bool {
    counts.contains_key(&("machines", day))
}

fn count(what: &str, day: Date, counts: &Counts<'_>) -> i64 {
    counts.get(&(what, day)).copied().unwrap_or(0)
}

/// Machines in use: those of the last 24 hours, and the others.
fn seen(counts: &Counts<'_>, days: &[Date]) -> Chart {
    let row = |day: &Date| {
        let (machines, seen) = (count("machines", *day, counts), count("seen", *day, counts));
        vec![seen, (machines - seen).max(0)]
    };
    let legend = vec![
        ("Seen in 24 hours".to_owned(), "ok"),
        ("Not seen".to_owned(), "step-5"),
    ];
    let (now, change) = latest("machines", counts, days);
    Chart {
        title: "Machines in use".to_owned(),
        now,
        change,
        days: stacked(legend, days.to_vec(), days.iter().map(row).collect()),
    }
}

fn single(
    what: &str,
    title: &str,
    tone: &'static str,
    counts: &Counts<'_>,
    days: &[Date],
) -> Chart {
    let table = days
        .iter()
        .map(|day| vec![count(what, *day, counts)])
        .collect();
    let (now, change) = latest(what, counts, days);
    Chart {
        title: title.to_owned(),
        now,
        change,
        days: stacked(vec![(title.to_owned(), tone)], days.to_vec(), table),
    }
}

/// The newest versions, each on its own, and all older ones together.
fn versions(
    kind: &str,
    title: &str,
    rows: &[SnapshotCount],
    counts: &Counts<'_>,
    days: &[Date],
) -> Chart {
    let prefix = format!("{kind} ");
    let known: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.what.starts_with(&prefix))
        .map(|row| row.what.as_str())
        .collect();
    // A version that few machines ever had takes no colour from one that many have.
    let most = |what: &str| {
        days.iter()
            .map(|day| count(what, *day, counts))
            .max()
            .unwrap_or(0)
    };
    let mut shown: Vec<&str> = known.iter().copied().collect();
    shown.sort_by_key(|what| Reverse(most(what)));
    shown.truncate(SHOWN);
    shown.sort_by(|left, right| version::compare(right, left));
    let row = |day: &Date| {
        let mut row: Vec<i64> = shown.iter().map(|what| count(what, *day, counts)).collect();
        let all: i64 = known.iter().map(|what| count(what, *day, counts)).sum();
        row.push(all - row.iter().sum::<i64>());
        row
    };
    let label = |what: &str| {
        what.strip_prefix(&prefix)
            .unwrap_or(what)
            .replace("Darwin ", "macOS ")
    };
    let mut legend: Vec<_> = shown
        .iter()
        .zip(STEPS)
        .map(|(what, tone)| (label(what), tone))
        .collect();
    legend.push(("Others".to_owned(), "step-5"));
    Chart {
        title: title.to_owned(),
        now: None,
        change: None,
        days: stacked(legend, days.to_vec(), days.iter().map(row).collect()),
    }
}

/// The number of the last day that was counted, and how it differs from that a week before.
fn latest(what: &str, counts: &Counts<'_>, days: &[Date]) -> (Option<String>, Option<String>) {
    let Some(last) = days.iter().rev().find(|day| is_counted(**day, counts)) else {
        return (None, None);
    };
    let now = count(what, *last, counts);
    let week = last.saturating_sub(jiff::ToSpan::days(7));
    let change = is_counted(week, counts).then(|| match now - count(what, week, counts) {
        0 => "Same as a week before".to_owned(),
        more @ 1.. => format!("+{} in a week", wording::count(more)),
        less => format!("\u{2212}{} in a week", wording::count(-less)),
    });
    (Some(wording::count(now)), change)
}

/// Names of counts, titles, tones.
const SINGLE: [(&str, &str, &str); 6] = [
    ("missing", "Missing for 30 days", "bad"),
    ("errors", "With errors", "bad"),
    ("warnings", "With warnings", "warn"),
    ("pending", "With pending updates", "info"),
    ("full disk", "Disk nearly full", "warn"),
    ("broken", "Broken clients", "bad"),
];
const VERSIONS: [(&str, &str); 3] = [
    ("os", "OS versions"),
    ("munki", "Munki versions"),
    ("client", "Sal client versions"),
];
const STEPS: [&str; SHOWN] = ["step-0", "step-1", "step-2", "step-3", "step-4"];
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn row(day: i8, what: &str, count: i64) -> SnapshotCount {
        SnapshotCount {
            day: date(2026, 12, day),
            what: what.to_owned(),
            count,
        }
    }

    #[test]
    fn numbers_say_how_they_changed_since_a_week_before() {
        let days: Vec<Date> = (1..=9).map(|day| date(2026, 12, day)).collect();
        let rows = [
            row(1, "machines", 10),
            row(1, "errors", 4),
            row(8, "machines", 12),
            row(8, "seen", 9),
            row(8, "errors", 1),
        ];
        let charts = charts(&rows, &days);
        let said = |title: &str| {
            let chart = charts.iter().find(|chart| chart.title == title).unwrap();
            (chart.now.clone().unwrap(), chart.change.clone().unwrap())
        };
        assert_eq!(
            said("Machines in use"),
            ("12".to_owned(), "+2 in a week".to_owned())
        );
        assert_eq!(
            said("With errors"),
            ("1".to_owned(), "−3 in a week".to_owned())
        );
        assert_eq!(said("With warnings").1, "Same as a week before");
        assert_eq!(
            charts[0].days.days[7].title,
            "2026-12-08: 9 seen in 24 hours, 3 not seen"
        );
    }

    #[test]
    fn the_most_common_versions_are_shown_newest_first_and_the_rest_together() {
        let days = [date(2026, 12, 1)];
        let rows: Vec<_> = (1..=8)
            .map(|n| row(1, &format!("os Darwin 15.{n}"), n))
            .chain([row(1, "machines", 36)])
            .collect();
        let charts = charts(&rows, &days);
        let os = charts
            .iter()
            .find(|chart| chart.title == "OS versions")
            .unwrap();
        let labels: Vec<_> = os
            .days
            .legend
            .iter()
            .map(|(label, _)| label.as_str())
            .collect();
        assert_eq!(
            labels,
            [
                "macOS 15.8",
                "macOS 15.7",
                "macOS 15.6",
                "macOS 15.5",
                "macOS 15.4",
                "Others"
            ]
        );
        assert_eq!(os.days.days[0].counts, ["8", "7", "6", "5", "4", "6"]);
    }
}
