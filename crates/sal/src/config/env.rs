//! The table of environment variables, and the only place that reads the environment.
//!
//! Sal's Docker names keep their meaning; ours begin with `SAL_`. A value that cannot be understood is a mistake,
//! never a silent default.

mod access;
mod limits;
mod pages;
mod single_sign_on;

use std::collections::BTreeMap;
use std::str::FromStr;

/// One variable.
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What counts when it is not set; empty for nothing.
    pub(crate) default: &'static str,
    /// One sentence.
    pub(crate) meaning: &'static str,
    /// Whether its value must never be shown.
    pub(crate) secret: bool,
    /// Since which version of this server, or `Sal` for a name of the original.
    pub(crate) since: &'static str,
}

/// The values that are set, and what is wrong with them.
pub(crate) struct Environment {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Environment {
    /// Reads the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn read() -> Self {
        let set = variables()
            .filter_map(|variable| Some((variable.name, std::env::var(variable.name).ok()?)));
        let mut environment = Self::of(set);
        for (name, why) in IGNORED {
            if std::env::var_os(name).is_some() {
                environment.warn(format!("{name} is set and has no effect: {why}"));
            }
        }
        environment
    }

    /// From given values, for tests.
    pub(crate) fn of(values: impl IntoIterator<Item = (&'static str, impl Into<String>)>) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Self {
            values,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The text of a variable; empty counts as not set.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        debug_assert!(
            variables().any(|variable| variable.name == name),
            "{name} is not in the table"
        );
        self.values
            .get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// The text as it is, blanks included: passwords may begin or end with one.
    pub(crate) fn secret(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .cloned()
            .filter(|value| !value.is_empty())
    }

    /// Whether a variable is there and says nothing.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        let value = self.values.get(name);
        value.is_some_and(|value| value.trim().is_empty())
    }

    /// Yes or no, in the usual words.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else {
            return default;
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.problem(format!(
                    "{name}=`{text}` is neither true nor false; write `true` or `false`"
                ));
                default
            }
        }
    }

    /// A number between two others.
    pub(crate) fn between(
        &mut self,
        name: &str,
        default: usize,
        (least, most): (usize, usize),
    ) -> usize {
        let read = self.parsed(name, default, "a number");
        if (least..=most).contains(&read) {
            return read;
        }
        self.problem(format!("{name}={read} is not between {least} and {most}"));
        default
    }

    /// A value of any type that can be read from text.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.parse().unwrap_or_else(|_error| {
            self.problem(format!("{name}=`{text}` is not {what}"));
            default
        })
    }

    /// A list, separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// Notes a mistake.
    pub(crate) fn problem(&mut self, text: String) {
        // A value may be asked for in two places.
        if !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// Notes something that works but should be looked at.
    pub(crate) fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }

    /// All mistakes, and all warnings.
    pub(crate) fn finish(self) -> Result<Vec<String>, Vec<String>> {
        if self.problems.is_empty() {
            Ok(self.warnings)
        } else {
            Err(self.problems)
        }
    }
}

/// Signs of the platform that the process runs on; their values are not used.
pub(crate) struct Signs {
    pub(crate) fargate: bool,
    pub(crate) ecs: bool,
    pub(crate) kubernetes: bool,
    pub(crate) metadata_off: bool,
    /// The user of the operating system, for the journal.
    pub(crate) user: String,
    pub(crate) path: Option<std::ffi::OsString>,
    pub(crate) runtime_folder: Option<std::path::PathBuf>,
}

impl Signs {
    /// Looks at the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn read() -> Self {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let has = |name: &str| std::env::var_os(name).is_some();
        let user = ["SUDO_USER", "USER", "LOGNAME"]
            .iter()
            .map(|name| text(name));
        Self {
            fargate: text("AWS_EXECUTION_ENV").contains("FARGATE"),
            ecs: has("ECS_CONTAINER_METADATA_URI_V4") || text("AWS_EXECUTION_ENV").contains("ECS"),
            kubernetes: has("KUBERNETES_SERVICE_HOST"),
            metadata_off: text("AWS_EC2_METADATA_DISABLED").eq_ignore_ascii_case("true"),
            user: user
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default(),
            path: std::env::var_os("PATH"),
            runtime_folder: std::env::var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from),
        }
    }
}

const fn variable(
    name: &'static str,
    default: &'static str,
    since: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable {
        name,
        default,
        meaning,
        secret: false,
        since,
    }
}

const fn secret(name: &'static str, since: &'static str, meaning: &'static str) -> Variable {
    Variable {
        name,
        default: "",
        meaning,
        secret: true,
        since,
    }
}

/// Every variable.
pub(crate) fn variables() -> impl Iterator<Item = &'static Variable> {
    VARIABLES
        .iter()
        .chain(access::VARIABLES)
        .chain(limits::VARIABLES)
        .chain(pages::VARIABLES)
        .chain(single_sign_on::VARIABLES)
}

