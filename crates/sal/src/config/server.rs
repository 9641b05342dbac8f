//! What the doors and the assembly need to know, as the environment says it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use rds_iam::Secret;
use sal_http::HttpConfig;
use sal_http::app::KeyMoves;
use sal_jobs::JobsConfig;
use sal_plugins::Visibility;

use super::Environment;
use super::access;
use super::database::DatabaseConfig;
use super::jobs;
use super::oidc::SingleSignOn;

/// Everything `sal serve` needs.
#[derive(Clone)]
pub(crate) struct ServerConfig {
    pub(crate) database: DatabaseConfig,
    pub(crate) http: HttpConfig,
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) drain: Duration,
    pub(crate) admin_password: Option<Secret>,
    pub(crate) public_url: Option<String>,
    /// Folder of the administrator's plugins.
    pub(crate) plugin_folder: Option<PathBuf>,
    /// File with the certificate authority of a Crypt server.
    pub(crate) root_ca: Option<PathBuf>,
    /// `None` where another server does the maintenance.
    pub(crate) jobs: Option<JobsConfig>,
    pub(crate) single_sign_on: Option<SingleSignOn>,
    pub(crate) max_connections: usize,
    /// Shows the details of readiness, and the metrics.
    pub(crate) status_token: Option<Secret>,
    /// Address of the listener that tells them without a token.
    pub(crate) status_listen: Option<SocketAddr>,
}

impl ServerConfig {
    /// Reads the whole environment.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let public_url = environment.text("SAL_PUBLIC_URL");
        if let Some(url) = public_url
            .as_ref()
            .filter(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            environment.problem(format!(
                "SAL_PUBLIC_URL=`{url}` does not begin with https:// or http://"
            ));
        }
        let trusted_origins = environment.list("DOCKER_SAL_CSRF_TRUSTED_ORIGINS");
        for origin in &trusted_origins {
            if !origin.contains("://") {
                environment.problem(format!(
                    "DOCKER_SAL_CSRF_TRUSTED_ORIGINS: `{origin}` has no scheme; write https://…"
                ));
            }
        }
        Self {
            database: DatabaseConfig::read(environment),
            http: http(public_url.as_deref(), environment),
            trusted_origins,
            drain: Duration::from_secs(environment.parsed(
                "SAL_DRAIN_SECONDS",
                20,
                "a number of seconds",
            )),
            single_sign_on: SingleSignOn::read(public_url.as_deref(), environment),
            max_connections: environment.between("SAL_MAX_CONNECTIONS", 4096, (16, 1_000_000)),
            status_token: status_token(environment),
            status_listen: environment
                .text("SAL_STATUS_LISTEN")
                .map(|_set| environment.parsed("SAL_STATUS_LISTEN", ANY, "an address and a port")),
            admin_password: access::admin_password(environment),
            public_url,
            plugin_folder: environment.text("SAL_PLUGIN_DIR").map(PathBuf::from),
            root_ca: environment
                .text("DOCKER_SAL_ROOT_CA")
                .filter(|path| path != "None")
                .map(PathBuf::from),
            jobs: {
                let config = jobs::read(environment);
                jobs::wanted(environment).then_some(config)
            },
        }
    }
}

fn status_token(environment: &mut Environment) -> Option<Secret> {
    let token = environment.secret("SAL_STATUS_TOKEN")?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        environment.problem(
            "SAL_STATUS_TOKEN holds blanks or letters that a header cannot carry; `openssl rand -hex 24` makes one".to_owned(),
        );
    }
    if token.len() < 16 {
        environment.problem(
            "SAL_STATUS_TOKEN is shorter than 16 characters; `openssl rand -hex 24` makes one"
                .to_owned(),
        );
    }
    Some(Secret::new(token))
}

