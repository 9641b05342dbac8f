//! The login: from a configuration to a session that may be used.
//!
//! `Connector::connect` waits for a turn, finds the RDS name behind the host, takes cached
//! credentials, dials, signs a token for this very connection, verifies the certificate, logs in
//! and checks the session. There is one layer of retries and it is here: three attempts at most,
//! all of them through the limiter. One attempt is `connect/attempt.rs`.

mod attempt;
mod cancel;
mod raw;

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::{task::JoinHandle, time::Instant};
use tokio_postgres::Client;
use tokio_util::task::TaskTracker;

use self::attempt::Progress;
pub use self::cancel::Canceller;
pub use self::raw::{Handshake, RawStream};
use crate::{
    clock::Clock,
    config::{ConfigError, LoginConfig, LoginSecret},
    credentials::{Skew, SkewMeter},
    failure::{LoginContext, LoginError, LoginFailure, Remedy},
    limit::{LoginLimiter, full_jitter},
    resolve::Resolver,
    status::{LoginFailureNote, LoginMode, LoginStatus, LoginWarning},
    tls::{Seen, TlsClient, TlsMode},
};

/// Attempts for one login, the first included.
const MOST_ATTEMPTS: u32 = 3;
/// After this many times the connect timeout no further attempt is begun.
const TIMEOUTS_PER_LOGIN: u32 = 2;
/// How long a login waits for its turn.
const LONGEST_QUEUE: Duration = Duration::from_secs(60);
/// For this long after a refusal that fresh credentials did not cure, tokens get one attempt.
const REFUSAL_STANDS: Duration = Duration::from_secs(5);
/// From here on a certificate's end is worth a warning.
const CERTIFICATE_NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From here on a clock difference is worth a warning.
const SKEW_NOTICE: SignedDuration = SignedDuration::from_secs(60);

/// Makes logged-in connections to one database.
pub struct Connector {
    config: LoginConfig,
    tls: Mutex<Option<TlsClient>>,
    resolver: Arc<dyn Resolver>,
    clock: Clock,
    limiter: Arc<LoginLimiter>,
    tracker: TaskTracker,
    skew: SkewMeter,
    status: Mutex<LoginStatus>,
    refusal: Mutex<Option<Instant>>,
}

/// A session, and the task that moves its bytes.
pub struct Connection {
    /// What queries are sent through; dropping it ends the session.
    pub client: Client,
    /// Ends when the session does; tracked by the connector, so it need not be awaited.
    pub task: JoinHandle<()>,
    /// Ends a statement that runs on this session.
    pub canceller: Canceller,
}

/// How a session is made once the connection is allowed: by the driver, or by somebody else's messages.
trait Way: Send {
    type Session: Send;

    fn attempt<'a>(
        &'a mut self,
        connector: &'a Connector,
        progress: &'a mut Progress,
    ) -> BoxFuture<'a, Result<Self::Session, LoginFailure>>;
}

/// A session of the driver.
struct ByDriver;

impl Way for ByDriver {
    type Session = Connection;

    fn attempt<'a>(
        &'a mut self,
        connector: &'a Connector,
        progress: &'a mut Progress,
    ) -> BoxFuture<'a, Result<Connection, LoginFailure>> {
        Box::pin(connector.attempt(progress))
    }
}

