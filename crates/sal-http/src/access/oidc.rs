//! Single sign-on: which account of an OpenID Connect provider is which user, with which rights.
//!
//! The protocol is the crate `oidc-login`'s, which knows nothing of Sal. [`Oidc::begin`] sends a browser to the provider
//! with a cookie that holds the login, [`Oidc::finish`] takes it back: once, in that browser; finds or makes the user
//! (`account`), and starts an ordinary session. What needs no database is in files of its own ([`mapping`], `rights`,
//! `names`).

mod account;
pub mod config;
mod cookies;
pub mod error;
pub mod link;
pub mod mapping;
mod names;
mod rights;

use std::{error::Error, fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
pub use oidc_login::Answer;
use oidc_login::{
    LoginError, RelyingParty, SealingKey, Started, Transport,
    transport::{Call, Reply},
};
use sal_store::{
    identities::{login_key, oidc_login_used},
    ids::UserId,
    pool::Executor,
};
use tokio::sync::OnceCell;

pub use self::{
    config::OidcConfig,
    error::{OidcError, Refusal},
};
use crate::db::page_client;
use crate::{
    access::session::SessionCookie,
    app::App,
    error::AppError,
    outbound::{self, Outbound},
};

/// Single sign-on with one provider.
pub struct Oidc {
    /// What the administrator decided.
    pub config: OidcConfig,
    party: RelyingParty,
    /// What all servers on the database seal logins with.
    key: OnceCell<SealingKey>,
}

/// A login that was begun.
pub struct Begun {
    /// The provider's page.
    pub location: HeaderValue,
    /// `Set-Cookie`: the login, for this browser only, and an end for cookies of too many others.
    pub cookies: Vec<HeaderValue>,
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
            party: RelyingParty::new(config.client(), Arc::new(Way(outbound))),
            config,
            key: OnceCell::new(),
        }
    }

    /// Begins a login that leads to `next`, a path of this server.
    ///
    /// # Errors
    /// When the provider cannot be asked for its login page, or the database fails.
    pub async fn begin(
        &self,
        next: &str,
        headers: &HeaderMap,
        is_https: bool,
        app: &App,
    ) -> Result<Begun, OidcError> {
        let key = self.key(app).await?;
        let begun = self.party.begin(next, key, app.now()).await?;
        let location =
            HeaderValue::from_str(&begun.location).map_err(|_error| LoginError::Provider {
                what: "its login page has an address that is none".to_owned(),
                source: None,
            })?;
        let mut cookies = cookies::too_many(headers, is_https)?;
        cookies.push(cookies::of_login(&begun.state, &begun.sealed, is_https)?);
        Ok(Begun { location, cookies })
    }

    /// Ends a login.
    ///
    /// # Errors
    /// [`OidcError`] says why nobody was logged in.
    pub async fn finish(
        &self,
        answer: &Answer,
        headers: &HeaderMap,
        is_https: bool,
        app: &App,
    ) -> Result<Finished, OidcError> {
        let started = self.find(answer, headers, is_https, app).await?;
        let person = self
            .party
            .finish(answer, &started, &self.config.wish(), app.now())
            .await?;
        let user = account::enter(&person, &started.fingerprint(), &self.config, app).await?;
        let session = SessionCookie::new(user, is_https)
            .start(app.now(), app)
            .await?;
        Ok(Finished {
            user,
            next: started.next().to_owned(),
            // The user was deleted this very moment.
            session: session.ok_or(LoginError::Stale)?,
        })
    }

    /// The `Set-Cookie` header that takes the cookie of a login away.
    #[must_use]
    pub fn forget(answer: &Answer, is_https: bool) -> Option<HeaderValue> {
        RelyingParty::could_be_state(&answer.state)
            .then(|| cookies::gone(&answer.state, is_https).ok())
            .flatten()
    }

    /// The login that this browser began, unless it was used already.
    async fn find(
        &self,
        answer: &Answer,
        headers: &HeaderMap,
        is_https: bool,
        app: &App,
    ) -> Result<Started, OidcError> {
        let sealed = RelyingParty::could_be_state(&answer.state)
            .then(|| cookies::find(headers, &answer.state, is_https))
            .flatten()
            .ok_or(LoginError::Stale)?;
        let key = self.key(app).await?;
        let started = self.party.find(answer, sealed, key, app.now())?;
        let db = page_client(app).await?;
        let used = oidc_login_used(&db, &started.fingerprint()).await?;
        if used.is_empty() {
            Ok(started)
        } else {
            Err(LoginError::Stale.into())
        }
    }

    async fn key(&self, app: &App) -> Result<&SealingKey, AppError> {
        let read = async || {
            let db = page_client(app).await?;
            read_key(app, &db).await
        };
        self.key.get_or_try_init(read).await
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

/// The key of this database; whoever needs it first makes it.
async fn read_key(app: &App, db: &impl Executor) -> Result<SealingKey, AppError> {
    let fresh = SealingKey::random().expose().to_vec();
    let mut found = login_key(db, KEY, &fresh, &app.now()).await?;
    if found.is_empty() {
        found = login_key(db, KEY, &fresh, &app.now()).await?;
    }
    let key = found
        .first()
        .and_then(|key| SealingKey::from_bytes(&key.value));
    key.ok_or_else(|| AppError::internal("reading the key of logins", "there is none"))
}

/// The way to the provider, as the protocol wants it.
struct Way(Arc<dyn Outbound>);

impl Transport for Way {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Box<dyn Error + Send + Sync>>> {
        let call = outbound::Call {
            url: call.url,
            form: call.form,
            authorization: call.authorization,
        };
        Box::pin(async move {
            let outbound::Reply { status, body } = self.0.send(call).await?;
            Ok(Reply { status, body })
        })
    }
}

/// Names the key in its table.
const KEY: &str = "single-sign-on";
