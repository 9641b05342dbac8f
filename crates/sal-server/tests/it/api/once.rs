//! `Idempotency-Key`: requests that are sent again are done once.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

use super::Answer;
use super::tokens::number;

async fn send(method: Method, path: &str, key: &str, body: &Value, server: &TestServer) -> Answer {
    let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
    let request = server
        .http
        .request(method, server.url(&format!("/api/v2/{path}")));
    let request = request
        .header("publickey", part("rw_pub"))
        .header("privatekey", part("rw_priv"))
        .header("idempotency-key", key)
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    }
}

const UNITS: &str = "SELECT count(*) FROM server_businessunit WHERE name = 'Once'";

#[tokio::test]
async fn a_change_that_is_sent_again_is_answered_as_before_for_a_day() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    server.set_clock(now);
    let unit = json!({"name": "Once"});
    let first = send(Method::POST, "business_units/", "a", &unit, &server).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(!first.headers.contains_key("idempotent-replayed"));
    for hours in [0, 23] {
        server.set_clock(now + SignedDuration::from_hours(hours));
        let again = send(Method::POST, "business_units/", "a", &unit, &server).await;
        assert_eq!(
            (again.status, again.body),
            (first.status, first.body.clone())
        );
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
    assert_eq!(number(UNITS, &db).await, 1);
    for (method, path, body) in [
        (Method::POST, "business_units/", json!({"name": "Twice"})),
        (Method::POST, "business_units/?find=name", unit.clone()),
        (Method::POST, "machine_groups/", unit.clone()),
    ] {
        let other = send(method, path, "a", &body, &server).await;
        assert_eq!(
            other.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{path}: {}",
            other.body
        );
    }
    let gone = format!("business_units/{}/", first.body["id"]);
    for _ in 0..2 {
        let answer = send(Method::DELETE, &gone, "b", &json!({}), &server).await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::NO_CONTENT, Value::Null)
        );
    }
    server.set_clock(now + SignedDuration::from_hours(25));
    let next_day = send(Method::POST, "business_units/", "a", &unit, &server).await;
    assert_eq!(next_day.status, StatusCode::CREATED);
    assert_ne!(next_day.body["id"], first.body["id"]);
    assert_eq!(
        number("SELECT count(*) FROM salrs_api_answer", &db).await,
        2
    );
}

#[tokio::test]
async fn of_fifty_at_once_one_changes_and_the_others_wait_or_hear_the_same() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let unit = json!({"name": "Once"});
    let sent = (0..50).map(|_| send(Method::POST, "business_units/", "a", &unit, &server));
    let answers = futures_util::future::join_all(sent).await;
    for answer in &answers {
        let is_fine = [StatusCode::CREATED, StatusCode::CONFLICT].contains(&answer.status);
        assert!(is_fine, "{}: {}", answer.status, answer.body);
    }
    assert!(
        answers
            .iter()
            .any(|answer| answer.status == StatusCode::CREATED)
    );
    assert_eq!(number(UNITS, &db).await, 1);
}

#[tokio::test]
async fn what_changed_nothing_is_judged_anew_and_what_was_abandoned_taken_over() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    server.set_clock(now);
    for _ in 0..2 {
        let refused = send(Method::POST, "business_units/", "a", &json!({}), &server).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    let unit = json!({"name": "Once"});
    let fixed = send(Method::POST, "business_units/", "a", &unit, &server).await;
    assert_eq!(fixed.status, StatusCode::CREATED, "{}", fixed.body);
    // As a server leaves it that ended in the middle.
    let abandon = "UPDATE salrs_api_answer SET status = NULL, body = NULL, try = '\\x00'";
    db.batch_execute(abandon).await.unwrap();
    for (seconds, status) in [(60, 409), (121, 201)] {
        server.set_clock(now + SignedDuration::from_secs(seconds));
        let again = send(Method::POST, "business_units/", "a", &unit, &server).await;
        assert_eq!(again.status.as_u16(), status, "{seconds} s: {}", again.body);
    }
    for key in ["", &"x".repeat(256), "é"] {
        let refused = send(Method::POST, "business_units/", key, &unit, &server).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{key}");
    }
}
