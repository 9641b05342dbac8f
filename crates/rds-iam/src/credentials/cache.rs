//! One set of credentials for the whole process, refreshed before it ends.
//!
//! Only one fetch runs at a time, however many logins wait for it. While cached credentials are
//! good nobody waits: the refresh goes on beside them, so an outage of the source is not noticed
//! before they really end. Credentials that end within a minute are never handed out. The fetch
//! runs on a task this cache owns, so a caller that gives up does not stop it for the others.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{CredentialError, CredentialProvider, Fetched, Skew};
use crate::clock::Clock;

/// The times that govern the cache.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// How long a login waits for credentials when there are none to use.
    pub longest_wait: Duration,
    /// How long one fetch may take before it counts as failed.
    pub fetch_timeout: Duration,
    /// Credentials that end sooner than this are not handed out.
    pub shortest_life: Duration,
    /// How long before their end credentials are refreshed; half of their life if that is less.
    pub refresh_ahead: Duration,
    /// Pause after the first failed fetch; doubled for each further one.
    pub first_pause: Duration,
    /// Longest pause between two fetches.
    pub longest_pause: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            longest_wait: Duration::from_secs(5),
            fetch_timeout: Duration::from_secs(30),
            shortest_life: Duration::from_secs(60),
            refresh_ahead: Duration::from_secs(900),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// What the cache holds and how the last refresh went.
#[derive(Clone, Debug, Default)]
pub struct CredentialStatus {
    /// Where the cached credentials came from.
    pub source: Option<String>,
    /// The last four characters of the key id.
    pub access_key_ending: Option<String>,
    /// When the cached credentials end; `None` for long-term keys or when there are none.
    pub expires_at: Option<Timestamp>,
    /// The last fetch.
    pub last_refresh: Option<RefreshOutcome>,
    /// Fetches that succeeded since the start.
    pub refreshes: u64,
    /// Fetches that failed since the start.
    pub failures: u64,
}

/// How one fetch ended.
#[derive(Clone, Debug)]
pub struct RefreshOutcome {
    /// When it ended.
    pub at: Timestamp,
    /// `None` for success.
    pub error: Option<CredentialError>,
}

/// The process-wide cache of credentials.
pub struct CredentialCache {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    provider: Arc<dyn CredentialProvider>,
    clock: Clock,
    settings: CacheSettings,
    state: Mutex<State>,
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Fetched>>,
    refresh_at: Option<Timestamp>,
    fetching: bool,
    paused_until: Option<Instant>,
    failures_in_a_row: u32,
    outcome: Option<RefreshOutcome>,
    refreshes: u64,
    failures: u64,
}

enum Step {
    Use(Arc<Fetched>),
    Wait,
    Fail(CredentialError),
}

impl CredentialCache {
    /// A cache with the usual times; nothing is fetched before the first use.
    #[must_use]
    pub fn new(provider: Arc<dyn CredentialProvider>, clock: Clock) -> Self {
        Self::with_settings(provider, clock, CacheSettings::default())
    }

    /// A cache with other times.
    #[must_use]
    pub fn with_settings(
        provider: Arc<dyn CredentialProvider>,
        clock: Clock,
        settings: CacheSettings,
    ) -> Self {
        let shared = Shared {
            provider,
            clock,
            settings,
            state: Mutex::default(),
            ended: watch::channel(0).0,
        };
        Self {
            shared: Arc::new(shared),
            tasks: Mutex::new(JoinSet::new()),
        }
    }

    /// Credentials that live for at least a minute; from the cache whenever it holds such.
    ///
    /// # Errors
    /// When there are none and the source fails, does not answer within the longest wait, or has
    /// failed a moment ago and is being left alone.
    pub async fn get(&self) -> Result<Arc<Fetched>, CredentialError> {
        self.wait().await
    }

    /// Credentials other than `refused`, if the source has others; else the cached ones.
    ///
    /// For a server that refused a token: the role may have been given to another session or the
    /// credentials may have been revoked. Fetches at most once per pause, like any refresh.
    ///
    /// # Errors
    /// As `get`.
    pub async fn renew(&self, refused: &Arc<Fetched>) -> Result<Arc<Fetched>, CredentialError> {
        {
            let mut state = self.shared.state();
            let same = state
                .current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, refused));
            if same {
                state.refresh_at = Some((self.shared.clock)());
            }
        }
        let mut ended = self.shared.ended.subscribe();
        if matches!(self.step(), Step::Use(_)) && self.shared.state().fetching {
            let wait = self.shared.settings.longest_wait;
            // Time out or not: what the cache holds afterwards is the answer.
            let _ = tokio::time::timeout(wait, ended.changed()).await;
        }
        self.get().await
    }

    /// What is cached and how the last fetch went; fetches nothing.
    #[must_use]
    pub fn status(&self) -> CredentialStatus {
        let state = self.shared.state();
        let current = state.current.as_ref();
        CredentialStatus {
            source: current.map(|fetched| fetched.source.clone()),
            access_key_ending: current.map(|fetched| fetched.credentials.access_key_ending()),
            expires_at: current.and_then(|fetched| fetched.credentials.expires_at()),
            last_refresh: state.outcome.clone(),
            refreshes: state.refreshes,
            failures: state.failures,
        }
    }

    /// The clock difference seen in the source's answers, when it has one.
    #[must_use]
    pub fn skew(&self) -> Option<Skew> {
        self.shared.provider.skew()
    }

    async fn wait(&self) -> Result<Arc<Fetched>, CredentialError> {
        let wait = self.shared.settings.longest_wait;
        let deadline = Instant::now() + wait;
        let mut ended = self.shared.ended.subscribe();
        loop {
            match self.step() {
                Step::Use(fetched) => return Ok(fetched),
                Step::Fail(error) => return Err(error),
                Step::Wait => {}
            }
            if tokio::time::timeout_at(deadline, ended.changed())
                .await
                .is_err()
            {
                return Err(CredentialError::TimedOut { after: wait });
            }
        }
    }

    /// Decides on the present state, and starts a fetch when one is due.
    fn step(&self) -> Step {
        let mut state = self.shared.state();
        let now = (self.shared.clock)();
        let usable = state
            .current
            .clone()
            .filter(|fetched| self.shared.is_usable(fetched, now));
        let due = usable.is_none() || state.refresh_at.is_some_and(|at| now >= at);
        let paused = state.paused_until.is_some_and(|end| Instant::now() < end);
        if due && !state.fetching && !paused {
            state.fetching = true;
            self.start_fetch();
        }
        match usable {
            Some(fetched) => Step::Use(fetched),
            None if state.fetching => Step::Wait,
            None => Step::Fail(state.why_not()),
        }
    }

    fn start_fetch(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(fetch(Arc::clone(&self.shared)));
    }
}

