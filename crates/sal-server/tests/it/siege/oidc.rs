//! Single sign-on: strangers who want to be somebody, and what a provider leaves unsaid.

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::oidc::Stage;
use crate::oidc::browser::Browser;

const WITH_PASSWORD: &str = "pbkdf2_sha256$1000$x$y";

/// Makes the administrator `admin`, as SAML left it or with a password.
async fn administrator(stage: &Stage, password: &str) {
    stage.user(70, "admin", password).await;
    stage
        .run("UPDATE server_userprofile SET level = 'GA'; UPDATE auth_user SET email = 'admin@example.org'")
        .await;
}

#[tokio::test]
async fn q133_a_stranger_does_not_become_the_administrator_by_name_or_address() {
    for password in ["!left-by-saml", WITH_PASSWORD] {
        let stage = Stage::set().await;
        administrator(&stage, password).await;
        for (person, sentence) in [
            (
                json!({"preferred_username": "admin"}),
                "There is a local user `admin` already",
            ),
            (
                json!({"preferred_username": "Admin"}),
                "There is a local user `admin` already",
            ),
            (
                json!({"preferred_username": "admin", "email": "admin@example.org", "email_verified": true}),
                "There is a local user `admin` already",
            ),
            (
                json!({"email": "admin@example.org"}),
                "does not say that your e-mail address is verified",
            ),
            (
                json!({"email": "admin@example.org", "email_verified": null}),
                "does not say that your e-mail address is verified",
            ),
        ] {
            let mut claims = json!({"sub": "stranger"});
            claims
                .as_object_mut()
                .unwrap()
                .extend(person.as_object().unwrap().clone());
            stage.provider.person(claims);
            stage.refuses(403, sentence).await;
        }
        assert_eq!(stage.users().await, ["admin GA"]);
        assert_eq!(stage.number("SELECT count(*) FROM salrs_identity").await, 0);
    }
}

#[tokio::test]
async fn an_address_of_a_user_joins_nobody_even_when_verified() {
    let stage = Stage::set().await;
    administrator(&stage, "!left-by-saml").await;
    stage.provider.person(
        json!({"sub": "stranger", "email": "admin@example.org", "email_verified": true, "groups": []}),
    );
    assert_eq!(stage.login().await.0.status, 302);
    // A user of its own, whose name is the address.
    assert_eq!(stage.users().await, ["admin@example.org RO", "admin GA"]);
}

#[tokio::test]
async fn names_that_look_like_a_users_are_refused_and_the_page_says_what_to_do() {
    let stage = Stage::set().await;
    administrator(&stage, WITH_PASSWORD).await;
    for twin in [
        "ADMIN",
        "ａｄｍｉｎ",
        "аdmin",
        "adm\u{456}n",
        "admin\u{200b}",
        "\u{202e}admin",
        "a\u{301}dmin",
        "admln",
        "𝖆𝖉𝖒𝖎𝖓",
    ] {
        stage
            .provider
            .person(json!({"sub": "twin-4711", "preferred_username": twin}));
        stage
            .refuses(403, "There is a local user `admin` already")
            .await;
        stage.refuses(403, "--subject twin-4711").await;
    }
    assert_eq!(stage.users().await, ["admin GA"]);
}

#[tokio::test]
async fn a_linked_account_is_its_user_whatever_it_is_called() {
    let stage = Stage::set().await;
    administrator(&stage, WITH_PASSWORD).await;
    stage.link(70, "of-admin").await;
    stage
        .provider
        .person(json!({"sub": "of-admin", "preferred_username": "a.lee", "groups": ["admins"]}));
    assert_eq!(stage.login().await.0.status, 302);
    // Also without any name, and with an address that nobody verified.
    stage
        .provider
        .person(json!({"sub": "of-admin", "email": "x@example.org", "groups": ["admins"]}));
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["admin GA staff"]);
    stage
        .provider
        .person(json!({"sub": "of-admin-2", "preferred_username": "admin"}));
    stage.refuses(403, "belongs to another account").await;
}

#[tokio::test]
async fn a_trusted_address_joins_only_when_it_is_verified() {
    let stage = Stage::with(|config| config.join_claim = Some("email".to_owned())).await;
    stage.user(70, "anna@example.org", WITH_PASSWORD).await;
    for verified in [json!(null), json!(false), json!("no")] {
        stage.provider.person(
            json!({"sub": "1", "preferred_username": "anna@example.org", "email": "anna@example.org", "email_verified": verified}),
        );
        stage
            .refuses(403, "There is a local user `anna@example.org` already")
            .await;
    }
    stage.provider.person(
        json!({"sub": "1", "email": "anna@example.org", "email_verified": true, "groups": ["editors"]}),
    );
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna@example.org RW"]);
}

/// An administrator by groups, who then logs in with other claims.
async fn logged_in_administrator() -> Stage {
    let stage = Stage::set().await;
    stage
        .provider
        .person(account(&json!({"groups": ["admins", "lab"]})));
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, [ADMINISTRATOR]);
    stage
}

const ADMINISTRATOR: &str = "anna GA staff Arts+Science";