/// Every variable that has no file of its own.
const VARIABLES: &[Variable] = &[
    variable(
        "DB_HOST",
        "db",
        "Sal",
        "Host of the database: an RDS endpoint, a CNAME of one, or any host.",
    ),
    variable("DB_PORT", "5432", "Sal", "Port of the database."),
    variable("DB_NAME", "", "Sal", "Name of the database. Required."),
    variable(
        "DB_USER",
        "",
        "Sal",
        "Postgres user to log in as. Required.",
    ),
    secret(
        "DB_PASS",
        "Sal",
        "Password of that user. Not used with AWS_IAM unless SAL_DB_FALLBACK says so.",
    ),
    variable(
        "DB_PORT_5432_TCP_ADDR",
        "",
        "Sal",
        "Host of a linked Docker container; DB_HOST wins.",
    ),
    variable(
        "DB_PORT_5432_TCP_PORT",
        "",
        "Sal",
        "Port of a linked Docker container; DB_PORT wins.",
    ),
    variable(
        "AWS_IAM",
        "false",
        "Sal",
        "Log in with IAM tokens instead of a password. `false` means no here.",
    ),
    variable(
        "AWS_RDS_REGION",
        "",
        "Sal",
        "Region to sign tokens for; by default that of the endpoint's name.",
    ),
    variable(
        "DB_SSLMODE",
        "",
        "0.1",
        "verify-full, verify-ca, require, prefer or disable. Default: verify-full with IAM, with an RDS endpoint and with DB_SSLROOTCERT; else prefer.",
    ),
    variable(
        "DB_SSLROOTCERT",
        "",
        "0.1",
        "PEM file of the authorities to trust, instead of the built-in RDS and Amazon roots.",
    ),
    variable(
        "SAL_DB_HOSTADDR",
        "",
        "0.1",
        "Dial this address instead of asking DNS for DB_HOST, like libpq's hostaddr; names and certificates stay DB_HOST's.",
    ),
    variable(
        "SAL_DB_SIGN_HOST",
        "",
        "0.1",
        "Sign for, and verify against, this RDS endpoint: for tunnels and relays.",
    ),
    variable(
        "SAL_DB_SIGN_PORT",
        "",
        "0.1",
        "Sign for this port instead of DB_PORT: for tunnels and relays.",
    ),
    variable(
        "SAL_DB_FALLBACK",
        "",
        "0.1",
        "`password`: while moving to IAM, log in with DB_PASS when the IAM login fails.",
    ),
    variable(
        "SAL_DB_FALLBACK_USER",
        "",
        "0.1",
        "User of the fallback's password; by default DB_USER. While moving, the old user.",
    ),
    variable(
        "SAL_ADMIN_USER",
        "",
        "0.1",
        "For `sal iam`: the master user, who makes roles and grants. By default DB_USER, where that is the master user.",
    ),
    secret(
        "SAL_ADMIN_PASS",
        "0.1",
        "For `sal iam`: the master user's password; without it the master user logs in with IAM.",
    ),
    variable(
        "SAL_IAM_JOURNAL",
        "sal-iam-journal.jsonl",
        "0.1",
        "For `sal iam`: the file that says what was done, by whom and when.",
    ),
    secret(
        "SAL_RELAY_PASSWORD",
        "0.1",
        "For `sal relay`: the password that clients of its TCP ports have to give.",
    ),
    variable(
        "AWS_ENDPOINT_URL",
        "",
        "0.1",
        "Address of all AWS services, for tests and private endpoints; the SDKs' own name.",
    ),
    variable("AWS_ENDPOINT_URL_RDS", "", "0.1", "Address of RDS's API."),
    variable("AWS_ENDPOINT_URL_STS", "", "0.1", "Address of STS."),
    variable("AWS_ENDPOINT_URL_IAM", "", "0.1", "Address of IAM's API."),
    variable(
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "",
        "0.1",
        "Address of CloudWatch.",
    ),
    variable(
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        "",
        "0.1",
        "Address of CloudWatch Logs.",
    ),
    variable(
        "SAL_DB_EXPECT_ROLE",
        "",
        "0.1",
        "Refuse connections whose current_user is not this role.",
    ),
    variable(
        "SAL_DB_POOL_SIZE",
        "16",
        "0.1",
        "The most database connections of this process, beside one for readiness and one for maintenance.",
    ),
    variable(
        "SAL_DB_LOGINS_PER_SECOND",
        "50",
        "0.1",
        "The most new logins per second of this process; RDS refuses more than 200 from all.",
    ),
    variable(
        "SAL_DB_CONNECT_TIMEOUT",
        "10",
        "0.1",
        "Seconds that one login may take.",
    ),
    variable(
        "SAL_IAM_ROLE_ARN",
        "",
        "0.1",
        "Role to assume before signing, for a database in another account.",
    ),
    variable(
        "DOCKER_SAL_TZ",
        "Europe/London",
        "Sal",
        "Time zone of pages and of clients' times without one, as an IANA name.",
    ),
    variable(
        "DOCKER_SAL_DISPLAY_NAME",
        "Sal",
        "Sal",
        "Name in the title of the pages.",
    ),
    variable("DOCKER_SAL_DEBUG", "false", "Sal", "Log at level debug."),
    variable(
        "DOCKER_SAL_BASIC_AUTH",
        "true",
        "Sal",
        "Clients must authenticate with a machine group's key.",
    ),
    variable(
        "DOCKER_SAL_DEPLOYED_ON_CHECKIN",
        "false",
        "Sal",
        "A check-in marks its machine as deployed.",
    ),
    variable(
        "DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
        "",
        "Sal",
        "Further origins whose forms are taken, with scheme, separated by commas.",
    ),
    secret(
        "ADMIN_PASS",
        "Sal",
        "Password of `admin`, who is made, or made a superuser and given it, at a start at which no user is a superuser; without it the log shows a one-time set-up link while there is no user. One that is guessed first, or shorter than 8 characters, stops the start.",
    ),
    variable(
        "SAL_PUBLIC_URL",
        "",
        "0.1",
        "Address that browsers use, as https://sal.example.org; with https, cookies are sent over https only and browsers are told to come by nothing else (HSTS).",
    ),
    variable(
        "SAL_ADD_NEW_MACHINES",
        "true",
        "0.1",
        "A check-in of an unknown serial number makes a machine (settings.py: ADD_NEW_MACHINES).",
    ),
    variable(
        "SAL_HISTORICAL_FACTS",
        "",
        "0.1",
        "Facts whose every value is kept, separated by commas (settings.py: HISTORICAL_FACTS).",
    ),
    variable(
        "SAL_IGNORE_FACTS",
        "",
        "0.1",
        "Regular expressions; facts whose names begin with a match are dropped, separated by commas (settings.py: IGNORE_FACTS).",
    ),
    variable(
        "SAL_JOBS",
        "true",
        "0.1",
        "This server may do the maintenance; of all servers on a database that may, one does. `false` on a replica.",
    ),
    variable(
        "MAINT_FREQUENCY",
        "300",
        "Sal",
        "Seconds between two looks at what a Django Sal's searches read, at least 60; the other jobs have periods of their own.",
    ),
    variable(
        "DOCKER_SAL_INACTIVE_UNDEPLOYED",
        "0",
        "Sal",
        "Days without a check-in after which a machine is marked as undeployed; 0 for never.",
    ),
    variable(
        "SAL_SEARCH_FACTS",
        "",
        "0.1",
        "Facts whose values quick search finds, separated by commas (settings.py: SEARCH_FACTS).",
    ),
    variable(
        "SAL_LOG",
        "info",
        "0.1",
        "Log filter: error, warn, info, debug or trace, or directives such as sal_checkin=debug.",
    ),
    variable("SAL_LOG_FORMAT", "human", "0.1", "human or json."),
    variable(
        "SAL_DRAIN_SECONDS",
        "20",
        "0.1",
        "Seconds that open requests may take after SIGTERM.",
    ),
];

