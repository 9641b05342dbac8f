//! DNS: the chain of names behind a configured host, and the addresses to dial.
//!
//! Both are asked anew for every login: after a failover the same name points elsewhere, and RDS
//! gives its names a life of five seconds. The chain is followed to the *first* name of the RDS
//! grammar; what lies behind it (`ec2-…`) is not what the server is called. `Resolver` is a trait
//! so that tests can answer themselves.

use std::{fmt, net::IpAddr};

use futures_util::future::BoxFuture;
use hickory_resolver::{
    TokioResolver,
    config::LookupIpStrategy,
    net::NetError,
    proto::rr::{Name, RData, RecordType},
};
use thiserror::Error;

use crate::endpoint::{RdsEndpoint, canonical};

/// Names that are followed before a chain counts as endless.
const LONGEST_CHAIN: usize = 8;

/// Answers questions about names.
pub trait Resolver: Send + Sync + 'static {
    /// The name that `host` is an alias of; `None` when it is no alias.
    fn alias(&self, host: &str) -> BoxFuture<'_, Result<Option<String>, ResolveError>>;

    /// The addresses of `host`, IPv6 and IPv4, in the order to try them.
    fn addresses(&self, host: &str) -> BoxFuture<'_, Result<Vec<IpAddr>, ResolveError>>;
}

/// A name could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The name does not exist.
    #[error("the name `{host}` does not exist")]
    NoSuchName {
        /// The name.
        host: String,
    },
    /// The name server could not be asked or did not answer.
    #[error("looking up `{host}` failed: {message}")]
    Failed {
        /// The name.
        host: String,
        /// What the lookup said.
        message: String,
    },
    /// The aliases lead on and on.
    #[error("the aliases of `{host}` do not end")]
    Endless {
        /// The name the chain began with.
        host: String,
    },
}

/// Follows aliases from `host` to the first name of the RDS grammar.
///
/// Returns the endpoint, if there is one, and every name that was passed, `host` included.
///
/// # Errors
/// When a lookup fails or the chain is longer than eight names.
pub async fn find_endpoint(
    host: &str,
    resolver: &dyn Resolver,
) -> Result<(Option<RdsEndpoint>, Vec<String>), ResolveError> {
    if host.starts_with('/') {
        // A folder of unix sockets: DNS has nothing to say.
        return Ok((None, vec![host.to_owned()]));
    }
    let mut name = canonical(host);
    let mut chain = Vec::new();
    loop {
        chain.push(name.clone());
        if let Ok(endpoint) = RdsEndpoint::parse(&name) {
            return Ok((Some(endpoint), chain));
        }
        if name.parse::<IpAddr>().is_ok() {
            return Ok((None, chain));
        }
        if chain.len() > LONGEST_CHAIN {
            return Err(ResolveError::Endless {
                host: host.to_owned(),
            });
        }
        match resolver.alias(&name).await? {
            Some(next) => name = canonical(&next),
            None => return Ok((None, chain)),
        }
    }
}

/// The system's name servers and hosts file, without a cache.
///
/// Where no name server is configured (a container without network and a socket, or an address to dial), addresses come
/// from the C library, which reads the hosts file, and nothing is an alias.
pub struct SystemResolver(Option<TokioResolver>);

impl SystemResolver {
    /// Reads the system's configuration (`/etc/resolv.conf`).
    #[must_use]
    pub fn new() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.cache_size = 0;
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        Self(built.inspect_err(note_no_servers).ok())
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

fn note_no_servers(error: &NetError) {
    tracing::debug!(%error, "/etc/resolv.conf names no server: names are looked up in /etc/hosts only");
}

/// By the C library, without a name server.
async fn by_hosts_file(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let found = tokio::net::lookup_host((host, 0)).await;
    let found = found.map_err(|error| ResolveError::Failed {
        host: host.to_owned(),
        message: format!(
            "/etc/resolv.conf names no server, and /etc/hosts not this name ({error})"
        ),
    })?;
    Ok(found.map(|address| address.ip()).collect())
}

impl Resolver for SystemResolver {
    fn alias(&self, host: &str) -> BoxFuture<'_, Result<Option<String>, ResolveError>> {
        let host = host.to_owned();
        Box::pin(async move {
            let name = name_of(&host)?;
            let Some(servers) = &self.0 else {
                return Ok(None);
            };
            let answer = servers.lookup(name, RecordType::CNAME).await;
            match answer {
                Ok(lookup) => Ok(lookup
                    .answers()
                    .iter()
                    .find_map(|record| match &record.data {
                        RData::CNAME(target) => Some(target.0.to_ascii()),
                        _ => None,
                    })),
                // A name of the hosts file or a search domain is unknown to the name server.
                Err(error) if error.is_no_records_found() => Ok(None),
                Err(error) => Err(failure(&host, &error)),
            }
        })
    }

