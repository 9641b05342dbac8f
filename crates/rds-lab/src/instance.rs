//! The DB instance as RDS describes it: the flag, its pending change, its status, its class.
//!
//! A change takes a moment to be live, as on RDS, and waits for the window when it is not asked for at once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What RDS would answer about the instance.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) identifier: String,
    pub(crate) class: String,
    pub(crate) engine_version: String,
    pub(crate) replicas: Vec<String>,
    pub(crate) kerberos: bool,
    pub(crate) outpost: bool,
    pub(crate) log_exports: Vec<String>,
    pub(crate) replication_by_iam: bool,
    pub(crate) master_authentication: String,
    /// The least capacity of Aurora Serverless v2, such as `0.5`.
    pub(crate) serverless: Option<String>,
    /// The status of a blue/green deployment that is to take its place.
    pub(crate) blue_green: Option<String>,
    enabled: bool,
    /// What the flag was before it was broken.
    broken: Option<bool>,
    pending: Option<bool>,
    /// Until when a change is under way, and what it makes of the flag.
    changing: Option<(Instant, bool)>,
    /// How long a change takes.
    delay: Duration,
}

/// The instance.
#[derive(Debug)]
pub(crate) struct Instance {
    facts: Mutex<Facts>,
    /// As it was at the start; the flag apart.
    at_first: Facts,
}

impl Instance {
    pub(crate) fn new(identifier: &str, engine_version: &str, enabled: bool) -> Self {
        let facts = Facts {
            identifier: identifier.to_owned(),
            class: "db.m7g.large".to_owned(),
            engine_version: engine_version.to_owned(),
            replicas: Vec::new(),
            kerberos: false,
            outpost: false,
            log_exports: vec!["iam-db-auth-error".to_owned(), "postgresql".to_owned()],
            replication_by_iam: false,
            master_authentication: "password".to_owned(),
            serverless: None,
            blue_green: None,
            enabled,
            broken: None,
            pending: None,
            changing: None,
            delay: Duration::from_millis(500),
        };
        Self {
            at_first: facts.clone(),
            facts: Mutex::new(facts),
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        self.change(|facts| facts.clone())
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Facts) -> T) -> T {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.settle();
        change(&mut facts)
    }

    /// Puts back what was broken. A flag that was switched by the API stays as it is.
    pub(crate) fn mend(&self) {
        self.change(|facts| {
            let was_broken = facts.broken.take();
            *facts = Facts {
                enabled: was_broken.unwrap_or(facts.enabled),
                // What waits by the API's own doing goes on waiting.
                pending: facts.pending.filter(|_| was_broken.is_none()),
                changing: facts.changing,
                ..self.at_first.clone()
            };
        });
    }

    /// Whether IAM logins are asked for tokens now.
    pub(crate) fn is_live(&self) -> bool {
        self.change(|facts| facts.enabled)
    }
}

impl Facts {
    fn settle(&mut self) {
        if let Some((end, enabled)) = self.changing
            && Instant::now() >= end
        {
            self.enabled = enabled;
            self.changing = None;
        }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) fn pending(&self) -> Option<bool> {
        self.pending
    }

    pub(crate) fn status(&self) -> &'static str {
        match self.changing {
            Some(_) => "configuring-iam-database-auth",
            None => "available",
        }
    }

    /// `ModifyDBInstance`.
    pub(crate) fn modify(&mut self, enabled: bool, at_once: bool) {
        self.broken = None;
        if !at_once {
            self.pending = (enabled != self.enabled).then_some(enabled);
            return;
        }
        self.pending = None;
        if enabled != self.enabled {
            self.changing = Some((Instant::now() + self.delay, enabled));
        }
    }

    /// Sets the flag without a change under way, for faults.
    pub(crate) fn set(&mut self, enabled: bool, pending: Option<bool>) {
        self.broken.get_or_insert(self.enabled);
        self.enabled = enabled;
        self.pending = pending;
        self.changing = None;
    }
}
