//! Single sign-on: OpenID Connect, authorization code with PKCE.
//!
//! [`Oidc::begin`] sends a browser to the provider, [`Oidc::finish`] takes it back: finds the login that this very
//! browser began, exchanges the code, believes the token or not, and starts an ordinary session. What can be decided
//! without asking anybody is in files of its own ([`mapping`], `keys`, `token`, `person`); users are `account`'s.

mod account;
pub mod config;
pub mod error;
mod form;
mod keys;
pub mod mapping;
mod person;
mod provider;
mod token;

use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use sal_store::{
    identities::{BegunLogin, insert_oidc_login, take_oidc_login},
    ids::UserId,
};

pub use self::{
    config::OidcConfig,
    error::{OidcError, Refusal},
    token::TokenFault,
};
use self::{
    person::Person,
    provider::{Description, Learnt, Provider, Tokens},
    token::{Claims, Expected},
};
use crate::{
    access::session::{SessionCookie, cookie},
    app::App,
    error::AppError,
    outbound::Outbound,
};

/// Single sign-on with one provider.
pub struct Oidc {
    /// What the administrator decided.
    pub config: OidcConfig,
    provider: Provider,
}

/// A login that was begun.
pub struct Begun {
    /// The provider's page.
    pub location: HeaderValue,
    /// `Set-Cookie`: what only this browser knows.
    pub cookie: HeaderValue,
}

/// What the browser brings back from the provider.
#[derive(Default)]
pub struct Answer {
    /// Names the login.
    pub state: String,
    /// Becomes tokens.
    pub code: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same in words.
    pub error_description: Option<String>,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
}

/// A login that ended well.
pub struct Finished {
    /// Who is logged in.
    pub user: UserId,
    /// Where the browser wanted to go.
    pub next: String,
    /// `Set-Cookie`: the session.
    pub session: HeaderValue,
}

impl Oidc {
    /// Sets up single sign-on; asks the provider nothing yet.
    #[must_use]
    pub fn new(config: OidcConfig, outbound: Arc<dyn Outbound>) -> Self {
        Self {
            config,
            provider: Provider::new(outbound),
        }
    }

    /// Begins a login that leads to `next`, a path of this server.
    ///
    /// # Errors
    /// When the provider cannot be asked for its login page, or the database fails.
    pub async fn begin(&self, next: &str, app: &App) -> Result<Begun, OidcError> {
        let now = app.now();
        let learnt = self.provider.learn(&self.config, now).await?;
        let login = BegunLogin {
            nonce: form::random(),
            verifier: form::random(),
            next: next.to_owned(),
        };
        let (state, secret) = (form::random(), form::random());
        let expires = now.saturating_add(LIFETIME);
        let expires = expires.map_err(|e| AppError::internal("reckoning the end of a login", e))?;
        let db = app.store.get().await?;
        insert_oidc_login(
            &db,
            &hash(&state, &secret),
            &login.nonce,
            &login.verifier,
            &login.next,
            &now,
            &expires,
        )
        .await?;
        Ok(Begun {
            location: self.login_page(&learnt.description, &state, &login)?,
            cookie: browser_cookie(&state, &secret, LIFETIME, app)?,
        })
    }

    /// Ends a login.
    ///
    /// # Errors
    /// [`OidcError`] says why nobody was logged in.
    pub async fn finish(
        &self,
        answer: &Answer,
        headers: &HeaderMap,
        app: &App,
    ) -> Result<Finished, OidcError> {
        let login = take_login(answer, headers, app).await?;
        if let Some(code) = &answer.error {
            return Err(OidcError::Denied {
                code: form::short(code),
                description: answer.error_description.as_deref().map(form::short),
            });
        }
        let learnt = self.provider.learn(&self.config, app.now()).await?;
        self.check_issuer(answer, &learnt.description)?;
        let code = answer.code.as_deref().ok_or(OidcError::Stale)?;
        let tokens = self
            .provider
            .exchange(code, &login.verifier, &learnt.description, &self.config)
            .await?;
        let claims = self.believe(&tokens, &login, &learnt, app).await?;
        let person = Person::read(&claims, &self.config).map_err(OidcError::Refused)?;
        let user = account::enter(&person, &self.config, app).await?;
        let session = SessionCookie::new(user, app.config.secure_cookies)
            .start(app.now(), app)
            .await?;
        Ok(Finished {
            user,
            next: login.next,
            // The user was deleted this very moment.
            session: session.ok_or(OidcError::Stale)?,
        })
    }

