//! Tokens that must not be believed.

use sal_testkit::provider::Signature;
use serde_json::json;

use super::{Stage, now};

const DISTRUST: &str = "cannot be believed";

#[tokio::test]
async fn wrong_claims_log_nobody_in() {
    let stage = Stage::set().await;
    let at = now().as_second();
    for claims in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"exp": at - 61}),
        json!({"exp": null}),
        json!({"iat": at + 61}),
        json!({"iat": null}),
        json!({"aud": "another"}),
        json!({"aud": ["another", "sal-server"]}),
        json!({"azp": "another"}),
        json!({"iss": "https://login.example.org"}),
        json!({"at_hash": "another"}),
        json!({"sub": ""}),
    ] {
        stage.provider.claims(claims.clone());
        let (answer, mut browser) = stage.login().await;
        assert_eq!(answer.status, 403, "{claims}");
        assert!(answer.text.contains(DISTRUST), "{}", answer.text);
        assert!(!browser.is_logged_in(&stage).await, "{claims}");
    }
    assert!(stage.users().await.is_empty());
    stage.provider.claims(json!({}));
    assert_eq!(stage.login().await.0.status, 302);
}

#[tokio::test]
async fn tokens_that_are_not_signed_with_the_providers_key_log_nobody_in() {
    let stage = Stage::set().await;
    for signature in [
        Signature::None,
        Signature::HmacWithPublicKey,
        Signature::OfAnotherToken,
        Signature::NamesRsa,
    ] {
        stage.provider.script().signature = signature;
        stage.refuses(403, DISTRUST).await;
    }
    assert!(stage.users().await.is_empty());
}

#[tokio::test]
async fn a_new_key_is_asked_for_at_most_once_a_minute() {
    let stage = Stage::set().await;
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.provider.times_asked("keys"), 1);
    // The provider rotates: one login asks again and is fine.
    stage.provider.rotate("key-2");
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.provider.times_asked("keys"), 2);
    // It rotates again at once: nobody asks a third time within the minute.
    stage.provider.rotate("key-3");
    for _ in 0..3 {
        stage.refuses(403, DISTRUST).await;
    }
    assert_eq!(stage.provider.times_asked("keys"), 2);
    stage.set_clock(61);
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.provider.times_asked("keys"), 3);
    assert_eq!(stage.provider.times_asked("description"), 1);
}

#[tokio::test]
async fn a_key_that_was_taken_away_is_forgotten_within_the_hour() {
    let stage = Stage::set().await;
    assert_eq!(stage.login().await.0.status, 302);
    stage.set_clock(3601);
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.provider.times_asked("description"), 2);
    assert_eq!(stage.provider.times_asked("keys"), 2);
}
