//! The two spellings of a moment that credential services use: HTTP dates and ISO 8601.
//!
//! Only what AWS really sends is read; anything else is `None`, because a date that cannot be read
//! is no evidence of anything. Used by the skew meter and the metadata provider.

use jiff::{Timestamp, fmt::rfc2822};

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()
}

/// Reads `2026-11-22T17:48:38Z`.
pub(super) fn parse_iso(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_and_json_answers_are_read() {
        let moment = Timestamp::from_second(784_111_777).unwrap();
        assert_eq!(
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(moment)
        );
        assert_eq!(parse_iso("1994-11-06T08:49:37Z"), Some(moment));
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
