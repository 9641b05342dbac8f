//! The App: everything a handler may use, built once by the program and passed everywhere.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sal_plugins::{Registry, Visibility};
use sal_store::Store;

use crate::access::LoginAttempts;
use crate::access::attempts::ProgramAttempts;
use crate::access::hashing::Hashing;
use crate::access::oidc::Oidc;
use crate::access::refusals::Refusals;
use crate::checkin_key::KnownKeys;
use crate::crowd::Crowd;
use crate::database_status::DatabaseStatus;
use crate::late::{Late, Lates};
use crate::memory::Memory;
use crate::origin::UnlistedProxies;
use crate::outbound::Outbound;
use crate::proxies::TrustedProxies;
use crate::recent_outcomes::RecentOutcomes;
use crate::turns::Turns;

/// Tells the time. A function, so that tests can hold it still.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells how the server is logged in to its database.
pub type DatabaseReport = Arc<dyn Fn() -> DatabaseStatus + Send + Sync>;

/// What the doors need to know of the configuration.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The name in the title of every page (`DOCKER_SAL_DISPLAY_NAME`).
    pub display_name: String,
    /// In which zone pages show times and clients' times without a zone are read (`DOCKER_SAL_TZ`).
    pub time_zone: TimeZone,
    /// Whether clients must authenticate with a machine group's key (`DOCKER_SAL_BASIC_AUTH`).
    pub basic_auth: bool,
    /// Whether a check-in marks its machine as in use (`DOCKER_SAL_DEPLOYED_ON_CHECKIN`).
    pub deployed_on_checkin: bool,
    /// Whether an unknown serial number becomes a new machine (`SAL_ADD_NEW_MACHINES`).
    pub add_new_machines: bool,
    /// Names of facts whose every value is kept (`SAL_HISTORICAL_FACTS`).
    pub historical_facts: HashSet<String>,
    /// Facts whose names begin with a match of this are dropped (`SAL_IGNORE_FACTS`).
    pub ignore_facts: Option<regex::Regex>,
    /// The greatest request body in bytes (`SAL_BODY_LIMIT`; Sal's limit is 5,242,880).
    pub body_limit_bytes: usize,
    /// The greatest size in bytes of an inventory, a catalog or profiles once unpacked. bzip2 makes 64 MiB of
    /// nothing out of a few hundred bytes.
    pub unpacked_limit_bytes: usize,
    /// Bytes that requests and what is made of them may take at once, about (`SAL_MEMORY_BUDGET`).
    pub memory_bytes: usize,
    /// Requests a minute from one address, at most (`SAL_ADDRESS_LIMIT`); 0 for no limit.
    pub address_limit: u32,
    /// Requests a minute with one machine group's key, at most (`SAL_KEY_LIMIT`); 0 for no limit.
    pub key_limit: u32,
    /// Submissions a minute of one machine, at most (`SAL_MACHINE_LIMIT`); 0 for no limit.
    pub machine_limit: u32,
    /// Rows of the check-in journal, at most (`SAL_JOURNAL_ROWS`); 0 for no journal.
    pub journal_rows: i64,
    /// Refused bodies that are kept, at most (`SAL_KEEP_REJECTED`); 0 for none.
    pub rejected_bodies: i64,
    /// Whether whoever is logged in sees all business units (`DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS`).
    pub all_units: bool,
    /// Whether a check-in with another group's key moves its machine there (`SAL_KEY_MOVES`).
    pub key_moves: KeyMoves,
    /// On which pages enabled widgets are left out (`SAL_HIDE_PLUGIN_FROM_…`).
    pub visibility: Visibility,
    /// Whether Sal's API keys that may only read see the keys of machine groups, as in Sal (`SAL_API_SHOW_GROUP_KEYS`).
    pub show_group_keys: bool,
    /// Requests a minute of one token or key at the REST API, at most (`SAL_API_REQUESTS_PER_MINUTE`); 0 for no limit.
    pub api_limit: u32,
    /// Whether assistants may ask by the Model Context Protocol (`SAL_MCP`).
    pub assistants: bool,
    /// How many days a token of the REST API lasts at most (`SAL_API_TOKEN_MAX_DAYS`); 0 for no limit.
    pub token_days: u16,
    /// How long the reader of a whole list may take nothing before it is left.
    pub stream_patience: Duration,
    /// The address under which browsers and programs reach this server (`SAL_PUBLIC_URL`).
    pub public_url: Option<String>,
    /// Whether browsers reach this server by https, so that cookies may say `Secure` (`SAL_PUBLIC_URL`).
    pub secure_cookies: bool,
    /// How long a session lasts that nobody uses (`SAL_SESSION_IDLE_MINUTES`); zero for as long as any.
    pub session_idle: SignedDuration,
    /// Whose word on where a request comes from is taken (`SAL_TRUSTED_PROXIES`).
    pub trusted_proxies: TrustedProxies,
    /// Every variable of the environment that is no secret, for the settings page.
    pub settings: Vec<Setting>,
}

