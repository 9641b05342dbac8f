//! What may stand in DB_HOST, and wherever else a database's host is named: a name, an address, or a folder of unix
//! sockets, each with its port or without. Whatever else is found there is refused with a sentence, and never shown: a URL
//! holds a password.

use std::net::{IpAddr, Ipv6Addr};

/// A host, and the port that was written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name without the dot that ends it, an address without brackets, or the absolute path of a folder.
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
}

impl Host {
    /// Reads a host.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the setting's name. Does not repeat the value.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(why) = not_a_host(text) {
            return Err(why.to_owned());
        }
        if text.starts_with('/') {
            return Self::of_socket(text);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::without_port(&address.to_string()));
        }
        if let Some(rest) = text.strip_prefix('[') {
            return Self::of_brackets(rest);
        }
        let (name, port) = match text.split_once(':') {
            None => (text, None),
            Some((_, rest)) if rest.contains(':') => {
                return Err("has several colons and is no IPv6 address".to_owned());
            }
            Some((name, port)) => (name, Some(read_port(port)?)),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Some(why) = not_a_name(name) {
            return Err(why);
        }
        Ok(Self {
            name: name.to_owned(),
            port,
        })
    }

    /// Whether it is a folder of unix sockets.
    pub(crate) fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }

    fn without_port(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            port: None,
        }
    }

    /// A folder, or the socket in it, whose name ends in the port.
    fn of_socket(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        let (folder, port) = match trimmed.rsplit_once("/.s.PGSQL.") {
            Some((folder, port)) => (folder, Some(read_port(port)?)),
            None => (trimmed, None),
        };
        let folder = if folder.is_empty() { "/" } else { folder };
        // The system's `sockaddr_un` has 108 bytes; the rest is the socket's own name.
        if folder.len() > LONGEST_FOLDER {
            return Err(format!(
                "is a path of more than {LONGEST_FOLDER} bytes, which no unix socket can have"
            ));
        }
        Ok(Self {
            name: folder.to_owned(),
            port,
        })
    }

    /// `[::1]` and `[::1]:5432`.
    fn of_brackets(rest: &str) -> Result<Self, String> {
        let unclosed = || "begins with a bracket and holds no IPv6 address; write [::1]".to_owned();
        let (address, rest) = rest.split_once(']').ok_or_else(unclosed)?;
        let address: Ipv6Addr = address.parse().map_err(|_not_one| unclosed())?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(read_port(port)?),
            None if rest.is_empty() => None,
            None => return Err("has more behind its bracket than `:` and a port".to_owned()),
        };
        Ok(Self {
            name: address.to_string(),
            port,
        })
    }
}

fn read_port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| "does not end in a port from 1 to 65535 behind its colon".to_owned())
}

/// What people put there that is something else.
fn not_a_host(text: &str) -> Option<&'static str> {
    let has = |part: &str| text.contains(part);
    if text.is_empty() || text == "." {
        return Some("is empty");
    }
    if has("://") {
        return Some(
            "is a URL; write its parts: the host into DB_HOST, the port into DB_PORT, the database into DB_NAME, the user into DB_USER and the password into DB_PASS",
        );
    }
    if text.starts_with("arn:") {
        return Some("is an ARN; write the endpoint that the RDS console shows under Connectivity");
    }
    if has("@") {
        return Some(
            "holds an `@`; write the host alone, the user into DB_USER and the password into DB_PASS",
        );
    }
    if has("=") {
        return Some(
            "is a connection string; write the host alone, and its other parts into DB_PORT, DB_NAME, DB_USER and DB_PASS",
        );
    }
    if has(",") {
        return Some(
            "names several hosts; name one: the endpoint of a cluster leads to its writer by itself",
        );
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("has a blank within; write the host alone");
    }
    (has("/") && !text.starts_with('/')).then_some(
        "holds a `/`; write the host alone, and the database into DB_NAME. A folder of unix sockets begins with `/`",
    )
}

fn not_a_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("names no host".to_owned());
    }
    // Names of containers may have underscores.
    let odd = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"-_.".contains(*c));
    if let Some(odd) = odd {
        return Some(format!("holds `{odd}`, which no host name does"));
    }
    if name.len() > 253
        || name
            .split('.')
            .any(|label| !(1..=63).contains(&label.len()))
    {
        return Some(
            "is no host name: its parts between the dots have 1 to 63 characters, all of it 253 at most"
                .to_owned(),
        );
    }
    if name.split('.').any(|label| label.starts_with('-')) {
        return Some("has a part that begins with `-`, which no host name does".to_owned());
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = name.parse::<IpAddr>().is_ok();
    (is_number && !is_address).then(|| "ends in a number and is no IPv4 address".to_owned())
}

/// What is left of `sockaddr_un` beside `/.s.PGSQL.65535`.
const LONGEST_FOLDER: usize = 92;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_for_a_host_is_understood() {
        let endpoint = "sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
        for (text, name, port) in [
            ("db", "db", None),
            ("postgres_sal", "postgres_sal", None),
            (&format!("{endpoint}:5432"), endpoint, Some(5432)),
            (&format!("{endpoint}."), endpoint, None),
            (&format!("{endpoint}.:6543"), endpoint, Some(6543)),
            (&format!("  {endpoint}\n"), endpoint, None),
            ("10.0.0.2", "10.0.0.2", None),
            ("10.0.0.2:6432", "10.0.0.2", Some(6432)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[FD00::7]:5433", "fd00::7", Some(5433)),
            ("/run/sal", "/run/sal", None),
            ("/run/sal/", "/run/sal", None),
            ("/run/sal/.s.PGSQL.6543", "/run/sal", Some(6543)),
        ] {
            let host = Host::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((host.name.as_str(), host.port), (name, port), "{text}");
            assert_eq!(host.is_socket(), text.trim().starts_with('/'), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_and_never_repeated() {
        for (text, words) in [
            ("postgres://sal:hunter2@host/sal", "is a URL"),
            ("postgresql://sal:hunter2@host:5432/sal", "is a URL"),
            ("jdbc:postgresql://host/sal?password=hunter2", "is a URL"),
            ("sal:hunter2@host", "an `@`"),
            ("host=db password=hunter2", "connection string"),
            ("db-hunter2 .example", "a blank"),
            ("a.example,hunter2.example", "several hosts"),
            ("hunter2/sal", "holds a `/`"),
            ("", "empty"),
            (".", "empty"),
            (":5432", "names no host"),
            ("hunter2:tcp", "port"),
            ("hunter2:0", "port"),
            ("hunter2:99999", "port"),
            ("[hunter2]", "IPv6"),
            ("[::1", "IPv6"),
            ("[::1]x", "bracket"),
            ("1:2:3", "colons"),
            ("10.0.0.256", "IPv4"),
            ("hunter2..example", "1 to 63"),
            ("hunter2.-b.example", "begins with `-`"),
            ("${hunter2.endpoint}", "`$`"),
            ("dätabase", "`ä`"),
            ("arn:aws:rds:us-west-2:1:db:hunter2", "ARN"),
        ] {
            let why = Host::parse(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
            assert!(!why.contains("hunter2"), "{text}: {why}");
        }
        assert!(Host::parse(&"a".repeat(64)).is_err());
        assert!(Host::parse(&format!("/{}", "a".repeat(100))).is_err());
    }
}