const KIB: usize = 1024;
const GIB: usize = 1024 * 1024 * KIB;
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn http(public_url: Option<&str>, environment: &mut Environment) -> HttpConfig {
    let defaults = HttpConfig::default();
    HttpConfig {
        display_name: environment
            .text("DOCKER_SAL_DISPLAY_NAME")
            .unwrap_or(defaults.display_name),
        time_zone: time_zone(environment),
        basic_auth: environment.flag("DOCKER_SAL_BASIC_AUTH", true),
        deployed_on_checkin: environment.flag("DOCKER_SAL_DEPLOYED_ON_CHECKIN", false),
        add_new_machines: environment.flag("SAL_ADD_NEW_MACHINES", true),
        historical_facts: environment
            .list("SAL_HISTORICAL_FACTS")
            .into_iter()
            .collect(),
        ignore_facts: ignore_facts(environment),
        body_limit_bytes: environment.between(
            "SAL_BODY_LIMIT",
            defaults.body_limit_bytes,
            (64 * KIB, GIB),
        ),
        unpacked_limit_bytes: environment.between(
            "SAL_UNPACKED_LIMIT",
            defaults.unpacked_limit_bytes,
            (64 * KIB, GIB),
        ),
        memory_bytes: environment.between(
            "SAL_MEMORY_BUDGET",
            defaults.memory_bytes,
            (32 * 1024 * KIB, 1024 * GIB),
        ),
        address_limit: environment.parsed("SAL_ADDRESS_LIMIT", defaults.address_limit, "a number"),
        key_limit: environment.parsed("SAL_KEY_LIMIT", defaults.key_limit, "a number"),
        machine_limit: environment.parsed("SAL_MACHINE_LIMIT", defaults.machine_limit, "a number"),
        journal_rows: rows("SAL_JOURNAL_ROWS", defaults.journal_rows, environment),
        rejected_bodies: rows("SAL_KEEP_REJECTED", defaults.rejected_bodies, environment),
        key_moves: key_moves(environment),
        all_units: environment.flag("DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS", false),
        visibility: visibility(environment),
        secure_cookies: public_url.is_some_and(|url| url.starts_with("https://")),
        session_idle: access::session_idle(environment),
        trusted_proxies: access::trusted_proxies(environment),
    }
}

fn key_moves(environment: &mut Environment) -> KeyMoves {
    match environment.text("SAL_KEY_MOVES").as_deref() {
        None | Some("any") => KeyMoves::Any,
        Some("same-unit") => KeyMoves::SameUnit,
        Some("never") => KeyMoves::Never,
        Some(other) => {
            environment.problem(format!(
                "SAL_KEY_MOVES=`{other}` is none of any, same-unit, never"
            ));
            KeyMoves::Never
        }
    }
}

fn visibility(environment: &mut Environment) -> Visibility {
    let mut ids = |name: &str| {
        let text = environment.text(name).unwrap_or_default();
        Visibility::read_ids(&text).unwrap_or_else(|part| {
            environment.problem(format!(
                "{name}: `{part}` is not a widget and ids; write `Uptime=1,2; Sip=3`"
            ));
            BTreeMap::new()
        })
    };
    let not_unit = ids("SAL_HIDE_PLUGIN_FROM_BUSINESS_UNIT");
    let not_group = ids("SAL_HIDE_PLUGIN_FROM_MACHINE_GROUP");
    Visibility {
        front_only: environment.list("SAL_LIMIT_PLUGIN_TO_FRONT_PAGE"),
        not_front: environment.list("SAL_HIDE_PLUGIN_FROM_FRONT_PAGE"),
        not_unit,
        not_group,
    }
}

fn rows(name: &str, default: i64, environment: &mut Environment) -> i64 {
    let count: u32 =
        environment.parsed(name, u32::try_from(default).unwrap_or(u32::MAX), "a number");
    i64::from(count)
}

fn time_zone(environment: &mut Environment) -> TimeZone {
    let name = environment
        .text("DOCKER_SAL_TZ")
        .unwrap_or_else(|| "Europe/London".to_owned());
    TimeZone::get(&name).unwrap_or_else(|_unknown| {
        environment.problem(format!(
            "DOCKER_SAL_TZ=`{name}` is not a time zone; write an IANA name such as Europe/London"
        ));
        TimeZone::UTC
    })
}

fn ignore_facts(environment: &mut Environment) -> Option<regex::Regex> {
    let patterns = environment.list("SAL_IGNORE_FACTS");
    if patterns.is_empty() {
        return None;
    }
    let joined = format!("^(?:{})", patterns.join("|"));
    match regex::Regex::new(&joined) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            environment.problem(format!(
                "SAL_IGNORE_FACTS is not a list of regular expressions: {error}"
            ));
            None
        }
    }
}
