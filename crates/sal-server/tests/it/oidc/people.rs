//! Who logs in, as whom, with which rights.

use sal_http::access::oidc::mapping::Levels;
use serde_json::json;

use super::Stage;
use super::browser::Browser;

#[tokio::test]
async fn a_person_of_the_provider_becomes_a_user_and_lands_where_it_wanted() {
    let stage = Stage::set().await;
    stage.provider.person(json!({
        "sub": "1", "preferred_username": "anna", "groups": ["lab", "editors", "x"],
        "given_name": "Anna", "family_name": "Ä", "email": "anna@example.org",
    }));
    let mut browser = Browser::new();
    let answer = browser.login(&stage, "%2Fmachines%2F%3Fq%3Da").await;
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (302, "/machines/?q=a")
    );
    assert!(browser.is_logged_in(&stage).await);
    assert_eq!(browser.cookies.len(), 1, "the login's own cookie is gone");
    assert_eq!(stage.users().await, ["anna RW Arts+Science"]);
    let made = "SELECT count(*) FROM auth_user WHERE password ~ '^![A-Za-z0-9]{40}$' AND is_active AND NOT is_superuser
                AND first_name = 'Anna' AND last_name = 'Ä' AND email = 'anna@example.org' AND last_login IS NOT NULL";
    assert_eq!(stage.number(made).await, 1);
    assert_eq!(
        stage.audit().await,
        [
            "made user anna: by single sign-on",
            "changed user anna: level: none → Read and write, by the groups of single sign-on",
            "changed user anna: business units (ids): none → 1, 2, by the groups of single sign-on",
        ]
    );
    assert_eq!(
        stage.number("SELECT count(*) FROM salrs_oidc_login").await,
        0
    );
    assert_eq!(
        stage.number("SELECT count(*) FROM salrs_oidc_used").await,
        1
    );
}

#[tokio::test]
async fn every_login_brings_level_staff_and_units_to_the_groups() {
    let stage = Stage::set().await;
    let groups = |groups: &[&str]| {
        stage
            .provider
            .person(json!({"sub": "1", "preferred_username": "anna", "groups": groups}));
    };
    for (names, expected) in [
        (&["admins", "lab"][..], "anna GA staff Arts+Science"),
        (&["admins", "lab"], "anna GA staff Arts+Science"),
        (&["gym"], "anna RO Sports"),
        (&[], "anna RO"),
    ] {
        groups(names);
        assert_eq!(stage.login().await.0.status, 302);
        assert_eq!(stage.users().await, [expected]);
    }
    let audit = stage.audit().await;
    assert_eq!(
        audit.len(),
        1 + 3 + 3 + 1,
        "nothing is noted twice: {audit:#?}"
    );
    assert!(
        audit
            .iter()
            .any(|line| line.contains("may manage users: yes → no"))
    );
    assert!(
        audit
            .last()
            .unwrap()
            .contains("business units (ids): 3 → none")
    );
}

#[tokio::test]
async fn a_renamed_account_stays_the_same_user() {
    let stage = Stage::set().await;
    assert_eq!(stage.login().await.0.status, 302);
    stage
        .provider
        .person(json!({"sub": "subject-of-anna", "preferred_username": "anna.married"}));
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna RO"]);
    assert_eq!(stage.number("SELECT count(*) FROM salrs_identity").await, 1);
}

#[tokio::test]
async fn who_is_in_no_group_that_counts_is_refused_and_leaves_no_trace() {
    let stage = Stage::with(|config| {
        config.levels = Some(Levels::parse("admins=GA").unwrap());
    })
    .await;
    stage
        .refuses(403, "in no group that may use this server")
        .await;
    stage.provider.person(
        json!({"sub": "1", "preferred_username": "anna", "_claim_names": {"groups": "src1"}}),
    );
    stage.refuses(403, "so many groups").await;
    assert!(stage.users().await.is_empty());
    assert_eq!(stage.number("SELECT count(*) FROM salrs_identity").await, 0);
}

#[tokio::test]
async fn without_a_mapping_rights_stay_and_nobody_new_gets_in() {
    let stage = Stage::with(|config| {
        (config.levels, config.staff, config.units) = (None, None, None);
    })
    .await;
    stage.refuses(403, "SAL_OIDC_LEVELS").await;
    stage.user(7, "anna", "!nopassword").await;
    stage
        .run("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (3, 7)")
        .await;
    stage.refuses(403, "sal user link NAME --issuer").await;
    stage.link(7, "subject-of-anna").await;
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna RW Sports"]);
}