/// One fetch, from asking the source to telling everyone who waits.
async fn fetch(shared: Arc<Shared>) {
    let mut ending = Ending {
        shared: &shared,
        recorded: false,
    };
    let timeout = shared.settings.fetch_timeout;
    let result = match tokio::time::timeout(timeout, shared.provider.fetch()).await {
        Ok(result) => result,
        Err(_elapsed) => Err(CredentialError::TimedOut { after: timeout }),
    };
    shared.record(result);
    ending.recorded = true;
}

/// Ends the fetch even when the provider panics: nobody waits for ever, and nobody asks at once.
struct Ending<'a> {
    shared: &'a Shared,
    recorded: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.recorded {
            self.shared.record(Err(CredentialError::Failed {
                origin: "the credential source".to_owned(),
                message: "it stopped without an answer".to_owned(),
            }));
        }
        self.shared.state().fetching = false;
        self.shared
            .ended
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_usable(&self, fetched: &Fetched, now: Timestamp) -> bool {
        fetched
            .credentials
            .live_for(self.settings.shortest_life, now)
    }

    fn record(&self, result: Result<Fetched, CredentialError>) {
        let now = (self.clock)();
        let mut state = self.state();
        match result {
            Ok(fetched) => self.record_success(&mut state, fetched, now),
            Err(error) => self.record_failure(&mut state, error, now),
        }
    }

    fn record_success(&self, state: &mut State, fetched: Fetched, now: Timestamp) {
        if !self.is_usable(&fetched, now) {
            let error = CredentialError::Expiring {
                origin: fetched.source.clone(),
                expires_at: fetched.credentials.expires_at().unwrap_or(now),
                refresh: None,
            };
            if state.current.is_none() {
                state.current = Some(Arc::new(fetched));
            }
            self.record_failure(state, error, now);
            return;
        }
        tracing::info!(
            source = %fetched.source,
            key_ending = %fetched.credentials.access_key_ending(),
            expires_at = ?fetched.credentials.expires_at(),
            "AWS credentials taken from {}",
            fetched.source
        );
        state.refresh_at = fetched
            .credentials
            .expires_at()
            .map(|end| self.refresh_moment(end, now));
        state.current = Some(Arc::new(fetched));
        state.failures_in_a_row = 0;
        // A source that repeats the same end must not be asked by every login.
        state.paused_until = Some(Instant::now() + self.settings.first_pause);
        state.refreshes += 1;
        state.outcome = Some(RefreshOutcome {
            at: now,
            error: None,
        });
    }

    fn record_failure(&self, state: &mut State, error: CredentialError, now: Timestamp) {
        tracing::warn!(%error, "AWS credentials could not be refreshed");
        let pause = self.pause(state.failures_in_a_row);
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        state.paused_until = Some(Instant::now() + pause);
        state.failures += 1;
        state.outcome = Some(RefreshOutcome {
            at: now,
            error: Some(error),
        });
    }

    /// Between half of the pause and all of it, so that many processes do not ask together.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self
            .settings
            .first_pause
            .saturating_mul(2_u32.saturating_pow(failures.min(16)));
        let pause = doubled.min(self.settings.longest_pause);
        pause.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    fn refresh_moment(&self, end: Timestamp, now: Timestamp) -> Timestamp {
        let life = end.duration_since(now).max(SignedDuration::ZERO);
        let ahead = SignedDuration::try_from(self.settings.refresh_ahead).unwrap_or(life);
        end.checked_sub(ahead.min(life / 2)).unwrap_or(now)
    }
}

impl State {
    /// The reason there is nothing to use, when no fetch is on its way.
    fn why_not(&self) -> CredentialError {
        let last = self
            .outcome
            .as_ref()
            .and_then(|outcome| outcome.error.clone());
        match (&self.current, last) {
            (_, Some(error @ CredentialError::Expiring { .. })) => error,
            (Some(fetched), last) => CredentialError::Expiring {
                origin: fetched.source.clone(),
                expires_at: fetched.credentials.expires_at().unwrap_or(Timestamp::MAX),
                refresh: last.map(|error| error.to_string()),
            },
            (None, Some(error)) => error,
            (None, None) => CredentialError::NotFound { tried: Vec::new() },
        }
    }
}

impl fmt::Debug for CredentialCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("CredentialCache")
            .field(&self.status())
            .finish()
    }
}

#[cfg(test)]
mod tests;
