//! Login tokens: what `rds-iam` signs, `rds-lab` judges with code of its own, and the reasons must be the right ones.
//!
//! Two independent readings of one text that was signed: a user name, host, region or key that one of them encodes,
//! sorts or cuts in another way shows as a signature that does not match.

mod case;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rds_lab::verify::token::{EndpointKind, Expected, Refusal, judge};
use rds_lab::{Credential, Identity};

use crate::Outcome;
use crate::token::case::Case;

/// Signs what the bytes describe (see `case.rs`), and has it judged as it is, for others, and changed.
pub fn check(data: &[u8]) -> Outcome {
    let Some(case) = Case::read(data) else {
        return Outcome::Refused;
    };
    let token = rds_iam::token(
        &case.host,
        case.port,
        &case.user,
        &case.region,
        &rds_iam::Credentials::new(&case.key, &case.secret, case.session.as_deref(), None),
        case.made,
        Duration::from_secs(case.expires),
    );
    let token = token.expose();
    is_one_query_of_plain_letters(token);
    let verdict = ask(&case, token, &case.expected());
    let Some(expected) = case.verdict() else {
        assert!(
            verdict != Err(BAD_SIGNATURE),
            "misread instead of refused: {token}"
        );
        another_user_is_refused(&case, token);
        return Outcome::Refused;
    };
    assert_eq!(verdict, expected, "{token}");
    another_user_is_refused(&case, token);
    if verdict.is_err() {
        return Outcome::Refused;
    }
    another_secret_or_session_is_refused(&case, token);
    the_text_around_the_claims_does_not_matter(&case, token);
    a_changed_token_is_refused(&case, token);
    Outcome::Accepted
}

/// The judge's detail for tokens that say one thing and are signed for another.
const BAD_SIGNATURE: &str = "the signature does not match";

fn ask(case: &Case, token: &str, expected: &Expected<'_>) -> Result<(), &'static str> {
    judge_with(case.credential(), token, expected).map_err(|refusal| refusal.detail)
}

fn judge_with(held: Credential, token: &str, expected: &Expected<'_>) -> Result<(), Refusal> {
    let key = held.access_key_id.clone();
    judge(token, expected, |asked| {
        (asked == key).then(|| held.clone())
    })
    .map(|_identity| ())
}

fn is_one_query_of_plain_letters(token: &str) {
    // The host is the caller's text and comes first; everything of ours is after the last question mark.
    let (_, query) = token.rsplit_once("/?").expect("a query");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%&=".contains(&byte);
    assert!(query.bytes().all(plain), "{query}");
    assert_eq!(query.matches("DBUser=").count(), 1);
    assert!([7, 8].contains(&query.matches('&').count()), "{query}");
}

fn another_user_is_refused(case: &Case, token: &str) {
    let longer = [case.user.as_bytes(), b"x"].concat();
    let upper = case.user.to_uppercase();
    for other in [case.other_user.as_bytes(), upper.as_bytes(), &longer, b""] {
        if other == case.user.as_bytes() {
            continue;
        }
        let expected = Expected {
            user: other,
            ..case.expected()
        };
        let verdict = ask(case, token, &expected);
        assert!(verdict.is_err(), "{other:?} logs in with {token}");
        assert!(
            verdict != Err(BAD_SIGNATURE),
            "the user of {token} was misread"
        );
    }
}

/// Shows that the judge looks at all: with these it must say no.
fn another_secret_or_session_is_refused(case: &Case, token: &str) {
    let mut held = case.credential();
    held.secret_access_key.push('x');
    let refusal = judge_with(held, token, &case.expected()).expect_err("another secret");
    assert_eq!(refusal.detail, BAD_SIGNATURE);
    let mut held = case.credential();
    held.session_token = match held.session_token {
        Some(session) => Some(session + "x"),
        None => Some("x".to_owned()),
    };
    assert!(
        judge_with(held, token, &case.expected()).is_err(),
        "another session token"
    );
    let expected = Expected {
        port: case.port ^ 1,
        ..case.expected()
    };
    assert!(ask(case, token, &expected).is_err(), "another port");
}

/// No slash, another order of the parameters: the same claims with the same signature.
fn the_text_around_the_claims_does_not_matter(case: &Case, token: &str) {
    let (authority, query) = token.rsplit_once("/?").expect("a query");
    let without_slash = format!("{authority}?{query}");
    assert_eq!(ask(case, &without_slash, &case.expected()), Ok(()));
    let express = Expected {
        endpoint: EndpointKind::ExpressGateway,
        ..case.expected()
    };
    assert_eq!(ask(case, token, &express), Ok(()));
    assert!(ask(case, &without_slash, &express).is_err());
    let backwards: Vec<&str> = query.rsplit('&').collect();
    let backwards = format!("{authority}/?{}", backwards.join("&"));
    assert_eq!(ask(case, &backwards, &case.expected()), Ok(()));
}

/// One byte is changed, or the end cut off. Only the case of the host and of escapes may be changed unnoticed.
fn a_changed_token_is_refused(case: &Case, token: &str) {
    let at = usize::from(case.changed_at) % token.len();
    let mut bytes = token.as_bytes().to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= case.change;
    }
    if let Ok(changed) = String::from_utf8(bytes) {
        let alike = changed.eq_ignore_ascii_case(token);
        let verdict = ask(case, &changed, &case.expected());
        assert!(verdict.is_err() || alike, "{changed} passes for {token}");
    }
    if let Some(cut) = token.get(..at) {
        assert!(ask(case, cut, &case.expected()).is_err(), "{cut} passes");
    }
}

impl Case {
    fn expected(&self) -> Expected<'_> {
        Expected {
            host: &self.host,
            port: self.port,
            region: &self.region,
            user: self.user.as_bytes(),
            endpoint: EndpointKind::Instance,
            now: self.now,
        }
    }

    fn credential(&self) -> Credential {
        Credential {
            access_key_id: self.key.clone(),
            secret_access_key: self.secret.clone(),
            session_token: self.session.clone(),
            expires: None,
            identity: Identity {
                principal: "arn:aws:iam::123456789012:role/sal".to_owned(),
                caller: "arn:aws:sts::123456789012:assumed-role/sal/s".to_owned(),
            },
        }
    }

    /// What the judge must say; `None` when the texts cannot stand in a token, where any refusal will do but one
    /// about the signature.
    fn verdict(&self) -> Option<Result<(), &'static str>> {
        let year_one: Timestamp = "0001-01-01T00:00:00Z".parse().expect("a date");
        let tellable = !self.host.contains('?')
            && ![&self.key, &self.region]
                .iter()
                .any(|text| text.contains('/'))
            && self.made >= year_one;
        let age = self.now.duration_since(self.made);
        let lives = i64::try_from(self.expires.clamp(1, 900)).map(SignedDuration::from_secs);
        tellable.then(|| {
            if lives.is_ok_and(|lives| age >= lives) {
                Err("the token is too old")
            } else if age < SignedDuration::from_mins(-5) {
                Err("the token is from the future")
            } else {
                Ok(())
            }
        })
    }
}
