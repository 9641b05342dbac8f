//! Where the database is: DB_HOST and DB_PORT, and what Docker's links and Kubernetes put in their place.

use std::net::IpAddr;

use super::Environment;
use super::host::Host;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    /// Reads both, each in the shape it may have.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let injected = environment
            .given("DB_PORT")
            .and_then(|text| Injected::parse(&text));
        let host = host(injected.as_ref(), environment);
        let port = match &injected {
            Some(injected) => injected_port(injected, &host, environment),
            None => port(&host, environment),
        };
        Self { host, port }
    }

    /// Reads an endpoint to sign for, which is a name and nothing else.
    pub(crate) fn read_sign_host(environment: &mut Environment) -> Option<Host> {
        let text = environment.given("SAL_DB_SIGN_HOST")?;
        match Host::parse(&text) {
            Ok(host) if host.is_socket() => {
                environment.problem(
                    "SAL_DB_SIGN_HOST is a path; write the RDS endpoint to sign for".to_owned(),
                );
                None
            }
            Ok(host) => Some(host),
            Err(why) => {
                environment.problem(format!("SAL_DB_SIGN_HOST {why}"));
                None
            }
        }
    }
}

/// What `docker --link x:db`, and Kubernetes for a service called `db`, put into DB_PORT: `tcp://10.0.0.2:5432`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Injected {
    /// Where it is; nowhere for a protocol that Postgres does not speak.
    target: Option<(String, u16)>,
}

impl Injected {
    /// Reads it; `None` for anything else.
    fn parse(text: &str) -> Option<Self> {
        let (protocol, rest) = text.split_once("://")?;
        let is_tcp = match protocol {
            "tcp" => true,
            "udp" | "sctp" => false,
            _ => return None,
        };
        let (address, port) = rest.rsplit_once(':')?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        // Both put brackets around an address of IPv6, and neither always did.
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let host = Host::parse(bare.unwrap_or(address)).ok()?;
        if host.is_socket() {
            return None;
        }
        Some(Self {
            target: is_tcp.then_some((host.name, port)),
        })
    }

    fn address(&self) -> Option<&str> {
        self.target
            .as_ref()
            .map(|(address, _port)| address.as_str())
    }
}

/// DB_HOST, else the linked container, else `db`, as the original has it.
fn host(injected: Option<&Injected>, environment: &mut Environment) -> Host {
    let linked = environment.given("DB_PORT_5432_TCP_ADDR");
    let address = injected.and_then(Injected::address);
    let (name, text) = match (environment.given("DB_HOST"), linked, address) {
        (Some(text), ..) => ("DB_HOST", text),
        (None, Some(text), _) => ("DB_PORT_5432_TCP_ADDR", text),
        (None, None, Some(address)) => ("DB_PORT", address.to_owned()),
        (None, None, None) => ("DB_HOST", environment.text("DB_HOST").unwrap_or_default()),
    };
    Host::parse(&text).unwrap_or_else(|why| {
        environment.problem(format!("{name} {why}"));
        // A mistake ends the program; nothing is ever dialled from here.
        Host {
            name: "db".to_owned(),
            port: None,
        }
    })
}

/// The port, where both may name one.
fn port(host: &Host, environment: &mut Environment) -> u16 {
    let linked = environment.given_number("DB_PORT_5432_TCP_PORT");
    let given = environment.given_number::<u16>("DB_PORT");
    if let (Some(of_host), Some(given)) = (host.port, given)
        && of_host != given
    {
        environment.problem(format!(
            "DB_HOST ends in port {of_host} and DB_PORT is {given}; write the port once, into DB_PORT"
        ));
    }
    given
        .or(host.port)
        .or(linked)
        .unwrap_or_else(|| environment.number("DB_PORT"))
}

/// DB_PORT was not written by anybody: the linked container's port counts for that container, and else the usual one.
fn injected_port(injected: &Injected, host: &Host, environment: &mut Environment) -> u16 {
    let linked: Option<u16> = environment.given_number("DB_PORT_5432_TCP_PORT");
    let is_linked = environment.given("DB_HOST").is_none() || is_the_same(injected, host);
    let of_target = injected.target.as_ref().map(|(_address, port)| *port);
    let own = match is_linked {
        true => linked.or(of_target).unwrap_or(USUAL_PORT),
        false => USUAL_PORT,
    };
    let port = host.port.unwrap_or(own);
    environment.warn(format!(
        "DB_PORT was set by Docker's --link or by Kubernetes for a service called `db`, and is no port: `{}`, port {port} is used. Set DB_HOST and DB_PORT, or rename the service",
        host.name
    ));
    port
}

