//! How to log in to the database, as the environment says it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rds_iam::{Authorities, RdsEndpoint, Secret, TlsMode};
use sal_store::pool::{PoolConfig, SessionLimits};

use super::Environment;
use super::aws::AwsConfig;
use super::aws_names;
use super::host::Host;
use super::role::RoleName;
use super::target::Target;

/// One way to log in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// The Postgres user's proof.
    pub(crate) proof: Proof,
    /// How the connection is protected.
    pub(crate) tls: TlsMode,
}

/// The Postgres user's proof.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// A token, signed for each login.
    Iam,
    /// A password.
    Password(Secret),
}

/// Everything about the database.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseConfig {
    pub(crate) host: String,
    pub(crate) host_address: Option<IpAddr>,
    pub(crate) port: u16,
    pub(crate) name: String,
    pub(crate) user: String,
    /// Ways to log in, in the order they are tried.
    pub(crate) logins: Vec<Login>,
    /// The user of the fallback's password, when it is not the IAM user.
    pub(crate) fallback_user: Option<String>,
    /// The strictest protection that was asked for.
    pub(crate) tls: TlsMode,
    pub(crate) authorities: Authorities,
    pub(crate) region: Option<String>,
    pub(crate) sign_host: Option<String>,
    pub(crate) sign_port: Option<u16>,
    pub(crate) role_arn: Option<String>,
    /// What the role's trust policy may ask for.
    pub(crate) external_id: Option<String>,
    pub(crate) aws: AwsConfig,
    pub(crate) expect_role: Option<String>,
    pub(crate) connect_timeout: Duration,
    pub(crate) logins_per_second: u32,
    pub(crate) pool: PoolConfig,
}

impl DatabaseConfig {
    /// Reads the database's part of the environment, for a program that logs in.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let config = Self::read_target(environment);
        if config.name.is_empty() {
            environment.problem("DB_NAME is not set; the server needs it".to_owned());
        }
        if config.user.is_empty() {
            environment.problem(
                "DB_USER is not set: without it Sal keeps its data in SQLite (db/sal.db), and this server needs Postgres. Set DB_USER, DB_NAME and DB_PASS; docs/guides/switch-from-django-sal.md, \"From SQLite to Postgres\", has how to take the data along".to_owned(),
            );
        }
        if environment.is_blank("AWS_IAM") {
            environment.warn(
                "AWS_IAM is set and empty, which is off here; Sal takes any value as on. Write AWS_IAM=true or take it away".to_owned(),
            );
        }
        let names_no_endpoint =
            config.host.parse::<IpAddr>().is_ok() || config.host.eq_ignore_ascii_case("localhost");
        if environment.flag("AWS_IAM") && names_no_endpoint && config.sign_host.is_none() {
            environment.problem(format!(
                "DB_HOST=`{}` with AWS_IAM: RDS takes tokens for the endpoint's name only. Write the endpoint into DB_HOST, or, for a tunnel, into SAL_DB_SIGN_HOST",
                config.host
            ));
        }
        if config.logins.is_empty() {
            environment.problem(
                "neither AWS_IAM=true nor DB_PASS is set; the server needs one to log in (only a DB_HOST that is a folder of unix sockets may need none)"
                    .to_owned(),
            );
        }
        config
    }

    /// The same without the demand that anybody can log in.
    pub(crate) fn read_target(environment: &mut Environment) -> Self {
        let Target { host, port } = Target::read(environment);
        let sign = Target::read_sign_host(environment);
        let root_file = environment.given("DB_SSLROOTCERT").map(PathBuf::from);
        let modes = tls_modes(&host, root_file.is_some(), environment);
        let sign_port = environment.given_number("SAL_DB_SIGN_PORT");
        let host_address = host_address(&host, environment);
        let logins = logins(&host, &modes, environment);
        Self {
            tls: modes.first().copied().unwrap_or_default(),
            logins,
            fallback_user: environment.text("SAL_DB_FALLBACK_USER"),
            host_address,
            port,
            name: name("DB_NAME", environment),
            user: name("DB_USER", environment),
            authorities: root_file.map_or(Authorities::Embedded, Authorities::File),
            region: region(environment),
            sign_port: sign_port.or(sign.as_ref().and_then(|sign| sign.port)),
            sign_host: sign.map(|sign| sign.name),
            role_arn: role_arn(environment),
            external_id: external_id(environment),
            aws: AwsConfig::read(environment),
            expect_role: environment.text("SAL_DB_EXPECT_ROLE"),
            connect_timeout: Duration::from_secs(environment.number("SAL_DB_CONNECT_TIMEOUT")),
            logins_per_second: environment.number("SAL_DB_LOGINS_PER_SECOND"),
            pool: PoolConfig {
                max_size: environment.number("SAL_DB_POOL_SIZE"),
                session: session_limits(environment),
                ..PoolConfig::default()
            },
            host: host.name,
        }
    }
}

