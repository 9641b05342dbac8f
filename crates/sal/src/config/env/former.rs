//! Names of the original's image, of its guides and of what people write in their place, that do nothing here: what each
//! was for, and what to do instead. The names of the original that count are in the table of variables.

/// A name that does nothing.
pub(crate) struct Former {
    /// The name; a `*` at its end stands for all that begin so.
    pub(crate) name: &'static str,
    /// Values with which nothing is missing: what the original's image sets, and what holds here anyway.
    harmless: &'static [&'static str],
    /// Why it does nothing, and what to do instead.
    pub(crate) instead: &'static str,
    /// Whether the original or its guides know it; else it is a name that people try.
    pub(crate) is_sals: bool,
}

impl Former {
    /// The line for whoever has set it; none where nothing is missing.
    pub(super) fn told(&self, name: &str, value: &str) -> Option<String> {
        let value = value.trim();
        let is_harmless = value.is_empty()
            || self
                .harmless
                .iter()
                .any(|harmless| harmless.eq_ignore_ascii_case(value));
        (!is_harmless).then(|| format!("{name} is set and has no effect: {}", self.instead))
    }

    fn has(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.name,
        }
    }
}

/// The entry of a name.
pub(super) fn find(name: &str) -> Option<&'static Former> {
    FORMER.iter().find(|former| former.has(name))
}

const fn sals(
    name: &'static str,
    harmless: &'static [&'static str],
    instead: &'static str,
) -> Former {
    Former {
        name,
        harmless,
        instead,
        is_sals: true,
    }
}

const fn tried(name: &'static str, instead: &'static str) -> Former {
    Former {
        name,
        harmless: &[],
        instead,
        is_sals: false,
    }
}

/// All of them. The first that fits counts.
pub(crate) const FORMER: &[Former] = &[
    sals(
        "DOCKER_SAL_CRYPT_URL",
        &[],
        "Sal never read it either; write the address of the Crypt server into the setting crypt_url (Settings, All settings)",
    ),
    sals(
        "DOCKER_SAL_BRUTE_*",
        &[],
        "Sal never read it either; wrong passwords are limited by themselves: ten of a user from an address in 15 minutes, a hundred of an address",
    ),
    sals(
        "DOCKER_SAL_PLUGIN_ORDER",
        &[],
        "Sal never read it either; put widgets in order under Settings, Plugins",
    ),
    sals(
        "DOCKER_SAL_DEFAULT_MACHINE_GROUP_KEY",
        &[],
        "Sal never read it either; every client sends the key of its machine group, which the group's page shows",
    ),
    sals(
        "WAIT_FOR_POSTGRES",
        &["false"],
        "this server always waits for its database; /readyz says when it is there",
    ),
    sals("DOCKER_SAL_LANG", &["en-us", "en"], "pages are in English"),
    sals(
        "DOCKER_SAL_ADMINS",
        &["Docker User, docker@localhost"],
        "neither Sal nor this server sends mail",
    ),
    sals(
        "DOCKER_SAL_ALLOWED",
        &["*"],
        "host names are not checked; let the proxy in front pass on yours only",
    ),
    sals(
        "DOCKER_SAL_USE_SAML",
        &["false"],
        "SAML is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work",
    ),
    sals("DOCKER_SAL_SAML*", &[], NO_SAML),
    sals("SAL_SAML*", &[], NO_SAML),
    sals("DOCKER_SAL_LDAP*", &[], NO_LDAP),
    sals("SAL_LDAP*", &[], NO_LDAP),
    sals(
        "MEMCACHED_PORT_11211_TCP_ADDR",
        &[],
        "this server needs no cache, and neither did Sal; the memcached container can go",
    ),
    sals(
        "MEMCACHED_PORT_11211_TCP_PORT",
        &[],
        "this server needs no cache, and neither did Sal; the memcached container can go",
    ),
    sals(
        "DYNO",
        &[],
        "Heroku's way was broken in Sal and is not built; write the parts of DATABASE_URL into DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS, and start `sal serve --listen 0.0.0.0:$PORT`",
    ),
    sals(
        "DATABASE_URL",
        &[],
        "write its parts into DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS",
    ),
    sals(
        "APPNAME",
        &["Sal"],
        "Sal never read it either; the name in the title is DOCKER_SAL_DISPLAY_NAME",
    ),
    sals(
        "APP_DIR",
        &["/home/docker/sal", "/home/app/sal"],
        "nothing is read from Sal's folder but plugins; SAL_PLUGIN_DIR names their folder",
    ),
    sals(
        "DJANGO_SETTINGS_MODULE",
        &["sal.settings"],
        "no Python is run; `sal import-settings FILE` turns a settings.py into environment variables",
    ),
    tried(
        "SAL_OIDC_LINK_EXISTING",
        "accounts become users by `sal user link`, or by the claim of SAL_OIDC_JOIN_CLAIM",
    ),
    tried("DB_PASSWORD", "the password is read from DB_PASS"),
    tried("DB_PASSWD", "the password is read from DB_PASS"),
    tried("DB_USERNAME", "the user is read from DB_USER"),
    tried("DB_DATABASE", "the name is read from DB_NAME"),
    tried(
        "DB_URL",
        "write its parts into DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS",
    ),
    tried("DB_ENGINE", "the database is always Postgres"),
    tried("ADMIN_PASSWORD", "the password is read from ADMIN_PASS"),
    tried("DOCKER_SAL_TIMEZONE", USE_TZ),
    tried("DOCKER_SAL_TIME_ZONE", USE_TZ),
    tried("SAL_TIMEZONE", USE_TZ),
    tried("SAL_TIME_ZONE", USE_TZ),
    tried("SAL_PORT", LISTEN),
    tried("SAL_BIND", LISTEN),
    tried("DOCKER_SAL_PORT", LISTEN),
    tried("SAL_SECRET_KEY", NO_KEY),
    tried("DOCKER_SAL_SECRET_KEY", NO_KEY),
];

const NO_SAML: &str =
    "SAML is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work";
const NO_LDAP: &str = "LDAP is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work, which most directories offer";
const USE_TZ: &str = "the time zone is read from DOCKER_SAL_TZ";
const LISTEN: &str = "set SAL_LISTEN, as 0.0.0.0:8000";
const NO_KEY: &str = "sessions are random and stored in the database, so no key is needed";
