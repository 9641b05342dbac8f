//! The provider as it describes itself, its keys, the exchange of a code for tokens, and what it says of somebody.
//!
//! Nothing is asked before the first login. What was learnt counts for an hour; a failure counts for a few seconds, so
//! that a provider that hangs does not make everybody wait in turn.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::{
    config::{ClientConfig, safe_url},
    error::LoginError,
    form,
    keys::Keys,
    transport::{Call, LIMIT_BYTES, Reply, Transport},
};

/// What we know of the provider.
pub(crate) struct Provider {
    transport: Arc<dyn Transport>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    learnt: Option<Learnt>,
    /// When a token with an unknown key last made us ask for the keys again.
    asked_again: Option<Timestamp>,
    failed: Option<(Timestamp, String)>,
}

/// What the provider says of itself.
#[derive(Clone)]
pub(crate) struct Learnt {
    pub(crate) description: Arc<Description>,
    pub(crate) keys: Arc<Keys>,
    at: Timestamp,
}

/// The discovery document (OpenID Connect Discovery §3), as far as we need it.
#[derive(Deserialize)]
pub(crate) struct Description {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether the way back must name the issuer (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) id_token: String,
    pub(crate) access_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenError {
    error: String,
}

impl Provider {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            known: Mutex::default(),
        }
    }

    /// What is known, asked for where it is nothing or too old.
    pub(crate) async fn learn(
        &self,
        config: &ClientConfig,
        now: Timestamp,
    ) -> Result<Learnt, LoginError> {
        let mut known = self.known.lock().await;
        let is_fresh = |learnt: &&Learnt| is_within(learnt.at, LEARNT_COUNTS, now);
        if let Some(learnt) = known.learnt.as_ref().filter(is_fresh) {
            return Ok(learnt.clone());
        }
        if let Some((at, what)) = &known.failed
            && is_within(*at, FAILURE_COUNTS, now)
        {
            return Err(LoginError::provider(format!("{what} (a moment ago)")));
        }
        let asked = self.ask(config, now).await;
        known.failed = asked.as_ref().err().map(|error| (now, error.to_string()));
        let learnt = asked?;
        known.learnt = Some(learnt.clone());
        Ok(learnt)
    }

    /// The keys as they are now, for a token whose key is unknown; nothing when they were asked for a moment ago.
    pub(crate) async fn keys_again(
        &self,
        description: &Description,
        now: Timestamp,
    ) -> Result<Option<Arc<Keys>>, LoginError> {
        let mut known = self.known.lock().await;
        let too_soon = known
            .asked_again
            .is_some_and(|at| is_within(at, KEYS_AGAIN, now));
        if too_soon {
            return Ok(known.learnt.as_ref().map(|learnt| Arc::clone(&learnt.keys)));
        }
        known.asked_again = Some(now);
        let keys = self.keys(description).await?;
        if let Some(learnt) = &mut known.learnt {
            learnt.keys = Arc::clone(&keys);
        }
        Ok(Some(keys))
    }

    /// Exchanges the code of a login for tokens.
    pub(crate) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        description: &Description,
        config: &ClientConfig,
    ) -> Result<Tokens, LoginError> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &config.redirect_uri),
            ("code_verifier", verifier),
        ];
        let authorization = match &config.client_secret {
            None => {
                fields.push(("client_id", &config.client_id));
                None
            }
            Some(secret) if description.takes_basic() => {
                // RFC 6749 §2.3.1: both are encoded as in a form first.
                let pair = format!(
                    "{}:{}",
                    form::encode(&config.client_id),
                    form::encode(secret.expose())
                );
                Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
            }
            Some(secret) => {
                fields.push(("client_id", &config.client_id));
                fields.push(("client_secret", secret.expose()));
                None
            }
        };
        let call = Call {
            url: description.token_endpoint.clone(),
            form: Some(form::write(&fields)),
            authorization,
        };
        let reply = self.send("its token endpoint", call).await?;
        if reply.status == 200 {
            return read("its token endpoint", &reply);
        }
        Err(refused(&reply))
    }

    /// What the provider says of whoever an access token is for; nothing where it has no place to ask.
    pub(crate) async fn userinfo(
        &self,
        access_token: &str,
        description: &Description,
    ) -> Result<Option<Map<String, Value>>, LoginError> {
        let Some(url) = &description.userinfo_endpoint else {
            return Ok(None);
        };
        let call = Call {
            authorization: Some(format!("Bearer {access_token}")),
            ..Call::get(url.clone())
        };
        let reply = self.send(USERINFO, call).await?;
        read(USERINFO, &success(USERINFO, reply)?).map(Some)
    }

    async fn ask(&self, config: &ClientConfig, now: Timestamp) -> Result<Learnt, LoginError> {
        let call = Call::get(config.issuer.discovery());
        let reply = self.send("its description", call).await?;
        let description: Description =
            read("its description", &success("its description", reply)?)?;
        description.check(config.issuer.as_str())?;
        let keys = self.keys(&description).await?;
        Ok(Learnt {
            description: Arc::new(description),
            keys,
            at: now,
        })
    }

    async fn keys(&self, description: &Description) -> Result<Arc<Keys>, LoginError> {
        let reply = self
            .send("its keys", Call::get(description.jwks_uri.clone()))
            .await?;
        let reply = success("its keys", reply)?;
        let keys = Keys::parse(&reply.body).map_err(|error| malformed("its keys", &error))?;
        if keys.is_empty() {
            return Err(LoginError::provider("its keys hold none that can be used"));
        }
        Ok(Arc::new(keys))
    }

    async fn send(&self, what: &str, call: Call) -> Result<Reply, LoginError> {
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(call)).await;
        let sent = sent.map_err(|elapsed| LoginError::Provider {
            what: format!("{what} took too long"),
            source: Some(elapsed.into()),
        })?;
        let reply = sent.map_err(|error| LoginError::Provider {
            what: format!("{what} cannot be reached"),
            source: Some(error),
        })?;
        if reply.body.len() > LIMIT_BYTES {
            return Err(LoginError::provider(format!("{what} is too large")));
        }
        Ok(reply)
    }
}