/// A name of a database or a user. A URL there would be shown in errors, password and all.
fn name(variable: &str, environment: &mut Environment) -> String {
    let name = environment.text(variable).unwrap_or_default();
    if name.contains("://") {
        environment.problem(format!(
            "{variable} is a URL; write the name alone, and the other parts into DB_HOST, DB_PORT, DB_USER and DB_PASS"
        ));
    } else if variable == "DB_NAME" && name.starts_with('/') {
        environment.problem(
            "DB_NAME begins with `/`, as Docker's --link sets it, and is not the name of a database: set DB_NAME".to_owned(),
        );
    } else {
        return name;
    }
    "-".to_owned()
}

/// The region to sign for: RDS says of a wrong one no more than that the login failed.
fn region(environment: &mut Environment) -> Option<String> {
    let text = environment.text("AWS_RDS_REGION")?;
    if let Err(why) = aws_names::region(&text) {
        environment.problem(format!("AWS_RDS_REGION={why}"));
    }
    Some(text)
}

/// STS API Reference, `ExternalId`: 2 to 1224 letters, digits and `_+=,.@:/-`.
fn external_id(environment: &mut Environment) -> Option<String> {
    let id = environment.text("SAL_IAM_EXTERNAL_ID")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if !(2..=1224).contains(&id.len()) || !id.chars().all(fits) {
        environment.problem(
            "SAL_IAM_EXTERNAL_ID has 2 to 1224 letters, digits and _+=,.@:/-, and nothing else"
                .to_owned(),
        );
    }
    if environment.text("SAL_IAM_ROLE_ARN").is_none() {
        environment.problem(
            "SAL_IAM_EXTERNAL_ID is set without SAL_IAM_ROLE_ARN, the role that asks for it; a profile has external_id beside its role_arn".to_owned(),
        );
    }
    Some(id)
}

/// The role to assume, which has to be named in full: its account is in it.
fn role_arn(environment: &mut Environment) -> Option<String> {
    let text = environment.text("SAL_IAM_ROLE_ARN")?;
    if RoleName::parse(&text).is_ok_and(|role| role.account.is_some()) {
        return Some(text);
    }
    environment.problem(format!(
        "SAL_IAM_ROLE_ARN=`{text}` is not the ARN of a role; write arn:aws:iam::ACCOUNT:role/NAME"
    ));
    None
}

/// What Postgres holds every session of the pool to.
fn session_limits(environment: &mut Environment) -> SessionLimits {
    SessionLimits {
        statement: environment.seconds("SAL_DB_STATEMENT_TIMEOUT"),
        lock: environment.seconds("SAL_DB_LOCK_TIMEOUT"),
        idle_in_transaction: environment.seconds("SAL_DB_IDLE_TRANSACTION_TIMEOUT"),
        client_check: environment.seconds("SAL_DB_CLIENT_CHECK"),
    }
}

fn host_address(host: &Host, environment: &mut Environment) -> Option<IpAddr> {
    let text = environment.text("SAL_DB_HOSTADDR")?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    if address.is_none() {
        environment.problem(format!("SAL_DB_HOSTADDR=`{text}` is not an IP address"));
    }
    if host.is_socket() {
        environment.problem(
            "SAL_DB_HOSTADDR has no meaning where DB_HOST is a folder of unix sockets; take one away".to_owned(),
        );
    }
    address
}

