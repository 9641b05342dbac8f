//! What a program says to log in: the database, the user, the secret and the protection.
//!
//! Plain structs; `Connector::new` checks them once and reports what cannot work. The secret is
//! the only difference between IAM and a password, so that a deployment can switch by
//! configuration alone.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use thiserror::Error;

use crate::{
    credentials::CredentialCache,
    guard::SearchPath,
    secret::Secret,
    tls::{TlsConfig, TlsSetupError},
};

/// Everything a login needs to know.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// The host as configured: an RDS name, an alias of one, or any name of a Postgres server.
    pub host: String,
    /// Dial this address instead of asking DNS for the host's, like libpq's `hostaddr`.
    pub host_address: Option<IpAddr>,
    /// The port to dial.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The user to log in as.
    pub user: String,
    /// What the session calls itself in `pg_stat_activity`.
    pub application_name: Option<String>,
    /// How the user proves who they are.
    pub secret: LoginSecret,
    /// How the connection is protected.
    pub tls: TlsConfig,
    /// Bound on one attempt, from the name to the checks after the login; 10 s is usual.
    pub connect_timeout: Duration,
    /// New logins per second, retries included; `DEFAULT_LOGINS_PER_SECOND` is well below what
    /// RDS takes.
    pub logins_per_second: u32,
    /// The role the session must have after the login, for users with `SET role`.
    pub expected_current_user: Option<String>,
    /// Refuse sessions that cannot write, such as those of a writer that was demoted.
    pub require_writable: bool,
    /// Where sessions look for names. By default nowhere but in `pg_catalog`, so that a session with many rights runs
    /// nobody else's code; only a deployment's own sessions look elsewhere.
    pub search_path: SearchPath,
}

/// A quarter of what RDS accepts.
pub const DEFAULT_LOGINS_PER_SECOND: u32 = 50;

/// The usual bound on one attempt.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How the user proves who they are.
#[derive(Clone)]
pub enum LoginSecret {
    /// With a token signed for each login.
    Iam(IamConfig),
    /// With a password, by scram or whatever the server asks for.
    Password(Secret),
}

/// How tokens are signed.
#[derive(Clone)]
pub struct IamConfig {
    /// The signing region; without it the endpoint's.
    pub region: Option<String>,
    /// Sign for this name instead of the one found behind the host: for tunnels and relays. The
    /// certificate is verified against it, too.
    pub sign_host: Option<String>,
    /// Sign for this port instead of the one dialled.
    pub sign_port: Option<u16>,
    /// The process's credentials.
    pub credentials: Arc<CredentialCache>,
}

/// The configuration cannot work.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A field that must not be empty is.
    #[error("`{field}` is empty")]
    Empty {
        /// The field of `LoginConfig`.
        field: &'static str,
    },
    /// A field holds a NUL byte, which the protocol cannot carry.
    #[error("`{field}` contains a NUL byte")]
    Nul {
        /// The field of `LoginConfig`.
        field: &'static str,
    },
    /// A limit of no logins per second, or a timeout of nothing.
    #[error("`{field}` must be more than zero")]
    Zero {
        /// The field of `LoginConfig`.
        field: &'static str,
    },
    /// IAM without TLS.
    #[error("a login with IAM needs TLS: RDS refuses IAM users without it")]
    IamWithoutTls,
    /// Ports 80 and 443 cannot be signed for unambiguously, and RDS never listens there.
    #[error("a token cannot be signed for port {port}: RDS listens on 1150 to 65535")]
    UnsignablePort {
        /// The port.
        port: u16,
    },
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(#[from] TlsSetupError),
}

impl LoginConfig {
    /// A configuration with the usual limits and full verification.
    #[must_use]
    pub fn new(host: &str, port: u16, database: &str, user: &str, secret: LoginSecret) -> Self {
        Self {
            host: host.to_owned(),
            host_address: None,
            port,
            database: database.to_owned(),
            user: user.to_owned(),
            application_name: None,
            secret,
            tls: TlsConfig::default(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            logins_per_second: DEFAULT_LOGINS_PER_SECOND,
            expected_current_user: None,
            require_writable: false,
            search_path: SearchPath::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (field, text) in [
            ("host", &self.host),
            ("database", &self.database),
            ("user", &self.user),
        ] {
            if text.is_empty() {
                return Err(ConfigError::Empty { field });
            }
            if text.contains('\0') {
                return Err(ConfigError::Nul { field });
            }
        }
        if self.logins_per_second == 0 {
            let field = "logins_per_second";
            return Err(ConfigError::Zero { field });
        }
        if self.connect_timeout.is_zero() || self.port == 0 {
            let zero_port = self.port == 0;
            let field = if zero_port { "port" } else { "connect_timeout" };
            return Err(ConfigError::Zero { field });
        }
        self.check_iam()
    }

    fn check_iam(&self) -> Result<(), ConfigError> {
        let LoginSecret::Iam(iam) = &self.secret else {
            return Ok(());
        };
        if self.tls.mode == crate::tls::TlsMode::Disable {
            return Err(ConfigError::IamWithoutTls);
        }
        let port = iam.sign_port.unwrap_or(self.port);
        if matches!(port, 80 | 443) {
            return Err(ConfigError::UnsignablePort { port });
        }
        Ok(())
    }
}

impl fmt::Debug for LoginSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iam(iam) => formatter.debug_tuple("Iam").field(iam).finish(),
            Self::Password(password) => formatter.debug_tuple("Password").field(password).finish(),
        }
    }
}

impl fmt::Debug for IamConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IamConfig")
            .field("region", &self.region)
            .field("sign_host", &self.sign_host)
            .field("sign_port", &self.sign_port)
            .finish_non_exhaustive()
    }
}