/// Whether a host that was written is the linked one: its address, or the name it has in Docker and Kubernetes.
fn is_the_same(injected: &Injected, host: &Host) -> bool {
    let first = host.name.split('.').next().unwrap_or_default();
    let is_name = host.name.parse::<IpAddr>().is_err();
    injected.address() == Some(host.name.as_str()) || (is_name && first.eq_ignore_ascii_case("db"))
}

const USUAL_PORT: u16 = 5432;

#[cfg(test)]
mod tests {
    use super::*;

    type Told = Result<Vec<String>, Vec<String>>;

    fn read(values: &[(&'static str, &str)]) -> ((String, u16), Told) {
        let mut environment = Environment::of(values.iter().copied());
        let target = Target::read(&mut environment);
        ((target.host.name, target.port), environment.finish())
    }

    #[test]
    fn the_port_of_terraforms_endpoint_counts_and_a_contradiction_is_a_mistake() {
        let endpoint = "sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
        let with_port = format!("{endpoint}:5433");
        let alone = read(&[("DB_HOST", &with_port)]);
        assert_eq!(alone, ((endpoint.to_owned(), 5433), Ok(Vec::new())));
        let both = read(&[("DB_HOST", &with_port), ("DB_PORT", "5433")]);
        assert_eq!(both, alone);
        let (_, told) = read(&[("DB_HOST", &with_port), ("DB_PORT", "5432")]);
        assert!(told.unwrap_err()[0].contains("5433 and DB_PORT is 5432"));
        let socket = read(&[("DB_HOST", "/run/sal/.s.PGSQL.6000")]);
        assert_eq!(socket, (("/run/sal".to_owned(), 6000), Ok(Vec::new())));
    }

    #[test]
    fn q143_what_docker_and_kubernetes_inject_is_no_port_and_said_so() {
        let link: [(&'static str, &str); 3] = [
            ("DB_PORT", "tcp://10.0.0.2:5432"),
            ("DB_PORT_5432_TCP_ADDR", "10.0.0.2"),
            ("DB_PORT_5432_TCP_PORT", "5432"),
        ];
        let of = |more: &[(&'static str, &str)]| {
            let all: Vec<_> = link.iter().chain(more).copied().collect();
            let (target, told) = read(&all);
            let told = told.unwrap();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("--link"), "{told:?}");
            target
        };
        assert_eq!(of(&[]), ("10.0.0.2".to_owned(), 5432));
        assert_eq!(of(&[("DB_HOST", "db")]), ("db".to_owned(), 5432));
        assert_eq!(of(&[("DB_HOST", "rds.example:6000")]).1, 6000);
        // A service that listens elsewhere, and a host that has nothing to do with it.
        let elsewhere = ("DB_PORT", "tcp://[fd00::2]:6543");
        assert_eq!(read(&[elsewhere]).0, ("fd00::2".to_owned(), 6543));
        let cluster = [elsewhere, ("DB_HOST", "db.sal.svc.cluster.local")];
        assert_eq!(read(&cluster).0.1, 6543);
        assert_eq!(read(&[elsewhere, ("DB_HOST", "rds.example")]).0.1, 5432);
        // Brackets or none, and what cannot be Postgres.
        assert_eq!(
            read(&[("DB_PORT", "tcp://fd00::2:6543")]).0,
            ("fd00::2".to_owned(), 6543)
        );
        for other in ["udp://10.0.0.2:53", "sctp://[fd00::2]:9"] {
            let (target, told) = read(&[("DB_PORT", other)]);
            assert_eq!(target, ("db".to_owned(), 5432), "{other}");
            assert_eq!(told.unwrap().len(), 1, "{other}");
            let (target, _told) = read(&[("DB_PORT", other), link[1], link[2]]);
            assert_eq!(target, ("10.0.0.2".to_owned(), 5432), "{other}");
        }
        // The service's first port is another one.
        let metrics = [("DB_PORT", "tcp://10.0.0.2:9187"), link[1], link[2]];
        assert_eq!(read(&metrics).0, ("10.0.0.2".to_owned(), 5432));
        // Without one, the original's order.
        assert_eq!(read(&[]).0, ("db".to_owned(), 5432));
        assert_eq!(read(&link[1..]).0, ("10.0.0.2".to_owned(), 5432));
    }

    #[test]
    fn other_ports_are_mistakes() {
        for port in [
            "http://10.0.0.2:5432",
            "udp://10.0.0.2:0",
            "tcp://:5432",
            "tcp://10.0.0.2",
            "0",
            "5432/tcp",
            "x",
        ] {
            let (_, told) = read(&[("DB_PORT", port)]);
            assert!(told.unwrap_err()[0].starts_with("DB_PORT="), "{port}");
        }
    }
}
