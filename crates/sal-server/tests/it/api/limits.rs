//! How often programs may ask, and how often they may be wrong.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

use super::{
    Answer, Program,
    tokens::{Bearer, number, token},
};

/// What is left, where the answer says so.
fn left(answer: &Answer) -> Option<u32> {
    let policy = answer.headers.get("ratelimit-policy");
    let now = answer.headers.get("ratelimit")?.to_str().unwrap();
    assert_eq!(policy.unwrap(), "\"requests\";q=3;w=60");
    let (left, seconds) = now
        .strip_prefix("\"requests\";r=")
        .and_then(|rest| rest.split_once(";t="))
        .unwrap();
    assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()), "{now}");
    Some(left.parse().unwrap())
}

async fn limited(api_limit: u32) -> TestServer {
    let config = HttpConfig {
        api_limit,
        ..HttpConfig::default()
    };
    TestServer::with(Filled::Seeded, config).await
}

#[tokio::test]
async fn q174_a_token_and_a_key_are_told_what_is_left_and_wait_when_nothing_is() {
    let server = limited(3).await;
    let db = server.database.connect().await;
    let [first, second] = [
        token("first", &[], &db).await,
        token("second", &[], &db).await,
    ];
    let [first, second] = [&first, &second].map(|secret| Bearer {
        server: &server,
        secret,
    });
    // Also what ends in an error counts.
    for (path, rest) in [
        ("/api/v2/", 2),
        ("/api/v2/machines/nope/", 1),
        ("/api/v2/facts/", 0),
    ] {
        let answer = first.get(path).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(left(&answer), Some(rest), "{path}");
    }
    let refused = first.get("/api/v2/").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(left(&refused), Some(0));
    let seconds = refused.headers["retry-after"].to_str().unwrap();
    let unit = if seconds == "1" { "second" } else { "seconds" };
    let detail = format!("Request was throttled. Expected available in {seconds} {unit}.");
    assert_eq!(refused.body, json!({ "detail": detail }));
    assert_eq!(left(&second.get("/api/v2/").await), Some(2));
    let key = Program {
        server: &server,
        keys: Some("ro"),
    };
    for rest in [2, 1, 0] {
        assert_eq!(left(&key.get("/api/v2/").await), Some(rest));
    }
    assert_eq!(
        key.get("/api/v2/").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    // Nothing of a change that was refused happens.
    let new = Some(json!({"name": "Never"}));
    let writes = Program {
        server: &server,
        keys: Some("rw"),
    };
    for _ in 0..3 {
        let _spent = writes.get("/api/v2/").await;
    }
    let refused = writes
        .send(Method::POST, "/api/v2/business_units/", new)
        .await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let made = "SELECT count(*) FROM server_businessunit WHERE name = 'Never'";
    assert_eq!(number(made, &db).await, 0);
}

#[tokio::test]
async fn people_and_servers_without_a_limit_are_not_counted() {
    let server = limited(1).await;
    let form = [("username", "admin"), ("password", "password")];
    let login = server.http.post(server.url("/login/")).form(&form).send();
    let login = login.await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    for _ in 0..3 {
        let request = server
            .http
            .get(server.url("/api/v2/"))
            .header("cookie", cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key("ratelimit"));
    }
    let nobody = Program {
        server: &server,
        keys: None,
    };
    for _ in 0..3 {
        let answer = nobody.get("/api/v2/").await;
        assert_eq!(
            (answer.status, left(&answer)),
            (StatusCode::FORBIDDEN, None)
        );
    }
    let unlimited = limited(0).await;
    let key = Program {
        server: &unlimited,
        keys: Some("ro"),
    };
    for _ in 0..3 {
        let answer = key.get("/api/v2/").await;
        assert_eq!((answer.status, left(&answer)), (StatusCode::OK, None));
    }
}

/// As wrong tokens are; a pair that is right goes on at the same address.
#[tokio::test]
async fn q175_wrong_pairs_of_keys_are_limited_by_address() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    server.set_clock(now);
    let right = Program {
        server: &server,
        keys: Some("ro"),
    };
    assert_eq!(right.get("/api/v2/").await.status, StatusCode::OK);
    let public = golden::seed_value("ro_pub").unwrap().unwrap();
    let guess = async |private: String| {
        let request = server.http.get(server.url("/api/v2/"));
        let request = request
            .header("publickey", &public)
            .header("privatekey", private);
        let answer = request.send().await.unwrap();
        let body: Value = super::json_of(answer).await;
        body["detail"].as_str().unwrap().to_owned()
    };
    for n in 0..100 {
        assert_eq!(guess(format!("guess {n}")).await, "Invalid API Key");
    }
    let refused = "Request was throttled. Expected available in 900 seconds.";
    assert_eq!(guess("another".to_owned()).await, refused);
    // Not even the right one helps whoever never showed it before; whoever did goes on.
    assert_eq!(right.get("/api/v2/").await.status, StatusCode::OK);
    let other = Program {
        server: &server,
        keys: Some("rw"),
    };
    assert_eq!(
        other.get("/api/v2/").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let app = &server.app;
    app.refusals().flush(app.now(), &app.store).await;
    let lines = "SELECT count(*) FROM salrs_audit WHERE kind = 'login' AND action = 'refused' AND username = '(unknown)'
        AND detail LIKE 'API key from 127.0.0.1, 100 times%'";
    assert_eq!(number(lines, &db).await, 1);
    let kept = "SELECT count(*) FROM salrs_audit WHERE detail LIKE '%guess%'";
    assert_eq!(number(kept, &db).await, 0);
    server.set_clock(now + SignedDuration::from_mins(15));
    assert_eq!(other.get("/api/v2/").await.status, StatusCode::OK);
}
