//! Judges a database token: a presigned GET without its scheme.
//!
//! Rules from the AWS documentation; where it is silent: exactly 15 minutes old is too old, and
//! five minutes in the future is the most that is tolerated, as for signed requests elsewhere.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::credentials::{Credential, Identity};
use crate::record::Reason;
use crate::verify::query::Query;
use crate::verify::signature::{Scope, parse_stamp, payload_hash};

/// What a token must have been made for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The endpoint's name.
    pub host: &'a str,
    /// The endpoint's port.
    pub port: u16,
    /// The region the endpoint is in.
    pub region: &'a str,
    /// The user of the start-up message, byte for byte.
    pub user: &'a [u8],
    /// What kind of door the client came through.
    pub endpoint: EndpointKind,
    /// What time it is.
    pub now: Timestamp,
}

/// The doors differ in how strictly they read a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// An instance or cluster: `host:port/?…` and `host:port?…` are both read.
    Instance,
    /// The internet gateway of Aurora express: only `host:port/?…`.
    ExpressGateway,
}

/// Why a token is refused; the log's reason and a text for the person at the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As the `iam-db-auth-error` log names it.
    pub reason: Reason,
    /// What exactly was wrong; never holds the token.
    pub detail: &'static str,
    /// Who signed, when the signature was good.
    pub identity: Option<Identity>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}

/// Judges `token`; `find` looks up a key by its id. Returns who signed it.
///
/// # Errors
/// [`Refusal`] with the first rule the token breaks; the signature comes before all times.
pub fn judge(
    token: &str,
    expected: &Expected<'_>,
    find: impl Fn(&str) -> Option<Credential>,
) -> Result<Identity, Refusal> {
    let (authority, query) = split(token, expected.endpoint)?;
    let wanted = format!("{}:{}", expected.host, expected.port).to_ascii_lowercase();
    let authority = authority.to_ascii_lowercase();
    require(authority == wanted, "made for another host or port")?;
    let query = Query::parse(query).ok_or(invalid("the query is malformed"))?;
    let claims = Claims::read(&query)?;
    claims.check(expected)?;
    let credential = find(&claims.scope.access_key_id).ok_or(invalid("unknown access key"))?;
    let session = query.text("X-Amz-Security-Token");
    require(
        session == credential.session_token.as_deref(),
        "the session token is not this key's",
    )?;
    let canonical = format!(
        "GET\n/\n{query}\nhost:{authority}\n\nhost\n{empty}",
        query = query.canonical("X-Amz-Signature"),
        empty = payload_hash(b""),
    );
    let secret = &credential.secret_access_key;
    let signed = claims
        .scope
        .signed(secret, claims.stamp, &canonical, claims.signature);
    require(signed, "the signature does not match")?;
    check_times(&claims, &credential, expected.now)?;
    Ok(credential.identity)
}

fn split(token: &str, endpoint: EndpointKind) -> Result<(&str, &str), Refusal> {
    let (before, query) = token.split_once('?').ok_or(invalid("no query"))?;
    match (before.strip_suffix('/'), endpoint) {
        (Some(authority), _) => Ok((authority, query)),
        (None, EndpointKind::Instance) => Ok((before, query)),
        (None, EndpointKind::ExpressGateway) => Err(invalid("no slash before the query")),
    }
}

/// What the token says about itself.
struct Claims<'a> {
    action: &'a str,
    user: &'a [u8],
    algorithm: &'a str,
    signed_headers: &'a str,
    scope: Scope,
    stamp: &'a str,
    made: Timestamp,
    lives: SignedDuration,
    signature: &'a str,
}

impl<'a> Claims<'a> {
    fn read(query: &'a Query) -> Result<Self, Refusal> {
        let text = |name| query.text(name).ok_or(invalid("a parameter is missing"));
        let scope = Scope::parse(text("X-Amz-Credential")?);
        let stamp = text("X-Amz-Date")?;
        let expires = text("X-Amz-Expires")?;
        let digits = !expires.is_empty() && expires.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: Option<i64> = expires.parse().ok().filter(|_| digits);
        Ok(Self {
            action: text("Action")?,
            user: query.bytes("DBUser").ok_or(invalid("no user"))?,
            algorithm: text("X-Amz-Algorithm")?,
            signed_headers: text("X-Amz-SignedHeaders")?,
            scope: scope.ok_or(invalid("the credential scope is malformed"))?,
            stamp,
            made: parse_stamp(stamp).ok_or(invalid("the date is malformed"))?,
            lives: seconds
                .filter(|seconds| (1..=LONGEST_LIFE_SECONDS).contains(seconds))
                .map(SignedDuration::from_secs)
                .ok_or(invalid("the life span is not 1 to 900 seconds"))?,
            signature: text("X-Amz-Signature")?,
        })
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        require(self.action == "connect", "the action is not connect")?;
        require(self.user == expected.user, "made for another user")?;
        require(self.algorithm == "AWS4-HMAC-SHA256", "another algorithm")?;
        require(
            self.signed_headers == "host",
            "the signed headers are not host",
        )?;
        require(
            self.scope.region == expected.region,
            "made for another region",
        )?;
        require(self.scope.service == "rds-db", "made for another service")?;
        require(
            self.stamp.starts_with(&self.scope.date),
            "two different dates",
        )
    }
}

fn check_times(
    claims: &Claims<'_>,
    credential: &Credential,
    now: Timestamp,
) -> Result<(), Refusal> {
    let age = now.duration_since(claims.made);
    let refuse = |reason, detail| Refusal {
        reason,
        detail,
        identity: Some(credential.identity.clone()),
    };
    if age >= claims.lives {
        return Err(refuse(Reason::ExpiredToken, "the token is too old"));
    }
    if age < -FUTURE_TOLERANCE {
        return Err(refuse(Reason::InvalidToken, "the token is from the future"));
    }
    if credential.expires.is_some_and(|expires| expires <= now) {
        let detail = "the credentials that signed it have expired";
        return Err(refuse(Reason::ExpiredToken, detail));
    }
    Ok(())
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal {
        reason: Reason::InvalidToken,
        detail,
        identity: None,
    }
}

fn require(holds: bool, detail: &'static str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(invalid(detail)) }
}

const LONGEST_LIFE_SECONDS: i64 = 900;
const FUTURE_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
