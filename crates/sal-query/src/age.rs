//! Lengths of time as people write them in filters: `90s`, `15m`, `1h`, `31d`, `2w`.
//!
//! An age is relative to the moment a filter is asked, never a date. See [`crate::condition`]
//! for the operators that take one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A positive length of time, at most [`Age::MAX_DAYS`] days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    seconds: i64,
}

/// A text that is not an age.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{text}` is not a length of time; write a whole number and one of s, m, h, d, w, for example `24h`"
)]
pub struct AgeError {
    /// What was given.
    pub text: String,
}

impl Age {
    /// The longest age: a hundred years, so that no subtraction leaves the calendar.
    pub const MAX_DAYS: i64 = 36_525;

    /// Makes an age of whole seconds, or `None` outside 1 second to [`Age::MAX_DAYS`].
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (1..=Self::MAX_DAYS * SECONDS_PER_DAY)
            .contains(&seconds)
            .then_some(Self { seconds })
    }

    /// Reads a whole number followed by one of `s`, `m`, `h`, `d`, `w`.
    ///
    /// # Errors
    /// When the text has another form, is zero, or is longer than [`Age::MAX_DAYS`].
    pub fn parse(text: &str) -> Result<Self, AgeError> {
        let trimmed = text.trim();
        UNITS
            .iter()
            .find_map(|(suffix, seconds)| {
                let number: u32 = trimmed.strip_suffix(suffix)?.parse().ok()?;
                Self::from_seconds(i64::from(number).checked_mul(*seconds)?)
            })
            .ok_or_else(|| AgeError {
                text: text.to_owned(),
            })
    }

    /// The moment this long before `now`; the earliest representable one when there is no such.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.checked_sub(SignedDuration::from_secs(self.seconds))
            .unwrap_or(Timestamp::MIN)
    }

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }
}

impl fmt::Display for Age {
    /// Writes the shortest form, in the largest unit that divides it; [`Age::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (suffix, seconds) = UNITS
            .iter()
            .rev()
            .find(|(_, seconds)| self.seconds % seconds == 0)
            .copied()
            .unwrap_or(("s", 1));
        write!(f, "{}{suffix}", self.seconds / seconds)
    }
}

const SECONDS_PER_DAY: i64 = 86_400;

/// Smallest unit first.
const UNITS: [(&str, i64); 5] = [
    ("s", 1),
    ("m", 60),
    ("h", 3_600),
    ("d", SECONDS_PER_DAY),
    ("w", 7 * SECONDS_PER_DAY),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_units_are_read_and_written_back() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("1h", 3_600),
            ("31d", 2_678_400),
            ("2w", 1_209_600),
        ] {
            let age = Age::parse(text).unwrap();
            assert_eq!(age.seconds(), seconds);
            assert_eq!(age.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "h",
            "0d",
            "-1d",
            "1.5h",
            "1y",
            "1 h x",
            "99999999w",
            "١h",
        ] {
            assert!(Age::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_is_counted_back_from_now() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let then: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(Age::parse("24h").unwrap().before(now), then);
        assert_eq!(
            Age::parse("100w").unwrap().before(Timestamp::MIN),
            Timestamp::MIN
        );
    }
}
