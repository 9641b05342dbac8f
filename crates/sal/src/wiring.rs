//! Joins the libraries: the clock, the login that opens the store's connections, and its report for the pages.

pub(crate) mod cutover;
pub(crate) mod outbound;
pub(crate) mod rights;
pub(crate) mod single_sign_on;

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rds_iam::{
    AssumeRole, ChainSettings, Clock, ConfigError, CredentialCache, CredentialChain, Explanation,
    IamConfig, LoginConfig, LoginError, LoginSecret, LoginStatus, ResolveError, SearchPath,
    SystemResolver, TlsConfig,
};
use sal_http::database_status::{
    DatabaseStatus, LoginFailure, LoginMode, LoginResult, ServerCertificate,
};
use sal_store::Store;
use sal_store::pool::{Cancel, Connected, Connector};
use tracing::{info, warn};

use crate::config::database::{DatabaseConfig, Login, Proof};

/// The real time.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub(crate) fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// What this machine calls itself, where the system says it.
pub(crate) fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The login cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    /// The name server configuration cannot be read.
    #[error("the resolver cannot be set up")]
    Resolver(#[from] ResolveError),
    /// The login's settings cannot work.
    #[error("the database login cannot be set up: {0}")]
    Login(#[from] ConfigError),
}

/// The ways to log in, tried in order: IAM first, a declared password after it.
pub(crate) struct DatabaseLogin {
    ways: Vec<rds_iam::Connector>,
    config: DatabaseConfig,
    clock: Clock,
    /// Which way opened the last connection.
    used: AtomicUsize,
    /// How the last logins went, the oldest first.
    recent: Mutex<VecDeque<LoginResult>>,
}

impl DatabaseLogin {
    /// Sets up every way, for the server's own sessions; connects nowhere.
    pub(crate) fn new(config: &DatabaseConfig, clock: &Clock) -> Result<Self, WiringError> {
        Self::looking_in(SearchPath::Deployment, config, clock)
    }

    /// The same for a command by hand, whose sessions look in `pg_catalog` only until it is known who it is.
    pub(crate) fn by_hand(config: &DatabaseConfig, clock: &Clock) -> Result<Self, WiringError> {
        Self::looking_in(SearchPath::Catalog, config, clock)
    }

    fn looking_in(
        path: SearchPath,
        config: &DatabaseConfig,
        clock: &Clock,
    ) -> Result<Self, WiringError> {
        let resolver = Arc::new(SystemResolver::new());
        let credentials = Arc::new(credentials(config, clock));
        let mut ways = Vec::new();
        for login in &config.logins {
            let mut settings = settings(login, config, &credentials);
            settings.search_path = path;
            ways.push(rds_iam::Connector::new(
                settings,
                resolver.clone(),
                Arc::clone(clock),
            )?);
        }
        Ok(Self {
            ways,
            config: config.clone(),
            clock: Arc::clone(clock),
            used: AtomicUsize::new(0),
            recent: Mutex::default(),
        })
    }

    /// Logs in the first way that works.
    ///
    /// # Errors
    /// The first way's error: it is the one that was meant.
    pub(crate) async fn connect(&self) -> Result<rds_iam::Connection, LoginError> {
        let mut first_error = None;
        for (index, way) in self.ways.iter().enumerate() {
            match way.connect().await {
                Ok(connection) => {
                    self.note_used(index);
                    self.note_result(way, None);
                    return Ok(connection);
                }
                Err(error) => {
                    // That there is no TLS is no failure where the next way asks for none: the cause is what comes then.
                    let is_probe = self.asks_for_no_tls_next(&error, index);
                    if !is_probe {
                        self.note_result(way, Some(&error));
                    }
                    if !may_go_on(&error, index, &self.config.logins) {
                        return Err(first_error.unwrap_or(error));
                    }
                    if !is_probe {
                        first_error.get_or_insert(error);
                    }
                }
            }
        }
        #[expect(
            clippy::expect_used,
            reason = "the configuration is refused when it holds no way to log in"
        )]
        Err(first_error.expect("there is at least one way to log in"))
    }

    /// Whether it failed for want of TLS, and the same login without is tried next: `prefer`.
    fn asks_for_no_tls_next(&self, error: &LoginError, index: usize) -> bool {
        let is_password = |place: usize| {
            let login = self.config.logins.get(place);
            login.is_some_and(|login| matches!(login.proof, Proof::Password(_)))
        };
        matches!(error.failure, rds_iam::LoginFailure::TlsRefused)
            && is_password(index)
            && is_password(index + 1)
    }

    fn note_result(&self, way: &rds_iam::Connector, error: Option<&LoginError>) {
        let (at, status) = ((self.clock)(), way.status());
        let result = LoginResult {
            at,
            mode: mode_of(status.mode),
            user: status.user,
            failure: error.map(|error| login_failure(at, error.explain())),
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.len() >= RECENT_LOGINS {
            recent.pop_front();
        }
        recent.push_back(result);
    }

    /// How the last logins went, the newest first.
    fn recent(&self) -> Vec<LoginResult> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().cloned().collect()
    }

    /// Whether the password is a fallback, not the way itself: a password alone has two ways where TLS is only preferred.
    fn begins_with_iam(&self) -> bool {
        let first = self.config.logins.first().map(|login| &login.proof);
        first.is_some_and(|proof| !matches!(proof, Proof::Password(_)))
    }

    /// Why the last login was made with the declared fallback; `None` when it was not.
    pub(crate) fn fallback_cause(&self) -> Option<LoginFailure> {
        let used = self.used.load(Ordering::Relaxed);
        let is_fallback = used > 0 && self.begins_with_iam();
        let mut recent = self.recent().into_iter();
        is_fallback.then(|| recent.find_map(|login| login.failure))?
    }

    fn note_used(&self, index: usize) {
        if self.used.swap(index, Ordering::Relaxed) == index {
            return;
        }
        match self.config.logins.get(index).map(|login| &login.proof) {
            Some(Proof::Password(_)) if self.begins_with_iam() => {
                let why = self.fallback_cause();
                warn!(
                    cause = why.as_ref().map(|why| why.likely_cause.as_str()),
                    next = why.as_ref().map(|why| why.next_step.as_str()),
                    "logged in to the database with the declared fallback, the password, because IAM failed: {}",
                    why.as_ref().map_or("not known", |why| why.what.as_str())
                )
            }
            _ if self.begins_with_iam() => info!("logged in to the database with IAM again"),
            _ => {}
        }
    }

    fn status(&self) -> LoginStatus {
        let used = self.used.load(Ordering::Relaxed);
        #[expect(
            clippy::expect_used,
            reason = "the configuration is refused when it holds no way to log in"
        )]
        self.ways
            .get(used)
            .or(self.ways.first())
            .expect("there is at least one way to log in")
            .status()
    }
}

