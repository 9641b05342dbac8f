//! Changes to many machines at once.

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer};
use serde_json::{Value, json};

use super::tokens::{Bearer, WRITES, number, token};
use super::units::OWN;
use super::{Answer, Program, machines};
use crate::access::FURNITURE;

async fn bulk(program: &Program<'_>, body: Value) -> Answer {
    program
        .send(Method::POST, "/api/v2/machines/bulk/", Some(body))
        .await
}

/// How many are in the group with this id, how many are deployed, and how many there are.
async fn fleet(group: i64, server: &TestServer) -> (i64, i64, i64) {
    let db = server.database.connect().await;
    let count = async |of: &str| {
        number(
            &format!("SELECT count(*) FILTER (WHERE {of}) FROM server_machine"),
            &db,
        )
        .await
    };
    (
        count(&format!("machine_group_id = {group}")).await,
        count("deployed").await,
        count("true").await,
    )
}

#[tokio::test]
async fn many_machines_are_moved_marked_and_deleted_in_one_request() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(10, &server).await;
    let db = server.database.connect().await;
    let group = number("SELECT max(id)::bigint FROM server_machinegroup", &db).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let moved = json!({"action": "move", "machine_group": group, "serials": ["SER0001", "nope", "SER0002"]});
    let mut dry = moved.clone();
    dry["dry_run"] = json!(true);
    let would = bulk(&program, dry).await;
    assert_eq!(
        (would.status, fleet(group, &server).await),
        (StatusCode::OK, (0, 5, 10))
    );
    let did = bulk(&program, moved.clone()).await;
    assert_eq!(fleet(group, &server).await, (2, 5, 10));
    assert_eq!(
        (&did.body["changed"], &did.body["dry_run"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(
        did.body["results"], would.body["results"],
        "a dry run says what is done then"
    );
    let outcomes: Vec<&Value> = did.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["outcome"])
        .collect();
    assert_eq!(outcomes, ["moved", "not found", "moved"]);
    let again = bulk(&program, moved).await;
    assert_eq!(again.body["results"][0]["outcome"], "unchanged");
}

#[tokio::test]
async fn filters_and_serial_numbers_name_the_machines_and_a_line_of_the_audit_log_too() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(10, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    for (body, changed, after) in [
        (
            json!({"action": "undeploy", "filter": "deployed = yes"}),
            5,
            (0, 0, 10),
        ),
        (
            json!({"action": "deploy", "filter": "serial = SER0001", "expected": 1}),
            1,
            (0, 1, 10),
        ),
        (
            json!({"action": "delete", "filter": "serial contains \"SER000\"", "dry_run": true}),
            9,
            (0, 1, 10),
        ),
        (
            json!({"action": "delete", "serials": ["SER0001", "SER0003"]}),
            2,
            (0, 0, 8),
        ),
    ] {
        let answer = bulk(&program, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {}", answer.body);
        assert_eq!(
            answer.body["changed"],
            json!(changed),
            "{body}: {}",
            answer.body
        );
        assert_eq!(fleet(0, &server).await, after, "{body}");
    }
    let db = server.database.connect().await;
    let lines = "SELECT count(*) FROM salrs_audit WHERE action || ': ' || detail IN (
        'removed: SER0001, SER0003', 'marked as not deployed: SER0002, SER0004, SER0006, SER0008, SER0010')";
    assert_eq!(number(lines, &db).await, 2);
    assert_eq!(number("SELECT count(*) FROM salrs_audit", &db).await, 3);
}

#[tokio::test]
async fn what_is_not_meant_changes_nothing() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(4, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let before = fleet(0, &server).await;
    for (body, field) in [
        (
            json!({"action": "delete", "filter": "serial is set", "expected": 3}),
            "expected",
        ),
        (
            json!({"action": "delete", "filter": "os_versoin = 1"}),
            "filter",
        ),
        (
            json!({"action": "move", "machine_group": 99999, "serials": ["SER0001"]}),
            "machine_group",
        ),
        (json!({"action": "delete", "serial": "SER0001"}), "serial"),
        (
            json!({"action": "delete", "ids": [99_999_999_999_999_999_999_999_u128]}),
            "ids",
        ),
    ] {
        let answer = bulk(&program, body.clone()).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{body}: {}",
            answer.body
        );
        assert!(answer.body[field][0].is_string(), "{body}: {}", answer.body);
    }
    let reads = Program {
        server: &server,
        keys: Some("ro"),
    };
    let answer = bulk(&reads, json!({"action": "delete", "serials": ["SER0001"]})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(fleet(0, &server).await, before);
    assert_eq!(
        program.get("/api/v2/machines/bulk/").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn more_than_a_thousand_are_refused_before_they_are_locked() {
    let server = TestServer::start(Filled::Seeded).await;
    machines(1_001, &server).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let refused = bulk(
        &program,
        json!({"action": "delete", "filter": "serial is set"}),
    )
    .await;
    let words = "It finds 1001 machines; at most 1000 are changed at once. Nothing was changed.";
    assert_eq!(
        (refused.status, &refused.body["filter"][0]),
        (StatusCode::BAD_REQUEST, &json!(words))
    );
    let most = json!({"action": "delete", "filter": "serial is set and not serial = SER0001", "expected": 1000});
    let done = bulk(&program, most).await;
    assert_eq!(
        (&done.body["changed"], fleet(0, &server).await),
        (&json!(1000), (0, 0, 1))
    );
}

#[tokio::test]
async fn a_token_for_a_unit_changes_many_of_its_own_only() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secret = token("own", &[OWN, WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let others = "SELECT machine_group_id::bigint FROM server_machine WHERE serial = 'SECRET1'";
    let others = number(others, &db).await;
    let moved = json!({"action": "move", "machine_group": others, "serials": ["OWN1"]});
    let moved = program
        .send(Method::POST, "/api/v2/machines/bulk/", Some(moved))
        .await;
    assert_eq!(moved.status, StatusCode::BAD_REQUEST, "{}", moved.body);
    let id = number(
        "SELECT id FROM server_machine WHERE serial = 'SECRET1'",
        &db,
    )
    .await;
    for (name, which) in [
        ("serials", json!(["OWN1", "SECRET1"])),
        ("ids", json!([id])),
        ("filter", json!("serial is set")),
    ] {
        let mut body = json!({"action": "delete", "dry_run": name == "filter"});
        body[name] = which;
        let answer = program
            .send(Method::POST, "/api/v2/machines/bulk/", Some(body))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
        let secret = "SELECT count(*) FROM server_machine WHERE serial = 'SECRET1'";
        assert_eq!(number(secret, &db).await, 1, "{name}");
    }
    assert_eq!(
        number(
            "SELECT count(*) FROM server_machine WHERE serial = 'OWN1'",
            &db
        )
        .await,
        0
    );
}
