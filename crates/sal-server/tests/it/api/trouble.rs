//! What programs are told when the database has trouble, and what their requests hold meanwhile.

use std::time::Duration;

use axum::body::Body;
use reqwest::{Method, StatusCode};
use sal_store::pool::{PoolConfig, SessionLimits};
use sal_testkit::{Database, Filled, Shape, TestServer};
use serde_json::json;
use tokio_postgres::Client;

use super::{Program, tokens::number};

fn writer(server: &TestServer) -> Program<'_> {
    Program {
        server,
        keys: Some("rw"),
    }
}

/// Asks until somebody waits for a lock.
async fn until_one_waits(db: &Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let asked = async { while number(waiting, db).await == 0 {} };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_that_may_succeed_soon_is_answered_503_with_when_to_come_back() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    for (state, status) in [
        ("40P01", 503),
        ("40001", 503),
        ("55P03", 503),
        ("53300", 503),
        ("57014", 503),
        ("57P01", 503),
        ("25006", 503),
        ("22012", 500),
    ] {
        db.batch_execute(&format!(
            "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$;
             CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON server_businessunit EXECUTE FUNCTION fail()"
        ))
        .await
        .unwrap();
        let unit = json!({"name": "Once"});
        let answer = writer(&server)
            .send(Method::POST, "/api/v2/business_units/", Some(unit))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{state}: {}", answer.body);
        let retries = answer.headers.get("retry-after");
        assert_eq!(retries.is_some(), status == 503, "{state}");
        assert!(answer.body["detail"].is_string(), "{state}");
    }
}

/// Two who want what the other has: Postgres ends the one that waits longest.
#[tokio::test]
async fn a_deadlock_is_no_fault_of_the_program() {
    let server = TestServer::start(Filled::Seeded).await;
    let (db, other) = tokio::join!(server.database.connect(), server.database.connect());
    super::machines(1, &server).await;
    db.batch_execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock(40); RETURN NULL; END $$;
         CREATE TRIGGER wait AFTER UPDATE ON server_machine FOR EACH ROW EXECUTE FUNCTION wait();",
    )
    .await
    .unwrap();
    db.batch_execute("SET deadlock_timeout = '1min'; BEGIN; SELECT pg_advisory_xact_lock(40)")
        .await
        .unwrap();
    let ours = async {
        let change = json!({"hostname": "x"});
        writer(&server)
            .send(Method::PATCH, "/api/v2/machines/SER0001/", Some(change))
            .await
    };
    let theirs = async {
        until_one_waits(&other).await;
        db.batch_execute("UPDATE server_machine SET hostname = 'y'; COMMIT")
            .await
    };
    let (answer, theirs) = tokio::join!(ours, theirs);
    theirs.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_body_takes_its_part_of_the_memory_until_it_is_answered() {
    const LENGTH: usize = 100 * 1024;
    let mut shape = Shape {
        pool: PoolConfig {
            session: SessionLimits {
                lock: Duration::from_secs(60),
                ..SessionLimits::default()
            },
            ..PoolConfig::default()
        },
        ..Shape::default()
    };
    // Room for one body of more than 64 KiB in each of its shares.
    shape.http.memory_bytes = 1024 * 1024;
    let server = TestServer::shaped(Database::new(Filled::Seeded).await, shape);
    let db = server.database.connect().await;
    db.batch_execute("BEGIN; LOCK TABLE server_businessunit IN EXCLUSIVE MODE")
        .await
        .unwrap();
    let unit = json!({"name": "Large", "ignored": "x".repeat(LENGTH)});
    let program = writer(&server);
    let change = program.send(Method::POST, "/api/v2/business_units/", Some(unit));
    // Whether its length is known or not.
    let another = async || {
        let chunk = Ok::<_, std::io::Error>(vec![0_u8; LENGTH]);
        let streamed = Body::from_stream(futures_util::stream::iter([chunk]));
        for body in [Body::from(vec![0; LENGTH]), streamed] {
            server.app.memory().read(body, LENGTH).await?;
        }
        Ok::<_, sal_http::AppError>(())
    };
    let beside = async {
        let other = server.database.connect().await;
        until_one_waits(&other).await;
        let read = tokio::time::timeout(Duration::from_millis(300), another()).await;
        assert!(read.is_err(), "its part was free while it was worked on");
        db.batch_execute("COMMIT").await.unwrap();
    };
    let (answer, ()) = tokio::join!(change, beside);
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert!(another().await.is_ok());
}
