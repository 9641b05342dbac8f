//! How the server is logged in to its database, for the Database page, readiness and metrics.
//!
//! Plain values: the program fills them from whatever login it plugged in, so no door knows AWS.

use jiff::Timestamp;
use sal_store::pool::PoolStatus;

/// Which secret opens connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginMode {
    /// An IAM token, signed for each connection.
    Iam,
    /// A password.
    Password,
}

/// The last login that failed, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFailure {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: String,
    /// The likely cause.
    pub likely_cause: String,
    /// What to do next.
    pub next_step: String,
}

/// How a login went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginResult {
    /// When it ended.
    pub at: Timestamp,
    /// With which secret.
    pub mode: LoginMode,
    /// As whom.
    pub user: String,
    /// Why it did not work, if it did not.
    pub failure: Option<LoginFailure>,
}

/// The certificate that the database server showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Its subject.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseStatus {
    /// Which secret opens connections.
    pub mode: LoginMode,
    /// The Postgres user.
    pub user: String,
    /// The configured host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The RDS name that tokens are signed for and certificates are verified against, once known.
    pub sign_name: Option<String>,
    /// The AWS region of the tokens.
    pub region: Option<String>,
    /// Where the AWS credentials come from.
    pub credential_source: Option<String>,
    /// Until when they live; `None` for long-term keys.
    pub credential_expiry: Option<Timestamp>,
    /// The last login that worked.
    pub last_success: Option<Timestamp>,
    /// The last one that did not.
    pub last_failure: Option<LoginFailure>,
    /// How the last logins went, the newest first.
    pub recent: Vec<LoginResult>,
    /// How many logins worked since the start.
    pub logins: u64,
    /// How many did not.
    pub failures: u64,
    /// What the server showed at the last login over TLS.
    pub certificate: Option<ServerCertificate>,
    /// What an operator should know: contradictions, leftovers, dates that come near.
    pub warnings: Vec<String>,
    /// The pool.
    pub pool: PoolStatus,
}
