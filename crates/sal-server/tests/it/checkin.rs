//! `/checkin/` beyond the recordings: races, outages, limits, and what stays as it is.

use sal_testkit::{Filled, TestServer, golden};
use serde_json::json;

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

fn body(serial: &str, rest: &serde_json::Value) -> String {
    let mut body = json!({"Machine": {"extra_data": {"serial": serial}}, "Sal": {"extra_data": {"key": key()}}});
    body.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    body.to_string()
}

async fn count(server: &TestServer, sql: &str) -> i64 {
    server
        .database
        .connect()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn q001_an_item_that_returns_to_an_old_date_never_fails_again() {
    let server = TestServer::start(Filled::Seeded).await;
    let item = |status: &str, date: &str| json!({"Munki": {"managed_items": {"Firefox": {"status": status, "date_managed": date}}}});
    for (status, date) in [
        ("PRESENT", "2025-01-01"),
        ("PENDING", "2025-02-01"),
        ("PRESENT", "2025-01-01"),
        ("PRESENT", "2025-01-01"),
    ] {
        let (code, text) = server
            .checkin(&key(), body("C02A", &item(status, date)))
            .await;
        assert_eq!(
            (code, text.as_str()),
            (200, "Sal report submitted for C02A")
        );
    }
    assert_eq!(
        count(&server, "SELECT count(*) FROM server_manageditemhistory").await,
        2
    );
    assert_eq!(
        count(
            &server,
            "SELECT count(*) FROM server_manageditem WHERE status = 'PRESENT'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_second_equal_checkin_leaves_every_row_but_the_machines_in_place() {
    let server = TestServer::start(Filled::Seeded).await;
    let rest = json!({
        "Munki": {"facts": {"a": 1, "b": [true]}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01"}},
                  "messages": [{"message_type": "ERROR", "text": "t", "date": "2025-01-01T00:00:00Z"}]},
        "plugin_results": [{"plugin": "P", "data": {"k": "v"}}],
    });
    let places = "SELECT string_agg(t.ctid::text, ' ' ORDER BY t.ctid) FROM (
        SELECT ctid FROM server_fact UNION ALL SELECT ctid FROM server_manageditem
        UNION ALL SELECT ctid FROM server_manageditemhistory UNION ALL SELECT ctid FROM server_message
        UNION ALL SELECT ctid FROM server_pluginscriptrow) t";
    let mut seen = Vec::new();
    for _ in 0..2 {
        assert_eq!(server.checkin(&key(), body("C02A", &rest)).await.0, 200);
        let text: String = server
            .database
            .connect()
            .await
            .query_one(places, &[])
            .await
            .unwrap()
            .get(0);
        seen.push(text);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn fifty_first_checkins_of_ten_new_machines_make_ten_machines() {
    let server = TestServer::start(Filled::Seeded).await;
    let rest = json!({"New Source": {"facts": {"a": 1}}, "Another": {"managed_items": {"x": {}}}, "plugin_results": [{"plugin": "P", "data": {"k": 1}}]});
    let all = (0..50).map(|n| {
        let (server, rest) = (&server, rest.clone());
        async move {
            server
                .checkin(&key(), body(&format!("C02{}", n % 10), &rest))
                .await
        }
    });
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|(code, _)| *code == 200), "{answers:?}");
    assert_eq!(
        count(&server, "SELECT count(*) FROM server_machine").await,
        10
    );
    assert_eq!(count(&server, "SELECT count(*) FROM server_fact").await, 10);
    assert_eq!(
        count(&server, "SELECT count(*) FROM server_manageditem").await,
        10
    );
    assert_eq!(
        count(
            &server,
            "SELECT count(*) FROM server_pluginscriptsubmission"
        )
        .await,
        10
    );
}

#[tokio::test]
async fn q008_a_checkin_that_cannot_be_stored_leaves_everything_as_it_was() {
    let server = TestServer::start(Filled::Seeded).await;
    assert_eq!(
        server
            .checkin(&key(), body("C02A", &json!({"S": {"facts": {"a": 1}}})))
            .await
            .0,
        200
    );
    let db = server.database.connect().await;
    db.batch_execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON server_message FOR EACH ROW EXECUTE FUNCTION refuse();",
    )
    .await
    .unwrap();
    let bad =
        json!({"S": {"facts": {"a": 2}, "messages": [{"message_type": "ERROR", "text": "t"}]}});
    assert_eq!(server.checkin(&key(), body("C02A", &bad)).await.0, 500);
    assert_eq!(
        count(
            &server,
            "SELECT count(*) FROM server_fact WHERE fact_data = '1'"
        )
        .await,
        1
    );
    db.batch_execute("DROP TRIGGER refuse ON server_message")
        .await
        .unwrap();
    assert_eq!(server.checkin(&key(), body("C02A", &bad)).await.0, 200);
    assert_eq!(
        count(
            &server,
            "SELECT count(*) FROM server_fact WHERE fact_data = '2'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let server = TestServer::start(Filled::Seeded).await;
    assert_eq!(
        server.checkin(&key(), body("C02A", &json!({}))).await.0,
        200
    );
    let db = server.database.connect().await;
    db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", &[])
        .await
        .unwrap();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(server.checkin(&key(), body("C02A", &json!({}))).await.0);
    }
    assert_eq!(codes.last(), Some(&200), "{codes:?}");
    assert!(
        codes.iter().all(|code| [200, 503].contains(code)),
        "{codes:?}"
    );
}

#[tokio::test]
async fn hostile_bodies_get_4xx_or_are_stored_and_never_5xx() {
    let server = TestServer::start(Filled::Seeded).await;
    let hostile = [
        "<script>alert(1)</script>",
        "'; DROP TABLE server_machine; --",
        "\u{202e}rtl\u{200b}",
        "\u{0}nul",
        "%s %d {}",
        "\u{ffff}",
        "\\ud800",
    ];
    for text in hostile {
        let rest = json!({text: {"facts": {text: text}, "managed_items": {text: {"status": text, "data": {text: text}, "date_managed": text}}, "messages": [{"text": text, "message_type": text, "date": text}]}, "plugin_results": [{"plugin": text, "data": {text: [text]}}]});
        let (code, answer) = server
            .checkin(&key(), body(&format!("S-{text}"), &rest))
            .await;
        assert!(code < 500, "{text:?}: {code} {answer}");
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(server.checkin(&key(), deep).await.0, 400);
    let many: String = (0..50_000).map(|n| format!("\"k{n}\": {n},")).collect();
    let wide = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "WIDE"}}, "facts": {{{many} "z": 1}}}}, "Sal": {{"extra_data": {{"key": "{}"}}}}}}"#,
        key()
    );
    assert_eq!(server.checkin(&key(), wide).await.0, 200);
    assert_eq!(count(&server, "SELECT count(*) FROM server_fact f JOIN server_machine m ON m.id = f.machine_id WHERE serial = 'WIDE'").await, 50_001);
    assert_eq!(
        count(
            &server,
            "SELECT count(*) FROM server_machine WHERE serial LIKE '%DROP TABLE%'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_key_that_was_taken_away_lets_nobody_in_although_it_was_right_a_moment_ago() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let rename = "UPDATE server_machinegroup SET key = $2 WHERE key = $1";
    let keyless = r#"{"Machine": {"extra_data": {"serial": "C02A"}}, "Sal": {"extra_data": {}}}"#;
    for late in [
        body("C02A", &json!({})),
        "{not json".to_owned(),
        keyless.to_owned(),
    ] {
        assert_eq!(
            server.checkin(&key(), body("C02A", &json!({}))).await.0,
            200
        );
        db.execute(rename, &[&key(), &"another"]).await.unwrap();
        assert_eq!(server.checkin(&key(), late).await.0, 401);
        db.execute(rename, &[&"another", &key()]).await.unwrap();
    }
}

/// Waits until a statement of this database waits for a lock.
async fn until_somebody_waits(db: &tokio_postgres::Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let waiting: i64 = db.query_one(waiting, &[]).await.unwrap().get(0);
        if waiting > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// All that the machine has, in one line.
const EVERYTHING: &str = "SELECT concat_ws(' ',
    (SELECT string_agg(fact_name || '=' || fact_data, ' ' ORDER BY fact_name) FROM server_fact),
    (SELECT string_agg(name || '=' || status, ' ' ORDER BY name) FROM server_manageditem),
    (SELECT string_agg(pluginscript_name || '=' || pluginscript_data, ' ' ORDER BY pluginscript_name) FROM server_pluginscriptrow))";

#[tokio::test]
async fn a_checkin_that_waited_for_another_sees_what_the_other_wrote() {
    let server = TestServer::start(Filled::Seeded).await;
    let rest = |b: u8| json!({"S": {"facts": {"a": 1, "b": b}}, "T": {"facts": {"t": 1}}});
    assert_eq!(server.checkin(&key(), body("C02A", &rest(1))).await.0, 200);
    let db = server.database.connect().await;
    // What the late one reads before it waits says that `a` is as it sends it, that there is no `c`, and that nothing of
    // source T has to be read.
    let other = "BEGIN; UPDATE server_machine SET last_checkin = now(), hostname = 'other';
        UPDATE server_fact SET fact_data = '9' WHERE fact_name IN ('a', 't');
        INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
        SELECT machine_id, management_source_id, 'c', '9' FROM server_fact WHERE fact_name = 'a'";
    for (end, b) in [("COMMIT", 2), ("ROLLBACK", 3)] {
        db.batch_execute(other).await.unwrap();
        let asking = server.database.connect().await;
        let key = key();
        let late = server.checkin(&key, body("C02A", &rest(b)));
        let ending = async {
            until_somebody_waits(&asking).await;
            db.batch_execute(end).await.unwrap();
        };
        let ((code, text), ()) = tokio::join!(late, ending);
        assert_eq!(code, 200, "{text}");
        let there: String = asking.query_one(EVERYTHING, &[]).await.unwrap().get(0);
        assert_eq!(there, format!("a=1 b={b} t=1"), "after {end}");
    }
}

#[tokio::test]
async fn of_two_checkins_of_one_machine_at_a_time_one_is_there_as_a_whole() {
    let server = TestServer::start(Filled::Seeded).await;
    let rest = |word: &str, status: &str| {
        json!({
            "S": {"facts": {"a": word, "b": word}, "managed_items": {"x": {"status": status}, "y": {"status": status}}},
            "plugin_results": [{"plugin": "P", "data": {"k": word, "l": word}}],
        })
    };
    let (db, key) = (server.database.connect().await, key());
    for round in 0..20 {
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        let (first, second) = tokio::join!(
            server.checkin(&key, body("C02A", &rest(&one, "PRESENT"))),
            server.checkin(&key, body("C02A", &rest(&two, "PENDING"))),
        );
        assert_eq!((first.0, second.0), (200, 200), "{first:?} {second:?}");
        let there: String = db.query_one(EVERYTHING, &[]).await.unwrap().get(0);
        let whole = |word: &str, status: &str| {
            format!("a={word} b={word} x={status} y={status} k={word} l={word}")
        };
        assert!(
            there == whole(&one, "PRESENT") || there == whole(&two, "PENDING"),
            "{there}"
        );
    }
}
