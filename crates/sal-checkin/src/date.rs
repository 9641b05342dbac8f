//! Dates as clients send them: Python's `dateutil` takes nearly anything for managed items, Django takes ISO 8601
//! for messages. What cannot be read becomes the time of the check-in.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;

/// A managed item's date. Without a zone it is UTC. `None` when it cannot be read.
pub(crate) fn of_item(text: &str) -> Option<Timestamp> {
    in_any_form(text, &TimeZone::UTC)
}

/// A date in any of the forms of a managed item's. Without a zone it is in `zone`. `None` when it cannot be read.
pub(crate) fn in_any_form(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let read = iso(text, zone)
        .or_else(|| {
            rfc2822::DateTimeParser::new()
                .relaxed_weekday(true)
                .parse_zoned(text)
                .ok()
                .map(|zoned| zoned.timestamp())
        })
        .or_else(|| {
            WITH_ZONE
                .iter()
                .find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok())
        })
        .or_else(|| {
            WITHOUT_ZONE.iter().find_map(|format| {
                let says_utc = format.ends_with(['Z', 'T', 'C']);
                let zone = if says_utc { &TimeZone::UTC } else { zone };
                in_zone(strtime::parse(format, text).ok()?.to_datetime().ok()?, zone)
            })
        })
        .or_else(|| {
            DAYS.iter().find_map(|format| {
                in_zone(
                    strtime::parse(format, text)
                        .ok()?
                        .to_date()
                        .ok()?
                        .to_datetime(jiff::civil::Time::midnight()),
                    zone,
                )
            })
        });
    read.filter(can_be_stored)
}

/// A message's date. Without a zone it is the server's (`DOCKER_SAL_TZ`). `None` when it cannot be read.
pub(crate) fn of_message(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    iso(text.trim(), zone).filter(can_be_stored)
}

/// Postgres refuses years before 4713 BC, and with them the whole check-in; Python, which may read the same table,
/// knows none before 1, in any zone. jiff ends where Python does.
fn can_be_stored(at: &Timestamp) -> bool {
    *at >= FIRST
}

/// ISO 8601, with `T` or a blank, with or without a zone, or a day alone.
fn iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // `2019-02-08 10:49:56 +0000`, as macOS prints dates.
    if let Some((naive, offset)) = text
        .rsplit_once(' ')
        .filter(|(_, offset)| offset.starts_with(['+', '-']))
    {
        if let Ok(at) = format!("{naive}{offset}").parse::<Timestamp>() {
            return Some(at);
        }
        return strtime::parse("%Y-%m-%d %H:%M:%S %z", text)
            .ok()?
            .to_timestamp()
            .ok();
    }
    // jiff would read and drop an offset here; a text with one was taken or refused above.
    if let Ok(naive) = text
        .parse::<DateTime>()
        .or_else(|_no_time| text.parse::<Date>().map(DateTime::from))
    {
        return in_zone(naive, zone);
    }
    None
}

fn in_zone(naive: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(naive).ok()
}

/// 0001-01-02T00:00:00Z: one day late, so that it is in the year 1 west of Greenwich too.
const FIRST: Timestamp = Timestamp::constant(-62_135_510_400, 0);
const WITH_ZONE: &[&str] = &[
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y%m%dT%H%M%S%z",
];
const WITHOUT_ZONE: &[&str] = &[
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d %b %Y %H:%M:%S UTC",
    "%d %b %Y %H:%M:%S",
    "%b %d %Y %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%d%H%M%S",
];
const DAYS: &[&str] = &[
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_dates_are_read_in_every_form_that_clients_send() {
        let eight = "2025-03-01T08:00:00Z";
        let cases = [
            ("2025-03-01T08:00:00Z", eight),
            ("2025-03-01T10:00:00+02:00", eight),
            ("2025-03-01 08:00:00", eight),
            ("2025-03-01T08:00:00", eight),
            ("2025-03-01 08:00:00+00:00", eight),
            ("2025-03-01 08:00:00 +0000", eight),
            ("2025-03-01 10:00:00 +0200", eight),
            ("Sat, 01 Mar 2025 08:00:00 GMT", eight),
            ("Sat, 01 Mar 2025 10:00:00 +0200", eight),
            ("Sat Mar  1 08:00:00 2025", eight),
            ("03/01/2025 08:00:00", eight),
            ("2025-03-01", "2025-03-01T00:00:00Z"),
            ("2025-03-01T08:00:00.123456Z", "2025-03-01T08:00:00.123456Z"),
            ("2019-02-08 10:49:56 +0000", "2019-02-08T10:49:56Z"),
        ];
        for (sent, read) in cases {
            assert_eq!(
                of_item(sent).map(|at| at.to_string()),
                Some(read.to_owned()),
                "{sent}"
            );
        }
    }

    #[test]
    fn dates_without_a_zone_are_in_the_zone_asked_for() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let cases = [
            ("2025-03-01 09:00:00", "2025-03-01T08:00:00Z"),
            ("03/01/2025 09:00:00", "2025-03-01T08:00:00Z"),
            ("1 Mar 2025", "2025-02-28T23:00:00Z"),
            ("2025-03-01 08:00:00 +0000", "2025-03-01T08:00:00Z"),
            ("2025-03-01 08:00:00 UTC", "2025-03-01T08:00:00Z"),
        ];
        for (sent, read) in cases {
            let at = in_any_form(sent, &berlin).map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some(read), "{sent}");
        }
    }

    #[test]
    fn nonsense_is_no_date() {
        for sent in [
            "",
            "soon",
            "not a date",
            "1740816000",
            "2025-13-01",
            "2025-02-30 10:00:00",
        ] {
            assert_eq!(of_item(sent), None, "{sent}");
        }
    }

    #[test]
    fn a_date_that_postgres_or_python_cannot_hold_is_no_date() {
        for sent in [
            "-009999-01-02T03:04:05Z",
            "-000001-06-01",
            "0000-06-01 00:00:00",
            "0001-01-01T00:00:00+14:00",
            "0001-01-01 23:59:59",
        ] {
            assert_eq!(of_item(sent), None, "{sent}");
            assert_eq!(of_message(sent, &TimeZone::UTC), None, "{sent}");
        }
        assert_eq!(of_item("Mon, 01 Jan 0000 00:00:00 GMT"), None);
        assert_eq!(of_item("0001-01-02T00:00:00Z"), Some(FIRST));
        assert!(of_item("9999-12-30T22:00:00Z").is_some());
    }

    #[test]
    fn message_dates_without_a_zone_are_in_the_server_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(
            of_message("2025-03-01 09:00:00", &berlin)
                .unwrap()
                .to_string(),
            "2025-03-01T08:00:00Z"
        );
        assert_eq!(
            of_message("2025-03-01T08:00:00Z", &berlin)
                .unwrap()
                .to_string(),
            "2025-03-01T08:00:00Z"
        );
        assert_eq!(of_message("Sat, 01 Mar 2025 08:00:00 GMT", &berlin), None);
    }
}
