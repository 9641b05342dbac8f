//! What each setting of a settings.py is here.

use super::literal::Value;

/// What a setting is here.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// This variable, of this kind.
    Variable(&'static str, Kind),
    /// The login to the database.
    Databases,
    /// Nothing: what to do instead, unless the value is one with which nothing is missing.
    Instead(&'static str, Harmless),
    /// Nothing, and nothing is missing: it tells Django how to be Sal.
    Djangos,
}

/// How a value becomes the text of a variable.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    List,
    /// Widgets, each with ids that do not show it.
    Hidden,
}

/// Values with which nothing is missing.
#[derive(Clone, Copy)]
pub(super) enum Harmless {
    /// There are none.
    Never,
    /// Empty ones, `None` and `False`.
    Empty,
    /// This text, or a list of nothing else.
    Word(&'static str),
}

impl Harmless {
    pub(super) fn has(self, value: &Value) -> bool {
        match self {
            Self::Never => false,
            Self::Empty => match value {
                Value::None | Value::Bool(false) => true,
                Value::Text(text) => text.is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Dict(entries) => entries.is_empty(),
                _ => false,
            },
            Self::Word(word) => match value {
                Value::Text(text) => text.eq_ignore_ascii_case(word),
                Value::List(items) => items.iter().all(|item| self.has(item)),
                _ => false,
            },
        }
    }
}

/// What a name means; `None` for one that neither Sal nor Django knows.
pub(super) fn of(name: &str) -> Option<Meaning> {
    let exact = MEANINGS.iter().find(|(known, _)| *known == name);
    if let Some((_, meaning)) = exact {
        return Some(*meaning);
    }
    let family = FAMILIES.iter().find(|(start, _)| name.starts_with(start));
    family.map(|(_, meaning)| *meaning)
}

use Harmless::{Empty, Never, Word};
use Kind::{Flag, Hidden, List, Number, Text};
use Meaning::{Databases, Djangos, Instead, Variable};

const MEANINGS: &[(&str, Meaning)] = &[
    ("DISPLAY_NAME", Variable("DOCKER_SAL_DISPLAY_NAME", Text)),
    ("TIME_ZONE", Variable("DOCKER_SAL_TZ", Text)),
    ("DEBUG", Variable("DOCKER_SAL_DEBUG", Flag)),
    ("BASIC_AUTH", Variable("DOCKER_SAL_BASIC_AUTH", Flag)),
    (
        "DEPLOYED_ON_CHECKIN",
        Variable("DOCKER_SAL_DEPLOYED_ON_CHECKIN", Flag),
    ),
    (
        "ADD_TO_ALL_BUSINESS_UNITS",
        Variable("DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS", Flag),
    ),
    (
        "INACTIVE_UNDEPLOYED",
        Variable("DOCKER_SAL_INACTIVE_UNDEPLOYED", Number),
    ),
    (
        "CSRF_TRUSTED_ORIGINS",
        Variable("DOCKER_SAL_CSRF_TRUSTED_ORIGINS", List),
    ),
    ("ROOT_CA", Variable("DOCKER_SAL_ROOT_CA", Text)),
    ("ADD_NEW_MACHINES", Variable("SAL_ADD_NEW_MACHINES", Flag)),
    ("PLUGIN_DIR", Variable("SAL_PLUGIN_DIR", Text)),
    (
        "LIMIT_PLUGIN_TO_FRONT_PAGE",
        Variable("SAL_LIMIT_PLUGIN_TO_FRONT_PAGE", List),
    ),
    (
        "HIDE_PLUGIN_FROM_FRONT_PAGE",
        Variable("SAL_HIDE_PLUGIN_FROM_FRONT_PAGE", List),
    ),
    (
        "HIDE_PLUGIN_FROM_BUSINESS_UNIT",
        Variable("SAL_HIDE_PLUGIN_FROM_BUSINESS_UNIT", Hidden),
    ),
    (
        "HIDE_PLUGIN_FROM_MACHINE_GROUP",
        Variable("SAL_HIDE_PLUGIN_FROM_MACHINE_GROUP", Hidden),
    ),
    ("HISTORICAL_FACTS", Variable("SAL_HISTORICAL_FACTS", List)),
    ("IGNORE_FACTS", Variable("SAL_IGNORE_FACTS", List)),
    ("SEARCH_FACTS", Variable("SAL_SEARCH_FACTS", List)),
    (
        "DATA_UPLOAD_MAX_MEMORY_SIZE",
        Variable("SAL_BODY_LIMIT", Number),
    ),
    ("DATABASES", Databases),
    (
        "HISTORICAL_DAYS",
        Instead(
            "Sal does not read it either; the setting historical_retention counts (Settings, Data retention)",
            Never,
        ),
    ),
    (
        "EXCLUDED_FACTS",
        Instead(
            "the four facts with SSH keys are not shown; which are cannot be set",
            Never,
        ),
    ),
    (
        "SEARCH_CONDITIONS",
        Instead("Sal does not read it either", Empty),
    ),
    (
        "PLUGIN_ORDER",
        Instead(
            "Sal does not read it either; put widgets in order under Settings, Plugins",
            Empty,
        ),
    ),
    (
        "ENCRYPTION_SHOW_DESKTOPS",
        Instead("the widget counts portables and desktops by itself", Empty),
    ),
    ("DEBUG_CSV", Instead("exports are made in one way", Empty)),
    (
        "CRYPT_URL",
        Instead(
            "Sal does not read it either; write it into the setting crypt_url (Settings, All settings)",
            Empty,
        ),
    ),
    ("BRUTE_PROTECT", Instead(LIMITED, Empty)),
    ("BRUTE_COOLOFF", Instead(LIMITED, Empty)),
    ("BRUTE_LIMIT", Instead(LIMITED, Empty)),
    ("USE_SAML", Instead(NO_SAML, Empty)),
    (
        "ALLOWED_HOSTS",
        Instead(
            "host names are not checked; let the proxy in front pass on yours only",
            Word("*"),
        ),
    ),
    (
        "ADMINS",
        Instead("no mail is ever sent, by Sal neither", Empty),
    ),
    (
        "MANAGERS",
        Instead("no mail is ever sent, by Sal neither", Never),
    ),
    (
        "LANGUAGE_CODE",
        Instead("pages are in English", Word("en-us")),
    ),
    (
        "CACHES",
        Instead("this server needs no cache, and neither did Sal", Empty),
    ),
    (
        "SESSION_COOKIE_AGE",
        Instead(
            "sessions end after 14 days, and earlier after SAL_SESSION_IDLE_MINUTES without a request",
            Never,
        ),
    ),
    (
        "SESSION_EXPIRE_AT_BROWSER_CLOSE",
        Instead(
            "sessions end after SAL_SESSION_IDLE_MINUTES without a request",
            Empty,
        ),
    ),
    ("SECURE_PROXY_SSL_HEADER", Instead(PROXY, Empty)),
    ("USE_X_FORWARDED_HOST", Instead(PROXY, Empty)),
    ("USE_X_FORWARDED_PORT", Instead(PROXY, Empty)),
    ("SESSION_COOKIE_SECURE", Instead(HTTPS, Empty)),
    ("CSRF_COOKIE_SECURE", Instead(HTTPS, Empty)),
    ("SECURE_SSL_REDIRECT", Instead(HTTPS, Empty)),
    (
        "FORCE_SCRIPT_NAME",
        Instead(
            "this server has a host name to itself; let the proxy give it one",
            Empty,
        ),
    ),
    (
        "AUTH_PASSWORD_VALIDATORS",
        Instead(
            "new passwords have at least 10 characters, and are none of the commonest",
            Never,
        ),
    ),
    // What makes Django be Sal. SECRET_KEY signs nothing here.
    ("SECRET_KEY", Djangos),
    ("APPEND_SLASH", Djangos),
    ("AUTHENTICATION_BACKENDS", Djangos),
    ("AUTH_PROFILE_MODULE", Djangos),
    ("AUTH_USER_MODEL", Djangos),
    ("BASEDIR", Djangos),
    ("BASE_DIR", Djangos),
    ("BOOTSTRAP3", Djangos),
    ("DATA_UPLOAD_MAX_NUMBER_FIELDS", Djangos),
    ("DEFAULT_AUTO_FIELD", Djangos),
    ("LOGGING", Djangos),
    ("LOGGING_CONFIG", Djangos),
    ("PROJECT_DIR", Djangos),
    ("REST_FRAMEWORK", Djangos),
    ("ROOT_URLCONF", Djangos),
    ("SITE_ID", Djangos),
    ("TEST_RUNNER", Djangos),
    ("USE_I18N", Djangos),
    ("USE_L10N", Djangos),
    ("USE_TZ", Djangos),
    ("WSGI_APPLICATION", Djangos),
    ("X_FRAME_OPTIONS", Djangos),
    ("INSTALLED_APPS", Djangos),
    ("MIDDLEWARE", Djangos),
    ("MIDDLEWARE_CLASSES", Djangos),
];

/// By how they begin.
const FAMILIES: &[(&str, Meaning)] = &[
    ("SAML", Instead(NO_SAML, Empty)),
    ("AUTH_LDAP_", Instead(NO_LDAP, Empty)),
    ("SOCIAL_AUTH_", Instead(NO_SAML, Empty)),
    ("AXES_", Instead(LIMITED, Empty)),
    ("EMAIL_", Instead("no mail is ever sent", Empty)),
    ("SECURE_HSTS_", Instead(HTTPS, Empty)),
    ("LOGIN_", Djangos),
    ("LOGOUT_", Djangos),
    ("MEDIA_", Djangos),
    ("STATIC", Djangos),
    ("TEMPLATE", Djangos),
];

const LIMITED: &str = "wrong passwords are limited by themselves: ten of a user from an address in 15 minutes, a hundred of an address";
const NO_SAML: &str =
    "SAML is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work";
const NO_LDAP: &str = "LDAP is not built; local accounts and single sign-on by OpenID Connect (SAL_OIDC_ISSUER) work, which most directories offer";
const PROXY: &str = "name your proxies in SAL_TRUSTED_PROXIES and let them pass Host on as it came";
const HTTPS: &str =
    "set SAL_PUBLIC_URL=https://…: cookies are sent over https only then, and browsers are told so";

/// A name as the table has it.
pub(super) fn static_name(name: &str) -> Option<&'static str> {
    let known = MEANINGS.iter().find(|(known, _)| *known == name);
    known.map(|(known, _)| *known)
}