/// Without a declared fallback, `prefer` goes on to an open connection only when the server has no TLS at all;
/// from IAM to a declared password, any failure will do.
fn may_go_on(error: &LoginError, index: usize, logins: &[Login]) -> bool {
    let from_iam = logins
        .get(index)
        .is_some_and(|login| matches!(login.proof, Proof::Iam));
    from_iam || matches!(error.failure, rds_iam::LoginFailure::TlsRefused)
}

pub(crate) fn credentials(config: &DatabaseConfig, clock: &Clock) -> CredentialCache {
    let assume_role = config.role_arn.as_ref().map(|role_arn| AssumeRole {
        role_arn: role_arn.clone(),
        session_name: "sal".to_owned(),
        external_id: config.external_id.clone(),
    });
    let settings = ChainSettings {
        region: config.region.clone(),
        assume_role,
        ca_bundle: config.aws.ca_bundle.clone(),
        ..ChainSettings::default()
    };
    CredentialCache::new(
        Arc::new(CredentialChain::new(settings, Arc::clone(clock))),
        Arc::clone(clock),
    )
}

fn settings(
    login: &Login,
    config: &DatabaseConfig,
    credentials: &Arc<CredentialCache>,
) -> LoginConfig {
    // During the move the password is the old user's.
    let user = match (
        &login.proof,
        config.logins.first().map(|first| &first.proof),
        &config.fallback_user,
    ) {
        (Proof::Password(_), Some(Proof::Iam), Some(old)) => old,
        _ => &config.user,
    };
    let secret = match &login.proof {
        Proof::Password(secret) => LoginSecret::Password(secret.clone()),
        Proof::Iam => LoginSecret::Iam(IamConfig {
            region: config.region.clone(),
            sign_host: config.sign_host.clone(),
            sign_port: config.sign_port,
            credentials: Arc::clone(credentials),
        }),
    };
    LoginConfig {
        host_address: config.host_address,
        application_name: Some("sal".to_owned()),
        tls: TlsConfig {
            mode: login.tls,
            authorities: config.authorities.clone(),
            ..TlsConfig::default()
        },
        connect_timeout: config.connect_timeout,
        logins_per_second: config.logins_per_second,
        expected_current_user: config.expect_role.clone(),
        require_writable: true,
        ..LoginConfig::new(&config.host, config.port, &config.name, user, secret)
    }
}