#[tokio::test]
async fn q100_a_local_user_with_a_password_is_not_taken_over() {
    let stage = Stage::set().await;
    stage.user(7, "anna", "pbkdf2_sha256$1000$x$y").await;
    stage.refuses(403, "local user `anna`").await;
    assert_eq!(stage.users().await, ["anna RW"]);
    assert!(stage.audit().await.is_empty());
    // Nothing changes when an account is renamed into it later.
    stage
        .provider
        .person(json!({"sub": "2", "preferred_username": "ben"}));
    assert_eq!(stage.login().await.0.status, 302);
    stage
        .provider
        .person(json!({"sub": "2", "preferred_username": "anna"}));
    let (_, mut browser) = stage.login().await;
    let page = browser.get(&stage.server.url("/logout/")).await.text;
    assert!(page.contains("ben") && !page.contains("anna"));
}

#[tokio::test]
async fn a_local_user_is_joined_by_the_trusted_claim() {
    let stage = Stage::with(|config| config.join_claim = Some("sal_user".to_owned())).await;
    stage.user(7, "anna", "pbkdf2_sha256$1000$x$y").await;
    stage.provider.person(
        json!({"sub": "1", "preferred_username": "a.lee", "sal_user": "anna", "groups": []}),
    );
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna RO"]);
    let kept =
        "SELECT count(*) FROM auth_user WHERE id = 7 AND password = 'pbkdf2_sha256$1000$x$y'";
    assert_eq!(stage.number(kept).await, 1);
    assert_eq!(
        stage.audit().await[0],
        "joined user anna: to its account of single sign-on, by the trusted claim"
    );
}

#[tokio::test]
async fn the_user_of_one_account_is_not_anothers_of_the_same_name() {
    for join_claim in [None, Some("preferred_username".to_owned())] {
        let stage = Stage::with(|config| config.join_claim = join_claim.clone()).await;
        assert_eq!(stage.login().await.0.status, 302);
        stage
            .provider
            .person(json!({"sub": "impostor", "preferred_username": "anna"}));
        stage.refuses(403, "belongs to another account").await;
        // An administrator deletes the user, and the next login makes one.
        stage
            .run("DELETE FROM server_userprofile; DELETE FROM server_businessunit_users; DELETE FROM auth_user")
            .await;
        assert_eq!(stage.login().await.0.status, 302);
        assert_eq!(stage.users().await, ["anna RO"]);
    }
}

#[tokio::test]
async fn an_inactive_user_is_refused() {
    let stage = Stage::set().await;
    assert_eq!(stage.login().await.0.status, 302);
    stage.run("UPDATE auth_user SET is_active = false").await;
    stage.refuses(403, "not active").await;
    stage.user(7, "ben", "!").await;
    stage.link(7, "2").await;
    stage.run("UPDATE auth_user SET is_active = false").await;
    stage
        .provider
        .person(json!({"sub": "2", "preferred_username": "ben"}));
    stage.refuses(403, "not active").await;
    assert_eq!(stage.number("SELECT count(*) FROM salrs_identity").await, 2);
}

#[tokio::test]
async fn names_are_shown_as_text_and_odd_ones_are_refused() {
    let stage = Stage::set().await;
    stage
        .provider
        .person(json!({"sub": "1", "preferred_username": "<b>anna</b>"}));
    let (answer, mut browser) = stage.login().await;
    assert_eq!(answer.status, 302);
    let page = browser.get(&stage.server.url("/logout/")).await.text;
    assert!(
        page.contains("&#60;b&#62;anna") && !page.contains("<b>anna"),
        "{page}"
    );
    for name in ["a\u{0}b".to_owned(), "x".repeat(151)] {
        stage
            .provider
            .person(json!({"sub": "2", "preferred_username": name}));
        stage.refuses(403, "no user name").await;
    }
    stage
        .provider
        .person(json!({"sub": "2", "email": "a@example.org", "email_verified": false}));
    stage
        .refuses(403, "does not say that your e-mail address is verified")
        .await;
}

#[tokio::test]
async fn two_first_logins_of_one_person_make_one_user() {
    let stage = Stage::set().await;
    let ((one, _), (other, _)) = tokio::join!(stage.login(), stage.login());
    assert_eq!((one.status, other.status), (302, 302));
    assert_eq!(stage.users().await, ["anna RO"]);
}