/// IAM first where it is on; the password where it is not, or where it is declared as the way back.
fn logins(host: &Host, modes: &[TlsMode], environment: &mut Environment) -> Vec<Login> {
    let password = environment.secret("DB_PASS").map(Secret::new);
    let fallback = environment.text("SAL_DB_FALLBACK");
    if let Some(other) = fallback.as_ref().filter(|value| *value != "password") {
        environment.problem(format!(
            "SAL_DB_FALLBACK=`{other}` is not known; `password` is the only fallback"
        ));
    }
    let with_password = |secret: Secret| {
        modes
            .iter()
            .map(move |tls| Login {
                proof: Proof::Password(secret.clone()),
                tls: *tls,
            })
            .collect::<Vec<_>>()
    };
    if !environment.flag("AWS_IAM") {
        // Who may use a socket is the system's to say, or the relay's: it takes no password.
        let password = password.or(host.is_socket().then(|| Secret::new("")));
        return password.map(with_password).unwrap_or_default();
    }
    if host.is_socket() && environment.given("SAL_DB_SIGN_HOST").is_none() {
        environment.problem(
            "AWS_IAM cannot work where DB_HOST is a folder of unix sockets: behind a relay's socket the relay logs in with IAM, so take AWS_IAM away; for a tunnel name the RDS endpoint in SAL_DB_SIGN_HOST".to_owned(),
        );
    }
    let tls = modes
        .first()
        .copied()
        .filter(|tls| *tls != TlsMode::Disable)
        .unwrap_or_default();
    if environment.given("DB_SSLMODE").as_deref() == Some("disable") {
        environment.problem(
            "DB_SSLMODE=disable cannot work with AWS_IAM: RDS refuses IAM users without TLS"
                .to_owned(),
        );
    }
    let mut logins = vec![Login {
        proof: Proof::Iam,
        tls,
    }];
    match (password, fallback) {
        (Some(secret), Some(_)) => logins.extend(with_password(secret)),
        (Some(_), None) => environment.warn(
            "DB_PASS is set beside AWS_IAM and not used; remove it, or declare SAL_DB_FALLBACK=password while you move".to_owned(),
        ),
        (None, Some(_)) => environment.problem("SAL_DB_FALLBACK=password needs DB_PASS".to_owned()),
        (None, None) => {}
    }
    logins
}

/// The protections to try, in order: `prefer` means TLS without a check, then none, as libpq understands it. Whoever
/// answers "no TLS" would get the password in clear, so that the second is for this machine alone; elsewhere a
/// database without TLS has to be declared (`disable`).
fn tls_modes(host: &Host, has_root_file: bool, environment: &mut Environment) -> Vec<TlsMode> {
    let iam = environment.flag("AWS_IAM");
    if host.is_socket() && !iam {
        // Postgres speaks no TLS on unix sockets, and libpq asks for none.
        return vec![TlsMode::Disable];
    }
    let strict = iam || has_root_file || RdsEndpoint::parse(&host.name).is_ok();
    let written = environment.given("DB_SSLMODE");
    let default = if strict { "verify-full" } else { "prefer" };
    match written.as_deref().unwrap_or(default) {
        "verify-full" => vec![TlsMode::VerifyFull],
        // A token is worth a password: it is shown to nobody whose name was not verified.
        "verify-ca" | "require" | "prefer" if iam => {
            if written.as_deref() != Some("prefer") {
                environment.warn(format!(
                    "DB_SSLMODE={} is taken for verify-full, because AWS_IAM is on",
                    written.unwrap_or_default()
                ));
            }
            vec![TlsMode::VerifyFull]
        }
        "verify-ca" => vec![TlsMode::VerifyCa],
        "require" => vec![TlsMode::Require],
        "prefer" if is_this_machine(&host.name) => vec![TlsMode::Require, TlsMode::Disable],
        "prefer" => {
            environment.warn(format!(
                "the connection to the database on `{}` is encrypted, and nobody checks who answers: set \
                 DB_SSLMODE=verify-full and DB_SSLROOTCERT. A database without TLS needs DB_SSLMODE=disable, which \
                 sends DB_PASS in clear",
                host.name
            ));
            vec![TlsMode::Require]
        }
        "disable" => vec![TlsMode::Disable],
        other => {
            environment.problem(format!(
                "DB_SSLMODE=`{other}` is not one of verify-full, verify-ca, require, prefer, disable"
            ));
            vec![TlsMode::VerifyFull]
        }
    }
}

