//! Variables that nothing reads: each is named at the start, with the name that was meant where one is near.
//!
//! What a platform puts into the environment by itself is never named: for a service called `sal` or `db`, Kubernetes
//! sets SAL_SERVICE_HOST, SAL_PORT=tcp://… and a dozen more, and `docker --link x:db` sets DB_NAME=/web/db and copies
//! the linked container's whole environment as DB_ENV_….

use super::declaration::{Shape, Variable};
use super::{former, nearness, variables};

/// A line for each name that is set for nothing.
pub(super) fn told<'a>(set: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let lines = set
        .into_iter()
        .filter_map(|(name, value)| line(name.trim(), value));
    lines.collect()
}

fn line(name: &str, value: &str) -> Option<String> {
    if is_read(name) {
        return None;
    }
    if is_injected(name, value) {
        return None;
    }
    if let Some(former) = former::find(name) {
        return former.told(name, value);
    }
    let is_ours = is_ours(name);
    if value.trim().is_empty() && !is_ours {
        return None;
    }
    let known = variables().map(|variable| variable.name);
    let meant = match is_ours {
        true => nearness::meant(name, known),
        false => nearness::slip_of(name, known),
    };
    let shown: String = name.chars().take(LONGEST).collect();
    match meant {
        Some(meant) if is_path_of(name) => Some(format!(
            "{shown} is set and nothing reads it: only secrets are read from files; set {meant}"
        )),
        Some(meant) => Some(format!(
            "{shown} is set and nothing reads it: did you mean {meant}?"
        )),
        None => is_ours.then(|| {
            format!("{shown} is set and nothing reads it; `sal reference env` lists every variable")
        }),
    }
}

/// Whether a name is one of ours, or the file of one of our secrets.
fn is_read(name: &str) -> bool {
    let is_secret = |variable: &Variable| matches!(variable.shape, Shape::Secret);
    let of_file = name.strip_suffix("_FILE");
    variables().any(|variable| {
        variable.name == name || (is_secret(variable) && Some(variable.name) == of_file)
    })
}

fn is_path_of(name: &str) -> bool {
    let of_file = name.strip_suffix("_FILE");
    of_file.is_some_and(|name| variables().any(|variable| variable.name == name))
}

/// Whether a name can only be meant for this server.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let is_of_tests = OF_OUR_TESTS.iter().any(|start| name.starts_with(start));
    !is_of_tests && OURS.iter().any(|start| name.starts_with(start))
}

const OURS: &[&str] = &["DOCKER_SAL_", "SAL_", "DB_", "AWS_IAM", "AWS_RDS_REGION"];
/// What `./dev test` and the tests themselves use.
const OF_OUR_TESTS: &[&str] = &["SAL_TEST_", "SAL_TESTS_"];

/// Whether Kubernetes or Docker sets it for a service or a linked container.
fn is_injected(name: &str, value: &str) -> bool {
    let is_service = name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_");
    // Of a linked container: its environment, and its name as `/web/db`.
    let is_link = name.contains("_ENV_") || (name.ends_with("_NAME") && value.starts_with('/'));
    let is_address = PROTOCOLS.iter().any(|protocol| value.starts_with(protocol));
    // Sal reads two such names of a linked memcached.
    let is_numbered = is_numbered_port(name) && former::find(name).is_none();
    is_service || is_link || is_numbered || (is_address && name.ends_with("_PORT"))
}

/// `X_PORT_5432_TCP`, with `_ADDR`, `_PORT`, `_PROTO`, or Docker's `_START` and `_END` of ranges, behind it.
fn is_numbered_port(name: &str) -> bool {
    let behind = |(_service, rest): (&str, &str)| {
        let (number, rest) = rest.split_once('_').unwrap_or((rest, ""));
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let protocol = rest.split('_').next().unwrap_or_default();
        is_number && matches!(protocol, "TCP" | "UDP" | "SCTP")
    };
    name.rsplit_once("_PORT_").is_some_and(behind) || name.split_once("_PORT_").is_some_and(behind)
}

