use oidc_login::{Groups, person::Extent};

use super::*;
use crate::access::oidc::{config::Issuer, mapping::Levels};

fn config(levels: Option<&str>) -> OidcConfig {
    OidcConfig {
        issuer: Issuer::parse("https://login.example.org").unwrap(),
        client_id: String::new(),
        client_secret: None,
        redirect_uri: String::new(),
        scopes: String::new(),
        username_claim: String::new(),
        join_claim: None,
        groups_claim: String::new(),
        levels: levels.map(|text| Levels::parse(text).unwrap()),
        staff: None,
        units: None,
        label: String::new(),
        only: false,
    }
}

fn person(username: Result<&str, NameFault>) -> Person {
    Person {
        subject: "s".to_owned(),
        username: username.map(str::to_owned),
        trusted_name: None,
        first_name: String::new(),
        last_name: String::new(),
        email: String::new(),
        groups: Groups {
            names: Vec::new(),
            extent: Extent::All,
        },
    }
}

fn account(is_known: bool, is_anothers: bool, is_active: bool) -> Account {
    Account {
        id: UserId(1),
        username: "anna".to_owned(),
        is_active,
        is_staff: false,
        is_known,
        is_anothers,
        level: None,
        units: Vec::new(),
    }
}

fn user(username: &str, has_identity: bool) -> UserName {
    UserName {
        username: username.to_owned(),
        has_identity,
    }
}

#[test]
fn nobody_new_gets_in_without_a_mapping() {
    let choose = |levels| choose(None, &person(Ok("anna")), &config(levels));
    assert!(matches!(choose(None), Err(Refusal::Unknown { .. })));
    assert_eq!(choose(Some("*=RO")), Ok(Choice::New));
}

#[test]
fn the_trusted_claim_joins_and_never_anothers_user() {
    let choose = |found: Account| choose(Some(&found), &person(Ok("x")), &config(None));
    assert_eq!(choose(account(false, false, true)), Ok(Choice::Join));
    for is_active in [true, false] {
        assert_eq!(
            choose(account(false, true, is_active)),
            Err(Refusal::AnothersName {
                name: "anna".to_owned()
            })
        );
    }
}

#[test]
fn who_was_here_before_comes_in_unless_not_active() {
    let choose = |found: Account| choose(Some(&found), &person(Ok("x")), &config(None));
    assert_eq!(choose(account(true, false, true)), Ok(Choice::Known));
    for is_known in [true, false] {
        let found = account(is_known, false, false);
        assert_eq!(choose(found), Err(Refusal::Inactive));
    }
}

#[test]
fn a_new_user_has_a_name_that_looks_like_nobodys() {
    let users = [user("anna", false), user("ben", true), user("Αnna", true)];
    let new_name = |name| new_name(&person(name), &users);
    assert_eq!(new_name(Ok("hanna")).unwrap(), "hanna");
    assert_eq!(new_name(Ok("ｈanna\u{200b}")).unwrap(), "hanna");
    for twin in ["anna", "Anna", "аnna", "ａｎｎａ", "an\u{200b}na", "ánna"] {
        let refused = new_name(Ok(twin)).unwrap_err();
        assert!(
            matches!(&refused, Refusal::NameTaken { name, .. } if name == "anna"),
            "{twin:?}: {refused:?}"
        );
    }
    let anothers = new_name(Ok("BEN")).unwrap_err();
    let ben = Refusal::AnothersName {
        name: "ben".to_owned(),
    };
    assert_eq!(anothers, ben);
    assert_eq!(new_name(Ok("\u{200b}")), Err(Refusal::NoName));
    assert_eq!(new_name(Err(NameFault::Missing)), Err(Refusal::NoName));
    let unverified = new_name(Err(NameFault::UnverifiedEmail));
    assert_eq!(unverified, Err(Refusal::UnverifiedEmail));
}

#[test]
fn the_password_of_a_new_user_is_none_as_django_writes_it() {
    let (one, other) = (no_password(), no_password());
    assert_eq!((one.len(), one.starts_with('!')), (41, true));
    assert_ne!(one, other);
}
