//! `Authorization: Bearer sal_…`: tokens with scopes and units. How secrets look is told in `sal_http::api_token`.

use axum::http::{HeaderMap, header, request::Parts};
use jiff::Timestamp;
use sal_http::{
    App, AppError,
    access::{
        Level,
        refusals::{Refusal, Why},
    },
    api_token::TokenSecret,
    db::program_client,
    origin::Origin,
};
use sal_store::{
    api_tokens::{ShownToken, authenticate_token},
    ids::{TokenId, UserId},
    scope::Scope,
};

use super::{Caller, Keys, uses::TokenUses};
use crate::error::ApiError;

/// A program with a token that counts.
pub(crate) struct Token {
    pub(super) id: TokenId,
    pub(super) name: String,
    pub(super) owner: UserId,
    pub(super) scope: Scope,
    pub(super) can_write: bool,
    pub(super) keys: Keys,
}

/// What the header of a request says where it says `Bearer`. Whoever says so is nobody else: a token that ended is not made
/// up for by a cookie or by another key.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let mut words = value.to_str().unwrap_or_default().splitn(2, ' ');
    let is_bearer = words.next()?.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| words.next().unwrap_or_default().trim())
}

/// Who shows a token.
///
/// # Errors
/// [`ApiError::MalformedToken`], [`ApiError::InvalidToken`], and too many tries.
pub(super) async fn find(
    shown: &str,
    parts: &Parts,
    uses: &TokenUses,
    app: &App,
) -> Result<Caller, ApiError> {
    let (origin, now) = (Origin::of(parts, app), app.now());
    let secret = TokenSecret::parse(shown);
    let hash = secret.as_ref().ok().map(TokenSecret::hash);
    let may_ask = app
        .program_attempts()
        .may_ask(&origin.network, hash.as_ref(), now);
    may_ask.map_err(|seconds| AppError::TooMany { seconds })?;
    let found = match &hash {
        Some(hash) => lookup(hash, app).await?,
        None => None,
    };
    let verdict = found.as_ref().map(|token| judge(token, now));
    if let (Some(token), Some(Ok(())), Some(hash)) = (found.as_ref(), verdict, &hash) {
        app.program_attempts().was_right(hash.clone());
        uses.note(token, now, &origin.address);
        return Ok(Caller::Token(Token::of(token)));
    }
    app.program_attempts()
        .was_wrong(&origin.network, hash.as_ref(), now);
    let refusal = match (&found, verdict) {
        (Some(token), Some(Err(why))) => {
            let id = token.id;
            tracing::info!(token.id = %id, "the token {id} was refused: {why}");
            let name = format!("API token {}", token.name);
            Refusal::of_user(&name, &origin.address, Why::ApiToken)
        }
        _ => Refusal::of_nobody(&origin.address, Why::ApiToken),
    };
    app.refusals().note(refusal, now, &app.store).await;
    Err(match secret {
        Ok(_) => ApiError::InvalidToken,
        Err(malformed) => ApiError::MalformedToken(malformed),
    })
}

async fn lookup(hash: &Vec<u8>, app: &App) -> Result<Option<ShownToken>, ApiError> {
    let db = program_client(app).await?;
    let found = authenticate_token(&db, hash).await?;
    Ok(found.into_iter().next())
}

/// Whether a token counts now; if not, why, for the log. The program is told less.
fn judge(token: &ShownToken, now: Timestamp) -> Result<(), &'static str> {
    let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
    let level = Level::of_user(token.level.as_deref(), token.is_superuser, token.only_user);
    if token.revoked.is_some() {
        Err("it was revoked")
    } else if is_over(token.expires) {
        Err("it has expired")
    } else if token.is_former && token.former_ends.is_none_or(|end| end <= now) {
        Err("this secret was replaced")
    } else if !token.is_active {
        Err("its owner's account is deactivated")
    } else if level != Level::GlobalAdmin {
        Err("its owner is no global admin any more")
    } else {
        Ok(())
    }
}

impl Token {
    fn of(token: &ShownToken) -> Self {
        let scope = match &token.units {
            None => Scope::All,
            Some(units) => Scope::Units(units.clone()),
        };
        Self {
            id: token.id,
            name: token.name.clone(),
            owner: token.user,
            scope,
            can_write: token.can_write,
            keys: match token.sees_keys {
                true => Keys::Shown,
                false => Keys::Hidden,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn token() -> ShownToken {
        ShownToken {
            id: TokenId(1),
            name: "imaging".to_owned(),
            can_write: false,
            sees_keys: false,
            units: None,
            expires: Some(at(100)),
            revoked: None,
            is_former: false,
            former_ends: None,
            last_used: None,
            former_used: None,
            user: UserId(1),
            is_active: true,
            is_superuser: false,
            level: Some("GA".to_owned()),
            only_user: false,
        }
    }

    #[test]
    fn a_token_counts_as_long_as_it_and_its_owner_do() {
        let now = at(99);
        let change = |change: fn(&mut ShownToken)| {
            let mut token = token();
            change(&mut token);
            judge(&token, now)
        };
        assert_eq!(change(|_| {}), Ok(()));
        assert_eq!(change(|token| token.expires = None), Ok(()));
        let former = |token: &mut ShownToken| token.is_former = true;
        assert_eq!(change(former), Err("this secret was replaced"));
        assert_eq!(
            change(|token| (token.is_former, token.former_ends) = (true, Some(at(99)))),
            Err("this secret was replaced")
        );
        assert_eq!(
            change(|token| (token.is_former, token.former_ends) = (true, Some(at(100)))),
            Ok(())
        );
        assert_eq!(
            change(|token| token.expires = Some(at(99))),
            Err("it has expired")
        );
        assert_eq!(
            change(|token| token.revoked = Some(at(1))),
            Err("it was revoked")
        );
        assert_eq!(
            change(|token| token.is_active = false),
            Err("its owner's account is deactivated")
        );
        for level in [None, Some("RW"), Some("SO")] {
            let mut token = token();
            token.level = level.map(str::to_owned);
            token.is_superuser = true;
            assert_eq!(
                judge(&token, now),
                Err("its owner is no global admin any more")
            );
            token.only_user = true;
            assert_eq!(judge(&token, now), Ok(()));
        }
    }

    #[test]
    fn only_bearer_is_a_token() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        for (value, shown) in [
            ("Bearer sal_x", Some("sal_x")),
            ("bEARER  sal_x ", Some("sal_x")),
            ("Bearer", Some("")),
            ("Basic sal_x", None),
            ("sal_x", None),
            ("", None),
        ] {
            assert_eq!(read(value).as_deref(), shown, "{value}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
