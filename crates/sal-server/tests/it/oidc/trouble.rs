//! Providers that refuse, fail, lie or are away, and the way in without them.

use sal_testkit::{Filled, TestServer};
use serde_json::json;

use super::Stage;
use super::browser::Browser;

const AWAY: &str = "cannot be used now";

#[tokio::test]
async fn a_refusal_of_the_provider_is_shown_as_text() {
    let stage = Stage::set().await;
    let denies = ("access_denied", "<script>alert(1)</script> not today");
    stage.provider.script().denies = Some((denies.0.to_owned(), denies.1.to_owned()));
    let (answer, mut browser) = stage.login().await;
    assert_eq!(answer.status, 403);
    for part in ["access_denied", "&#60;script&#62;alert(1)", "not today"] {
        assert!(answer.text.contains(part), "{part} in {}", answer.text);
    }
    assert!(!answer.text.contains("<script>alert"));
    assert!(browser.cookies.is_empty());
    assert!(!browser.is_logged_in(&stage).await);
    assert_eq!(stage.provider.times_asked("token"), 0);
}

#[tokio::test]
async fn a_provider_that_is_away_is_named_and_comes_back() {
    let stage = Stage::set().await;
    stage.provider.script().is_broken = true;
    let issuer = stage.provider.issuer.clone();
    for _ in 0..3 {
        stage.refuses(503, AWAY).await;
    }
    let (answer, _) = stage.login().await;
    assert!(answer.text.contains(&issuer), "{}", answer.text);
    assert_eq!(
        stage.provider.times_asked("description"),
        1,
        "a failure counts for a few seconds"
    );
    stage.provider.script().is_broken = false;
    stage.set_clock(6);
    assert_eq!(stage.login().await.0.status, 302);
}

#[tokio::test]
async fn a_provider_that_fails_in_the_middle_of_a_login_is_named_too() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    stage.provider.script().is_broken = true;
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains(AWAY));
    assert!(!answer.text.contains("code-"));
}

#[tokio::test]
async fn an_issuer_where_nobody_answers_is_named() {
    let mut stage = Stage::set().await;
    stage.provider.stop().await;
    stage.refuses(503, AWAY).await;
}

#[tokio::test]
async fn a_description_of_another_issuer_or_with_unsafe_addresses_is_refused() {
    for wrong in [
        json!({"issuer": "https://login.example.org"}),
        json!({"issuer": null}),
        json!({"token_endpoint": "http://login.example.org/token"}),
        json!({"authorization_endpoint": "http://login.example.org/login"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
    ] {
        let stage = Stage::set().await;
        let json = wrong.as_object().unwrap().clone();
        stage.provider.script().description = json;
        stage.refuses(503, AWAY).await;
    }
}

#[tokio::test]
async fn redirects_of_the_token_endpoint_are_not_followed() {
    let stage = Stage::set().await;
    let elsewhere = format!("{}/keys", stage.provider.issuer);
    stage.provider.script().redirects_to = Some(elsewhere);
    stage.refuses(503, AWAY).await;
    assert_eq!(stage.provider.times_asked("keys"), 1);
}

#[tokio::test]
async fn the_secret_goes_where_the_provider_wants_it() {
    for methods in [
        json!(["client_secret_post"]),
        json!(["private_key_jwt", "client_secret_basic"]),
        json!(null),
    ] {
        let stage = Stage::set().await;
        stage.provider.script().description =
            json!({"token_endpoint_auth_methods_supported": methods})
                .as_object()
                .unwrap()
                .clone();
        assert_eq!(stage.login().await.0.status, 302, "{methods}");
    }
    let stage = Stage::with(|config| config.client_secret = None).await;
    stage.refuses(503, AWAY).await;
}

#[tokio::test]
async fn a_code_whose_challenge_is_another_is_refused() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    stage.provider.forget_challenges();
    assert_eq!(browser.get(&back).await.status, 403);
    assert!(!browser.is_logged_in(&stage).await);
}

#[tokio::test]
async fn the_login_page_shows_the_button_and_never_locks_anybody_out() {
    let stage = Stage::set().await;
    let page = Browser::new()
        .get(&stage.server.url("/login/?next=/machines/"))
        .await
        .text;
    assert!(page.contains("Log in with Example &#38; Co"), "{page}");
    assert!(page.contains("/oidc/login/?next=%2Fmachines%2F"), "{page}");
    assert!(page.contains("type=\"password\""));
    let stage = Stage::with(|config| config.only = true).await;
    let mut browser = Browser::new();
    let page = browser.get(&stage.server.url("/login/")).await.text;
    assert!(!page.contains("type=\"password\""), "{page}");
    let page = browser.get(&stage.server.url("/login/?local=1")).await.text;
    assert!(page.contains("type=\"password\""), "{page}");
    assert_eq!(
        stage.provider.times_asked("description"),
        0,
        "nothing is asked before a login"
    );
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_and_no_button() {
    let server = TestServer::start(Filled::Fresh).await;
    let mut browser = Browser::new();
    for path in ["/oidc/login/", "/oidc/callback/?state=x&code=y"] {
        assert_eq!(browser.get(&server.url(path)).await.status, 404);
    }
    let page = browser.get(&server.url("/login/")).await.text;
    assert!(!page.contains("/oidc/"));
}
