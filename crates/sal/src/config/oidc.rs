//! Single sign-on, as the environment says it.

use reqwest::Certificate;
use sal_http::access::oidc::{
    OidcConfig,
    config::{ClientSecret, Issuer},
    mapping::{Groups, Levels, Units},
};

use super::Environment;

/// The provider, and whom to trust on the way to it.
#[derive(Debug, Clone)]
pub(crate) struct SingleSignOn {
    pub(crate) oidc: OidcConfig,
    /// Further authorities to trust.
    pub(crate) roots: Vec<Certificate>,
}

impl SingleSignOn {
    /// Reads the variables; `None` when there is no issuer.
    pub(crate) fn read(public_url: Option<&str>, environment: &mut Environment) -> Option<Self> {
        let Some(issuer) = environment.text("SAL_OIDC_ISSUER") else {
            warn_without_issuer(environment);
            return None;
        };
        let public_url = public_url.unwrap_or_else(|| {
            environment.problem("SAL_OIDC_ISSUER needs SAL_PUBLIC_URL, the address that the provider sends browsers back to".to_owned());
            ""
        });
        let client_id = environment.text("SAL_OIDC_CLIENT_ID").unwrap_or_else(|| {
            environment
                .problem("SAL_OIDC_CLIENT_ID is not set; the provider shows it where this server is registered".to_owned());
            String::new()
        });
        let oidc = OidcConfig {
            // A mistake is noted; what stands here then is never used.
            issuer: parsed(
                Issuer::parse(&issuer).map_err(|why| vec![format!("`{issuer}` {why}")]),
                "SAL_OIDC_ISSUER",
                environment,
            )
            .or_else(|| Issuer::parse("https://localhost").ok())?,
            client_id,
            client_secret: environment
                .secret("SAL_OIDC_CLIENT_SECRET")
                .map(ClientSecret::new),
            redirect_uri: format!("{}/oidc/callback/", public_url.trim_end_matches('/')),
            scopes: scopes(environment),
            username_claim: text("SAL_OIDC_USERNAME_CLAIM", environment),
            join_claim: environment.text("SAL_OIDC_JOIN_CLAIM"),
            groups_claim: text("SAL_OIDC_GROUPS_CLAIM", environment),
            levels: mapping("SAL_OIDC_LEVELS", Levels::parse, environment),
            staff: mapping("SAL_OIDC_STAFF_GROUPS", Groups::parse, environment),
            units: mapping("SAL_OIDC_UNITS", Units::parse, environment),
            label: text("SAL_OIDC_LABEL", environment),
            only: environment.flag("SAL_OIDC_ONLY"),
        };
        warn_of_surprises(&oidc, environment);
        Some(Self {
            oidc,
            roots: roots(environment),
        })
    }
}

/// What is set and has no effect is told, so that nobody wonders.
fn warn_without_issuer(environment: &mut Environment) {
    let set = ["SAL_OIDC_CLIENT_ID", "SAL_OIDC_LEVELS", "SAL_OIDC_ONLY"];
    for name in set {
        if environment.given(name).is_some() {
            environment.warn(format!(
                "{name} is set and has no effect: SAL_OIDC_ISSUER is not"
            ));
        }
    }
}

fn warn_of_surprises(oidc: &OidcConfig, environment: &mut Environment) {
    if oidc.levels.is_none() {
        environment.warn(
            "SAL_OIDC_LEVELS is not set: single sign-on makes no users, only those who exist can log in"
                .to_owned(),
        );
    }
    if let Some(claim) = oidc
        .join_claim
        .as_deref()
        .filter(|claim| CHOSEN.contains(claim))
    {
        environment.warn(format!(
            "SAL_OIDC_JOIN_CLAIM=`{claim}`: at many providers people choose this claim themselves; whoever takes the name of a user there becomes that user here"
        ));
    }
    if oidc.redirect_uri.starts_with("http://") && Issuer::parse(&oidc.redirect_uri).is_err() {
        environment.warn(
            "SAL_PUBLIC_URL does not begin with https://: single sign-on sends its codes in the open, and most providers refuse it"
                .to_owned(),
        );
    }
}

/// Claims that are for showing (OpenID Connect Core §5.7): neither unique nor lasting.
const CHOSEN: [&str; 4] = ["preferred_username", "nickname", "name", "upn"];

fn text(name: &str, environment: &Environment) -> String {
    environment.text(name).unwrap_or_default()
}

