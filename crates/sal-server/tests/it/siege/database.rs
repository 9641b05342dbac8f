//! The connection to the database: what is full, locked, hung up, read-only or of the wrong shape.

use std::time::Duration;

use futures_util::future::join_all;
use sal_store::pool::{PoolConfig, SessionLimits};
use sal_testkit::{Database, Filled, Shape, TestServer, golden};
use serde_json::json;
use tokio_postgres::Client;

use crate::access::Stage;

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

fn body(serial: &str) -> String {
    json!({"Machine": {"extra_data": {"serial": serial}}, "Sal": {"extra_data": {"key": key()}}})
        .to_string()
}

fn with_pool(pool: PoolConfig) -> Shape {
    let mut shape = Shape {
        pool,
        ..Shape::default()
    };
    shape.options.status_token = Some("a token of the tests".into());
    shape
}

async fn seeded(pool: PoolConfig) -> TestServer {
    TestServer::shaped(Database::new(Filled::Seeded).await, with_pool(pool))
}

/// What readiness says to whoever has the token.
async fn readiness(server: &TestServer) -> (u16, String) {
    let asked = server
        .http
        .get(server.url("/readyz"))
        .bearer_auth("a token of the tests");
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Waits until readiness is what it shall be.
async fn until_ready_is(status: u16, server: &TestServer) -> String {
    let waiting = async {
        loop {
            let (now, text) = readiness(server).await;
            if now == status {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .unwrap()
}

async fn backends(db: &Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    db.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn twenty_overviews_at_once_are_all_answered_and_a_checkin_beside_them() {
    let stage = Stage::set().await;
    let people = stage.people().await;
    let admin = people.iter().find(|person| person.name == "admin").unwrap();
    for _ in 0..3 {
        let pages = join_all((0..20).map(|_| stage.send("GET", "/", admin)));
        let (key, body) = (key(), body("C02A"));
        let checkin = stage.server.checkin(&key, body);
        let (pages, checkin) = tokio::join!(pages, checkin);
        assert_eq!(checkin.0, 200, "{}", checkin.1);
        for (status, _, text) in pages {
            assert_eq!(status, 200, "{text}");
        }
    }
}

#[tokio::test]
async fn one_person_with_forty_connections_leaves_the_others_their_turn() {
    let pool = PoolConfig {
        max_size: 4,
        ..PoolConfig::default()
    };
    let stage = Stage::shaped(with_pool(pool)).await;
    let people = stage.people().await;
    let named = |name: &str| people.iter().find(|person| person.name == name).unwrap();
    let (greedy, other) = (named("so"), named("admin"));
    // Whatever the forty wait for, they hold one connection among them.
    let mut forty = Box::pin(join_all((0..40).map(|_| stage.send("GET", "/", greedy))));
    let others = async {
        let mut answers = Vec::new();
        for path in ["/machines/", "/settings/", "/units/"] {
            answers.push(stage.send("GET", path, other).await.0);
        }
        answers.push(stage.server.checkin(&key(), body("C02A")).await.0);
        answers
    };
    let (forty, others) = tokio::join!(&mut forty, others);
    assert_eq!(others, [200; 4]);
    assert!(forty.iter().all(|(status, ..)| [200, 302].contains(status)));
}

#[tokio::test]
async fn checkins_that_are_hung_up_in_a_lock_leave_no_backend_behind() {
    let pool = PoolConfig {
        max_size: 4,
        session: SessionLimits {
            lock: Duration::ZERO,
            ..SessionLimits::default()
        },
        ..PoolConfig::default()
    };
    let server = seeded(pool).await;
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
    let locker = server.database.connect().await;
    locker
        .batch_execute("BEGIN; SELECT FROM server_machine WHERE serial = 'C02A' FOR UPDATE")
        .await
        .unwrap();
    let eyes = server.database.connect().await;
    for _ in 0..30 {
        let key = key();
        let sent = server.checkin(&key, body("C02A"));
        assert!(
            tokio::time::timeout(Duration::from_millis(30), sent)
                .await
                .is_err()
        );
        // The pool, readiness, and the one that locks.
        assert!(backends(&eyes).await <= 6);
    }
    // Another machine is served although everybody else still waits to be cleared away.
    assert_eq!(server.checkin(&key(), body("C02B")).await.0, 200);
    locker.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
}

#[tokio::test]
async fn a_locked_table_is_busy_with_words_of_its_own_and_what_needs_no_lock_goes_on() {
    let pool = PoolConfig {
        session: SessionLimits {
            lock: Duration::from_millis(100),
            ..SessionLimits::default()
        },
        ..PoolConfig::default()
    };
    let stage = Stage::shaped(with_pool(pool)).await;
    let people = stage.people().await;
    let admin = people.iter().find(|person| person.name == "admin").unwrap();
    let server = &stage.server;
    until_ready_is(200, server).await;
    stage
        .db
        .batch_execute("SET application_name = 'an upgrade'; BEGIN; LOCK TABLE server_machine")
        .await
        .unwrap();
    for serial in ["C02A", "C02B", "C02C", "C02D"] {
        let sent = server
            .http
            .post(server.url("/checkin/"))
            .basic_auth("sal", Some(key()))
            .header("content-type", "application/json")
            .body(body(serial));
        let answer = sent.send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        assert!(answer.text().await.unwrap().contains("busy"));
    }
    assert_eq!(stage.send("GET", "/machines/", admin).await.0, 503);
    for path in ["/livez", "/healthcheck/", "/login/"] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert!(answer.status().as_u16() < 400, "{path}");
    }
    for path in ["/settings/api-keys/", "/settings/users/", "/activity/"] {
        assert_eq!(stage.send("GET", path, admin).await.0, 200, "{path}");
    }
    // Failed check-ins may be told of first, as long as the last look at the database is fresh.
    while !until_ready_is(503, server).await.contains("an upgrade") {
        tokio::task::yield_now().await;
    }
    stage.db.batch_execute("ROLLBACK").await.unwrap();
    until_ready_is(200, server).await;
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_503_and_not_500() {
    let pool = PoolConfig {
        session: SessionLimits {
            lock: Duration::ZERO,
            statement: Duration::from_millis(200),
            ..SessionLimits::default()
        },
        ..PoolConfig::default()
    };
    let server = seeded(pool).await;
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
    let locker = server.database.connect().await;
    locker
        .batch_execute("BEGIN; SELECT FROM server_machine WHERE serial = 'C02A' FOR UPDATE")
        .await
        .unwrap();
    let (status, text) = server.checkin(&key(), body("C02A")).await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("busy"), "{text}");
}

#[tokio::test]
async fn after_a_failover_to_a_standby_checkins_are_503_and_recover_by_themselves() {
    let server = seeded(PoolConfig::default()).await;
    assert_eq!(server.checkin(&key(), body("C02A")).await.0, 200);
    until_ready_is(200, &server).await;
    let db = server.database.connect().await;
    let read_only = |on: &'static str| {
        let sql = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {on}', current_database()); END $$;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        );
        let db = &db;
        async move { db.batch_execute(&sql).await.unwrap() }
    };
    read_only("on").await;
    for serial in ["C02A", "C02NEW", "C02OTHER", "C02MORE"] {
        let (status, text) = server.checkin(&key(), body(serial)).await;
        assert_eq!(status, 503, "{serial}: {text}");
        assert!(text.contains("cannot be reached"), "{text}");
    }
    let why = until_ready_is(503, &server).await;
    assert!(
        why.contains("read-only") || why.contains("requests of machines failed"),
        "{why}"
    );
    // The old sessions of the pool stay read-only for ever: nobody closes them but us.
    db.batch_execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$")
        .await
        .unwrap();
    let recovered = async {
        while server.checkin(&key(), body("C02A")).await.0 != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), recovered)
        .await
        .unwrap();
    until_ready_is(200, &server).await;
}

#[tokio::test]
async fn a_column_of_ours_that_is_gone_costs_no_checkin_and_is_named_at_the_start() {
    let server = seeded(PoolConfig::default()).await;
    let db = server.database.connect().await;
    assert_eq!(sal_store::schema::differences(&db).await.unwrap(), []);
    for drop in [
        "ALTER TABLE salrs_checkin DROP COLUMN digests",
        "ALTER TABLE salrs_journal DROP COLUMN reason",
        "ALTER TABLE salrs_session ALTER COLUMN expires TYPE text",
    ] {
        db.batch_execute(drop).await.unwrap();
        let (status, text) = server.checkin(&key(), body("C02A")).await;
        assert_eq!(status, 200, "{drop}: {text}");
        let found = sal_store::schema::differences(&db).await.unwrap();
        assert!(!found.is_empty(), "{drop}");
        assert!(found.iter().all(|it| it.what.contains("sal db take-back")));
    }
}
