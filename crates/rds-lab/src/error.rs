//! Why the lab could not start or do what it was asked.
//!
//! Refused logins are no errors of the lab: clients see them, and [`crate::AuthEvent`] tells why.

use std::io;

use thiserror::Error;

/// Why the lab could not start or do what it was asked.
#[derive(Debug, Error)]
pub enum LabError {
    /// The private Postgres did not start.
    #[error("the lab's Postgres did not start")]
    Postgres(#[from] local_postgres::StartError),
    /// Postgres refused a statement of the lab.
    #[error("the lab's Postgres refused to {action}")]
    Database {
        /// What the lab tried.
        action: &'static str,
        /// What Postgres said.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make the lab's certificates")]
    Certificate(#[from] rcgen::Error),
    /// The certificates do not make a TLS server.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// Nothing of this name can be broken.
    #[error("`{name}` cannot be broken; `sal lab break --list` says what can")]
    UnknownBreakage {
        /// The name.
        name: String,
    },
    /// IAM would refuse the document.
    #[error("`{name}` is no policy: it takes statements with effect, actions and resources")]
    NoPolicy {
        /// The policy's name.
        name: String,
    },
    /// It is a fault of the gate, and clients come in through Postgres itself.
    #[error(
        "`{name}` is a fault of the lab's gate, which clients do not pass with --pam; start the lab without it"
    )]
    FaultOfTheGate {
        /// The name.
        name: String,
    },
    /// Postgres's own PAM knows nothing of clusters and proxies.
    #[error("only an instance is played with --pam; leave --pam or --shape out")]
    PamOfAnInstance,
    /// The shape has one instance only.
    #[error(
        "there is no other instance to fail over to; start the lab with --shape aurora or multi-az"
    )]
    NoFailover,
    /// Nobody started a standby.
    #[error("there is no standby to fail over to; start one first")]
    NoStandby,
    /// The shape has no door of this name.
    #[error("there is no door `{name}` in this lab, but: {known}")]
    NoDoor {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A socket or file could not be used.
    #[error("cannot {action}")]
    Io {
        /// What the lab tried.
        action: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

impl LabError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    pub(crate) fn database(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}