/// Whether nobody can stand between us and this host: the loopback interface.
fn is_this_machine(host: &str) -> bool {
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "sal-sandbox.abcdefghijk0.us-west-2.rds.amazonaws.com";

    fn read(values: &[(&'static str, &str)]) -> (DatabaseConfig, Result<Vec<String>, Vec<String>>) {
        let mut environment = Environment::of(
            values
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let config = DatabaseConfig::read(&mut environment);
        (config, environment.finish())
    }

    #[test]
    fn the_six_variables_of_the_wiki_page_are_enough() {
        let (config, outcome) = read(&[
            ("AWS_IAM", "true"),
            ("AWS_RDS_REGION", "us-west-2"),
            ("DB_NAME", "sal"),
            ("DB_USER", "salawsiam"),
            ("DB_HOST", ENDPOINT),
            ("DB_PORT", "5432"),
        ]);
        assert_eq!(outcome, Ok(Vec::new()));
        assert!(matches!(
            config.logins.as_slice(),
            [Login {
                proof: Proof::Iam,
                tls: TlsMode::VerifyFull
            }]
        ));
    }

    #[test]
    fn q011_aws_iam_false_means_off() {
        let (config, outcome) = read(&[
            ("AWS_IAM", "false"),
            ("DB_NAME", "sal"),
            ("DB_USER", "sal"),
            ("DB_PASS", "p"),
            ("DB_HOST", "db"),
        ]);
        assert_eq!(outcome.unwrap().len(), 1);
        assert!(
            config
                .logins
                .iter()
                .all(|login| matches!(login.proof, Proof::Password(_)))
        );
        assert_eq!(modes(&config), [TlsMode::Require]);
    }

    fn modes(config: &DatabaseConfig) -> Vec<TlsMode> {
        config.logins.iter().map(|login| login.tls).collect()
    }

    #[test]
    fn a_password_goes_in_clear_to_this_machine_or_where_that_is_declared() {
        let of = |host: &str, mode: Option<&str>| {
            let mut values = vec![
                ("DB_NAME", "sal"),
                ("DB_USER", "sal"),
                ("DB_PASS", "p"),
                ("DB_HOST", host),
            ];
            values.extend(mode.map(|mode| ("DB_SSLMODE", mode)));
            let (config, outcome) = read(&values);
            (modes(&config), outcome.unwrap().len())
        };
        for host in [
            "localhost",
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "::ffff:127.0.0.1",
        ] {
            let both = vec![TlsMode::Require, TlsMode::Disable];
            assert_eq!(of(host, None), (both.clone(), 0), "{host}");
            assert_eq!(of(host, Some("prefer")), (both, 0), "{host}");
        }
        for host in ["db", "10.0.0.7", "localhost.example.org", "::ffff:10.0.0.7"] {
            for mode in [None, Some("prefer")] {
                assert_eq!(of(host, mode), (vec![TlsMode::Require], 1), "{host}");
            }
            let declared = of(host, Some("disable"));
            assert_eq!(declared, (vec![TlsMode::Disable], 0), "{host}");
        }
    }

    #[test]
    fn whatever_switches_iam_on_verifies_the_server() {
        for on in ["true", "TRUE", "yes", "on", "1"] {
            for mode in ["verify-full", "verify-ca", "require", "prefer"] {
                let (config, _) = read(&[
                    ("AWS_IAM", on),
                    ("DB_NAME", "sal"),
                    ("DB_USER", "u"),
                    ("DB_HOST", "db.internal.example.org"),
                    ("DB_SSLMODE", mode),
                ]);
                assert_eq!(modes(&config), [TlsMode::VerifyFull], "{on} {mode}");
            }
            let (_, outcome) = read(&[
                ("AWS_IAM", on),
                ("DB_NAME", "sal"),
                ("DB_USER", "u"),
                ("DB_HOST", ENDPOINT),
                ("DB_SSLMODE", "disable"),
            ]);
            assert_eq!(outcome.unwrap_err().len(), 1, "{on}");
        }
    }

    #[test]
    fn what_iam_can_never_work_with_stops_the_start() {
        let problems = |more: &[(&'static str, &str)]| {
            let mut values = vec![("AWS_IAM", "true"), ("DB_NAME", "sal"), ("DB_USER", "u")];
            values.extend(more);
            read(&values)
                .1
                .map_or_else(|problems| problems.len(), |_| 0)
        };
        for host in ["10.0.0.7", "localhost", "127.0.0.1:5433", "[::1]"] {
            assert_eq!(problems(&[("DB_HOST", host)]), 1, "{host}");
            let tunnel = [("DB_HOST", host), ("SAL_DB_SIGN_HOST", ENDPOINT)];
            assert_eq!(problems(&tunnel), 0, "{host}");
        }
        assert_eq!(problems(&[("DB_HOST", "db.internal.example")]), 0);
        for region in [
            "us-west-2a",
            "US-WEST-2",
            "us west 2",
            "eu-west-1/x",
            "nonsense",
            "us-west",
        ] {
            let values = [("DB_HOST", ENDPOINT), ("AWS_RDS_REGION", region)];
            assert_eq!(problems(&values), 1, "{region}");
        }
        for region in [
            "us-west-2",
            "us-gov-east-1",
            "eusc-de-east-1",
            " eu-west-1 ",
        ] {
            let values = [("DB_HOST", ENDPOINT), ("AWS_RDS_REGION", region)];
            assert_eq!(problems(&values), 0, "{region}");
        }
    }

    #[test]
    fn q147_a_region_that_is_none_stops_the_start() {
        for (region, words) in [
            ("west", "not a region"),
            ("us-west", "not a region"),
            ("us-west-2a", "write us-west-2"),
        ] {
            let mut environment =
                Environment::of([("DB_HOST", ENDPOINT), ("AWS_RDS_REGION", region)]);
            let _read = DatabaseConfig::read_target(&mut environment);
            let told = environment.finish().unwrap_err().join(" ");
            assert!(told.contains(words), "{region}: {told}");
        }
    }

    #[test]
    fn a_folder_of_sockets_takes_no_password_no_tls_and_no_address() {
        let base = [
            ("DB_NAME", "sal"),
            ("DB_USER", "u"),
            ("DB_HOST", "/run/sal"),
        ];
        for mode in [None, Some("verify-full"), Some("require")] {
            let mode = mode.map(|mode| ("DB_SSLMODE", mode));
            let values: Vec<_> = base.into_iter().chain(mode).collect();
            let (config, told) = read(&values);
            assert_eq!(
                (modes(&config), told),
                (vec![TlsMode::Disable], Ok(Vec::new()))
            );
        }
        for more in [("SAL_DB_HOSTADDR", "10.0.0.7"), ("AWS_IAM", "true")] {
            let values: Vec<_> = base.into_iter().chain([more]).collect();
            assert_eq!(read(&values).1.unwrap_err().len(), 1, "{more:?}");
        }
        let tunnel = [("AWS_IAM", "true"), ("SAL_DB_SIGN_HOST", ENDPOINT)];
        let values: Vec<_> = base.into_iter().chain(tunnel).collect();
        let (config, told) = read(&values);
        assert_eq!(
            (modes(&config), told),
            (vec![TlsMode::VerifyFull], Ok(Vec::new()))
        );
    }

    #[test]
    fn limits_of_sessions_are_seconds_and_zero_is_none() {
        let (config, outcome) = read(&[
            ("DB_NAME", "sal"),
            ("DB_USER", "sal"),
            ("DB_PASS", "p"),
            ("DB_HOST", "localhost"),
            ("SAL_DB_STATEMENT_TIMEOUT", "90"),
            ("SAL_DB_LOCK_TIMEOUT", "0.5"),
            ("SAL_DB_IDLE_TRANSACTION_TIMEOUT", "0"),
            ("SAL_DB_CLIENT_CHECK", "-1"),
        ]);
        assert_eq!(outcome.unwrap_err().len(), 1);
        let limits = config.pool.session;
        assert_eq!(limits.statement, Duration::from_secs(90));
        assert_eq!(limits.lock, Duration::from_millis(500));
        assert_eq!(limits.idle_in_transaction, Duration::ZERO);
    }

    #[test]
    fn a_leftover_password_beside_iam_is_reported_and_used_only_as_declared() {
        let base = [
            ("AWS_IAM", "true"),
            ("DB_NAME", "sal"),
            ("DB_USER", "u"),
            ("DB_PASS", "p"),
            ("DB_HOST", ENDPOINT),
        ];
        let (config, outcome) = read(&base);
        assert_eq!(config.logins.len(), 1);
        assert!(outcome.unwrap()[0].contains("DB_PASS is set beside AWS_IAM"));
        let declared: Vec<_> = base
            .into_iter()
            .chain([("SAL_DB_FALLBACK", "password")])
            .collect();
        let (config, outcome) = read(&declared);
        assert_eq!(outcome, Ok(Vec::new()));
        assert!(matches!(
            config.logins.as_slice(),
            [
                Login {
                    proof: Proof::Iam,
                    ..
                },
                Login {
                    proof: Proof::Password(_),
                    tls: TlsMode::VerifyFull
                }
            ]
        ));
    }

    #[test]
    fn all_mistakes_are_reported_at_once_and_no_secret_is_shown() {
        let (_, outcome) = read(&[
            ("AWS_IAM", "yess"),
            ("DB_PORT", "x"),
            ("DB_SSLMODE", "full"),
            ("SAL_DB_HOSTADDR", "nowhere"),
            ("SAL_DB_FALLBACK", "hope"),
            ("DB_PASS", "s3cret"),
        ]);
        let problems = outcome.unwrap_err();
        assert_eq!(problems.len(), 7, "{problems:#?}");
        assert!(problems.iter().all(|problem| !problem.contains("s3cret")));
    }
}
