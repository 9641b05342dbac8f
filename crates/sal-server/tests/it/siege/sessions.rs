//! Sessions: how they end, and over what they travel.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Response, header};
use sal_http::HttpConfig;
use sal_http::proxies::TrustedProxies;
use sal_testkit::TestServer;

use super::{PASSWORD, login, run, server, session, texts, user};

fn after(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minutes)
}

/// A server whose clock stands, and the cookie of somebody who is logged in.
async fn logged_in(change: impl FnOnce(&mut HttpConfig)) -> (TestServer, String) {
    let server = server(change).await;
    server.set_clock(after(0));
    let cookie = cookie(&server, "anna").await;
    (server, cookie)
}

async fn cookie(server: &TestServer, name: &str) -> String {
    let answer = login(server, &server.http, name, PASSWORD).send().await;
    session(&answer.unwrap())
}

/// Whether a page opens.
async fn opens(server: &TestServer, cookie: &str) -> bool {
    let request = server.http.get(server.url("/changepassword/"));
    let answer = request.header(header::COOKIE, cookie).send().await.unwrap();
    let status = answer.status().as_u16();
    assert!([200, 302].contains(&status), "{status}");
    status == 200
}

async fn last_seen(server: &TestServer) -> String {
    let sql = "SELECT to_char(last_seen AT TIME ZONE 'UTC', 'HH24:MI') FROM salrs_session";
    texts(server, sql).await.concat()
}

#[tokio::test]
async fn q131_a_session_that_nobody_uses_ends_and_one_in_use_goes_on() {
    let (server, cookie) = logged_in(|_| {}).await;
    for minutes in [700, 1400, 2100] {
        server.set_clock(after(minutes));
        assert!(opens(&server, &cookie).await, "{minutes}");
    }
    server.set_clock(after(2100 + 720));
    assert!(!opens(&server, &cookie).await);
    // For good: not even when the clock or the setting goes back.
    server.set_clock(after(2100));
    assert!(!opens(&server, &cookie).await);
    assert!(
        texts(&server, "SELECT token_hash::text FROM salrs_session")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn however_much_a_session_is_used_it_ends_after_fourteen_days() {
    let (server, cookie) = logged_in(|_| {}).await;
    let day = 24 * 60;
    for hours in (0..14 * 24).step_by(11) {
        server.set_clock(after(hours * 60));
        assert!(opens(&server, &cookie).await, "{hours}");
    }
    server.set_clock(after(14 * day));
    assert!(!opens(&server, &cookie).await);
}

#[tokio::test]
async fn without_an_idle_time_only_the_fourteen_days_count() {
    let (server, cookie) = logged_in(|config| config.session_idle = SignedDuration::ZERO).await;
    server.set_clock(after(13 * 24 * 60));
    assert!(opens(&server, &cookie).await);
}

#[tokio::test]
async fn that_a_session_is_used_is_written_every_few_minutes_only() {
    let (server, cookie) = logged_in(|_| {}).await;
    for (minutes, expected) in [
        (1, "12:00"),
        (4, "12:00"),
        (5, "12:05"),
        (9, "12:05"),
        (12, "12:12"),
    ] {
        server.set_clock(after(minutes));
        assert!(opens(&server, &cookie).await);
        assert_eq!(last_seen(&server).await, expected, "{minutes}");
    }
}

#[tokio::test]
async fn sessions_of_a_deactivated_user_do_not_come_back_with_the_account() {
    let (server, cookie) = logged_in(|_| {}).await;
    user(&server, 2, "ben", "GA").await;
    let ben = self::cookie(&server, "ben").await;
    let elsewhere = self::cookie(&server, "ben").await;
    let active = |is| format!("UPDATE auth_user SET is_active = {is} WHERE username = 'ben'");
    // As Django does it.
    run(&server, &active(false)).await;
    assert!(!opens(&server, &ben).await);
    run(&server, &active(true)).await;
    assert!(!opens(&server, &ben).await);
    assert!(!opens(&server, &elsewhere).await, "all of them ended");
    assert!(opens(&server, &cookie).await, "and nobody else's");
    // Who asks for nothing meanwhile is found by maintenance, within a minute.
    let quiet = self::cookie(&server, "ben").await;
    run(&server, &active(false)).await;
    let db = server.database.connect().await;
    let ended = sal_store::maintenance::delete_sessions_of_inactive(&db).await;
    assert_eq!(ended.unwrap(), 1);
    run(&server, &active(true)).await;
    assert!(!opens(&server, &quiet).await);
}

async fn page(server: &TestServer, headers: &[(&str, &str)]) -> Response {
    let request = login(server, &server.http, "anna", PASSWORD);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

fn is_for_https(answer: &Response) -> bool {
    let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    let is_secure = set.starts_with("__Host-sal_session=") && set.ends_with("; Secure");
    let only_https = answer.headers().get(header::STRICT_TRANSPORT_SECURITY);
    assert_eq!(is_secure, only_https.is_some(), "{set}");
    assert!(only_https.is_none_or(|value| value == "max-age=31536000"));
    assert!(is_secure || !set.contains("Secure"), "{set}");
    is_secure
}

#[tokio::test]
async fn cookies_are_for_https_where_the_public_address_is() {
    let server = server(|config| config.secure_cookies = true).await;
    let answer = page(&server, &[]).await;
    assert!(is_for_https(&answer));
    let cookie = session(&answer);
    assert!(opens(&server, &cookie).await);
    // What another host planted under the plain name is no session.
    let planted = cookie.replace("__Host-", "");
    assert!(!opens(&server, &planted).await);
    let out = server
        .http
        .post(server.url("/logout/"))
        .header(header::COOKIE, &cookie);
    let gone = out.send().await.unwrap();
    assert!(is_for_https(&gone));
    assert!(!opens(&server, &cookie).await);
    for path in ["/login/", "/livez", "/nothing/", "/checkin/"] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert!(
            answer
                .headers()
                .contains_key(header::STRICT_TRANSPORT_SECURITY),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_proxy_of_ours_says_https_and_nobody_else_does() {
    let https = [("x-forwarded-proto", "https")];
    let plain = server(|_| {}).await;
    assert!(!is_for_https(&page(&plain, &https).await));
    let proxies = TrustedProxies::parse(&["127.0.0.1".to_owned()]).unwrap();
    let server = server(|config| config.trusted_proxies = proxies).await;
    assert!(is_for_https(&page(&server, &https).await));
    assert!(!is_for_https(
        &page(&server, &[("x-forwarded-proto", "http")]).await
    ));
    assert!(!is_for_https(
        &page(&server, &[("forwarded", "proto=https")]).await
    ));
    assert!(!is_for_https(&page(&server, &[]).await));
}
