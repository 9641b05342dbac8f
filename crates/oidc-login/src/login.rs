//! A login from its beginning to its end.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::{
    config::ClientConfig,
    error::LoginError,
    form,
    person::{self, Person, Wish},
    provider::{Description, Learnt, Provider, Tokens},
    sealed::{Open, SealingKey},
    token::{self, Claims, Expected, TokenFault},
    transport::Transport,
};

/// We, who rely on what a provider says.
pub struct RelyingParty {
    client: ClientConfig,
    provider: Provider,
}

/// A login that was begun.
pub struct Begun {
    /// The provider's page.
    pub location: String,
    /// Names the login on the way.
    pub state: String,
    /// The login itself, for a cookie that only this browser gets and that lasts for [`LIFETIME`].
    pub sealed: String,
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

/// A login that this browser began and that is not over.
pub struct Started(Open);

impl Started {
    /// Where the browser wanted to go.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.0.next
    }

    /// What to remember of a login that was used, so that it is not used again: a hash of what only its browser knows.
    #[must_use]
    pub fn fingerprint(&self) -> Vec<u8> {
        let secrets = format!("{}.{}", self.0.state, self.0.verifier);
        digest(&SHA256, secrets.as_bytes()).as_ref().to_vec()
    }
}

impl RelyingParty {
    /// Sets up; asks the provider nothing yet.
    #[must_use]
    pub fn new(client: ClientConfig, transport: Arc<dyn Transport>) -> Self {
        Self {
            client,
            provider: Provider::new(transport),
        }
    }

    /// Whether a text could be the state of a login.
    #[must_use]
    pub fn could_be_state(text: &str) -> bool {
        form::could_be_random(text)
    }

    /// Begins a login that leads to `next`.
    ///
    /// # Errors
    /// When the provider cannot be asked for its login page.
    pub async fn begin(
        &self,
        next: &str,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<Begun, LoginError> {
        let learnt = self.provider.learn(&self.client, now).await?;
        let login = Open {
            state: form::random(),
            nonce: form::random(),
            verifier: form::random(),
            next: next.to_owned(),
            expires: now.as_second().saturating_add(LIFETIME.as_secs()),
        };
        Ok(Begun {
            location: self.login_page(&learnt.description, &login),
            sealed: key.seal(&login, &self.client)?,
            state: login.state,
        })
    }

    /// Finds the login that an answer belongs to.
    ///
    /// # Errors
    /// [`LoginError::Stale`] when this browser has not begun it, or too long ago.
    pub fn find(
        &self,
        answer: &Answer,
        sealed: &str,
        key: &SealingKey,
        now: Timestamp,
    ) -> Result<Started, LoginError> {
        let open = key.open(sealed, &self.client, now);
        open.filter(|open| form::could_be_random(&answer.state) && open.state == answer.state)
            .map(Started)
            .ok_or(LoginError::Stale)
    }

    /// Makes somebody of an answer.
    ///
    /// # Errors
    /// [`LoginError`] says why nobody is logged in.
    pub async fn finish(
        &self,
        answer: &Answer,
        started: &Started,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Person, LoginError> {
        if let Some(code) = &answer.error {
            return Err(LoginError::Denied {
                code: form::short(code),
                description: answer.error_description.as_deref().map(form::short),
            });
        }
        let learnt = self.provider.learn(&self.client, now).await?;
        self.check_issuer(answer, &learnt.description)?;
        let code = answer.code.as_deref().ok_or(LoginError::Stale)?;
        let tokens = self
            .provider
            .exchange(code, &started.0.verifier, &learnt.description, &self.client)
            .await?;
        let mut claims = self.believe(&tokens, started, &learnt, now).await?;
        if person::lacks(&claims, wish) {
            self.ask_further(&mut claims, &tokens, &learnt.description, wish)
                .await?;
        }
        Ok(Person::read(&claims, wish))
    }

    fn login_page(&self, description: &Description, login: &Open) -> String {
        let challenge = digest(&SHA256, login.verifier.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        let query = form::write(&[
            ("response_type", "code"),
            ("response_mode", "query"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", &self.client.redirect_uri),
            ("scope", &self.client.scopes),
            ("state", &login.state),
            ("nonce", &login.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let page = &description.authorization_endpoint;
        let joint = if page.contains('?') { '&' } else { '?' };
        format!("{page}{joint}{query}")
    }

    /// Where somebody is logged in to two providers, one cannot answer for the other (RFC 9207).
    fn check_issuer(&self, answer: &Answer, description: &Description) -> Result<(), LoginError> {
        let is_needed = description.authorization_response_iss_parameter_supported;
        match answer.issuer.as_deref() {
            None if !is_needed => Ok(()),
            Some(issuer) if issuer == self.client.issuer.as_str() => Ok(()),
            _ => Err(LoginError::Token(TokenFault::Issuer)),
        }
    }

    async fn believe(
        &self,
        tokens: &Tokens,
        started: &Started,
        learnt: &Learnt,
        now: Timestamp,
    ) -> Result<Claims, LoginError> {
        let expected = Expected {
            issuer: self.client.issuer.as_str(),
            client_id: &self.client.client_id,
            nonce: &started.0.nonce,
            access_token: tokens.access_token.as_deref(),
            now,
        };
        let first = token::verify(&tokens.id_token, &learnt.keys, &expected);
        if !matches!(first, Err(TokenFault::UnknownKey)) {
            return Ok(first?);
        }
        // The provider may have a new key since we asked.
        let again = self.provider.keys_again(&learnt.description, now).await?;
        let keys = again.ok_or(TokenFault::UnknownKey)?;
        Ok(token::verify(&tokens.id_token, &keys, &expected)?)
    }

    /// Asks the userinfo endpoint for what the ID token does not say. Where it does not answer, that stays unknown, and
    /// whoever decides about rights knows so; where it speaks of somebody else, nothing is believed.
    async fn ask_further(
        &self,
        claims: &mut Claims,
        tokens: &Tokens,
        description: &Description,
        wish: &Wish,
    ) -> Result<(), LoginError> {
        let Some(token) = tokens.access_token.as_deref() else {
            return Ok(());
        };
        let asked = self.provider.userinfo(token, description).await;
        match asked {
            Ok(None) => Ok(()),
            Ok(Some(more)) => Ok(claims.add(more, &wish.groups_claim)?),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                warn!(cause, "what the ID token leaves out stays unknown: {error}");
                Ok(())
            }
        }
    }
}

/// How long a person may take at the provider's page.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
