//! The timeline: days, and what happened on each.

use jiff::{Timestamp, tz::TimeZone};
use sal_store::device::timeline::DeviceEvent;
use sal_store::machine_changes::ChangeKind;

use super::items::{FilterLink, status_words};
use crate::{
    device::params::{EVENT_KINDS, EVENTS_PER_PAGE, TabParams, timeline_href},
    machine_changes::{others_href, words},
    wording::Moment,
};

/// The timeline, a page of it.
pub(crate) struct TimelineTab {
    pub(crate) filters: Vec<FilterLink>,
    pub(crate) days: Vec<Day>,
    /// Where older events are.
    pub(crate) older: Option<String>,
    /// Where the newest are, when these are not.
    pub(crate) newest: Option<String>,
}

/// What happened on a day.
pub(crate) struct Day {
    /// `Sunday, 2026-11-22`
    pub(crate) title: String,
    pub(crate) events: Vec<EventLine>,
}

/// An event.
pub(crate) struct EventLine {
    /// `14:52`
    pub(crate) time: String,
    pub(crate) at: Moment,
    pub(crate) tag: String,
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    /// Who told it, or did it.
    pub(crate) who: String,
    /// Where other machines are of which the same happened on that day.
    pub(crate) others: Option<String>,
}

pub(super) fn timeline(
    events: Vec<DeviceEvent>,
    params: &TabParams,
    now: Timestamp,
    zone: &TimeZone,
) -> TimelineTab {
    let is_full = i64::try_from(events.len()).unwrap_or(i64::MAX) >= EVENTS_PER_PAGE;
    let last = events.last().map(|event| event.at);
    let mut days: Vec<Day> = Vec::new();
    for event in events {
        let local = event.at.to_zoned(zone.clone());
        let title = local.strftime("%A, %Y-%m-%d").to_string();
        let line = event_line(event, local.strftime("%H:%M").to_string(), now, zone);
        match days.last_mut() {
            Some(day) if day.title == title => day.events.push(line),
            _ => days.push(Day {
                title,
                events: vec![line],
            }),
        }
    }
    TimelineTab {
        filters: filters(params.kind()),
        days,
        older: last
            .filter(|_| is_full)
            .map(|at| timeline_href(params.kind(), Some(at))),
        newest: params
            .before()
            .map(|_before| timeline_href(params.kind(), None)),
    }
}

fn filters(chosen: Option<&str>) -> Vec<FilterLink> {
    let link = |label, kind: Option<&str>| FilterLink {
        label,
        count: None,
        href: timeline_href(kind, None),
        is_chosen: chosen == kind,
    };
    let mut filters = vec![link("All", None)];
    filters.extend(
        EVENT_KINDS
            .iter()
            .map(|(kind, title)| link(title, Some(kind))),
    );
    filters
}

fn event_line(event: DeviceEvent, time: String, now: Timestamp, zone: &TimeZone) -> EventLine {
    let day = event.at.to_zoned(zone.clone()).date();
    let others = event
        .change
        .and_then(ChangeKind::of_number)
        .filter(|kind| happens_together(*kind));
    let others = others.map(|kind| others_href(kind, &event.what, event.became.as_deref(), day));
    let (tag, tone, text) = match event.change.and_then(ChangeKind::of_number) {
        Some(kind) => {
            let (was, became) = (event.was.as_deref(), event.became.as_deref());
            let words = words(kind, &event.what, was, became);
            (words.tag, words.tone, words.text)
        }
        None => other(&event),
    };
    EventLine {
        time,
        at: Moment::new(event.at, now, zone),
        tag: tag.to_owned(),
        tone,
        text,
        who: event.who,
        others,
    }
}

/// Whether the same change of other machines says something of this one.
fn happens_together(kind: ChangeKind) -> bool {
    !matches!(
        kind,
        ChangeKind::Hostname | ChangeKind::User | ChangeKind::Disk | ChangeKind::Returned
    )
}

/// Tag, tone and text of what is no change of the machine itself.
fn other(event: &DeviceEvent) -> (&'static str, &'static str, String) {
    let both = || format!("{}: {}", event.what, event.detail);
    match event.kind.as_str() {
        "items" => {
            let (word, tone) = status_words(&event.detail);
            (word, tone, event.what.clone())
        }
        "facts" => ("Fact", "plain", both()),
        "checkins" => {
            let words = words(ChangeKind::Appeared, "", None, None);
            (words.tag, words.tone, words.text)
        }
        _ if event.detail.is_empty() => ("Change", "info", event.what.clone()),
        _ => ("Change", "info", both()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, at: &str, what: &str, detail: &str) -> DeviceEvent {
        DeviceEvent {
            kind: kind.to_owned(),
            at: at.parse().unwrap(),
            who: "Munki".to_owned(),
            what: what.to_owned(),
            detail: detail.to_owned(),
            change: None,
            was: None,
            became: None,
        }
    }

    fn shown(events: Vec<DeviceEvent>) -> TimelineTab {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        timeline(events, &TabParams::default(), now, &zone)
    }

    #[test]
    fn days_are_those_of_the_servers_zone() {
        let tab = shown(vec![
            event("items", "2026-11-21T23:30:00Z", "Firefox", "PRESENT"),
            event("facts", "2026-11-21T22:30:00Z", "os", "15.1"),
            event("changes", "2026-11-21T22:00:00Z", "changed", ""),
        ]);
        let days: Vec<_> = tab
            .days
            .iter()
            .map(|day| {
                let texts: Vec<_> = day
                    .events
                    .iter()
                    .map(|line| format!("{} {} {}", line.time, line.tag, line.text))
                    .collect();
                (day.title.as_str(), texts)
            })
            .collect();
        assert_eq!(days[0].0, "Sunday, 2026-11-22");
        assert_eq!(days[0].1, ["00:30 Installed Firefox"]);
        assert_eq!(days[1].0, "Saturday, 2026-11-21");
        assert_eq!(days[1].1, ["23:30 Fact os: 15.1", "23:00 Change changed"]);
        assert_eq!(tab.older, None);
    }

    #[test]
    fn a_full_page_leads_to_what_is_older() {
        let at = "2026-11-21T23:30:00Z";
        let tab = shown(vec![event("items", at, "x", "ERROR"); 100]);
        assert!(tab.older.unwrap().contains("before=2026%2D11%2D21T23"));
    }
}
