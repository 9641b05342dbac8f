//! How the logins are going, for a page, a health check or metrics.
//!
//! A snapshot: cloned under a short lock, never holding a secret. The connector fills it.

use jiff::Timestamp;

use crate::{
    certificate::CertificateDetails,
    credentials::{CredentialStatus, Skew},
    explain::Explanation,
};

/// How the user proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMode {
    /// With a token signed for each login.
    Iam,
    /// With a password.
    Password,
}

/// What is known about the logins of one connector.
#[derive(Clone, Debug)]
pub struct LoginStatus {
    /// IAM or password.
    pub mode: LoginMode,
    /// The user that logs in.
    pub user: String,
    /// The host as configured.
    pub host: String,
    /// The name that tokens are signed for and certificates verified against, once known.
    pub sign_name: Option<String>,
    /// The signing region, once known.
    pub region: Option<String>,
    /// The credentials' source, end and last refresh; `None` with a password.
    pub credentials: Option<CredentialStatus>,
    /// The last login that succeeded.
    pub last_success: Option<Timestamp>,
    /// The last login that failed.
    pub last_failure: Option<LoginFailureNote>,
    /// Logins asked for since the start.
    pub logins: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// The certificate of the last handshake.
    pub certificate: Option<CertificateDetails>,
    /// The trusted authority that it comes from. rustls takes a root as it is, whatever its end;
    /// OpenSSL, and so psql and psycopg, refuse one that has ended.
    pub authority: Option<CertificateDetails>,
    /// The database's clock against ours, measured at the last login.
    pub skew: Option<Skew>,
    /// What works but should be looked at.
    pub warnings: Vec<LoginWarning>,
}

/// A failed login.
#[derive(Clone, Debug)]
pub struct LoginFailureNote {
    /// When it failed.
    pub at: Timestamp,
    /// What happened and what to do.
    pub explanation: Explanation,
}

/// Something that works but should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginWarning {
    /// The configured region is not the endpoint's; the configured one is used.
    RegionContradiction {
        /// The operator's region, which rules.
        configured: String,
        /// The region in the endpoint's name.
        endpoint: String,
    },
    /// The server's certificate is not checked.
    CertificateNotVerified,
    /// The server's certificate ends within 30 days.
    CertificateEnding {
        /// Its end.
        not_after: Timestamp,
    },
    /// The other clock differs by more than a minute.
    ClockSkew {
        /// The measurement.
        skew: Skew,
    },
}

impl std::fmt::Display for LoginWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RegionContradiction {
                configured,
                endpoint,
            } => write!(
                formatter,
                "the configured region `{configured}` is used although the endpoint is in `{endpoint}`"
            ),
            Self::CertificateNotVerified => {
                formatter.write_str("the server's certificate is not verified")
            }
            Self::CertificateEnding { not_after } => {
                write!(formatter, "the server's certificate ends on {not_after}")
            }
            Self::ClockSkew { skew } => write!(
                formatter,
                "the clock of {} differs from ours by {} s",
                skew.against,
                skew.offset.as_secs()
            ),
        }
    }
}