/// A variable of the environment that is no secret.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What counts.
    pub value: String,
    /// Whether somebody set it, or the default counts.
    pub is_set: bool,
    /// One sentence.
    pub meaning: &'static str,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            display_name: "Sal".to_owned(),
            time_zone: TimeZone::UTC,
            basic_auth: true,
            deployed_on_checkin: false,
            add_new_machines: true,
            historical_facts: HashSet::new(),
            ignore_facts: None,
            body_limit_bytes: 5 * 1024 * 1024,
            unpacked_limit_bytes: 32 * 1024 * 1024,
            memory_bytes: 256 * 1024 * 1024,
            address_limit: 120_000,
            key_limit: 120_000,
            machine_limit: 240,
            journal_rows: 10_000,
            rejected_bodies: 100,
            all_units: false,
            key_moves: KeyMoves::Any,
            visibility: Visibility::default(),
            show_group_keys: false,
            api_limit: 60_000,
            assistants: false,
            token_days: 0,
            stream_patience: STREAM_PATIENCE,
            public_url: None,
            secure_cookies: false,
            session_idle: SignedDuration::from_hours(12),
            trusted_proxies: TrustedProxies::default(),
            settings: Vec::new(),
        }
    }
}

/// Shorter than Postgres allows a transaction to wait, whose message would say nothing of a reader.
pub const STREAM_PATIENCE: Duration = Duration::from_secs(25);

/// Where a machine group's key may move a machine that is in another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMoves {
    /// Anywhere, as in Sal.
    Any,
    /// Into groups of the business unit it is in.
    SameUnit,
    /// Nowhere; people move machines.
    Never,
}

/// The parts of an [`App`].
pub struct AppParts {
    /// The database.
    pub store: Store,
    /// The plugins at the start; [`App::registry`] has those of now.
    pub registry: Arc<Registry>,
    /// The folder of the administrator's own plugins (`SAL_PLUGIN_DIR`).
    pub plugin_folder: Option<PathBuf>,
    /// The configuration.
    pub config: HttpConfig,
    /// The clock.
    pub clock: Clock,
    /// The login to the database.
    pub database: DatabaseReport,
    /// What fetches pages of other servers; without it, none is ever asked.
    pub outbound: Option<Arc<dyn Outbound>>,
    /// Single sign-on, where it is configured.
    pub oidc: Option<Arc<Oidc>>,
}

/// Handle on the parts; cheap to clone, the state of every router.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: AppParts,
    known_keys: KnownKeys,
    /// Changes when an administrator has the folder of plugins read again.
    registry: RwLock<Arc<Registry>>,
    attempts: LoginAttempts,
    program_attempts: ProgramAttempts,
    turns: Turns,
    crowd: Crowd,
    outcomes: RecentOutcomes,
    memory: Memory,
    hashing: Hashing,
    refusals: Refusals,
    late: Lates,
    unlisted_proxies: UnlistedProxies,
}

impl App {
    /// Builds the App.
    pub fn new(parts: AppParts) -> Self {
        let memory = Memory::new(parts.config.memory_bytes);
        Self(Arc::new(Inner {
            registry: RwLock::new(Arc::clone(&parts.registry)),
            turns: Turns::new(parts.store.status().max),
            parts,
            known_keys: KnownKeys::default(),
            attempts: LoginAttempts::default(),
            program_attempts: ProgramAttempts::default(),
            crowd: Crowd::default(),
            outcomes: RecentOutcomes::default(),
            memory,
            hashing: Hashing::default(),
            refusals: Refusals::default(),
            late: Lates::default(),
            unlisted_proxies: UnlistedProxies::default(),
        }))
    }

    /// The plugins as they are now.
    pub fn registry(&self) -> Arc<Registry> {
        let registry = self.0.registry.read();
        Arc::clone(&registry.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other plugins from now on.
    pub fn set_registry(&self, registry: Arc<Registry>) {
        let mut now = self
            .0
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *now = registry;
    }

    /// Keys of machine groups that were right a moment ago.
    pub(crate) fn known_keys(&self) -> &KnownKeys {
        &self.0.known_keys
    }

    /// Tries to log in: one for all pages that ask for a password.
    pub fn attempts(&self) -> &LoginAttempts {
        &self.0.attempts
    }

    /// Tokens that programs show.
    pub fn program_attempts(&self) -> &ProgramAttempts {
        &self.0.program_attempts
    }

    /// How many requests of a person are worked on at once.
    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    /// The check-ins that are under way.
    pub fn crowd(&self) -> &Crowd {
        &self.0.crowd
    }

    /// The budget for what requests bring in.
    pub fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// Notes that a part of this may wait in memory.
    pub fn add_late(&self, late: Arc<dyn Late>) {
        self.0.late.add(late);
    }

    /// Writes what waits in memory.
    pub async fn write_late(&self) {
        self.0.late.write(self).await;
    }

    /// How the last requests of machines ended.
    pub fn outcomes(&self) -> &RecentOutcomes {
        &self.0.outcomes
    }

    /// The right to hash passwords.
    pub fn hashing(&self) -> &Hashing {
        &self.0.hashing
    }

    /// Logins that were refused, for the audit log.
    pub fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// Peers that forward for others and are not trusted.
    pub(crate) fn unlisted_proxies(&self) -> &UnlistedProxies {
        &self.0.unlisted_proxies
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// How the server is logged in to its database.
    pub fn database_status(&self) -> DatabaseStatus {
        (self.database)()
    }
}

impl Deref for App {
    type Target = AppParts;
    fn deref(&self) -> &Self::Target {
        &self.0.parts
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
