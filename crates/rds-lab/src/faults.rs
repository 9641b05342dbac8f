//! The switches that make the lab fail, all usable while it runs.
//!
//! Each plays something that happens to real installations; everything is healthy at the start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use crate::clock::LabClock;
use crate::credentials::Credentials;

/// The services a login needs besides the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The instance metadata service.
    Imds,
    /// The ECS and EKS credential endpoint.
    Container,
    /// The security token service.
    Sts,
    /// RDS's API.
    Rds,
    /// IAM's API.
    Iam,
    /// CloudWatch.
    Monitoring,
    /// CloudWatch Logs.
    Logs,
}

/// How a credential service answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointHealth {
    /// As it should.
    #[default]
    Up,
    /// New connections are closed without a word, requests on old ones get a 503.
    Down,
    /// Every request gets this status.
    Status(u16),
    /// Requests are taken and never answered.
    Silent,
}

/// How the service behind the login check feels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthHealth {
    /// Only the login limit counts.
    #[default]
    Healthy,
    /// Answers 429 to everything.
    Throttling,
    /// Answers 503 to everything.
    Unavailable,
}

/// Whether policies count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyFault {
    /// What was allowed is allowed.
    #[default]
    AsGranted,
    /// An organisation's policy denies everything.
    DenyAll,
}

/// What the instance behind the endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceRole {
    /// It takes writes.
    #[default]
    Writer,
    /// New sessions are read-only, as on a replica that a stale name still points to.
    Reader,
}

/// The switches; clones share them.
#[derive(Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    clock: LabClock,
    credentials: Arc<Credentials>,
}

#[derive(Clone, Debug)]
struct State {
    credential_life: Duration,
    endpoints: HashMap<Service, EndpointHealth>,
    auth: AuthHealth,
    policy: PolicyFault,
    role: InstanceRole,
    slow_accept: Duration,
    login_limit: usize,
}

impl Faults {
    pub(crate) fn new(clock: LabClock, credentials: Arc<Credentials>, login_limit: usize) -> Self {
        let state = State {
            credential_life: Duration::from_secs(3_600),
            endpoints: HashMap::new(),
            auth: AuthHealth::default(),
            policy: PolicyFault::default(),
            role: InstanceRole::default(),
            slow_accept: Duration::ZERO,
            login_limit,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
            credentials,
        }
    }

    /// Ends all temporary credentials issued so far.
    pub fn expire_credentials(&self) {
        self.credentials.expire_all(self.clock.now());
    }

    /// How long credentials live that are issued from now on; an hour at the start.
    pub fn set_credential_life(&self, life: Duration) {
        self.change(|state| state.credential_life = life);
    }

    /// How a credential service answers from now on.
    pub fn set_endpoint(&self, service: Service, health: EndpointHealth) {
        self.change(|state| state.endpoints.insert(service, health));
    }

    /// How the login check feels from now on.
    pub fn set_auth(&self, health: AuthHealth) {
        self.change(|state| state.auth = health);
    }

    /// Whether policies count from now on.
    pub fn set_policy(&self, policy: PolicyFault) {
        self.change(|state| state.policy = policy);
    }

    /// What new sessions find behind the endpoint.
    pub fn set_role(&self, role: InstanceRole) {
        self.change(|state| state.role = role);
    }

    /// How long a new connection waits before the lab reads its first byte.
    pub fn set_slow_accept(&self, delay: Duration) {
        self.change(|state| state.slow_accept = delay);
    }

    /// How many IAM logins a second are let through; 200 at the start, as on RDS.
    pub fn set_login_limit(&self, per_second: usize) {
        self.change(|state| state.login_limit = per_second);
    }

    /// Makes AWS's clock differ from ours; positive means that AWS is ahead.
    pub fn shift_clock(&self, shift: SignedDuration) {
        self.clock.set_shift(shift);
    }

    pub(crate) fn credential_life(&self) -> Duration {
        self.change(|state| state.credential_life)
    }

    pub(crate) fn endpoint(&self, service: Service) -> EndpointHealth {
        self.change(|state| state.endpoints.get(&service).copied().unwrap_or_default())
    }

    pub(crate) fn auth(&self) -> AuthHealth {
        self.change(|state| state.auth)
    }

    pub(crate) fn policy(&self) -> PolicyFault {
        self.change(|state| state.policy)
    }

    pub(crate) fn role(&self) -> InstanceRole {
        self.change(|state| state.role)
    }

    pub(crate) fn slow_accept(&self) -> Duration {
        self.change(|state| state.slow_accept)
    }

    pub(crate) fn login_limit(&self) -> usize {
        self.change(|state| state.login_limit)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
