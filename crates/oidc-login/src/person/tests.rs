use serde_json::json;

use super::*;
use crate::token::TokenFault;

fn wish(username_claim: &str, groups_claim: &str) -> Wish {
    Wish {
        username_claim: username_claim.to_owned(),
        join_claim: None,
        groups_claim: groups_claim.to_owned(),
        wants_groups: true,
    }
}

fn name(claims: Value) -> Result<String, NameFault> {
    let wish = wish("preferred_username", "groups");
    Person::read(&Claims::of(claims), &wish).username
}

fn read(claims: Value, groups_claim: &str) -> Groups {
    Person::read(&Claims::of(claims), &wish("sub", groups_claim)).groups
}

#[test]
fn the_user_name_is_the_chosen_claim_then_the_address_then_the_subject() {
    let all = json!({"sub": "s", "email": "a@example.org", "preferred_username": " anna "});
    assert_eq!(name(all).unwrap(), "anna");
    let two = json!({"sub": "s", "email": "a@example.org", "email_verified": true, "preferred_username": " "});
    assert_eq!(name(two).unwrap(), "a@example.org");
    assert_eq!(name(json!({"sub": "s", "email": 7})).unwrap(), "s");
}

#[test]
fn an_address_is_a_name_only_when_the_provider_says_that_it_is_verified() {
    for verified in [
        json!(false),
        json!("false"),
        json!(null),
        json!(1),
        json!("yes"),
        json!(["true"]),
    ] {
        let claims = json!({"sub": "s", "email": "a@example.org", "email_verified": verified});
        assert_eq!(name(claims), Err(NameFault::UnverifiedEmail), "{verified}");
    }
    let silent = json!({"sub": "s", "email": "a@example.org"});
    assert_eq!(name(silent), Err(NameFault::UnverifiedEmail));
    for verified in [json!(true), json!("true")] {
        let claims = json!({"sub": "s", "email": "a@example.org", "email_verified": verified});
        assert_eq!(name(claims).unwrap(), "a@example.org");
    }
}

#[test]
fn a_trusted_name_is_taken_as_it_is_and_an_address_only_when_verified() {
    let trusted = |claim: &str, claims: Value| {
        let wish = Wish {
            join_claim: Some(claim.to_owned()),
            ..wish("sub", "groups")
        };
        Person::read(&Claims::of(claims), &wish).trusted_name
    };
    let account = json!({"sub": "s", "onpremisessamaccountname": "anna", "email": "a@example.org"});
    assert_eq!(
        trusted("onpremisessamaccountname", account.clone()).unwrap(),
        "anna"
    );
    assert_eq!(trusted("email", account.clone()), None);
    assert_eq!(trusted("upn", account), None);
    let verified = json!({"sub": "s", "email": "a@example.org", "email_verified": true});
    assert_eq!(trusted("email", verified).unwrap(), "a@example.org");
    assert_eq!(
        trusted("x", json!({"sub": "s", "x": " anna"})).unwrap(),
        " anna"
    );
    for odd in [
        json!("a\u{0}b"),
        json!("a".repeat(151)),
        json!(["anna"]),
        json!(" "),
        json!(7),
    ] {
        assert_eq!(trusted("x", json!({"sub": "s", "x": odd})), None, "{odd}");
    }
}

#[test]
fn a_name_that_does_not_fit_is_none_and_other_texts_are_cut() {
    for odd in ["a\u{0}b".to_owned(), "a".repeat(151)] {
        let claims = json!({"sub": "s", "preferred_username": odd});
        assert_eq!(name(claims), Err(NameFault::Missing));
    }
    let claims = json!({"sub": "s", "given_name": format!("\u{0}{}", "ä".repeat(200))});
    let person = Person::read(&Claims::of(claims), &wish("sub", "groups"));
    assert_eq!(person.first_name, "ä".repeat(150));
}

#[test]
fn groups_are_a_list_a_text_or_deep_inside() {
    for (claims, claim, names) in [
        (
            json!({"sub": "s", "groups": ["a", 1, "b"]}),
            "groups",
            &["a", "b"][..],
        ),
        (json!({"sub": "s", "groups": "a,b"}), "groups", &["a,b"]),
        (json!({"sub": "s", "groups": []}), "groups", &[]),
        (
            json!({"sub": "s", "realm_access": {"roles": ["a"]}}),
            "realm_access.roles",
            &["a"],
        ),
        (
            json!({"sub": "s", "https://x.example/groups": ["a"]}),
            "https://x.example/groups",
            &["a"],
        ),
    ] {
        let found = read(claims, claim);
        assert_eq!(
            (found.names.as_slice(), found.extent),
            (names.map_owned().as_slice(), Extent::All)
        );
    }
    for silent in [
        json!({"sub": "s"}),
        json!({"sub": "s", "groups": null}),
        json!({"sub": "s", "groups": {"a": 1}}),
    ] {
        let found = read(silent, "groups");
        assert_eq!((found.names.len(), found.extent), (0, Extent::Unsaid));
    }
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|name| (*name).to_owned()).collect()
    }
}

