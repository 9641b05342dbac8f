//! Why a login failed: one typed error with what is needed to explain it.
//!
//! `LoginFailure` says what happened, `LoginContext` under which circumstances. Whether it is worth
//! another try is decided here; the words for a person are in `explain.rs`.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use jiff::Timestamp;
use rustls::CertificateError;
use thiserror::Error;

use crate::{
    certificate::CertificateDetails,
    credentials::{CredentialError, Skew},
    explain::{self, Explanation},
    region::RegionError,
    resolve::ResolveError,
    status::LoginMode,
    tls::TlsMode,
};

/// A login that failed.
#[derive(Debug, Error)]
#[error("login to `{}` as `{}` failed: {failure}", context.host, context.user)]
pub struct LoginError {
    /// What happened.
    #[source]
    pub failure: LoginFailure,
    /// Under which circumstances.
    pub context: Box<LoginContext>,
}

/// The circumstances of a login, without its secrets.
#[derive(Clone, Debug)]
pub struct LoginContext {
    /// IAM or password.
    pub mode: LoginMode,
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
    /// The host as configured.
    pub host: String,
    /// The port that was dialled.
    pub port: u16,
    /// How much of the certificate was to be checked.
    pub tls: TlsMode,
    /// The name that was signed for and verified, if it got that far.
    pub sign_name: Option<String>,
    /// The signing region, if it got that far.
    pub region: Option<String>,
    /// The credentials that signed.
    pub signer: Option<Signer>,
    /// The last known clock difference.
    pub skew: Option<Skew>,
    /// When the login failed.
    pub at: Timestamp,
    /// How many attempts were made.
    pub attempts: u32,
}

/// The credentials that signed a token, without their secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Where they came from.
    pub source: String,
    /// The last four characters of the key id.
    pub access_key_ending: String,
    /// Their end.
    pub expires_at: Option<Timestamp>,
}

/// What made a login fail.
#[derive(Debug, Error)]
pub enum LoginFailure {
    /// There were no credentials to sign with.
    #[error("{0}")]
    Credentials(#[source] CredentialError),
    /// No name behind the host is one of RDS, so there is nothing to sign for.
    #[error("no RDS name was found behind `{host}` (looked at {})", chain.join(", "))]
    NotAnRdsName {
        /// The configured host.
        host: String,
        /// The names that were passed.
        chain: Vec<String>,
    },
    /// The signing region cannot be told.
    #[error("{0}")]
    Region(#[source] RegionError),
    /// The host's name was not found.
    #[error("{0}")]
    Resolve(#[source] ResolveError),
    /// No address could be reached.
    #[error("cannot connect to {}", list(addresses))]
    Dial {
        /// The addresses that were tried.
        addresses: Vec<SocketAddr>,
        /// What the last one said.
        #[source]
        source: io::Error,
    },
    /// The unix socket could not be reached.
    #[error("cannot connect to `{}`", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server asks for a password, and none was given.
    #[error("the server asks for a password, and none is set")]
    NoPassword,
    /// A step took too long.
    #[error("{stage} took longer than {} s", after.as_secs_f32())]
    TimedOut {
        /// The step.
        stage: Stage,
        /// The bound on the whole attempt.
        after: Duration,
    },
    /// The server does not speak TLS.
    #[error("the server refused TLS")]
    TlsRefused,
    /// The server's certificate is not to be trusted.
    #[error("the server's certificate was refused: {refusal}")]
    Certificate {
        /// Why.
        refusal: CertificateError,
        /// What was presented.
        presented: Option<Box<CertificateDetails>>,
        /// The authority that would have to be trusted.
        top_issuer: Option<String>,
    },
    /// The handshake failed otherwise.
    #[error("the TLS handshake failed: {message}")]
    Tls {
        /// What rustls said.
        message: String,
    },
    /// The server said no.
    #[error("the server refused the login: {message} ({sqlstate})")]
    Refused {
        /// The five-character code.
        sqlstate: String,
        /// The server's text.
        message: String,
    },
    /// The connection broke or the server did not follow the protocol.
    #[error("the connection broke during the login")]
    Broken(#[source] tokio_postgres::Error),
    /// The connection ended, or what came was no Postgres, while a relay spoke.
    #[error("the connection broke during the login: {message}")]
    Ended {
        /// What happened.
        message: String,
    },
    /// The session has another role than it must have.
    #[error("the session runs as `{found}` instead of `{expected}`")]
    WrongRole {
        /// The role that was configured.
        expected: String,
        /// The role the session has.
        found: String,
    },
    /// The session looks for names where somebody else may have put something.
    #[error("the session looks for names in `{found}`, although it was set otherwise")]
    SearchPath {
        /// Where it looks.
        found: String,
    },
    /// The session cannot write.
    #[error("the server does not accept writes")]
    NotWritable {
        /// The server is a standby or a demoted writer, not merely set to read only.
        in_recovery: bool,
    },
    /// Too many logins were waiting for their turn.
    #[error("no turn to log in came within {} s", after.as_secs())]
    Queue {
        /// How long was waited.
        after: Duration,
    },
}

/// A step of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Asking DNS.
    Resolving,
    /// Waiting for credentials.
    Credentials,
    /// Opening the TCP connection.
    Dialling,
    /// TLS and authentication.
    Authenticating,
    /// The checks after the login.
    Checking,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// It may go away by itself.
    TryAgain,
    /// Once more, with freshly fetched credentials.
    TryFreshCredentials,
    /// Once more, if the file of authorities holds others by now.
    TryFreshAuthorities,
    /// Somebody has to change something.
    GiveUp,
}

impl LoginError {
    /// What happened, the likely cause, and what to do.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        explain::explain(&self.failure, &self.context)
    }
}

impl LoginFailure {
    pub(crate) fn remedy(&self, mode: LoginMode) -> Remedy {
        match self {
            Self::Dial { .. }
            | Self::Socket { .. }
            | Self::Broken(_)
            | Self::Ended { .. }
            | Self::NotWritable { .. }
            | Self::Resolve(ResolveError::Failed { .. }) => Remedy::TryAgain,
            Self::TimedOut { stage, .. } if *stage != Stage::Credentials => Remedy::TryAgain,
            Self::Certificate {
                refusal: CertificateError::UnknownIssuer,
                ..
            } => Remedy::TryFreshAuthorities,
            Self::Refused { sqlstate, message } => remedy_of(sqlstate, message, mode),
            _ => Remedy::GiveUp,
        }
    }
}

/// Server starting or stopping, out of connections, proxy throttled: again. PAM: perhaps.
fn remedy_of(sqlstate: &str, message: &str, mode: LoginMode) -> Remedy {
    let passing = matches!(sqlstate, "57P01" | "57P02" | "57P03" | "53300")
        || sqlstate.starts_with("08")
        || message.contains(explain::PROXY_THROTTLED);
    if passing {
        Remedy::TryAgain
    } else if mode == LoginMode::Iam && sqlstate == "28000" && is_token_refused(message) {
        Remedy::TryFreshCredentials
    } else {
        Remedy::GiveUp
    }
}

/// By the database, or by a proxy before it.
fn is_token_refused(message: &str) -> bool {
    message.contains(explain::PAM_FAILED) || message.contains(explain::PROXY_REFUSED)
}

fn list(addresses: &[SocketAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Resolving => "looking up the host",
            Self::Credentials => "fetching AWS credentials",
            Self::Dialling => "connecting",
            Self::Authenticating => "logging in",
            Self::Checking => "checking the new session",
        })
    }
}
