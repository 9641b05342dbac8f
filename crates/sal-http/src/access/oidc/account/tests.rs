use super::*;
use crate::access::oidc::{config::Issuer, mapping::Levels};

fn config(levels: Option<&str>, link_existing: bool) -> OidcConfig {
    OidcConfig {
        issuer: Issuer::parse("https://login.example.org").unwrap(),
        client_id: String::new(),
        client_secret: None,
        redirect_uri: String::new(),
        scopes: String::new(),
        username_claim: String::new(),
        groups_claim: String::new(),
        levels: levels.map(|text| Levels::parse(text).unwrap()),
        staff: None,
        units: None,
        label: String::new(),
        only: false,
        link_existing,
    }
}

fn person() -> Person {
    Person {
        subject: "s".to_owned(),
        username: "anna".to_owned(),
        first_name: String::new(),
        last_name: String::new(),
        email: String::new(),
        groups: Vec::new(),
        groups_left_out: false,
    }
}

fn account(is_known: bool, is_anothers: bool, is_passwordless: bool, is_active: bool) -> Account {
    Account {
        id: UserId(1),
        username: "anna".to_owned(),
        is_active,
        is_staff: false,
        is_passwordless,
        is_known,
        is_anothers,
        level: None,
        units: Vec::new(),
    }
}

#[test]
fn nobody_new_gets_in_without_a_mapping() {
    let choose = |levels| choose(None, &person(), &config(levels, true));
    assert_eq!(choose(None), Err(Refusal::Unknown));
    assert_eq!(choose(Some("*=RO")), Ok(Choice::New));
}

#[test]
fn a_local_user_is_taken_over_only_without_a_password_or_when_an_administrator_says_so() {
    let choose = |found: Account, link| choose(Some(&found), &person(), &config(None, link));
    let name = "anna".to_owned();
    assert_eq!(
        choose(account(false, false, true, true), false),
        Ok(Choice::Join)
    );
    assert_eq!(
        choose(account(false, false, false, true), false),
        Err(Refusal::NameTaken { name: name.clone() })
    );
    assert_eq!(
        choose(account(false, false, false, true), true),
        Ok(Choice::Join)
    );
    for link in [false, true] {
        for passwordless in [false, true] {
            assert_eq!(
                choose(account(false, true, passwordless, true), link),
                Err(Refusal::AnothersName { name: name.clone() })
            );
        }
    }
}

#[test]
fn who_was_here_before_comes_in_unless_not_active() {
    let choose = |found: Account| choose(Some(&found), &person(), &config(None, false));
    assert_eq!(choose(account(true, false, false, true)), Ok(Choice::Known));
    assert_eq!(
        choose(account(true, false, true, false)),
        Err(Refusal::Inactive)
    );
    assert_eq!(
        choose(account(false, false, true, false)),
        Err(Refusal::Inactive)
    );
}

#[test]
fn the_password_of_a_new_user_is_none_as_django_writes_it() {
    let (one, other) = (no_password(), no_password());
    assert_eq!((one.len(), one.starts_with('!')), (41, true));
    assert_ne!(one, other);
}