impl Connector for DatabaseLogin {
    fn connect(&self) -> BoxFuture<'_, Result<Connected, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            match Self::connect(self).await {
                Ok(connection) => Ok(Connected {
                    client: connection.client,
                    task: connection.task,
                    cancel: cancel(connection.canceller),
                }),
                Err(error) => {
                    let explanation = error.explain();
                    log_refusal(&explanation);
                    Err(Box::from(explanation.to_string()))
                }
            }
        })
    }
}

fn cancel(canceller: rds_iam::Canceller) -> Cancel {
    Arc::new(move || {
        let canceller = canceller.clone();
        Box::pin(async move {
            let sent = canceller.cancel().await;
            if let Err(error) = &sent {
                warn!(%error, "a statement whose request is gone could not be cancelled");
            }
            sent.is_ok()
        })
    })
}

fn mode_of(mode: rds_iam::LoginMode) -> LoginMode {
    match mode {
        rds_iam::LoginMode::Iam => LoginMode::Iam,
        rds_iam::LoginMode::Password => LoginMode::Password,
    }
}

fn login_failure(at: Timestamp, explanation: Explanation) -> LoginFailure {
    LoginFailure {
        at,
        what: explanation.what,
        likely_cause: explanation.likely_cause,
        next_step: explanation.next_step,
    }
}

/// How many results of logins are kept for the Database page.
const RECENT_LOGINS: usize = 20;

/// One warning for each refused login, with everything an operator needs.
pub(crate) fn log_refusal(explanation: &Explanation) {
    warn!(
        code = explanation.code,
        likely_cause = %explanation.likely_cause,
        next_step = %explanation.next_step,
        "the database login failed: {}",
        explanation.what
    );
}

/// The report of the login, in the house's own words.
pub(crate) fn database_status(
    login: &DatabaseLogin,
    store: &Store,
    notes: &[String],
) -> DatabaseStatus {
    let status = login.status();
    let credentials = status.credentials.unwrap_or_default();
    let mut warnings = notes.to_vec();
    warnings.extend(status.warnings.iter().map(ToString::to_string));
    DatabaseStatus {
        mode: mode_of(status.mode),
        user: status.user,
        host: status.host,
        port: login.config.port,
        database: login.config.name.clone(),
        sign_name: status.sign_name,
        region: status.region,
        credential_source: credentials.source,
        credential_expiry: credentials.expires_at,
        last_success: status.last_success,
        last_failure: status
            .last_failure
            .map(|note| login_failure(note.at, note.explanation)),
        recent: login.recent(),
        logins: status.logins.saturating_sub(status.failed),
        failures: status.failed,
        certificate: status.certificate.map(|certificate| ServerCertificate {
            subject: certificate.subject,
            issuer: certificate.issuer,
            not_after: certificate.not_after,
        }),
        warnings,
        pool: store.status(),
    }
}