const PROTOCOLS: &[&str] = &["tcp://", "udp://", "sctp://"];
/// The most letters of a name that are shown.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> Option<String> {
        told([(name, value)]).pop()
    }

    #[test]
    fn what_a_platform_injects_is_never_named() {
        for (name, value) in [
            ("SAL_SERVICE_HOST", "10.96.7.1"),
            ("SAL_SERVICE_PORT", "8000"),
            ("SAL_SERVICE_PORT_HTTP", "8000"),
            ("SAL_PORT", "tcp://10.96.7.1:8000"),
            ("SAL_PORT", "tcp://[fd00::7]:8000"),
            ("SAL_PORT_8000_TCP", "tcp://10.96.7.1:8000"),
            ("SAL_PORT_8000_TCP_PROTO", "tcp"),
            ("SAL_PORT_8000_TCP_PORT", "8000"),
            ("SAL_PORT_8000_TCP_ADDR", "10.96.7.1"),
            ("SAL_DB_SERVICE_HOST", "10.96.7.2"),
            ("SAL_DB_PORT", "udp://10.96.7.2:53"),
            ("SAL_DB_PORT_5432_TCP_ADDR", "10.96.7.2"),
            ("SAL_RELAY_PORT_6432_TCP", "tcp://10.96.7.3:6432"),
            ("DOCKER_SAL_SERVICE_PORT", "8000"),
            ("DB_SERVICE_HOST", "10.96.7.2"),
            ("DB_SERVICE_PORT_POSTGRES", "5432"),
            ("DB_PORT_5432_TCP", "tcp://10.0.0.2:5432"),
            ("DB_PORT_5432_TCP_PROTO", "tcp"),
            ("DB_PORT_9187_TCP_ADDR", "10.0.0.2"),
            ("DB_PORT_5432_UDP_ADDR", "10.0.0.2"),
            ("DB_ENV_POSTGRES_PASSWORD", "hunter2"),
            ("DB_ENV_DB_PASS", "hunter2"),
            ("SAL_NAME", "/grafana/sal"),
            ("SAL_ENV_DOCKER_SAL_TZ", "UTC"),
            ("MEMCACHED_PORT_11211_TCP_PROTO", "tcp"),
            ("MEMCACHED_SERVICE_HOST", "10.96.7.4"),
            ("DB_NAME", "/sal/db"),
            ("AWS_REGION", "us-west-2"),
            ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
            ("ADMIN_PATH", "/x"),
            ("PGPASSWORD", "x"),
            ("POSTGRES_PASSWORD", "x"),
            ("PATH", "/bin"),
            ("HOSTNAME", "sal-7d4"),
            ("SAL_TESTS_POSTGRES", "/var/tmp/x"),
        ] {
            assert_eq!(of(name, value), None, "{name}");
        }
    }

    #[test]
    fn a_misspelled_name_is_told_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("DOCKER_SAL_DISPLAYNAME", "DOCKER_SAL_DISPLAY_NAME"),
            ("DOCKER_SAL_DIPSLAY_NAME", "DOCKER_SAL_DISPLAY_NAME"),
            ("DOCKER_SAL_TX", "DOCKER_SAL_TZ"),
            ("DOCKER_SAL_BASICAUTH", "DOCKER_SAL_BASIC_AUTH"),
            ("DOKCER_SAL_BASIC_AUTH", "DOCKER_SAL_BASIC_AUTH"),
            (
                "DOCKER_SAL_CSRF_TRUSTED_ORIGIN",
                "DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
            ),
            (
                "DOCKER_SAL_TRUSTED_ORIGINS",
                "DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
            ),
            (
                "DOCKER_SAL_DEPLOYED_ON_CHECK_IN",
                "DOCKER_SAL_DEPLOYED_ON_CHECKIN",
            ),
            ("DOCKER_SAL_TRUSTED_PROXIES", "SAL_TRUSTED_PROXIES"),
            ("SAL_TRUSTED_PROXY", "SAL_TRUSTED_PROXIES"),
            ("SAL_PROXIES", "SAL_TRUSTED_PROXIES"),
            ("SAL_PUBLICURL", "SAL_PUBLIC_URL"),
            ("SAL_PUBLIC_URI", "SAL_PUBLIC_URL"),
            ("SAL_TZ", "DOCKER_SAL_TZ"),
            ("SAL_DB_HOST", "DB_HOST"),
            ("SAL_DB_POOLSIZE", "SAL_DB_POOL_SIZE"),
            ("SAL_OIDC_SECRET", "SAL_OIDC_CLIENT_SECRET"),
            ("SAL_OIDC_ISSUER_URL", "SAL_OIDC_ISSUER"),
            ("DB_HOTS", "DB_HOST"),
            ("DB_HOSTNAME", "DB_HOST"),
            ("DBHOST", "DB_HOST"),
            ("db_host", "DB_HOST"),
            ("DB_SSL_MODE", "DB_SSLMODE"),
            ("DB_PAS", "DB_PASS"),
            ("AWS_IMA", "AWS_IAM"),
            ("AWS_IAMS", "AWS_IAM"),
            ("AWS_IAM_AUTH", "AWS_IAM"),
            ("AWS_RDS_REGIONS", "AWS_RDS_REGION"),
            ("AWS_RDS_REGOIN", "AWS_RDS_REGION"),
            ("MAINT_FREQENCY", "MAINT_FREQUENCY"),
            ("ADMIN_PAS", "ADMIN_PASS"),
        ] {
            let told = of(name, "hunter2").unwrap_or_default();
            let expected = format!("{name} is set and nothing reads it: did you mean {meant}?");
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_name_that_is_near_to_none_is_told_all_the_same_and_no_value_is() {
        let told = of("SAL_FROBNICATE", "hunter2").unwrap();
        assert!(told.contains("`sal reference env`"), "{told}");
        let told = of("DB_HOST_FILE", "/run/secrets/host").unwrap();
        assert!(
            told.contains("only secrets") && told.ends_with("set DB_HOST"),
            "{told}"
        );
        let long = format!("SAL_{}", "X".repeat(10_000));
        assert!(of(&long, "hunter2").unwrap().len() < 200);
        for name in [
            "SAL_FROBNICATE",
            "DB_PASSWORD",
            "DATABASE_URL",
            "SAL_LDAP_BIND_PASSWORD",
        ] {
            assert!(!of(name, "hunter2").unwrap().contains("hunter2"), "{name}");
        }
    }

    /// What its image sets, its start script, its settings and its guides have: with a word of what is told.
    const OF_THE_ORIGINAL: &[(&str, &str, &str)] = &[
        (
            "DOCKER_SAL_CRYPT_URL",
            "https://crypt.example.org",
            "crypt_url",
        ),
        ("DOCKER_SAL_BRUTE_PROTECT", "true", "ten of a user"),
        ("DOCKER_SAL_BRUTE_COOLOFF", "3", "ten of a user"),
        ("DOCKER_SAL_BRUTE_LIMIT", "3", "ten of a user"),
        (
            "DOCKER_SAL_PLUGIN_ORDER",
            "Activity,Status",
            "Settings, Plugins",
        ),
        ("DOCKER_SAL_DEFAULT_MACHINE_GROUP_KEY", "k", "machine group"),
        ("WAIT_FOR_POSTGRES", "true", "always waits"),
        ("WAIT_FOR_POSTGRES", "false", ""),
        ("DOCKER_SAL_LANG", "de", "English"),
        ("DOCKER_SAL_LANG", "en-us", ""),
        ("DOCKER_SAL_ADMINS", "Anna,anna@example.org", "mail"),
        ("DOCKER_SAL_ADMINS", "Docker User, docker@localhost", ""),
        ("DOCKER_SAL_ALLOWED", "sal.example.org", "proxy"),
        ("DOCKER_SAL_ALLOWED", "*", ""),
        ("DOCKER_SAL_ALLOWED", "", ""),
        ("DOCKER_SAL_USE_SAML", "True", "SAL_OIDC_ISSUER"),
        ("DOCKER_SAL_USE_SAML", "false", ""),
        ("SAL_LDAP_SERVER_URI", "ldaps://x", "LDAP"),
        ("SAL_LDAP_BIND_DN", "cn=x", "LDAP"),
        ("MEMCACHED_PORT_11211_TCP_ADDR", "10.0.0.9", "no cache"),
        ("MEMCACHED_PORT_11211_TCP_PORT", "11211", "no cache"),
        ("DYNO", "web.1", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://u:p@h/d", "DB_HOST"),
        ("APPNAME", "Macs", "DOCKER_SAL_DISPLAY_NAME"),
        ("APPNAME", "Sal", ""),
        ("APP_DIR", "/home/docker/sal", ""),
        ("DJANGO_SETTINGS_MODULE", "own.settings", "import-settings"),
        ("ADMIN_PASS", "x", ""),
        ("ADMIN_PASS_FILE", "/run/secrets/x", ""),
        ("DB_HOST", "x", ""),
        ("DB_PORT", "x", ""),
        ("DB_NAME", "x", ""),
        ("DB_USER", "x", ""),
        ("DB_PASS", "x", ""),
        ("DB_PORT_5432_TCP_ADDR", "x", ""),
        ("DB_PORT_5432_TCP_PORT", "x", ""),
        ("AWS_IAM", "x", ""),
        ("AWS_RDS_REGION", "x", ""),
        ("MAINT_FREQUENCY", "x", ""),
        ("DOCKER_SAL_TZ", "x", ""),
        ("DOCKER_SAL_DISPLAY_NAME", "x", ""),
        ("DOCKER_SAL_DEBUG", "x", ""),
        ("DOCKER_SAL_BASIC_AUTH", "x", ""),
        ("DOCKER_SAL_CSRF_TRUSTED_ORIGINS", "x", ""),
        ("DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS", "x", ""),
        ("DOCKER_SAL_DEPLOYED_ON_CHECKIN", "x", ""),
        ("DOCKER_SAL_INACTIVE_UNDEPLOYED", "x", ""),
        ("DOCKER_SAL_ROOT_CA", "x", ""),
    ];

    #[test]
    fn every_name_of_the_original_is_read_or_told_with_what_to_do_instead() {
        for (name, value, words) in OF_THE_ORIGINAL {
            let told = of(name, value);
            match *words {
                "" => assert_eq!(told, None, "{name}={value}"),
                words => assert!(told.is_some_and(|told| told.contains(words)), "{name}"),
            }
        }
    }
}
