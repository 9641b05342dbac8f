//! How old everything is that a machine sends.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sal_store::device::DeviceFreshness;

use super::ATTENTION_AFTER;
use crate::wording::Moment;

/// Something that comes from the machine again and again.
pub(crate) struct Fresh {
    pub(crate) label: String,
    pub(crate) moment: Option<Moment>,
    /// Whether it should have come since.
    pub(crate) is_late: bool,
}

/// The check-in first, then inventory, profiles, sources and scripts.
///
/// Late is what lags three days behind the last check-in. Inventories and profiles are never late: clients send them
/// only when they changed.
pub(super) fn freshness(
    seen: &[DeviceFreshness],
    last_checkin: Option<Timestamp>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Fresh> {
    let fresh = |label: &str, at: Option<Timestamp>, is_late| Fresh {
        label: label.to_owned(),
        moment: at.map(|at| Moment::new(at, now, zone)),
        is_late,
    };
    let at_of = |kind: &str| {
        let found = seen.iter().find(|line| line.kind == kind);
        found.and_then(|line| line.at)
    };
    let lags = |at: Option<Timestamp>| match (at, last_checkin) {
        (Some(at), Some(last)) => last.duration_since(at) > LATE_AFTER,
        _ => false,
    };
    let is_missing = last_checkin.is_some_and(|last| now.duration_since(last) > ATTENTION_AFTER);
    let mut lines = vec![
        fresh("Check-in", last_checkin, is_missing),
        fresh("Inventory", at_of("inventory"), false),
        fresh("Newest profile", at_of("profiles"), false),
    ];
    let others = seen.iter().filter(|line| match line.kind.as_str() {
        // These two come with every check-in: they are the check-in.
        "source" => !["Machine", "Sal"].contains(&line.name.as_str()),
        kind => kind == "script",
    });
    lines.extend(others.map(|line| {
        // The dates of Apple's updates are those of their installations.
        let is_late = line.name != "Apple Software Update" && lags(line.at);
        fresh(&line.name, line.at, is_late)
    }));
    lines
}

const LATE_AFTER: SignedDuration = SignedDuration::from_hours(3 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, name: &str, days: i64) -> DeviceFreshness {
        DeviceFreshness {
            kind: kind.to_owned(),
            name: name.to_owned(),
            at: Some(now() - SignedDuration::from_hours(24 * days)),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn shown(seen: &[DeviceFreshness], last_days: Option<i64>) -> Vec<(String, bool, bool)> {
        let last = last_days.map(|days| now() - SignedDuration::from_hours(24 * days));
        freshness(seen, last, now(), &TimeZone::UTC)
            .into_iter()
            .map(|line| (line.label, line.moment.is_some(), line.is_late))
            .collect()
    }

    #[test]
    fn what_lags_behind_the_check_in_is_late_and_old_inventories_are_not() {
        let seen = [
            line("inventory", "", 40),
            line("profiles", "", 400),
            line("source", "Apple Software Update", 60),
            line("source", "Machine", 0),
            line("source", "Munki", 4),
            line("script", "Uptime", 2),
        ];
        let line = |label: &str, late| (label.to_owned(), true, late);
        assert_eq!(
            shown(&seen, Some(0)),
            [
                line("Check-in", false),
                line("Inventory", false),
                line("Newest profile", false),
                line("Apple Software Update", false),
                line("Munki", true),
                line("Uptime", false)
            ]
        );
    }

    #[test]
    fn a_machine_that_is_away_is_late_as_a_whole() {
        let seen = [line("source", "Munki", 10)];
        let late: Vec<bool> = shown(&seen, Some(9))
            .into_iter()
            .map(|line| line.2)
            .collect();
        assert_eq!(late, [true, false, false, false]);
        assert_eq!(shown(&[], None)[0], ("Check-in".to_owned(), false, false));
    }
}
