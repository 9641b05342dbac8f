//! Sends submissions to a Sal server, as the real client does: Basic auth, user `sal`.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use thiserror::Error;
use tokio::time::Instant;

use crate::submission::Submission;

/// A server's address and the key to talk to it. `Debug` does not show the key.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    key: String,
}

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
    /// The body, with replacement characters where it is not UTF-8.
    pub body: String,
    /// From before connecting until the whole body was read.
    pub elapsed: Duration,
}

impl Outcome {
    /// Whether the server took the submission; a redirect loses the body, so it is a no.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there was no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The address is not one a client could connect to.
    #[error("`{url}` is not an http or https address")]
    Address {
        /// What was given.
        url: String,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    SetUp {
        /// What it said.
        #[source]
        source: reqwest::Error,
    },
    /// The connection failed, broke or took too long.
    #[error("no answer for the submission of {serial} to {path}")]
    NoAnswer {
        /// Whose submission.
        serial: String,
        /// Where it went.
        path: &'static str,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
}

impl Client {
    /// A client for the server at `base_url` (`https://sal.example.com`, a path is kept)
    /// with a machine group's key. `timeout` bounds a whole request; the real client gives
    /// up after 8 s of silence.
    ///
    /// # Errors
    /// When the address is not http or https, or the TLS library cannot be set up.
    pub fn new(base_url: &str, key: &str, timeout: Duration) -> Result<Self, ClientError> {
        let base_url = base_url.trim_end_matches('/');
        let parsed = reqwest::Url::parse(base_url).ok();
        if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(ClientError::Address {
                url: base_url.to_owned(),
            });
        }
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .build()
            .map_err(|source| ClientError::SetUp { source })?;
        Ok(Self {
            http,
            base_url: base_url.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Sends one submission; any HTTP status is an outcome, not an error.
    ///
    /// # Errors
    /// When there was no complete answer.
    pub async fn submit(&self, submission: &Submission) -> Result<Outcome, ClientError> {
        let no_answer = |source: reqwest::Error| ClientError::NoAnswer {
            serial: submission.serial.clone(),
            path: submission.path,
            source: source.without_url(),
        };
        let started = Instant::now();
        let answer = self
            .http
            .post(format!("{}{}", self.base_url, submission.path))
            .basic_auth("sal", Some(&self.key))
            .header("Content-Type", submission.content_type)
            .body(submission.body.clone())
            .send()
            .await
            .map_err(no_answer)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(no_answer)?;
        Ok(Outcome {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
            elapsed: started.elapsed(),
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