impl Connector {
    /// Checks the configuration and loads the certificate authorities; connects nowhere.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(
        config: LoginConfig,
        resolver: Arc<dyn Resolver>,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let per_second = NonZeroU32::new(config.logins_per_second).unwrap_or(NonZeroU32::MIN);
        let limiter = Arc::new(LoginLimiter::new(per_second));
        Self::new_sharing(config, resolver, clock, limiter)
    }

    /// The same with a limit on logins that several connectors share.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new_sharing(
        config: LoginConfig,
        resolver: Arc<dyn Resolver>,
        clock: Clock,
        limiter: Arc<LoginLimiter>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let tls = TlsClient::new(&config.tls)?;
        Ok(Self {
            limiter,
            status: Mutex::new(empty_status(&config)),
            tls: Mutex::new(tls),
            resolver,
            clock,
            tracker: TaskTracker::new(),
            skew: SkewMeter::default(),
            refusal: Mutex::new(None),
            config,
        })
    }

    /// Logs in once, with at most two further attempts for failures that may pass.
    ///
    /// # Errors
    /// When the login failed for good; the error explains itself.
    pub async fn connect(&self) -> Result<Connection, LoginError> {
        self.connect_way(&mut ByDriver).await
    }

    async fn connect_way<W: Way>(&self, way: &mut W) -> Result<W::Session, LoginError> {
        self.notes().logins += 1;
        let mut progress = Progress::default();
        match self.log_in(&mut progress, way).await {
            Ok(session) => {
                self.notes().last_success = Some((self.clock)());
                Ok(session)
            }
            Err(failure) => Err(self.note_failure(failure, progress)),
        }
    }

    /// How the logins are going.
    #[must_use]
    pub fn status(&self) -> LoginStatus {
        let mut status = self.notes().clone();
        let now = (self.clock)();
        if let LoginSecret::Iam(iam) = &self.config.secret {
            status.credentials = Some(iam.credentials.status());
        }
        status.skew = self.latest_skew();
        let warnings = self.warnings(&status, now);
        status.warnings.extend(warnings);
        status
    }

    /// Notes that the server ended a session right after its login: that a role may not log in, or has no connection
    /// left, it says only then, to whoever speaks for the client.
    pub fn refused_after_login(&self, sqlstate: &str, message: &str) {
        let failure = LoginFailure::Refused {
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
        };
        // The client has the server's own words.
        let _told = self.note_failure(failure, Progress::default());
    }

    /// How long ago the last login ended, well or not; `None` before the first.
    #[must_use]
    pub fn since_last_login(&self) -> Option<Duration> {
        let status = self.notes();
        let failed = status.last_failure.as_ref().map(|failure| failure.at);
        let last = status.last_success.into_iter().chain(failed).max()?;
        let age = (self.clock)().duration_since(last);
        // A clock that was set back makes nothing older.
        Some(Duration::try_from(age).unwrap_or_default())
    }

    /// Waits until every connection that was handed out has ended.
    pub async fn drained(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    async fn log_in<W: Way>(
        &self,
        progress: &mut Progress,
        way: &mut W,
    ) -> Result<W::Session, LoginFailure> {
        let mut last_start = None;
        let mut renewed = false;
        loop {
            if !self.limiter.admit(LONGEST_QUEUE).await {
                let after = LONGEST_QUEUE;
                return Err(LoginFailure::Queue { after });
            }
            let budget = self
                .config
                .connect_timeout
                .saturating_mul(TIMEOUTS_PER_LOGIN);
            let end = *last_start.get_or_insert_with(|| Instant::now() + budget);
            progress.attempts += 1;
            let failure = match way.attempt(self, progress).await {
                Ok(connection) => return Ok(connection),
                Err(failure) => failure,
            };
            let again = match failure.remedy(self.mode()) {
                Remedy::GiveUp => false,
                Remedy::TryAgain => true,
                Remedy::TryFreshAuthorities => self.reload_authorities(),
                Remedy::TryFreshCredentials => self.try_fresh(&mut renewed, progress).await,
            };
            if !again || progress.attempts >= MOST_ATTEMPTS || Instant::now() >= end {
                return Err(failure);
            }
            tracing::debug!(attempt = progress.attempts, %failure, "login is tried again");
            tokio::time::sleep(full_jitter(progress.attempts)).await;
        }
    }

    /// Says whether a refused token deserves another attempt, and fetches credentials for it.
    async fn try_fresh(&self, renewed: &mut bool, progress: &mut Progress) -> bool {
        let (LoginSecret::Iam(iam), Some(refused)) = (&self.config.secret, &progress.credentials)
        else {
            return false;
        };
        if *renewed {
            *self.refusal() = Some(Instant::now());
            return false;
        }
        if self
            .refusal()
            .is_some_and(|at| at.elapsed() < REFUSAL_STANDS)
        {
            return false;
        }
        *renewed = true;
        // Whatever comes of it, the next attempt takes what the cache holds then.
        if let Err(error) = iam.credentials.renew(refused).await {
            tracing::debug!(%error, "no fresh credentials after a refusal");
        }
        true
    }

    /// Reads a file of authorities again; says whether it holds others than before.
    fn reload_authorities(&self) -> bool {
        let loaded = match TlsClient::new(&self.config.tls) {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(%error, "the certificate authorities could not be read again");
                return false;
            }
        };
        let mut tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = tls
            .as_ref()
            .is_none_or(|present| !present.trusts_the_same(&loaded));
        if changed {
            tracing::info!("the certificate authorities were read again");
            *tls = Some(loaded);
        }
        changed
    }

    fn tls(&self) -> Option<TlsClient> {
        self.tls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note_failure(&self, failure: LoginFailure, progress: Progress) -> LoginError {
        let at = (self.clock)();
        let context = LoginContext {
            mode: self.mode(),
            user: self.config.user.clone(),
            database: self.config.database.clone(),
            host: self.config.host.clone(),
            port: self.config.port,
            tls: self.config.tls.mode,
            signer: progress.signer(),
            sign_name: progress.sign_name,
            region: progress.region,
            skew: self.latest_skew(),
            at,
            attempts: progress.attempts,
        };
        let error = LoginError {
            failure,
            context: Box::new(context),
        };
        let mut status = self.notes();
        status.failed += 1;
        status.last_failure = Some(LoginFailureNote {
            at,
            explanation: error.explain(),
        });
        error
    }

    /// The newer of the two measurements: the database's clock, the credential service's clock.
    fn latest_skew(&self) -> Option<Skew> {
        let credentials = match &self.config.secret {
            LoginSecret::Iam(iam) => iam.credentials.skew(),
            LoginSecret::Password(_) => None,
        };
        [self.skew.last(), credentials]
            .into_iter()
            .flatten()
            .max_by_key(|skew| skew.measured_at)
    }

    fn warnings(&self, status: &LoginStatus, now: Timestamp) -> Vec<LoginWarning> {
        let mut warnings = Vec::new();
        if self.config.tls.mode == TlsMode::Require {
            warnings.push(LoginWarning::CertificateNotVerified);
        }
        if let Some(certificate) = &status.certificate
            && certificate.not_after.duration_since(now) < CERTIFICATE_NOTICE
        {
            warnings.push(LoginWarning::CertificateEnding {
                not_after: certificate.not_after,
            });
        }
        if let Some(skew) = &status.skew
            && skew.offset.abs() >= SKEW_NOTICE
        {
            warnings.push(LoginWarning::ClockSkew { skew: skew.clone() });
        }
        warnings
    }

    fn mode(&self) -> LoginMode {
        mode_of(&self.config.secret)
    }

    fn notes(&self) -> MutexGuard<'_, LoginStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a handshake showed of the server; one that came to nothing leaves what was known.
    fn remember(&self, seen: &Seen) {
        if seen.certificate.is_some() {
            let mut notes = self.notes();
            notes.certificate.clone_from(&seen.certificate);
            notes.authority.clone_from(&seen.authority);
        }
    }

    fn refusal(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mode_of(secret: &LoginSecret) -> LoginMode {
    match secret {
        LoginSecret::Iam(_) => LoginMode::Iam,
        LoginSecret::Password(_) => LoginMode::Password,
    }
}

fn empty_status(config: &LoginConfig) -> LoginStatus {
    LoginStatus {
        mode: mode_of(&config.secret),
        user: config.user.clone(),
        host: config.host.clone(),
        sign_name: None,
        region: None,
        credentials: None,
        last_success: None,
        last_failure: None,
        logins: 0,
        failed: 0,
        certificate: None,
        authority: None,
        skew: None,
        warnings: Vec::new(),
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connector")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}