/// Names of the original that do nothing here, and why.
const IGNORED: &[(&str, &str)] = &[
    (
        "MEMCACHED_PORT_11211_TCP_ADDR",
        "this server needs no cache",
    ),
    ("DOCKER_SAL_ADMINS", "no mail is ever sent"),
    ("DOCKER_SAL_LANG", "pages are in English"),
    (
        "DOCKER_SAL_ALLOWED",
        "host names are not checked yet; let the proxy in front do it",
    ),
    (
        "SAL_OIDC_LINK_EXISTING",
        "accounts become users by `sal user link`, or by the claim of SAL_OIDC_JOIN_CLAIM",
    ),
    (
        "DOCKER_SAL_USE_SAML",
        "SAML is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_declared_once_and_explained() {
        let mut names: Vec<_> = variables().map(|variable| variable.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(
            variables()
                .all(|variable| variable.meaning.ends_with('.') && !variable.since.is_empty())
        );
        assert!(variables().all(|variable| !variable.secret || variable.default.is_empty()));
    }

    #[test]
    fn q010_a_value_that_is_neither_true_nor_false_is_a_mistake() {
        let mut environment = Environment::of([("AWS_IAM", "flase"), ("DOCKER_SAL_DEBUG", " No ")]);
        assert!(!environment.flag("DOCKER_SAL_DEBUG", true));
        assert!(!environment.flag("AWS_IAM", false));
        assert_eq!(environment.finish().unwrap_err().len(), 1);
    }
}
