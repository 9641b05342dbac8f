//! What the doors and the assembly need to know, as the environment says it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
use super::memory;
use super::oidc::SingleSignOn;

/// Everything `sal serve` needs.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    pub(crate) database: DatabaseConfig,
    pub(crate) listen: SocketAddr,
    /// Every line of the log is an object of JSON.
    pub(crate) logs_json: bool,
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
        environment.refuse_user_in_url("SAL_PUBLIC_URL");
        let path = public_url
            .as_deref()
            .and_then(|url| url.split_once("://"))
            .and_then(|(_, rest)| rest.split_once('/'));
        if path.is_some_and(|(_, path)| !path.is_empty()) {
            environment.problem(
                "SAL_PUBLIC_URL has a path, and serving under a path isn't supported (Q-155): give Sal a host name of its own"
                    .to_owned(),
            );
        }
        let trusted_origins = environment.list("DOCKER_SAL_CSRF_TRUSTED_ORIGINS");
        for origin in &trusted_origins {
            if origin.contains('@') {
                environment.problem(
                    "DOCKER_SAL_CSRF_TRUSTED_ORIGINS holds an `@`; an origin is a scheme, a host and a port"
                        .to_owned(),
                );
            } else if !origin.contains("://") {
                environment.problem(format!(
                    "DOCKER_SAL_CSRF_TRUSTED_ORIGINS: `{origin}` has no scheme; write https://…"
                ));
            }
        }
        Self {
            database: DatabaseConfig::read(environment),
            listen: listen(environment),
            logs_json: false,
            http: http(public_url.as_deref(), environment),
            trusted_origins,
            drain: Duration::from_secs(environment.number("SAL_DRAIN_SECONDS")),
            single_sign_on: SingleSignOn::read(public_url.as_deref(), environment),
            max_connections: environment.number("SAL_MAX_CONNECTIONS"),
            status_token: status_token(environment),
            status_listen: environment.parsed("SAL_STATUS_LISTEN", "an address and a port"),
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

/// Where the server listens, and is asked whether it is well.
pub(crate) fn listen(environment: &mut Environment) -> SocketAddr {
    let set = environment.parsed("SAL_LISTEN", "an address and a port, such as 0.0.0.0:8000");
    set.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 8000)))
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

fn http(public_url: Option<&str>, environment: &mut Environment) -> HttpConfig {
    let limit = memory::container_limit(Path::new(memory::CGROUPS));
    let memory_bytes = memory::budget(environment, limit);
    HttpConfig {
        display_name: environment
            .text("DOCKER_SAL_DISPLAY_NAME")
            .unwrap_or_default(),
        time_zone: time_zone(environment),
        basic_auth: environment.flag("DOCKER_SAL_BASIC_AUTH"),
        deployed_on_checkin: environment.flag("DOCKER_SAL_DEPLOYED_ON_CHECKIN"),
        add_new_machines: environment.flag("SAL_ADD_NEW_MACHINES"),
        historical_facts: environment
            .list("SAL_HISTORICAL_FACTS")
            .into_iter()
            .collect(),
        ignore_facts: ignore_facts(environment),
        body_limit_bytes: environment.number("SAL_BODY_LIMIT"),
        unpacked_limit_bytes: memory::unpacked_limit(environment, memory_bytes),
        memory_bytes,
        address_limit: environment.number("SAL_ADDRESS_LIMIT"),
        key_limit: environment.number("SAL_KEY_LIMIT"),
        machine_limit: environment.number("SAL_MACHINE_LIMIT"),
        journal_rows: rows("SAL_JOURNAL_ROWS", environment),
        rejected_bodies: rows("SAL_KEEP_REJECTED", environment),
        key_moves: key_moves(environment),
        all_units: environment.flag("DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS"),
        visibility: visibility(environment),
        show_group_keys: environment.flag("SAL_API_SHOW_GROUP_KEYS"),
        assistants: environment.flag("SAL_MCP"),
        api_limit: environment.number("SAL_API_REQUESTS_PER_MINUTE"),
        token_days: environment.number("SAL_API_TOKEN_MAX_DAYS"),
        stream_patience: sal_http::app::STREAM_PATIENCE,
        public_url: public_url.map(str::to_owned),
        secure_cookies: public_url.is_some_and(|url| url.starts_with("https://")),
        session_idle: access::session_idle(environment),
        trusted_proxies: access::trusted_proxies(environment),
        settings: environment.shown(),
    }
}

fn key_moves(environment: &mut Environment) -> KeyMoves {
    match environment.word("SAL_KEY_MOVES") {
        "any" => KeyMoves::Any,
        "same-unit" => KeyMoves::SameUnit,
        _ => KeyMoves::Never,
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

fn rows(name: &str, environment: &mut Environment) -> i64 {
    i64::from(environment.number::<u32>(name))
}

/// The original looks for a slash and takes London where there is none, so that its `UTC` is London's time. A zone that
/// exists is taken for what it says; nonsense without a slash goes on as it did, and is told.
pub(crate) fn time_zone(environment: &mut Environment) -> TimeZone {
    let name = environment.text(TIME_ZONE).unwrap_or_default();
    if let Ok(zone) = TimeZone::get(&name) {
        if !name.contains('/') {
            environment.warn(format!(
                "{TIME_ZONE}=`{name}` counts; Sal took Europe/London for every name without a slash. Write Europe/London to keep its times"
            ));
        }
        return zone;
    }
    if name.contains('/') {
        environment.problem(format!(
            "{TIME_ZONE}=`{name}` is not a time zone; write an IANA name such as Europe/London"
        ));
        return TimeZone::UTC;
    }
    environment.warn(format!(
        "{TIME_ZONE}=`{name}` is not a time zone, and Europe/London counts, as in Sal; write an IANA name such as America/New_York"
    ));
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

const TIME_ZONE: &str = "DOCKER_SAL_TZ";

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
