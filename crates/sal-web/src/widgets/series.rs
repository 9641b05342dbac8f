//! What happened each day, as stacked bars with a table of the same numbers. Pure.

use jiff::{ToSpan, civil::Date};
use sal_plugins::panel::Series;
use sal_store::reports::DayCount;

use super::draw::tone;
use crate::wording;

/// Days, the oldest first.
pub(crate) struct Days {
    pub(crate) days: Vec<Day>,
    /// What the parts of a bar are.
    pub(crate) legend: Vec<(String, &'static str)>,
    /// Whether anything happened at all.
    pub(crate) is_empty: bool,
}

/// A day.
pub(crate) struct Day {
    /// `2026-11-22`
    pub(crate) date: String,
    /// `22`
    pub(crate) short: String,
    /// Where its bar begins and how wide it is, in percent.
    pub(crate) x: String,
    pub(crate) width: String,
    pub(crate) parts: Vec<Part>,
    /// The numbers, in the order of the legend.
    pub(crate) counts: Vec<String>,
    /// All of them in words.
    pub(crate) title: String,
}

/// A part of a bar, in percent of the highest bar.
pub(crate) struct Part {
    pub(crate) y: String,
    pub(crate) height: String,
    pub(crate) tone: &'static str,
}

pub(super) fn days(series: &Series, counts: &[DayCount], today: Date) -> Days {
    let number = i64::from(series.days);
    let dates: Vec<Date> = (0..number)
        .rev()
        .map(|back| today.saturating_sub(back.days()))
        .collect();
    let count = |date: Date, status: &str| -> i64 {
        counts
            .iter()
            .filter(|count| count.day == date && count.status == status)
            .map(|count| count.count)
            .sum()
    };
    let table: Vec<Vec<i64>> = dates
        .iter()
        .map(|date| {
            series
                .lines
                .iter()
                .map(|line| count(*date, &line.status))
                .collect()
        })
        .collect();
    let legend = series
        .lines
        .iter()
        .map(|line| (line.label.clone(), tone(line.style)))
        .collect();
    stacked(legend, dates, table)
}

/// Days as bars: for each the numbers of the legend's parts, from below.
pub(crate) fn stacked(
    legend: Vec<(String, &'static str)>,
    dates: Vec<Date>,
    table: Vec<Vec<i64>>,
) -> Days {
    let highest: i64 = table.iter().map(|row| row.iter().sum()).max().unwrap_or(0);
    let number = wording::size(dates.len());
    let days = dates
        .into_iter()
        .zip(table)
        .enumerate()
        .map(|(place, (date, row))| day(&legend, (place, number), date, &row, highest))
        .collect();
    Days {
        days,
        legend,
        is_empty: highest == 0,
    }
}

fn day(
    legend: &[(String, &'static str)],
    (place, number): (usize, i64),
    date: Date,
    row: &[i64],
    highest: i64,
) -> Day {
    let mut below = 0;
    let mut parts = Vec::new();
    let counted = legend.iter().zip(row);
    for ((_, tone), count) in counted.clone().filter(|(_, count)| **count > 0) {
        below += count;
        parts.push(Part {
            y: wording::percent(highest - below, highest),
            height: wording::percent(*count, highest),
            tone,
        });
    }
    let words: Vec<String> = counted
        .map(|((label, _), count)| format!("{} {}", wording::count(*count), label.to_lowercase()))
        .collect();
    Day {
        date: date.to_string(),
        short: date.day().to_string(),
        x: wording::percent(wording::size(place) * 10 + 1, number * 10),
        width: wording::percent(8, number * 10),
        parts,
        counts: row.iter().map(|count| wording::count(*count)).collect(),
        title: format!("{date}: {}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use sal_plugins::{Panel, Registry};

    use super::*;

    #[test]
    fn the_highest_day_fills_the_drawing_and_days_without_anything_are_there() {
        let registry = Registry::builtin();
        let Panel::Series(series) = &registry.get("MunkiInstalls").unwrap().panels[0] else {
            panic!()
        };
        let today: Date = "2026-11-22".parse().unwrap();
        let count = |day: &str, status: &str, count| DayCount {
            day: day.parse().unwrap(),
            status: status.to_owned(),
            count,
        };
        let counts = [
            count("2026-11-22", "PRESENT", 3),
            count("2026-11-22", "ERROR", 1),
            count("2026-11-20", "PENDING", 2),
        ];
        let drawn = days(series, &counts, today);
        assert_eq!(drawn.days.len(), 15);
        assert_eq!(drawn.days[0].date, "2026-11-08");
        let last = &drawn.days[14];
        assert_eq!(last.title, "2026-11-22: 3 installs, 0 pending, 1 errors");
        let parts: Vec<_> = last
            .parts
            .iter()
            .map(|part| (part.y.as_str(), part.height.as_str(), part.tone))
            .collect();
        assert_eq!(parts, [("25.0", "75.0", "ok"), ("0.0", "25.0", "bad")]);
        assert!(days(series, &[], today).is_empty);
    }
}