impl Description {
    /// A description that names another issuer is somebody else's; secrets and codes go to safe addresses only.
    fn check(&self, issuer: &str) -> Result<(), LoginError> {
        if self.issuer != issuer {
            return Err(LoginError::provider(format!(
                "its description names the issuer `{}`, and the configured one is `{issuer}`; they must be the same to \
                 the last character",
                self.issuer
            )));
        }
        let needed = [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("jwks_uri", &self.jwks_uri),
        ];
        let userinfo = self.userinfo_endpoint.as_ref();
        let userinfo = userinfo.map(|url| ("userinfo_endpoint", url));
        for (name, url) in needed.into_iter().chain(userinfo) {
            safe_url(url)
                .map_err(|why| LoginError::provider(format!("its {name} `{url}` {why}")))?;
        }
        Ok(())
    }

    /// Whether the secret goes into a header; without a word about it, it does.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| {
            methods.iter().any(|method| method == "client_secret_basic")
                || !methods.iter().any(|method| method == "client_secret_post")
        })
    }
}

fn success(what: &str, reply: Reply) -> Result<Reply, LoginError> {
    if reply.status == 200 {
        return Ok(reply);
    }
    Err(LoginError::provider(format!(
        "{what} answered with status {}",
        reply.status
    )))
}

fn read<T: DeserializeOwned>(what: &str, reply: &Reply) -> Result<T, LoginError> {
    serde_json::from_slice(&reply.body).map_err(|error| malformed(what, &error))
}

/// Only where the JSON is wrong is told: an error of serde may quote what it read, and that may be a token.
fn malformed(what: &str, error: &serde_json::Error) -> LoginError {
    LoginError::provider(format!(
        "{what} is not what it should be (line {}, column {})",
        error.line(),
        error.column()
    ))
}

/// A code that is refused is the login's fault; anything else is the configuration's or the provider's.
fn refused(reply: &Reply) -> LoginError {
    let said: Option<TokenError> = serde_json::from_slice(&reply.body).ok();
    let code = said.map(|said| form::short(&said.error));
    match code {
        Some(code) if reply.status == 400 && code == "invalid_grant" => LoginError::Denied {
            code,
            description: None,
        },
        code => LoginError::provider(format!(
            "its token endpoint answered with status {} ({})",
            reply.status,
            code.as_deref().unwrap_or("no error code")
        )),
    }
}

fn is_within(at: Timestamp, time: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(at) < time
}

const LEARNT_COUNTS: SignedDuration = SignedDuration::from_hours(1);
const FAILURE_COUNTS: SignedDuration = SignedDuration::from_secs(5);
const KEYS_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// For one request, whatever the client plugged in does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
const USERINFO: &str = "its userinfo endpoint";

#[cfg(test)]
mod tests;