#[test]
fn it_is_noticed_when_the_provider_left_the_groups_out() {
    for claims in [
        json!({"sub": "s", "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}),
        json!({"sub": "s", "hasgroups": true}),
        json!({"sub": "s", "hasgroups": "true"}),
        json!({"sub": "s", "groups": ["a"], "_claim_names": {"groups": "src1"}}),
    ] {
        assert_eq!(
            read(claims.clone(), "groups").extent,
            Extent::LeftOut,
            "{claims}"
        );
    }
    for claims in [
        json!({"sub": "s", "_claim_names": {"x": "src1"}}),
        json!({"sub": "s", "hasgroups": false}),
    ] {
        assert_eq!(
            read(claims.clone(), "groups").extent,
            Extent::Unsaid,
            "{claims}"
        );
    }
    // Roles are another claim, which is never left out.
    let roles = json!({"sub": "s", "roles": ["a"], "hasgroups": true});
    assert_eq!(read(roles, "roles").extent, Extent::All);
}

/// The claims of a token and of userinfo together, or the fault.
fn joined(token: Value, more: Value) -> Result<Claims, TokenFault> {
    let mut claims = Claims::of(token);
    let Value::Object(more) = more else {
        return Ok(claims);
    };
    claims.add(more, "groups").map(|()| claims)
}

#[test]
fn userinfo_fills_gaps_of_the_same_subject_and_of_no_other() {
    for other in [
        json!({}),
        json!({"sub": "t"}),
        json!({"sub": 7}),
        json!({"sub": ["s"]}),
    ] {
        let fault = joined(json!({"sub": "s"}), other).err();
        assert_eq!(fault, Some(TokenFault::UserinfoSubject));
    }
    let more =
        json!({"sub": "s", "groups": ["b"], "preferred_username": "eve", "given_name": "Anna"});
    let claims = joined(
        json!({"sub": "s", "groups": ["a"], "preferred_username": "anna"}),
        more,
    );
    let person = Person::read(&claims.unwrap(), &wish("preferred_username", "groups"));
    assert_eq!(person.username.as_deref(), Ok("anna"));
    assert_eq!(person.groups.names, ["a", "b"]);
    assert_eq!(person.first_name, "Anna");
}

#[test]
fn a_verified_address_of_userinfo_verifies_no_other() {
    let verified = |address: &str| json!({"sub": "s", "email": address, "email_verified": true});
    let name = |more| {
        let claims = joined(json!({"sub": "s", "email": "admin@example.org"}), more).unwrap();
        Person::read(&claims, &wish("email", "groups")).username
    };
    assert_eq!(
        name(verified("eve@example.org")),
        Err(NameFault::UnverifiedEmail)
    );
    assert_eq!(
        name(json!({"sub": "s", "email_verified": true})),
        Err(NameFault::UnverifiedEmail)
    );
    assert_eq!(
        name(verified("admin@example.org")).unwrap(),
        "admin@example.org"
    );
}

#[test]
fn userinfo_is_asked_only_for_what_is_missing_and_wanted() {
    let lacks = |claims: Value, wish: &Wish| lacks(&Claims::of(claims), wish);
    let full = json!({"sub": "s", "name": "anna", "groups": []});
    let usual = wish("name", "groups");
    assert!(!lacks(full.clone(), &usual));
    assert!(lacks(json!({"sub": "s", "groups": []}), &usual), "no name");
    assert!(
        lacks(json!({"sub": "s", "name": "anna"}), &usual),
        "no groups"
    );
    assert!(lacks(
        json!({"sub": "s", "name": "anna", "groups": [], "hasgroups": true}),
        &usual
    ));
    let no_groups = Wish {
        wants_groups: false,
        ..usual.clone()
    };
    assert!(!lacks(json!({"sub": "s", "name": "anna"}), &no_groups));
    let joins = Wish {
        join_claim: Some("login".to_owned()),
        ..usual
    };
    assert!(lacks(full, &joins));
}

#[test]
fn groups_that_the_token_left_out_are_known_when_userinfo_names_them() {
    for sign in [
        json!({"hasgroups": true}),
        json!({"_claim_names": {"groups": "src1"}}),
    ] {
        let with = |rest: Value| {
            let mut claims = json!({"sub": "s"});
            for part in [&sign, &rest] {
                claims
                    .as_object_mut()
                    .unwrap()
                    .extend(part.as_object().unwrap().clone());
            }
            claims
        };
        let groups = |more| {
            let claims = joined(with(json!({})), more).unwrap();
            Person::read(&claims, &wish("sub", "groups")).groups
        };
        let all = groups(json!({"sub": "s", "groups": ["a"]}));
        assert_eq!((all.names, all.extent), (vec!["a".to_owned()], Extent::All));
        let silent = groups(json!({"sub": "s"}));
        assert_eq!((silent.names, silent.extent), (vec![], Extent::LeftOut));
        let some = groups(with(json!({"groups": ["a"]})));
        assert_eq!(
            (some.names, some.extent),
            (vec!["a".to_owned()], Extent::LeftOut)
        );
    }
}
