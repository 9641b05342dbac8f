//! The secrets of tokens for the REST API: `sal_`, 32 random characters, 6 characters of checksum.
//!
//! Form and checksum are those of GitHub's tokens, so that scanners of repositories know them by their look, and a
//! mistyped or cut-off one is told from an unknown one without asking the database. How the rows are kept is told in
//! `sal_store::api_tokens`; who may do what with one, in sal-api.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;

/// A secret of a token. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(String);

/// A text that is no secret of a token, whatever the database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not begin as ours do.
    #[error("it does not begin with `{PREFIX}`")]
    Foreign,
    /// It begins as ours do and is not one.
    #[error("its checksum does not fit: it is mistyped or cut off")]
    Checksum,
}

impl TokenSecret {
    /// Draws one from the cryptographic generator of this thread: 190 bits.
    #[must_use]
    pub fn draw() -> Self {
        let mut random = rand::rng();
        let drawn = (0..RANDOM).map(|_| digit(random.random_range(0..BASE)));
        let drawn: String = drawn.collect();
        Self(format!("{PREFIX}{drawn}{}", checksum(&drawn)))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Malformed`], by its look alone.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let rest = text.strip_prefix(PREFIX).ok_or(Malformed::Foreign)?;
        let (drawn, sum) = rest.split_at_checked(RANDOM).ok_or(Malformed::Checksum)?;
        let is_one =
            drawn.bytes().all(|byte| byte.is_ascii_alphanumeric()) && checksum(drawn) == sum;
        if is_one {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::Checksum)
        }
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.0.as_bytes()).as_ref().to_vec()
    }

    /// The text, for whoever asked for it, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// When a token ends that is to last so many days, or none for as long as nobody revokes it. At most `most` days, where that
/// is not 0.
///
/// # Errors
/// What is to be changed, in a sentence.
pub fn end_of(days: Option<u16>, most: u16, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let allowed = if most == 0 { MOST_DAYS } else { most };
    match days {
        None if most > 0 => Err(format!(
            "A token has to end here, after {most} {} at most (setting SAL_API_TOKEN_MAX_DAYS).",
            if most == 1 { "day" } else { "days" }
        )),
        None => Ok(None),
        Some(days) if (1..=allowed).contains(&days) => Ok(Some(days_from(now, days))),
        Some(_) if allowed == 1 => Err("A token lasts 1 day here.".to_owned()),
        Some(_) => Err(format!("A token lasts 1 to {allowed} days.")),
    }
}

/// So many days after `now`.
#[must_use]
pub fn days_from(now: Timestamp, days: u16) -> Timestamp {
    let length = SignedDuration::from_hours(i64::from(days) * 24);
    now.saturating_add(length).unwrap_or(Timestamp::MAX)
}

/// What becomes of the secret before a new one, for the audit log.
#[must_use]
pub fn overlap(days: u16) -> String {
    match days {
        0 => "the previous secret ended".to_owned(),
        1 => "the previous secret works for 1 more day".to_owned(),
        days => format!("the previous secret works for {days} more days"),
    }
}

/// The words for what a token may do.
#[must_use]
pub fn may(can_write: bool, sees_keys: bool) -> &'static str {
    match (can_write, sees_keys) {
        (false, false) => "read",
        (true, false) => "read and write",
        (false, true) => "read, group keys too",
        (true, true) => "read and write, group keys too",
    }
}

/// CRC32 of what was drawn, in base 62 with zeros in front.
fn checksum(drawn: &str) -> String {
    let mut rest = crc32(drawn.as_bytes());
    let mut sum = [0; CHECKSUM];
    for place in sum.iter_mut().rev() {
        *place = rest % BASE;
        rest /= BASE;
    }
    sum.into_iter().map(digit).collect()
}

/// That of zip and PNG (ISO 3309), bit by bit: there are 32 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| match sum & 1 {
            0 => sum >> 1,
            _ => (sum >> 1) ^ 0xEDB8_8320,
        })
    });
    !sum
}

fn digit(value: u32) -> char {
    let place = usize::try_from(value).unwrap_or(0);
    char::from(DIGITS.get(place).copied().unwrap_or(b'0'))
}

/// How long a token lasts where nobody says otherwise.
pub const USUAL_DAYS: u16 = 90;
/// How long the secret before works where nobody says otherwise.
pub const USUAL_OVERLAP_DAYS: u16 = 7;
/// Ten years.
const MOST_DAYS: u16 = 3650;
/// How every secret begins.
pub const PREFIX: &str = "sal_";
const RANDOM: usize = 32;
/// The largest sum, 2^32 - 1, has as many.
const CHECKSUM: usize = 6;
const BASE: u32 = 62;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_one_wrong_character_is_noticed() {
        let secret = TokenSecret::draw();
        assert_eq!(secret.reveal().len(), 42);
        assert_eq!(TokenSecret::parse(secret.reveal()), Ok(secret.clone()));
        assert_ne!(TokenSecret::draw(), secret);
        assert_eq!(format!("{secret:?}"), "***");
        for place in PREFIX.len()..secret.reveal().len() {
            for other in ['a', 'b'] {
                let mut text: Vec<char> = secret.reveal().chars().collect();
                text[place] = other;
                let text: String = text.into_iter().collect();
                let read = TokenSecret::parse(&text);
                assert_eq!(read.is_ok(), text == secret.reveal(), "{place}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_told_apart() {
        for (text, why) in [
            ("", Malformed::Foreign),
            ("ghp_x", Malformed::Foreign),
            ("SAL_x", Malformed::Foreign),
            ("sal_", Malformed::Checksum),
            ("sal_ä", Malformed::Checksum),
            (&format!("sal_{}", "ä".repeat(19)), Malformed::Checksum),
            (
                &format!("sal_{}{}x", "a".repeat(32), checksum(&"a".repeat(32))),
                Malformed::Checksum,
            ),
        ] {
            assert_eq!(TokenSecret::parse(text), Err(why), "{text}");
        }
    }

    /// The check value of the algorithm's catalogue, and one of `gzip`.
    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            crc32(b"The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn a_token_ends_as_it_was_asked_to_within_what_is_allowed() {
        let now = Timestamp::UNIX_EPOCH;
        let day = |days| Ok(Some(days_from(now, days)));
        assert_eq!(days_from(now, 2).as_second(), 172_800);
        for (days, most, end) in [
            (None, 0, Ok(None)),
            (Some(1), 0, day(1)),
            (Some(3650), 0, day(3650)),
            (Some(30), 30, day(30)),
        ] {
            assert_eq!(end_of(days, most, now), end, "{days:?} of {most}");
        }
        for (days, most) in [(None, 30), (Some(0), 0), (Some(31), 30), (Some(3651), 0)] {
            assert!(end_of(days, most, now).is_err(), "{days:?} of {most}");
        }
    }

    #[test]
    fn the_hash_is_sha256() {
        let secret = TokenSecret(String::from("abc"));
        assert_eq!(secret.hash()[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
