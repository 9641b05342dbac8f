//! What the lab plays: an instance, an Aurora cluster, a Multi-AZ cluster, or an instance behind RDS Proxy. Its names,
//! and which of its instances writes.
//!
//! Every name has a listener of its own, a door. Behind all of them is the same Postgres: Aurora's instances share
//! their storage, so a reader sees what was written at once, and a failover only swaps who may write. A reader's
//! sessions are read-only by `default_transaction_read_only`; unlike on RDS `pg_is_in_recovery()` is false there. A real
//! standby was not worth its price: it costs each lab a second Postgres, lags where Aurora does not, and has to be
//! made anew after each failover.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::LabOptions;
use crate::faults::InstanceRole;

/// What the lab plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// One DB instance.
    #[default]
    Instance,
    /// An Aurora cluster of two instances: writer, reader and custom endpoint, and that of a global database.
    Aurora,
    /// A Multi-AZ DB cluster of three instances: writer and reader endpoint.
    MultiAz,
    /// An instance behind RDS Proxy in its standard mode: the proxy logs in with a secret.
    Proxy,
    /// An instance behind RDS Proxy with end-to-end IAM: the proxy logs in with a token of its own role.
    ProxyEndToEnd,
}

/// A name that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What it is called in the lab, such as `writer` or `proxy`.
    pub name: String,
    /// Its host name; tokens are signed for it.
    pub endpoint: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Where a door leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// To the only instance, or to whichever writes.
    Writer,
    /// To an instance that reads.
    Reader,
    /// To this one, whatever it does.
    Member(usize),
    /// To the proxy.
    Proxy,
}

/// A door before it listens.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) leads: Leads,
}

/// The names and the state.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) shape: Shape,
    /// Of the instance or the cluster.
    pub(crate) identifier: String,
    /// The same without what tells an instance, a cluster and a proxy apart.
    domain: String,
    pub(crate) resource_id: String,
    /// Which member of a cluster writes.
    writer: AtomicUsize,
    /// Passwords by user, as the proxy has them from Secrets Manager.
    secrets: Mutex<BTreeMap<String, String>>,
}

impl Site {
    pub(crate) fn new(options: &LabOptions) -> Self {
        let domain = options.endpoint.split_once('.');
        let domain = domain.map_or(options.endpoint.as_str(), |(_, domain)| domain);
        let id = options.resource_id.as_str();
        let resource_id = match options.shape.is_cluster() {
            true => format!("cluster-{}", id.strip_prefix("db-").unwrap_or(id)),
            false => id.to_owned(),
        };
        Self {
            shape: options.shape,
            identifier: options.identifier.clone(),
            domain: domain.to_owned(),
            resource_id,
            writer: AtomicUsize::default(),
            secrets: Mutex::default(),
        }
    }

    /// All names, the one of the database's writer first.
    pub(crate) fn names(&self, own: &str) -> Vec<Name> {
        let named = |name: &str, endpoint: String, leads| Name {
            name: name.to_owned(),
            endpoint,
            leads,
        };
        match self.shape {
            Shape::Instance => vec![named("database", own.to_owned(), Leads::Writer)],
            Shape::Aurora | Shape::MultiAz => {
                let mut names = vec![
                    named("writer", self.cluster(), Leads::Writer),
                    named("reader", self.reader(), Leads::Reader),
                ];
                if self.shape == Shape::Aurora {
                    names.push(named("custom", self.custom(), Leads::Member(CUSTOM_MEMBER)));
                    names.push(named("global", self.global(), Leads::Writer));
                }
                names.extend((0..self.members()).map(|member| {
                    let name = format!("instance-{}", member + 1);
                    let endpoint = self.own(&self.member(member));
                    named(&name, endpoint, Leads::Member(member))
                }));
                names
            }
            Shape::Proxy | Shape::ProxyEndToEnd => vec![
                named("database", own.to_owned(), Leads::Writer),
                named("proxy", self.proxy(), Leads::Proxy),
                named("proxy-endpoint", self.proxy_endpoint(), Leads::Proxy),
            ],
        }
    }

    /// What an instance may do to whom comes in by a door.
    pub(crate) fn role(&self, leads: Leads) -> InstanceRole {
        match leads {
            Leads::Writer | Leads::Proxy => InstanceRole::Writer,
            Leads::Reader => InstanceRole::Reader,
            Leads::Member(member) if member == self.writer() => InstanceRole::Writer,
            Leads::Member(_) => InstanceRole::Reader,
        }
    }

    pub(crate) fn writer(&self) -> usize {
        self.writer.load(Ordering::SeqCst)
    }

    /// The next instance writes from here on.
    pub(crate) fn fail_over(&self) {
        let next = (self.writer() + 1) % self.members().max(1);
        self.writer.store(next, Ordering::SeqCst);
    }

    pub(crate) fn members(&self) -> usize {
        match self.shape {
            Shape::Aurora => 2,
            Shape::MultiAz => 3,
            Shape::Instance | Shape::Proxy | Shape::ProxyEndToEnd => 0,
        }
    }

    /// A member's identifier.
    pub(crate) fn member(&self, number: usize) -> String {
        format!("{}-instance-{}", self.identifier, number + 1)
    }

    /// An instance's own endpoint.
    pub(crate) fn own(&self, identifier: &str) -> String {
        format!("{identifier}.{}", self.domain)
    }

    pub(crate) fn cluster(&self) -> String {
        format!("{}.cluster-{}", self.identifier, self.domain)
    }

    pub(crate) fn reader(&self) -> String {
        format!("{}.cluster-ro-{}", self.identifier, self.domain)
    }

    pub(crate) fn custom(&self) -> String {
        format!("{CUSTOM}.cluster-custom-{}", self.domain)
    }

    /// Its hash is an account's, as all are; no region is in it.
    pub(crate) fn global(&self) -> String {
        let hash = self.domain.split('.').next().unwrap_or_default();
        format!("{GLOBAL}.global-{hash}.global.rds.amazonaws.com")
    }

    pub(crate) fn proxy(&self) -> String {
        format!("{PROXY}.proxy-{}", self.domain)
    }

    pub(crate) fn proxy_endpoint(&self) -> String {
        format!("{PROXY_ENDPOINT}.endpoint.proxy-{}", self.domain)
    }

    pub(crate) fn set_secret(&self, user: &str, password: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(user.to_owned(), password.to_owned());
    }

    pub(crate) fn secret(&self, user: &str) -> Option<String> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.get(user).cloned()
    }

    /// The users that the proxy has secrets of.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.keys().cloned().collect()
    }
}

impl Shape {
    pub(crate) fn is_cluster(self) -> bool {
        matches!(self, Self::Aurora | Self::MultiAz)
    }

    pub(crate) fn has_proxy(self) -> bool {
        matches!(self, Self::Proxy | Self::ProxyEndToEnd)
    }
}

/// The proxy's name.
pub(crate) const PROXY: &str = "sal-sandbox-proxy";
/// Its additional endpoint's, as one in another VPC would be.
pub(crate) const PROXY_ENDPOINT: &str = "sal-sandbox-vpc";
/// What policies call the proxy.
pub(crate) const PROXY_ID: &str = "prx-0123456789abcdef0";
/// The role that the proxy reads secrets and signs tokens with.
pub(crate) const PROXY_ROLE: &str = "sal-sandbox-proxy";
/// The global database that the cluster is the writing part of.
pub(crate) const GLOBAL: &str = "sal-global";
/// The custom endpoint's name, and the only instance behind it.
pub(crate) const CUSTOM: &str = "sal-reports";
pub(crate) const CUSTOM_MEMBER: usize = 1;
