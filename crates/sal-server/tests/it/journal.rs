//! The journal, the bodies it keeps, and the limits.

use std::time::Duration;

use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer, golden};

use crate::unbounded::{ascii, incompressible};

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

fn body(serial: &str) -> String {
    format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "{serial}"}}}}, "Sal": {{"extra_data": {{"key": "{}"}}}}}}"#,
        key()
    )
}

/// The journal as lines of text.
async fn lines(server: &TestServer) -> Vec<String> {
    let db = server.database.connect().await;
    let sql = "SELECT concat_ws('|', serial, route, outcome, reason, times) FROM salrs_journal ORDER BY 1";
    let rows = db.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Asks harmless questions, which write what waits in memory, until the journal is as expected.
async fn journal_becomes(server: &TestServer, expected: &[&str]) {
    let began = tokio::time::Instant::now();
    while lines(server).await != expected {
        let question = server.http.get(server.url("/preflight-v2/"));
        let answer = question.basic_auth("sal", Some(key())).send().await;
        assert_eq!(answer.unwrap().status().as_u16(), 200);
        let found = lines(server).await;
        assert!(began.elapsed() < PATIENCE, "{found:?}");
    }
}

/// How long a test waits before it fails; the journal writes once a second.
const PATIENCE: Duration = Duration::from_secs(30);

async fn kept(server: &TestServer) -> Vec<(String, Vec<u8>)> {
    let db = server.database.connect().await;
    let rows = db
        .query(
            "SELECT reason, body FROM salrs_rejected_body ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn refusals_are_counted_and_only_bodies_with_a_key_are_kept() {
    let server = TestServer::start(Filled::Seeded).await;
    for _ in 0..3 {
        assert_eq!(server.checkin("wrong", body("C02A")).await.0, 401);
    }
    assert_eq!(server.checkin(&key(), "{not json").await.0, 400);
    assert_eq!(
        server
            .checkin(&key(), body("C02A").replace(&key(), "other"))
            .await
            .0,
        404
    );
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
    journal_becomes(
        &server,
        &[
            "C02A|checkin|refused|the key in the body is no machine group's|1",
            "C02A|checkin|stored|the first check-in of this machine|1",
            "|checkin|refused|Checkin has invalid JSON!|1",
            "|checkin|refused|no valid machine group key|3",
        ],
    )
    .await;
    let bodies = kept(&server).await;
    let reasons: Vec<&str> = bodies.iter().map(|(reason, _)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "Checkin has invalid JSON!",
            "the key in the body is no machine group's"
        ]
    );
    assert_eq!(bodies.first().unwrap().1, b"{not json");
}

#[tokio::test]
async fn those_whom_a_crowd_kept_out_leave_the_journal_to_others() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut inside = Vec::new();
    while let Ok(one) = server.app.crowd().enter() {
        inside.push(one);
    }
    for serial in ["C1", "C2", "C3"] {
        assert_eq!(server.checkin(&key(), body(serial)).await.0, 503);
    }
    drop(inside);
    assert_eq!(server.checkin("wrong", body("C4")).await.0, 401);
    journal_becomes(&server, &["|checkin|refused|no valid machine group key|1"]).await;
    assert!(kept(&server).await.is_empty());
}

#[tokio::test]
async fn serial_numbers_of_10_kb_are_journaled_as_far_as_an_index_takes_them() {
    let server = TestServer::start(Filled::Seeded).await;
    let long = incompressible(10_240, &ascii());
    assert_eq!(server.checkin(&key(), body(&long)).await.0, 400);
    let form = [("serial", long.as_str()), ("key", &key())];
    for (path, expected) in [("/report_broken_client/", 404), ("/inventory/submit/", 404)] {
        let request = server.http.post(server.url(path)).form(&form);
        let answer = request.basic_auth("sal", Some(key())).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected, "{path}");
    }
    let began = tokio::time::Instant::now();
    while lines(&server).await.len() < 3 {
        let question = server.http.get(server.url("/preflight-v2/"));
        question
            .basic_auth("sal", Some(key()))
            .send()
            .await
            .unwrap();
        assert!(began.elapsed() < PATIENCE, "{:?}", lines(&server).await);
    }
}

#[tokio::test]
async fn the_journal_and_the_bodies_are_bounded_and_can_be_switched_off() {
    let config = HttpConfig {
        rejected_bodies: 2,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    for serial in ["C1", "C2", "C3"] {
        assert_eq!(
            server
                .checkin(&key(), body(serial).replace(&key(), "other"))
                .await
                .0,
            404
        );
    }
    assert_eq!(kept(&server).await.len(), 2);
    let config = HttpConfig {
        journal_rows: 0,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    assert_eq!(server.checkin("wrong", body("C02A")).await.0, 401);
    assert_eq!(lines(&server).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_their_tables_requests_are_answered_as_ever() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute("DROP TABLE salrs_journal, salrs_rejected_body")
        .await
        .unwrap();
    assert_eq!(server.checkin("wrong", body("C02A")).await.0, 401);
    assert_eq!(server.checkin(&key(), "{not json").await.0, 400);
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
}

#[tokio::test]
async fn q016_who_asks_too_often_is_told_which_setting_says_so() {
    let by_machine = HttpConfig {
        machine_limit: 2,
        ..HttpConfig::default()
    };
    let by_key = HttpConfig {
        key_limit: 2,
        ..HttpConfig::default()
    };
    let by_address = HttpConfig {
        address_limit: 2,
        ..HttpConfig::default()
    };
    for (config, setting) in [
        (by_machine, "SAL_MACHINE_LIMIT"),
        (by_key, "SAL_KEY_LIMIT"),
        (by_address, "SAL_ADDRESS_LIMIT"),
    ] {
        let server = TestServer::with(Filled::Seeded, config).await;
        for _ in 0..2 {
            assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
        }
        let (code, text) = server.checkin(&key(), body("C02A")).await;
        assert_eq!(code, 429);
        assert!(
            text.contains(setting) && text.contains("more than 2 requests a minute"),
            "{text}"
        );
    }
}