    fn addresses(&self, host: &str) -> BoxFuture<'_, Result<Vec<IpAddr>, ResolveError>> {
        let host = host.to_owned();
        Box::pin(async move {
            if let Ok(address) = host.parse() {
                return Ok(vec![address]);
            }
            let Some(servers) = &self.0 else {
                return by_hosts_file(&host).await;
            };
            let answer = servers.lookup_ip(name_of(&host)?).await;
            let addresses: Vec<IpAddr> = answer
                .map_err(|error| failure(&host, &error))?
                .iter()
                .collect();
            if addresses.is_empty() {
                return Err(ResolveError::NoSuchName { host });
            }
            Ok(addresses)
        })
    }
}

/// Containers have names with underscores, which the rules for domains of the web do not know.
fn name_of(host: &str) -> Result<Name, ResolveError> {
    Name::from_ascii(host).map_err(|_unreadable| ResolveError::Failed {
        host: host.to_owned(),
        message: "it is not a host name".to_owned(),
    })
}

fn failure(host: &str, error: &NetError) -> ResolveError {
    let host = host.to_owned();
    if error.is_no_records_found() {
        ResolveError::NoSuchName { host }
    } else {
        let message = error.to_string();
        ResolveError::Failed { host, message }
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SystemResolver")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    struct Aliases(HashMap<&'static str, &'static str>);

    impl Resolver for Aliases {
        fn alias(&self, host: &str) -> BoxFuture<'_, Result<Option<String>, ResolveError>> {
            let alias = self.0.get(host).map(|alias| (*alias).to_owned());
            Box::pin(async move { Ok(alias) })
        }

        fn addresses(&self, _: &str) -> BoxFuture<'_, Result<Vec<IpAddr>, ResolveError>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    #[tokio::test]
    async fn without_a_name_server_addresses_and_the_hosts_file_work() {
        let resolver = SystemResolver(None);
        let address = resolver.addresses("10.1.2.3").await.unwrap();
        assert_eq!(address, ["10.1.2.3".parse::<IpAddr>().unwrap()]);
        let local = resolver.addresses("localhost").await.unwrap();
        assert!(local.iter().all(IpAddr::is_loopback) && !local.is_empty());
        assert_eq!(resolver.alias("db.example").await.unwrap(), None);
        let error = resolver
            .addresses("no-such-host.invalid")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("no-such-host.invalid"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_chain_stops_at_the_first_rds_name() {
        let resolver = Aliases(HashMap::from([
            ("db.example.com", "Sal-DB.internal.example.com."),
            (
                "sal-db.internal.example.com",
                "SAL.abc123.eu-west-1.rds.amazonaws.com.",
            ),
            (
                "sal.abc123.eu-west-1.rds.amazonaws.com",
                "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com.",
            ),
        ]));
        let (endpoint, chain) = find_endpoint("DB.example.com.", &resolver).await.unwrap();
        assert_eq!(
            endpoint.unwrap().name,
            "sal.abc123.eu-west-1.rds.amazonaws.com"
        );
        assert_eq!(chain.len(), 3);
    }

    #[tokio::test]
    async fn a_loop_ends_with_an_error_and_an_address_without_a_lookup() {
        let resolver = Aliases(HashMap::from([
            ("a.example", "b.example"),
            ("b.example", "a.example"),
        ]));
        let error = find_endpoint("a.example", &resolver).await.unwrap_err();
        assert!(matches!(error, ResolveError::Endless { .. }));
        let (endpoint, chain) = find_endpoint("10.0.0.7", &resolver).await.unwrap();
        assert_eq!((endpoint, chain), (None, vec!["10.0.0.7".to_owned()]));
    }

    #[test]
    fn names_of_containers_are_names_and_others_are_refused_in_words() {
        for host in ["postgres_sal", "sal-db-1", "db.example."] {
            assert!(name_of(host).is_ok(), "{host}");
        }
        let error = name_of(&"a".repeat(64)).unwrap_err().to_string();
        assert!(error.ends_with("it is not a host name"), "{error}");
    }

    #[tokio::test]
    async fn the_system_resolver_knows_localhost() {
        let resolver = SystemResolver::new();
        let addresses = resolver.addresses("localhost").await.unwrap();
        assert!(addresses.iter().any(|address| address.is_loopback()));
    }
}
