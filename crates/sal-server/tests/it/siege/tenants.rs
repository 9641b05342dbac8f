//! Machines that a key moves, and the journal that strangers could wipe.

use sal_http::HttpConfig;
use sal_http::app::KeyMoves;
use sal_testkit::{Filled, TestServer, golden};
use serde_json::json;

/// The keys of two groups in two units.
fn keys() -> [String; 2] {
    ["key1", "key3"].map(|name| golden::seed_value(name).unwrap().unwrap())
}

async fn check_in(server: &TestServer, serial: &str, key: &str) -> (u16, String) {
    let body =
        json!({"Machine": {"extra_data": {"serial": serial}}, "Sal": {"extra_data": {"key": key}}});
    server.checkin(key, body.to_string()).await
}

async fn text(server: &TestServer, sql: &str) -> String {
    let db = server.database.connect().await;
    let row = db.query_one(sql, &[]).await.unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

const GROUP: &str = "SELECT g.key FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE serial = 'C02A'";
const MOVES: &str = "SELECT string_agg(concat_ws('|', username, action, kind, object_name, detail), E'\\n' ORDER BY id) FROM salrs_audit WHERE action = 'moved'";

async fn with(key_moves: KeyMoves) -> TestServer {
    let config = HttpConfig {
        key_moves,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    let [first, _] = keys();
    assert_eq!(check_in(&server, "C02A", &first).await.0, 200);
    server
}

#[tokio::test]
async fn q141_a_machine_that_a_key_moves_leaves_a_trace_each_time() {
    let server = with(KeyMoves::Any).await;
    let [first, second] = keys();
    // The same submission again is the quick way, and must not be one around the trace.
    for key in [&second, &second, &first] {
        assert_eq!(check_in(&server, "C02A", key).await.0, 200);
        assert_eq!(text(&server, GROUP).await, *key);
    }
    let moves = text(&server, MOVES).await;
    assert_eq!(moves.lines().count(), 2, "{moves}");
    assert!(moves.starts_with("check-in|moved|machine|C02A|"), "{moves}");
    assert!(
        moves.contains(" -> ") && moves.contains("from 127.0.0.1"),
        "{moves}"
    );
    assert!(
        !moves.contains(&first) && !moves.contains(&second),
        "{moves}"
    );
}

#[tokio::test]
async fn q141_where_moves_are_forbidden_the_checkin_is_403_and_nothing_changes() {
    for (moves, rename_unit) in [
        (KeyMoves::Never, false),
        (KeyMoves::Never, true),
        (KeyMoves::SameUnit, false),
    ] {
        let server = with(moves).await;
        let [first, second] = keys();
        if rename_unit {
            into_one_unit(&server).await;
        }
        for _ in 0..2 {
            let (status, said) = check_in(&server, "C02A", &second).await;
            assert_eq!(status, 403, "{moves:?}");
            assert!(said.contains("SAL_KEY_MOVES"), "{said}");
        }
        let report = [
            ("serial", "C02A"),
            ("key", second.as_str()),
            ("broken_client", "True"),
        ];
        let sent = server
            .http
            .post(server.url("/report_broken_client/"))
            .basic_auth("sal", Some(&second))
            .form(&report);
        assert_eq!(sent.send().await.unwrap().status(), 403);
        assert_eq!(text(&server, GROUP).await, first);
        assert_eq!(text(&server, MOVES).await, "");
        // A machine that is new belongs where its key is, and its own key goes on.
        assert_eq!(check_in(&server, "C02NEW", &second).await.0, 200);
        assert_eq!(check_in(&server, "C02A", &first).await.0, 200);
    }
}

#[tokio::test]
async fn q141_within_a_unit_a_key_may_move_where_that_is_allowed() {
    let server = with(KeyMoves::SameUnit).await;
    into_one_unit(&server).await;
    let [_, second] = keys();
    assert_eq!(check_in(&server, "C02A", &second).await.0, 200);
    assert_eq!(text(&server, GROUP).await, second);
}

async fn into_one_unit(server: &TestServer) {
    let db = server.database.connect().await;
    db.batch_execute("UPDATE server_machinegroup SET business_unit_id = (SELECT min(id) FROM server_businessunit)")
        .await
        .unwrap();
}

#[tokio::test]
async fn strangers_cannot_push_out_what_the_fleet_left_in_the_journal() {
    let config = HttpConfig {
        journal_rows: 40,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    let [key, _] = keys();
    for number in 0..20 {
        let body = format!("{{\"Machine\": {number}}}");
        assert_eq!(server.checkin(&key, body).await.0, 400);
        assert_eq!(
            check_in(&server, &format!("C02{number}"), &key).await.0,
            200
        );
    }
    let known = "SELECT count(*)::text FROM salrs_journal WHERE serial LIKE 'C02%'";
    let settled = async {
        while text(&server, known).await != "20" {
            // Events are written by a request that comes a second later.
            check_in(&server, "C020", &key).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), settled)
        .await
        .unwrap();
    // As many strangers as addresses; those of this machine are many.
    let flood = async {
        for number in 0..250 {
            let http = super::at(&format!("127.0.2.{}", number + 1));
            let asked = http.get(server.url("/inventory/hash/C02A/"));
            assert_eq!(asked.send().await.unwrap().status(), 401);
        }
        // The next trim, and not before, takes all but the newest of them.
        let left = "SELECT count(*)::text FROM salrs_journal WHERE NOT has_key";
        while text(&server, left).await != "10" {
            let asked = server.http.get(server.url("/inventory/hash/C02A/"));
            assert_eq!(asked.send().await.unwrap().status(), 401);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), flood)
        .await
        .unwrap();
    assert_eq!(text(&server, known).await, "20");
}
