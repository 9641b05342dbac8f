//! Who the provider says somebody is: user name, names, address, groups. Pure.

use serde_json::Value;

use super::{config::OidcConfig, error::Refusal, token::Claims};

/// An account of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    /// At most 150 characters.
    pub(super) username: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) groups: Vec<String>,
    /// Whether the provider left the groups out because there are too many (Entra ID does above 200).
    pub(super) groups_left_out: bool,
}

impl Person {
    /// Reads what we need of the claims.
    pub(super) fn read(claims: &Claims, config: &OidcConfig) -> Result<Self, Refusal> {
        let username = username(claims, &config.username_claim)?;
        let text = |name| claims.text(name).unwrap_or_default();
        Ok(Self {
            subject: text("sub").to_owned(),
            username,
            first_name: shown(text("given_name"), MAX_NAME),
            last_name: shown(text("family_name"), MAX_NAME),
            email: shown(text("email"), MAX_EMAIL),
            groups: groups(claims.get(&config.groups_claim)),
            groups_left_out: left_out(claims, &config.groups_claim),
        })
    }
}

/// The chosen claim, or else the e-mail address, or else the subject.
fn username(claims: &Claims, chosen: &str) -> Result<String, Refusal> {
    let (claim, name) = [chosen, "email", "sub"]
        .into_iter()
        .find_map(|claim| Some((claim, claims.text(claim)?.trim())))
        .ok_or(Refusal::NoName)?;
    // Anybody may write down anybody's address; only the provider's word makes it a name.
    if claim == "email" && is_false(claims.get("email_verified")) {
        return Err(Refusal::UnverifiedEmail);
    }
    if name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        return Err(Refusal::NoName);
    }
    Ok(name.to_owned())
}

/// Some providers write booleans as texts.
fn is_false(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(verified)) => !verified,
        Some(Value::String(verified)) => verified != "true",
        _ => false,
    }
}

fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            let names = many.iter().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn left_out(claims: &Claims, groups_claim: &str) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    elsewhere.is_some_and(|names| names.contains_key(groups_claim))
        || claims.get("hasgroups").and_then(Value::as_bool) == Some(true)
}

fn shown(text: &str, limit: usize) -> String {
    let shown = text.trim().chars().filter(|c| !c.is_control());
    shown.take(limit).collect()
}

const MAX_NAME: usize = 150;
const MAX_EMAIL: usize = 254;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::access::oidc::config::Issuer;

    fn config(username_claim: &str, groups_claim: &str) -> OidcConfig {
        OidcConfig {
            issuer: Issuer::parse("https://login.example.org").unwrap(),
            client_id: String::new(),
            client_secret: None,
            redirect_uri: String::new(),
            scopes: String::new(),
            username_claim: username_claim.to_owned(),
            groups_claim: groups_claim.to_owned(),
            levels: None,
            staff: None,
            units: None,
            label: String::new(),
            only: false,
            link_existing: false,
        }
    }

    fn name(claims: Value) -> Result<String, Refusal> {
        Person::read(&Claims::of(claims), &config("preferred_username", "groups"))
            .map(|person| person.username)
    }

    #[test]
    fn the_user_name_is_the_chosen_claim_then_the_address_then_the_subject() {
        let all = json!({"sub": "s", "email": "a@example.org", "preferred_username": " anna "});
        assert_eq!(name(all).unwrap(), "anna");
        let two = json!({"sub": "s", "email": "a@example.org", "preferred_username": " "});
        assert_eq!(name(two).unwrap(), "a@example.org");
        assert_eq!(name(json!({"sub": "s", "email": 7})).unwrap(), "s");
    }

    #[test]
    fn an_address_that_is_not_verified_is_no_name() {
        for verified in [json!(false), json!("false")] {
            let claims = json!({"sub": "s", "email": "a@example.org", "email_verified": verified});
            assert_eq!(name(claims), Err(Refusal::UnverifiedEmail));
        }
        let claims = json!({"sub": "s", "email": "a@example.org", "email_verified": true});
        assert_eq!(name(claims).unwrap(), "a@example.org");
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused_and_other_texts_are_cut() {
        assert_eq!(
            name(json!({"sub": "s", "preferred_username": "a\u{0}b"})),
            Err(Refusal::NoName)
        );
        assert_eq!(
            name(json!({"sub": "s", "preferred_username": "a".repeat(151)})),
            Err(Refusal::NoName)
        );
        let claims = json!({"sub": "s", "given_name": format!("\u{0}{}", "ä".repeat(200))});
        let person = Person::read(&Claims::of(claims), &config("sub", "groups")).unwrap();
        assert_eq!(person.first_name, "ä".repeat(150));
    }

    #[test]
    fn groups_are_a_list_a_text_or_deep_inside() {
        let read = |claims: Value, claim: &str| {
            Person::read(&Claims::of(claims), &config("sub", claim))
                .unwrap()
                .groups
        };
        assert_eq!(
            read(json!({"sub": "s", "groups": ["a", 1, "b"]}), "groups"),
            ["a", "b"]
        );
        assert_eq!(
            read(json!({"sub": "s", "groups": "a,b"}), "groups"),
            ["a,b"]
        );
        let keycloak = json!({"sub": "s", "realm_access": {"roles": ["a"]}});
        assert_eq!(read(keycloak, "realm_access.roles"), ["a"]);
        let named = json!({"sub": "s", "https://x.example/groups": ["a"]});
        assert_eq!(read(named, "https://x.example/groups"), ["a"]);
        assert!(read(json!({"sub": "s"}), "groups").is_empty());
    }

    #[test]
    fn it_is_noticed_when_the_provider_left_the_groups_out() {
        let read = |claims: Value| {
            Person::read(&Claims::of(claims), &config("sub", "groups"))
                .unwrap()
                .groups_left_out
        };
        assert!(read(
            json!({"sub": "s", "_claim_names": {"groups": "src1"}})
        ));
        assert!(read(json!({"sub": "s", "hasgroups": true})));
        assert!(!read(json!({"sub": "s", "_claim_names": {"x": "src1"}})));
    }
}
