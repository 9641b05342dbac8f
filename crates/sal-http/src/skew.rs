//! Whether two clocks agree, and in words how far they are apart.

use std::time::Duration;

use jiff::Timestamp;

/// How far `ours` is ahead of or behind `theirs`, when that is more than `most`: `400 days ahead of`.
#[must_use]
pub fn skew_in_words(ours: Timestamp, theirs: Timestamp, most: Duration) -> Option<String> {
    let ahead = ours.duration_since(theirs);
    let apart = ahead.unsigned_abs();
    if apart <= most {
        return None;
    }
    let (count, unit) = match apart.as_secs() {
        seconds @ 172_800.. => (seconds / 86_400, "days"),
        seconds @ 7_200.. => (seconds / 3_600, "hours"),
        seconds @ 120.. => (seconds / 60, "minutes"),
        seconds => (seconds, "seconds"),
    };
    let side = if ahead.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    Some(format!("{count} {unit} {side}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_minutes_are_nothing_and_more_is_worded() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-12-01T12:00:00Z");
        let words = |ours: &str| skew_in_words(at(ours), now, Duration::from_secs(300));
        assert_eq!(words("2026-12-01T12:05:00Z"), None);
        assert_eq!(words("2026-12-01T11:55:00Z"), None);
        assert_eq!(words("2026-12-01T12:05:01Z").unwrap(), "5 minutes ahead of");
        assert_eq!(words("2026-12-01T09:00:00Z").unwrap(), "3 hours behind");
        assert_eq!(words("2028-01-05T12:00:00Z").unwrap(), "400 days ahead of");
        assert_eq!(words("1970-01-01T00:00:00Z").unwrap(), "20788 days behind");
    }
}
