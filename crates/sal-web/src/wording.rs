//! How numbers, sizes and moments are worded. Pure; templates get the finished texts.

use jiff::{Timestamp, tz::TimeZone};

/// A moment in three wordings.
pub(crate) struct Moment {
    /// `12 min ago`
    pub(crate) relative: String,
    /// `2026-11-22 14:52 UTC`, in the server's zone.
    pub(crate) exact: String,
    /// For machines.
    pub(crate) iso: String,
}

impl Moment {
    /// Words a moment as seen from `now`.
    pub(crate) fn new(at: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            relative: relative(now.duration_since(at).as_secs()),
            exact: at
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M %Z")
                .to_string(),
            iso: at.to_string(),
        }
    }
}

/// Words an age in seconds; negative ones lie ahead.
fn relative(seconds: i64) -> String {
    let (amount, unit) = match seconds.abs() {
        0..60 => {
            return if seconds < 0 {
                "in a moment"
            } else {
                "just now"
            }
            .to_owned();
        }
        amount @ 60..3_600 => (amount / 60, "min"),
        amount @ 3_600..172_800 => (amount / 3_600, "h"),
        amount @ 172_800..5_184_000 => (amount / 86_400, "days"),
        amount @ 5_184_000..63_072_000 => (amount / 2_592_000, "months"),
        amount => (amount / 31_536_000, "years"),
    };
    if seconds < 0 {
        format!("in {amount} {unit}")
    } else {
        format!("{amount} {unit} ago")
    }
}

/// Words a count with separators: `12,345`.
pub(crate) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// Words a count of things: `1 machine`, `2 machines`.
pub(crate) fn count_of(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A number of things in memory, as numbers are counted here.
pub(crate) fn size(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Words a length of time of days and hours: `3 days 4 h`.
pub(crate) fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        (1, _) => format!("1 day {hours} h"),
        _ => format!("{days} days {hours} h"),
    }
}

/// Words how often something is done: `every 5 min`.
pub(crate) fn period(seconds: i64) -> String {
    match seconds {
        seconds if seconds % 86_400 == 0 && seconds > 0 => format!("every {} d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 && seconds > 0 => format!("every {} h", seconds / 3_600),
        seconds if seconds % 60 == 0 && seconds > 0 => format!("every {} min", seconds / 60),
        seconds => format!("every {seconds} s"),
    }
}

/// Words how long something took: `12 ms`, `3.4 s`.
pub(crate) fn milliseconds(took: i64) -> String {
    match took {
        ..1_000 => format!("{took} ms"),
        1_000..600_000 => format!("{}.{} s", took / 1_000, took % 1_000 / 100),
        _ => format!("{} min", took / 60_000),
    }
}

/// Words a size in bytes with decimal units, as macOS does: `494.4 GB`.
pub(crate) fn bytes(size: i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    for (unit, name) in UNITS {
        if size >= unit {
            let tenths = size / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{size} bytes")
}

/// Words memory, given in kibibytes, with binary units, as macOS does: `16 GB`.
pub(crate) fn memory(kibibytes: i64) -> String {
    let tenths = kibibytes.saturating_mul(10) / (1 << 20);
    match (tenths / 10, tenths % 10) {
        (0, _) => format!("{} MB", kibibytes / 1024),
        (gigabytes, 0) => format!("{gigabytes} GB"),
        (gigabytes, tenths) => format!("{gigabytes}.{tenths} GB"),
    }
}

/// `part` of `whole` in percent with one decimal, for widths in SVG: `42.5`.
pub(crate) fn percent(part: i64, whole: i64) -> String {
    let tenths = part.clamp(0, whole.max(0)).saturating_mul(1_000) / whole.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A text where there is one that says something.
pub(crate) fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty() && *text != "None")
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_worded_in_binary_units() {
        for (kibibytes, words) in [
            (16 << 20, "16 GB"),
            (1536 << 10, "1.5 GB"),
            (512 << 10, "512 MB"),
            (0, "0 MB"),
        ] {
            assert_eq!(memory(kibibytes), words);
        }
    }

    #[test]
    fn ages_are_worded_in_the_unit_people_would_choose() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (7_200, "2 h ago"),
            (172_800, "2 days ago"),
            (7_776_000, "3 months ago"),
            (100_000_000, "3 years ago"),
            (-30, "in a moment"),
            (-7_200, "in 2 h"),
        ] {
            assert_eq!(relative(seconds), text);
        }
    }

    #[test]
    fn a_moment_is_shown_in_the_zone_of_the_server() {
        let at: Timestamp = "2026-11-22T14:52:46Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let moment = Moment::new(at, at, &zone);
        assert_eq!(moment.exact, "2026-11-22 15:52 CET");
        assert_eq!(moment.iso, "2026-11-22T14:52:46Z");
    }

    #[test]
    fn numbers_are_grouped_and_sizes_have_decimal_units() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-1_000), "-1,000");
        assert_eq!(count_of(1, "machine", "machines"), "1 machine");
        assert_eq!(bytes(494_384_795_648), "494.3 GB");
        assert_eq!(bytes(12), "12 bytes");
        assert_eq!(
            [90, 300, 7_200, 86_400].map(period),
            ["every 90 s", "every 5 min", "every 2 h", "every 1 d"]
        );
        assert_eq!(
            [12, 3_456, 605_000].map(milliseconds),
            ["12 ms", "3.4 s", "10 min"]
        );
    }

    #[test]
    fn percentages_never_leave_the_drawing() {
        assert_eq!(percent(1, 3), "33.3");
        assert_eq!(percent(5, 0), "0.0");
        assert_eq!(percent(9, 3), "100.0");
        assert_eq!(percent(-1, 3), "0.0");
    }
}
