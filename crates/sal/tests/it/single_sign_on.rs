//! Single sign-on with the real binary: its own HTTP client, its configuration, and what its log keeps to itself.

use sal_testkit::Provider;
use sal_testkit::provider::{CLIENT_ID, CLIENT_SECRET};
use serde_json::json;

use crate::server::Server;
use crate::stage::{Settings, Stage, clock};

fn settings(stage: &Stage, issuer: &str) -> Settings {
    stage
        .password_settings()
        .with("SAL_PUBLIC_URL", "http://localhost:8000/")
        .with("SAL_OIDC_ISSUER", issuer)
        .with("SAL_OIDC_CLIENT_ID", CLIENT_ID)
        .with("SAL_OIDC_CLIENT_SECRET", CLIENT_SECRET)
        .with("SAL_OIDC_LEVELS", "*=RO,admins=GA")
        .with("SAL_LOG", "debug")
}

/// The answer's `Location`.
fn location(answer: &reqwest::Response) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_at_the_provider_and_a_log_without_secrets() {
    let stage = Stage::set().await;
    let provider = Provider::start((clock())()).await;
    provider.person(json!({
        "sub": "subject-4711", "preferred_username": "anna", "email": "anna@example.org", "groups": ["admins"],
    }));
    let mut server = Server::start(&settings(&stage, &provider.issuer)).await;
    let begun = server.get("/oidc/login/?next=/database/").await;
    let cookie = begun.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let at_provider = server.http.get(location(&begun)).send().await.unwrap();
    let back = location(&at_provider);
    let path = back.strip_prefix("http://localhost:8000").unwrap();
    let url = format!("{}{path}", server.url);
    let request = server.http.get(url).header("cookie", &cookie);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", server.log());
    assert_eq!(location(&answer), "/database/");
    let level = "SELECT level FROM server_userprofile p JOIN auth_user u ON u.id = p.user_id WHERE username = 'anna'";
    assert_eq!(stage.value(level).await, "GA");
    server.logged("logged in by single sign-on").await;
    server.stop().await;
    let log = server.log();
    let code = path.split("code=").nth(1).unwrap();
    let secret = cookie.split('=').nth(1).unwrap();
    for hidden in [
        code.split('&').next().unwrap(),
        secret,
        "s3cret",
        "access-token-of-the-test",
        "eyJ",
        "anna@example.org",
        "subject-4711",
    ] {
        assert!(!log.contains(hidden), "{hidden} in:\n{log}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_does_not_keep_the_server_from_starting() {
    let stage = Stage::set().await;
    let mut provider = Provider::start((clock())()).await;
    provider.stop().await;
    let roots = stage.lab.ca_file().to_str().unwrap().to_owned();
    let settings = settings(&stage, &provider.issuer).with("SAL_OIDC_ROOT_CA", &roots);
    let server = Server::start(&settings).await;
    let answer = server.get("/oidc/login/").await;
    assert_eq!(answer.status(), 503);
    let page = answer.text().await.unwrap();
    assert!(page.contains(&provider.issuer), "{page}");
    server.logged("its description cannot be reached").await;
    assert_eq!(server.get("/login/?local=1").await.status(), 200);
}
