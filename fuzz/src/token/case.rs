//! Bytes as a token to be signed: fields that end with the byte FF, which no UTF-8 text has.
//!
//! Unlike a format of one's own making for each type, seeds can be written with `printf` and read in an editor:
//! host, port, user, region, key, secret, session token (absent when empty), seconds since 1970, life in seconds,
//! age at the moment of judging, another user, place and kind of the change. What is missing has a usual value.

use jiff::{SignedDuration, Timestamp};

/// One token and those who look at it.
pub(super) struct Case {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) region: String,
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) session: Option<String>,
    pub(super) made: Timestamp,
    /// Asked for, in seconds.
    pub(super) expires: u64,
    pub(super) now: Timestamp,
    pub(super) other_user: String,
    pub(super) changed_at: u16,
    /// Never 0: there is always a change.
    pub(super) change: u8,
}

impl Case {
    /// Reads a case; `None` for a moment that no calendar has, and for port 443.
    ///
    /// 443 is left out of the signed host by every SDK, and the judge, like RDS, has no listener there.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let mut fields = data.split(|byte| *byte == 0xff);
        let mut text = |usual: &str| match fields.next() {
            Some(field) => String::from_utf8_lossy(field).into_owned(),
            None => usual.to_owned(),
        };
        let host = text("sal.abcdefg12345.eu-west-1.rds.amazonaws.com");
        let port = text("").parse().unwrap_or(5432);
        let user = text("sal");
        let region = text("eu-west-1");
        let key = text("AKIDEXAMPLE");
        let secret = text("secret");
        let session = Some(text("")).filter(|session| !session.is_empty());
        let made = text("").parse().unwrap_or(1_767_323_045);
        let expires = text("").parse().unwrap_or(900);
        let age = text("").parse().unwrap_or(0);
        let other_user = text("postgres");
        let changed_at = text("").parse().unwrap_or(300);
        let change = text("").parse().unwrap_or(0x20).max(1);
        let made = Timestamp::from_second(made).ok()?;
        let now = made.checked_add(SignedDuration::from_secs(age)).ok()?;
        (port != 443).then_some(Self {
            host,
            port,
            user,
            region,
            key,
            secret,
            session,
            made,
            expires,
            now,
            other_user,
            changed_at,
            change,
        })
    }
}
