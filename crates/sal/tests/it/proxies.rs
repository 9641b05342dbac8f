//! Proxies in front of the real binary: the warning that names the setting, and the setting.

use crate::server::Server;
use crate::stage::Stage;

/// Two requests that say to come from somewhere else.
async fn forward(server: &Server) {
    for address in ["203.0.113.7", "203.0.113.8"] {
        let url = format!("{}/login/", server.url);
        let form = [("username", "nobody"), ("password", "guess")];
        let request = server.http.post(url).form(&form);
        let answer = request.header("x-forwarded-for", address).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
}

/// A person's login through a proxy that asks as somebody else.
async fn log_in(origin: &str, host: &str, server: &Server) -> u16 {
    let url = format!("{}/login/", server.url);
    let form = [("username", "nobody"), ("password", "guess")];
    let request = server.http.post(url).form(&form);
    let request = request.header("origin", origin).header("host", host);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_host_that_the_proxy_changed_is_in_the_log_with_the_setting_and_the_setting_helps() {
    let stage = Stage::set().await;
    let (origin, host) = ("https://sal.example.org", "10.0.0.7:8000");
    let mut server = Server::start(&stage.password_settings()).await;
    assert_eq!(log_in(origin, host, &server).await, 403);
    server
        .logged("it comes from https://sal.example.org (Origin), and this server was asked as 10.0.0.7:8000 (Host)")
        .await;
    server
        .logged("set SAL_PUBLIC_URL to the address in the browser (the form says https://sal.example.org)")
        .await;
    assert_eq!(
        log_in("https://sal.example.org:8443", "sal.example.org", &server).await,
        200
    );
    server.stop().await;
    let settings = stage
        .password_settings()
        .with("SAL_PUBLIC_URL", "https://SAL.example.org/");
    let server = Server::start(&settings).await;
    assert_eq!(log_in(origin, host, &server).await, 200);
    assert_eq!(log_in("https://evil.example", host, &server).await, 403);
    server
        .logged("SAL_PUBLIC_URL is https://SAL.example.org/")
        .await;
}

const NOTED: &str =
    "SELECT string_agg(detail, ', ' ORDER BY id) FROM salrs_audit WHERE kind = 'login'";

#[tokio::test]
async fn a_proxy_that_nobody_named_is_told_of_once_with_the_line_to_set() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.password_settings()).await;
    forward(&server).await;
    server.logged("set SAL_TRUSTED_PROXIES=127.0.0.1").await;
    // What was refused is written when the server stops, at the latest.
    server.stop().await;
    assert_eq!(
        server
            .log()
            .matches("SAL_TRUSTED_PROXIES=127.0.0.1")
            .count(),
        1
    );
    let noted = stage.value(NOTED).await;
    assert!(
        noted.starts_with("from 127.0.0.1, 2 times, the last "),
        "{noted}"
    );
}

#[tokio::test]
async fn a_named_proxy_is_believed_and_nothing_is_told() {
    let stage = Stage::set().await;
    let settings = stage
        .password_settings()
        .with("SAL_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1");
    let mut server = Server::start(&settings).await;
    forward(&server).await;
    server.stop().await;
    assert!(
        !server.log().contains("SAL_TRUSTED_PROXIES"),
        "{}",
        server.log()
    );
    assert_eq!(
        stage.value(NOTED).await,
        "from 203.0.113.7, from 203.0.113.8"
    );
}

#[tokio::test]
async fn sessions_of_deactivated_users_are_ended_by_hand_too() {
    let stage = Stage::set().await;
    let run = async |arguments: &[&str]| stage.settings().run(arguments).await;
    assert_eq!(run(&["db", "init"]).await.code, Some(0));
    stage
        .run(
            "SET ROLE sal; INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES (70, '!', false, 'anna', '', '', '', false, true, now()), (71, '!', false, 'ben', '', '', '', false, false, now())",
        )
        .await;
    stage
        .run("INSERT INTO salrs_session (token_hash, user_id, created, last_seen, expires)
              SELECT sha256(id::text::bytea), id, now(), now(), now() + interval '1 day' FROM auth_user")
        .await;
    let ended = run(&["db", "maintain", "--job", "deactivated-users"]).await;
    assert!(
        ended.stdout.contains("1 sessions of deactivated users"),
        "{ended:?}"
    );
    assert_eq!(
        stage
            .value("SELECT string_agg(user_id::text, ',') FROM salrs_session")
            .await,
        "70"
    );
}