/// Without `openid` there is no ID token.
fn scopes(environment: &mut Environment) -> String {
    let scopes = text("SAL_OIDC_SCOPES", environment);
    if !scopes.split_whitespace().any(|scope| scope == "openid") {
        environment.problem(format!(
            "SAL_OIDC_SCOPES=`{scopes}` lacks `openid`, without which the provider does not say who logs in"
        ));
    }
    scopes.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn roots(environment: &mut Environment) -> Vec<Certificate> {
    let Some(path) = environment.text("SAL_OIDC_ROOT_CA") else {
        return Vec::new();
    };
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let certificates = read.and_then(|pem| {
        Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|found| !found.is_empty())
            .ok_or_else(|| "it holds no certificate in PEM form".to_owned())
    });
    certificates.unwrap_or_else(|why| {
        environment.problem(format!("SAL_OIDC_ROOT_CA=`{path}` cannot be used: {why}"));
        Vec::new()
    })
}

fn mapping<T>(
    name: &str,
    parse: impl Fn(&str) -> Result<T, Vec<String>>,
    environment: &mut Environment,
) -> Option<T> {
    let text = environment.text(name)?;
    parsed(parse(&text), name, environment)
}

fn parsed<T>(
    result: Result<T, Vec<String>>,
    name: &str,
    environment: &mut Environment,
) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(mistakes) => {
            for mistake in mistakes {
                environment.problem(format!("{name}: {mistake}"));
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        values: &[(&'static str, &str)],
    ) -> (Option<SingleSignOn>, Result<Vec<String>, Vec<String>>) {
        let mut environment = Environment::of(values.iter().copied());
        let public_url = environment.text("SAL_PUBLIC_URL");
        let read = SingleSignOn::read(public_url.as_deref(), &mut environment);
        (read, environment.finish())
    }

    #[test]
    fn nothing_is_configured_without_an_issuer() {
        let (read, told) = read(&[("SAL_OIDC_CLIENT_ID", "sal")]);
        assert!(read.is_none());
        assert_eq!(told.unwrap().len(), 1);
    }

    #[test]
    fn the_way_back_is_the_public_url_with_one_slash() {
        let (read, told) = read(&[
            ("SAL_OIDC_ISSUER", "https://login.example.org"),
            ("SAL_OIDC_CLIENT_ID", "sal"),
            ("SAL_PUBLIC_URL", "https://sal.example.org/"),
            ("SAL_OIDC_LEVELS", "*=RO"),
        ]);
        assert_eq!(told, Ok(Vec::new()));
        let oidc = read.unwrap().oidc;
        assert_eq!(oidc.redirect_uri, "https://sal.example.org/oidc/callback/");
        assert_eq!(oidc.scopes, "openid profile email");
    }

    #[test]
    fn a_trusted_claim_that_people_choose_themselves_is_warned_of() {
        let with = |claim: &'static str| {
            let (read, told) = read(&[
                ("SAL_OIDC_ISSUER", "https://login.example.org"),
                ("SAL_OIDC_CLIENT_ID", "sal"),
                ("SAL_PUBLIC_URL", "https://sal.example.org/"),
                ("SAL_OIDC_LEVELS", "*=RO"),
                ("SAL_OIDC_JOIN_CLAIM", claim),
            ]);
            (read.unwrap().oidc.join_claim, told.unwrap().len())
        };
        assert_eq!(with("preferred_username").1, 1);
        assert_eq!(with("sal_user"), (Some("sal_user".to_owned()), 0));
        assert_eq!(with(""), (None, 0));
    }

    #[test]
    fn all_mistakes_are_told_and_name_the_part() {
        let (_, told) = read(&[
            ("SAL_OIDC_ISSUER", "http://login.example.org"),
            ("SAL_OIDC_LEVELS", "a=GA,b=BOSS,c"),
            ("SAL_OIDC_UNITS", "lab"),
            ("SAL_OIDC_SCOPES", "profile"),
            ("SAL_OIDC_ONLY", "perhaps"),
            ("SAL_OIDC_ROOT_CA", "/nowhere/ca.pem"),
        ]);
        let told = told.unwrap_err();
        for part in [
            "SAL_OIDC_ISSUER: `http://login.example.org`",
            "SAL_PUBLIC_URL",
            "SAL_OIDC_CLIENT_ID",
            "SAL_OIDC_LEVELS: `b=BOSS`",
            "SAL_OIDC_LEVELS: `c`",
            "SAL_OIDC_UNITS: `lab`",
            "SAL_OIDC_SCOPES",
            "SAL_OIDC_ONLY",
            "SAL_OIDC_ROOT_CA=`/nowhere/ca.pem`",
        ] {
            assert!(
                told.iter().any(|line| line.contains(part)),
                "{part}: {told:?}"
            );
        }
    }
}