    /// The `Set-Cookie` header that takes the cookie of a login away.
    #[must_use]
    pub fn forget(answer: &Answer, app: &App) -> Option<HeaderValue> {
        form::could_be_random(&answer.state)
            .then(|| browser_cookie(&answer.state, "", SignedDuration::ZERO, app).ok())
            .flatten()
    }

    fn login_page(
        &self,
        description: &Description,
        state: &str,
        login: &BegunLogin,
    ) -> Result<HeaderValue, OidcError> {
        let challenge = digest(&SHA256, login.verifier.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        let query = form::write(&[
            ("response_type", "code"),
            ("response_mode", "query"),
            ("client_id", &self.config.client_id),
            ("redirect_uri", &self.config.redirect_uri),
            ("scope", &self.config.scopes),
            ("state", state),
            ("nonce", &login.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let page = &description.authorization_endpoint;
        let joint = if page.contains('?') { '&' } else { '?' };
        HeaderValue::from_str(&format!("{page}{joint}{query}"))
            .map_err(|_error| OidcError::provider("its login page has an address that is none"))
    }

    /// Where somebody is logged in to two providers, one cannot answer for the other (RFC 9207).
    fn check_issuer(&self, answer: &Answer, description: &Description) -> Result<(), OidcError> {
        let is_needed = description.authorization_response_iss_parameter_supported;
        match answer.issuer.as_deref() {
            None if !is_needed => Ok(()),
            Some(issuer) if issuer == self.config.issuer.as_str() => Ok(()),
            _ => Err(OidcError::Token(TokenFault::Issuer)),
        }
    }

    async fn believe(
        &self,
        tokens: &Tokens,
        login: &BegunLogin,
        learnt: &Learnt,
        app: &App,
    ) -> Result<Claims, OidcError> {
        let expected = Expected {
            issuer: self.config.issuer.as_str(),
            client_id: &self.config.client_id,
            nonce: &login.nonce,
            access_token: tokens.access_token.as_deref(),
            now: app.now(),
        };
        let first = token::verify(&tokens.id_token, &learnt.keys, &expected);
        if !matches!(first, Err(TokenFault::UnknownKey)) {
            return Ok(first?);
        }
        // The provider may have a new key since we asked.
        let again = self
            .provider
            .keys_again(&learnt.description, app.now())
            .await?;
        let keys = again.ok_or(TokenFault::UnknownKey)?;
        Ok(token::verify(&tokens.id_token, &keys, &expected)?)
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

/// Takes the login that this browser began, once.
async fn take_login(
    answer: &Answer,
    headers: &HeaderMap,
    app: &App,
) -> Result<BegunLogin, OidcError> {
    if !form::could_be_random(&answer.state) {
        return Err(OidcError::Stale);
    }
    let secret = cookie(headers, &cookie_name(&answer.state, app))
        .filter(|secret| form::could_be_random(secret))
        .ok_or(OidcError::Stale)?;
    let db = app.store.get().await?;
    let taken = take_oidc_login(&db, &hash(&answer.state, secret), &app.now()).await?;
    taken.into_iter().next().ok_or(OidcError::Stale)
}

/// What the database knows a login by. Who reads it there can neither end the login nor plant it into a browser.
fn hash(state: &str, secret: &str) -> Vec<u8> {
    digest(&SHA256, format!("{state}.{secret}").as_bytes())
        .as_ref()
        .to_vec()
}

/// One cookie for each login, so that two tabs do not end each other's.
fn cookie_name(state: &str, app: &App) -> String {
    let prefix = if app.config.secure_cookies {
        "__Host-"
    } else {
        ""
    };
    let login: String = state.chars().take(8).collect();
    format!("{prefix}sal_login_{login}")
}

/// `Lax`, because the provider's page leads back here.
fn browser_cookie(
    state: &str,
    secret: &str,
    lifetime: SignedDuration,
    app: &App,
) -> Result<HeaderValue, AppError> {
    let (name, seconds) = (cookie_name(state, app), lifetime.as_secs());
    let secure = if app.config.secure_cookies {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text)
        .map_err(|error| AppError::internal("writing a cookie", error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// How long a person may take at the provider's page.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