fn account(more: &Value) -> Value {
    let mut claims = json!({"sub": "1", "preferred_username": "anna"});
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn q134_groups_that_a_provider_leaves_out_demote_nobody() {
    let stage = logged_in_administrator().await;
    for (claims, sentence) in [
        (json!({"hasgroups": true}), "in so many groups"),
        (json!({"hasgroups": "true"}), "in so many groups"),
        (
            json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "http://127.0.0.1:1/"}}}),
            "in so many groups",
        ),
        (json!({}), "did not say which groups"),
        (json!({"groups": null}), "did not say which groups"),
        (
            json!({"groups": {"admins": true}}),
            "did not say which groups",
        ),
    ] {
        stage.provider.person(account(&claims));
        stage.refuses(403, sentence).await;
        assert_eq!(stage.users().await, [ADMINISTRATOR]);
    }
    // A provider that says it knows all groups is obeyed.
    stage.provider.person(account(&json!({"groups": []})));
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna RO"]);
}

#[tokio::test]
async fn groups_that_only_userinfo_knows_are_asked_there() {
    for token in [
        json!({}),
        json!({"hasgroups": true}),
        json!({"_claim_names": {"groups": "src1"}}),
    ] {
        let stage = Stage::set().await;
        stage
            .provider
            .userinfo(account(&json!({"groups": ["admins", "lab"]})));
        stage.provider.person(account(&token));
        assert_eq!(stage.login().await.0.status, 302);
        assert_eq!(stage.users().await, [ADMINISTRATOR]);
        assert_eq!(stage.provider.times_asked("userinfo"), 1);
    }
}

#[tokio::test]
async fn userinfo_is_not_asked_where_the_token_says_everything() {
    let stage = Stage::set().await;
    stage
        .provider
        .userinfo(account(&json!({"groups": ["admins"]})));
    stage.provider.person(account(&json!({"groups": []})));
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.users().await, ["anna RO"]);
    assert_eq!(stage.provider.times_asked("userinfo"), 0);
}

#[tokio::test]
async fn userinfo_of_somebody_else_logs_nobody_in() {
    let stage = Stage::set().await;
    stage.provider.person(account(&json!({})));
    for subject in [json!("2"), json!(null), json!(1), json!("")] {
        stage
            .provider
            .userinfo(json!({"sub": subject, "groups": ["admins"]}));
        stage.refuses(403, "cannot be believed").await;
    }
    assert!(stage.users().await.is_empty());
}

#[tokio::test]
async fn a_userinfo_that_fails_or_is_endless_is_no_knowledge() {
    let stage = logged_in_administrator().await;
    stage.provider.person(account(&json!({})));
    // The description was learnt without the endpoint.
    stage.set_clock(3601);
    for failing in [
        json!(null),
        json!("a text"),
        account(&json!({"groups": ["x".repeat(600_000)]})),
    ] {
        stage.provider.userinfo(failing);
        stage.refuses(403, "did not say which groups").await;
    }
    assert_eq!(stage.provider.times_asked("userinfo"), 3);
    assert_eq!(stage.users().await, [ADMINISTRATOR]);
}

#[tokio::test]
async fn ten_thousand_begun_logins_end_nobody_elses() {
    let stage = Stage::set().await;
    let mut early = Browser::new();
    let back = early.visit_provider(&stage, "/").await;
    let url = stage.server.url("/oidc/login/");
    let statuses: Vec<_> = stream::iter(0..10_400)
        .map(|_| stage.server.http.get(&url).send())
        .buffer_unordered(16)
        .map(|answer| answer.unwrap().status().as_u16())
        .collect()
        .await;
    assert!(statuses.iter().all(|status| *status == 302));
    let rows =
        "SELECT (SELECT count(*) FROM salrs_oidc_used) + (SELECT count(*) FROM salrs_oidc_login)";
    assert_eq!(
        stage.number(rows).await,
        0,
        "a start costs the database nothing"
    );
    assert_eq!(early.get(&back).await.status, 302);
    assert!(early.is_logged_in(&stage).await);
}

#[tokio::test]
async fn a_login_begun_at_one_server_ends_at_another() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    // Another process: it has the configuration and the database, and nothing else.
    let config = stage.server.app.oidc.as_ref().unwrap().config.clone();
    let other = stage.server.beside_with_single_sign_on(config);
    let elsewhere = back.replace(&stage.server.base_url, &other.base_url);
    assert_eq!(browser.get(&elsewhere).await.status, 302);
    // Used there is used everywhere.
    let mut twin = Browser::new();
    twin.cookies.clone_from(&browser.cookies);
    assert_eq!(twin.get(&back).await.status, 400);
}

#[tokio::test]
async fn refused_accounts_are_counted_in_the_log_and_strangers_noise_is_not() {
    let stage = Stage::set().await;
    administrator(&stage, WITH_PASSWORD).await;
    stage
        .provider
        .person(json!({"sub": "x", "preferred_username": "admin"}));
    for _ in 0..3 {
        stage.refuses(403, "already").await;
    }
    for _ in 0..3 {
        let url = stage.server.url("/oidc/callback/?state=x&code=y");
        assert_eq!(Browser::new().get(&url).await.status, 400);
    }
    let lines = super::noted(&stage.server).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("(unknown) refused single sign-on from 127.0.0.1, 3 times"));
}
