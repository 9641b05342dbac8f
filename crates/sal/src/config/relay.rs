//! What `sal relay` needs to know, from its arguments and the environment.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use pg_relay::{LocalTls, RelaySettings};
use rds_iam::Secret;

use super::Environment;
use super::database::DatabaseConfig;
use super::host::Host;
use crate::cli;

/// Everything about a relay.
pub(crate) struct RelayConfig {
    pub(crate) database: DatabaseConfig,
    pub(crate) user: String,
    pub(crate) doors: Vec<DoorConfig>,
    pub(crate) settings: RelaySettings,
    pub(crate) password: Option<Secret>,
    pub(crate) tls: Option<LocalTls>,
    pub(crate) logins_per_second: NonZeroU32,
}

/// One door.
pub(crate) struct DoorConfig {
    pub(crate) place: Place,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether it is the database of the environment, with its address and names.
    pub(crate) is_configured: bool,
}

/// Where clients come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(folder) => write!(f, "{}", folder.display()),
        }
    }
}

impl RelayConfig {
    /// Reads both.
    pub(crate) fn read(arguments: &cli::Relay, environment: &mut Environment) -> Self {
        let mut database = DatabaseConfig::read_target(environment);
        if arguments.region.is_some() {
            database.region.clone_from(&arguments.region);
        }
        let user = arguments
            .user
            .clone()
            .unwrap_or_else(|| database.user.clone());
        if user.is_empty() {
            environment.problem("no user: set DB_USER, or give --user".to_owned());
        }
        let mut doors = Vec::new();
        for (text, port) in arguments.doors.iter().zip(DEFAULT_PORT..) {
            match DoorConfig::read(text, port, &database) {
                Ok(door) => doors.push(door),
                Err(why) => environment.problem(why),
            }
        }
        if arguments.doors.is_empty() {
            doors.push(DoorConfig::configured(&database));
        }
        if doors.iter().any(|door| door.host.starts_with('/')) {
            environment.problem(
                "a relay leads to an RDS endpoint over TCP, and the host is a folder of unix sockets: name the endpoint".to_owned(),
            );
        }
        let password = environment.secret("SAL_RELAY_PASSWORD").map(Secret::new);
        let tls = tls(arguments, &doors);
        check(
            &doors,
            password.is_some(),
            tls.is_some(),
            arguments,
            environment,
        );
        let seconds = |seconds: u64| Duration::from_secs(seconds);
        Self {
            user,
            doors,
            settings: RelaySettings {
                most_connections: arguments.max_connections,
                most_waiting: arguments.max_waiting,
                most_waiting_per_address: arguments.max_waiting_per_address,
                greeting: seconds(arguments.greeting_timeout.max(1)),
                idle: (arguments.idle_timeout > 0).then(|| seconds(arguments.idle_timeout)),
                drain: seconds(arguments.drain),
            },
            password,
            tls,
            logins_per_second: NonZeroU32::new(database.logins_per_second)
                .unwrap_or(NonZeroU32::MIN),
            database,
        }
    }
}

impl DoorConfig {
    fn read(text: &str, default_port: u16, database: &DatabaseConfig) -> Result<Self, String> {
        let (place, upstream) = match text.split_once('=') {
            Some((place, upstream)) => (Place::read(place)?, upstream),
            None => (
                Place::Tcp(SocketAddr::new(
                    IpAddr::V4(Ipv4Addr::LOCALHOST),
                    default_port,
                )),
                text,
            ),
        };
        if upstream.is_empty() {
            return Err(format!("`{text}` names no host; write [LOCAL=]HOST[:PORT]"));
        }
        let host = Host::parse(upstream)
            .map_err(|why| format!("the host of a door {why}; write [LOCAL=]HOST[:PORT]"))?;
        let port = host.port.unwrap_or(5432);
        Ok(Self {
            place,
            is_configured: host.name == database.host && port == database.port,
            host: host.name,
            port,
        })
    }

    /// The database of the environment, at the usual place.
    fn configured(database: &DatabaseConfig) -> Self {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            place: Place::Tcp(SocketAddr::new(localhost, DEFAULT_PORT)),
            host: database.host.clone(),
            port: database.port,
            is_configured: true,
        }
    }
}

impl Place {
    fn read(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("unix:") {
            let folder = PathBuf::from(folder);
            // The name that libpq looks for in a folder.
            let is_socket = folder
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(".s.PGSQL."));
            return Ok(Self::Unix(if is_socket {
                folder
            } else {
                folder.join(".s.PGSQL.5432")
            }));
        }
        let port = text
            .parse::<u16>()
            .map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let address = port.or_else(|_not_only_a_port| text.parse());
        address
            .map(Self::Tcp)
            .map_err(|_no_address| format!("`{text}` is not ADDRESS:PORT, PORT or unix:FOLDER"))
    }

    /// Whether only programs of this machine can reach it.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

fn tls(arguments: &cli::Relay, doors: &[DoorConfig]) -> Option<LocalTls> {
    if let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) {
        return Some(LocalTls::Files {
            certificate: certificate.clone(),
            key: key.clone(),
        });
    }
    let mut names = vec!["localhost".to_owned()];
    names.extend(doors.iter().filter_map(|door| match &door.place {
        Place::Tcp(address) => Some(address.ip().to_string()),
        Place::Unix(_) => None,
    }));
    arguments.local_tls.then_some(LocalTls::SelfSigned(names))
}

fn check(
    doors: &[DoorConfig],
    password: bool,
    tls: bool,
    arguments: &cli::Relay,
    environment: &mut Environment,
) {
    if arguments.checks_once() || arguments.wait {
        return;
    }
    let tcp = doors.iter().any(|door| matches!(door.place, Place::Tcp(_)));
    if tcp && !password {
        environment.problem("a TCP port needs a local password, since every user of this machine can reach it: set SAL_RELAY_PASSWORD, or listen on unix:FOLDER".to_owned());
    }
    if let Some(door) = doors.iter().find(|door| !door.place.is_local() && !tls) {
        environment.problem(format!("`{}` can be reached from other machines and takes TLS only: give --tls-certificate and --tls-key, or --local-tls", door.place));
    }
}

/// pgbouncer's, so that nobody takes it for Postgres's own.
const DEFAULT_PORT: u16 = 6432;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_mistakes_are_named() {
        assert_eq!(
            Place::read("7000"),
            Ok(Place::Tcp("127.0.0.1:7000".parse().unwrap()))
        );
        assert_eq!(
            Place::read("0.0.0.0:7000"),
            Ok(Place::Tcp("0.0.0.0:7000".parse().unwrap()))
        );
        assert_eq!(
            Place::read("unix:/run/sal"),
            Ok(Place::Unix("/run/sal/.s.PGSQL.5432".into()))
        );
        assert_eq!(
            Place::read("unix:/x/.s.PGSQL.6000"),
            Ok(Place::Unix("/x/.s.PGSQL.6000".into()))
        );
        assert!(Place::read("nowhere").unwrap_err().contains("nowhere"));
        assert!(!Place::read("0.0.0.0:1").unwrap().is_local());
    }
}
