//! The way to the provider and back: once, in one browser, soon, to this server.

use super::Stage;
use super::browser::Browser;

const STALE: &str = "used already, or began in another browser";

#[tokio::test]
async fn the_request_says_what_it_must_and_no_secret() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let answer = browser.get(&stage.server.url("/oidc/login/")).await;
    let page = answer.location;
    for part in [
        "/realms/sal/login?response_type=code&response_mode=query&client_id=sal%2Dserver&redirect_uri=http%3A%2F%2F127%2E0%2E0%2E1%3A",
        "%2Foidc%2Fcallback%2F&scope=openid%20profile%20email&state=",
        "&nonce=",
        "&code_challenge=",
        "&code_challenge_method=S256",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("s3cret"));
    let [cookie] = answer.set.as_slice() else {
        panic!("one cookie: {:?}", answer.set);
    };
    assert!(cookie.starts_with("sal_login_"), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let (_, value) = browser.cookies.first_key_value().unwrap();
    assert!(
        !page.contains(value.as_str()),
        "the provider does not learn it"
    );
    let rows =
        "SELECT (SELECT count(*) FROM salrs_oidc_used) + (SELECT count(*) FROM salrs_oidc_login)";
    assert_eq!(stage.number(rows).await, 0, "nothing is kept of it here");
}

#[tokio::test]
async fn a_login_counts_once() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    let mut twin = Browser::new();
    twin.cookies = browser.cookies.clone();
    assert_eq!(browser.get(&back).await.status, 302);
    let again = twin.get(&back).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains(STALE), "{}", again.text);
    assert!(!twin.is_logged_in(&stage).await);
    assert_eq!(stage.provider.times_asked("token"), 1);
}

#[tokio::test]
async fn a_login_counts_in_the_browser_that_began_it_and_no_other() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    let mut victim = Browser::new();
    assert_eq!(victim.get(&back).await.status, 400);
    // Not with the cookie of a login of its own either.
    let _own = victim.begin(&stage, "/").await;
    let (name, _) = browser.cookies.first_key_value().unwrap();
    let (_, value) = victim.cookies.first_key_value().unwrap();
    let planted = (name.clone(), value.clone());
    victim.cookies.extend([planted]);
    let answer = victim.get(&back).await;
    assert_eq!(answer.status, 400);
    assert!(!victim.is_logged_in(&stage).await);
    assert_eq!(stage.provider.times_asked("token"), 0);
    // The attempts took nothing away from who began it.
    assert_eq!(browser.get(&back).await.status, 302);
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let one = browser.visit_provider(&stage, "/machines/").await;
    let other = browser.visit_provider(&stage, "/reports/").await;
    assert_eq!(browser.get(&one).await.location, "/machines/");
    assert_eq!(browser.get(&other).await.location, "/reports/");
}

#[tokio::test]
async fn another_state_or_none_is_refused() {
    let stage = Stage::set().await;
    stage.provider.script().swaps_state = true;
    stage.refuses(400, STALE).await;
    for query in [
        "",
        "?state=&code=x",
        "?state=%00&code=x",
        "?state=..%2F..&code=x",
        "?state=äöü&code=x",
        "?code=x&error=%3Cscript%3E",
    ] {
        let url = stage.server.url(&format!("/oidc/callback/{query}"));
        let answer = Browser::new().get(&url).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(!answer.text.contains("<script>"), "{query}");
    }
    let long = stage
        .server
        .url(&format!("/oidc/callback/?state={}", "x".repeat(10_000)));
    assert_eq!(Browser::new().get(&long).await.status, 400);
    let twice = stage.server.url("/oidc/callback/?state=a&state=b");
    assert_eq!(Browser::new().get(&twice).await.status, 400);
}

#[tokio::test]
async fn a_login_that_takes_more_than_ten_minutes_is_over_and_swept_away() {
    let stage = Stage::set().await;
    let mut browser = Browser::new();
    let back = browser.visit_provider(&stage, "/").await;
    stage.set_clock(601);
    assert_eq!(browser.get(&back).await.status, 400);
    let used = "SELECT count(*) FROM salrs_oidc_used";
    assert_eq!(stage.number(used).await, 0);
    // What was used is remembered for as long as it could be used again.
    assert_eq!(stage.login().await.0.status, 302);
    stage.set_clock(601 + 601);
    assert_eq!(stage.login().await.0.status, 302);
    assert_eq!(stage.number(used).await, 1);
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let stage = Stage::set().await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "%2Fa%0d%0ab",
        "javascript:alert(1)",
        &format!("/{}", "x".repeat(2001)),
    ] {
        let mut browser = Browser::new();
        let answer = browser.login(&stage, next).await;
        assert_eq!(
            (answer.status, answer.location.as_str()),
            (302, "/"),
            "{next}"
        );
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let stage = Stage::set().await;
    for swap in [
        (
            &*format!("iss={}", "http%3A%2F%2F127"),
            "iss=http%3A%2F%2Fevil",
        ),
        ("&iss=", "&other="),
    ] {
        let mut browser = Browser::new();
        let back = browser.visit_provider(&stage, "/").await;
        let forged = back.replace(swap.0, swap.1);
        assert_ne!(back, forged);
        assert_eq!(browser.get(&forged).await.status, 403);
    }
    assert_eq!(stage.provider.times_asked("token"), 0);
}

#[tokio::test]
async fn a_code_of_another_login_has_another_verifier() {
    let stage = Stage::set().await;
    let (mut thief, mut victim) = (Browser::new(), Browser::new());
    let stolen = victim.visit_provider(&stage, "/").await;
    let own = thief.visit_provider(&stage, "/").await;
    let code = |url: &str| url.split("code=").nth(1).unwrap().to_owned();
    let injected = own.replace(&code(&own), &code(&stolen));
    let answer = thief.get(&injected).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("invalid_grant"), "{}", answer.text);
    assert!(!thief.is_logged_in(&stage).await);
}
