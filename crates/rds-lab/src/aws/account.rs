//! The lab's AWS account: its roles, who may assume them, and what was asked of the services.
//!
//! Shared by the stand-ins. Names follow AWS's ARN grammar.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::calls::Calls;
use crate::clock::LabClock;
use crate::credentials::{Credential, Credentials, Identity, random};
use crate::directory::{Directory, Role};
use crate::faults::Faults;
use crate::instance::Instance;
use crate::pattern::fits;
use crate::record::Record;
use crate::shape::Site;

/// How often each service was asked, answered or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// IMDSv2 session tokens.
    pub imds_token: u64,
    /// Credentials from IMDS.
    pub imds_credentials: u64,
    /// Credentials from the container endpoint.
    pub container: u64,
    /// Calls to STS, whatever the action.
    pub sts: u64,
}

/// The account and everything its stand-ins share.
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) region: String,
    pub(crate) clock: LabClock,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) faults: Faults,
    pub(crate) container_authorization: String,
    pub(crate) directory: Arc<Directory>,
    pub(crate) instance: Arc<Instance>,
    pub(crate) record: Arc<Record>,
    pub(crate) calls: Calls,
    pub(crate) site: Arc<Site>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    roles: HashMap<String, Assumable>,
    imds_tokens: HashMap<String, Timestamp>,
    requests: Requests,
}

#[derive(Default)]
struct Assumable {
    trusted: Vec<String>,
    web_identities: Vec<String>,
    /// Whoever assumes it has to bring this.
    external_id: Option<String>,
}

impl Account {
    pub(crate) fn new(
        id: &str,
        region: &str,
        clock: LabClock,
        credentials: Arc<Credentials>,
        faults: Faults,
        (instance, site): (Instance, Arc<Site>),
    ) -> Self {
        Self {
            directory: Arc::default(),
            instance: Arc::new(instance),
            record: Arc::default(),
            calls: Calls::default(),
            site,
            id: id.to_owned(),
            region: region.to_owned(),
            clock,
            credentials,
            faults,
            container_authorization: format!("Bearer {}", random(40)),
            state: Mutex::default(),
        }
    }

    pub(crate) fn user(&self, name: &str) -> Identity {
        let arn = format!("arn:aws:iam::{}:user/{name}", self.id);
        Identity {
            principal: arn.clone(),
            caller: arn,
        }
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.id)
    }

    /// Issues credentials for a session of a role, for the life that is set.
    pub(crate) fn issue(&self, role_arn: &str, session: &str, most: Duration) -> Credential {
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        let identity = Identity {
            principal: role_arn.to_owned(),
            caller: format!("arn:aws:sts::{}:assumed-role/{name}/{session}", self.id),
        };
        let now = self.clock.now();
        let life = most.min(self.faults.credential_life());
        let expires = now.checked_add(life).unwrap_or(now);
        self.credentials.issue_temporary(identity, expires)
    }

    /// Makes a role that a service may assume.
    pub(crate) fn add_role(&self, name: &str, service: &str) {
        let role = Role {
            arn: self.role_arn(name),
            trust: format!(
                "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"{service}\"}},\"Action\":\"sts:AssumeRole\"}}]}}"
            ),
            ..Role::default()
        };
        self.directory
            .with(|state| state.roles.insert(name.to_owned(), role));
    }

    /// Lets principals that fit the pattern assume the role.
    pub(crate) fn trust(&self, role_arn: &str, principal: &str) {
        self.with(|state| {
            let role = state.roles.entry(role_arn.to_owned()).or_default();
            role.trusted.push(principal.to_owned());
        });
    }

    /// Lets nobody assume the role without an external id.
    pub(crate) fn ask_for_external_id(&self, role_arn: &str, id: &str) {
        self.with(|state| {
            let role = state.roles.entry(role_arn.to_owned()).or_default();
            role.external_id = Some(id.to_owned());
        });
    }

    /// Makes a web identity token for the role.
    pub(crate) fn web_identity(&self, role_arn: &str) -> String {
        let token = format!("{}.{}.{}", random(36), random(180), random(86));
        self.with(|state| {
            let role = state.roles.entry(role_arn.to_owned()).or_default();
            role.web_identities.push(token.clone());
        });
        token
    }

    /// Whether a principal may assume a role, with the external id that it brings.
    pub(crate) fn may_assume(
        &self,
        identity: &Identity,
        role_arn: &str,
        external_id: Option<&str>,
    ) -> bool {
        let asked = self.with(|state| {
            let role = state.roles.get(role_arn);
            role.and_then(|role| role.external_id.clone())
        });
        if asked.is_some() && asked.as_deref() != external_id {
            return false;
        }
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        if self.directory.trusts_principal(name, identity) {
            return true;
        }
        self.with(|state| {
            let Some(role) = state.roles.get(role_arn) else {
                return false;
            };
            let fitting = |pattern: &String| {
                fits(pattern, &identity.principal) || fits(pattern, &identity.caller)
            };
            role.trusted.iter().any(fitting)
        })
    }

    pub(crate) fn knows_web_identity(&self, role_arn: &str, token: &str) -> bool {
        self.with(|state| {
            let role = state.roles.get(role_arn);
            role.is_some_and(|role| role.web_identities.iter().any(|known| known == token))
        })
    }

    pub(crate) fn open_imds_session(&self, life: Duration) -> String {
        let token = format!("{}==", random(54));
        let now = self.clock.now();
        let ends = now.checked_add(life).unwrap_or(now);
        self.with(|state| state.imds_tokens.insert(token.clone(), ends));
        token
    }

    pub(crate) fn has_imds_session(&self, token: &str) -> bool {
        let now = self.clock.now();
        self.with(|state| state.imds_tokens.get(token).is_some_and(|ends| *ends > now))
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Requests)) {
        self.with(|state| count(&mut state.requests));
    }

    pub(crate) fn requests(&self) -> Requests {
        self.with(|state| state.requests)
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `2026-01-02T03:04:05Z`, as AWS writes times in answers.
pub(super) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
