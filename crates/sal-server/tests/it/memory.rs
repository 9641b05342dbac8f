//! What the server remembers of a machine's last check-in saves work, and never changes what the tables hold.
#![expect(clippy::indexing_slicing, reason = "tests")]

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

fn body(rest: &Value) -> String {
    let mut body = json!({"Machine": {"extra_data": {"serial": "C02A"}}, "Sal": {"extra_data": {"key": key()}}});
    body.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    body.to_string()
}

async fn submit(server: &TestServer, at: Timestamp, rest: &Value) {
    server.set_clock(at);
    let (code, text) = server.checkin(&key(), body(rest)).await;
    assert_eq!(code, 200, "{text}");
}

/// One text from the database.
async fn ask(server: &TestServer, sql: &str) -> String {
    let db = server.database.connect().await;
    db.query_one(sql, &[])
        .await
        .unwrap()
        .get::<_, Option<String>>(0)
        .unwrap_or_default()
}

async fn run(server: &TestServer, sql: &str) {
    server
        .database
        .connect()
        .await
        .batch_execute(sql)
        .await
        .unwrap();
}

fn start() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn hours(count: i64) -> Timestamp {
    start() + SignedDuration::from_hours(count)
}

/// A bit of everything. The messages have no date of their own, as Munki's have none.
fn usual() -> Value {
    json!({
        "Munki": {"facts": {"a": 1, "b": 2}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01"}},
                  "messages": [{"message_type": "ERROR", "text": "t"}]},
        "plugin_results": [{"plugin": "P", "data": {"k": "v"}}],
    })
}

const TIMES: &str = "SELECT string_agg((at AT TIME ZONE 'UTC')::text, ' ') FROM (
    SELECT last_checkin AS at FROM server_machine UNION ALL SELECT date FROM server_message
    UNION ALL SELECT recorded FROM server_pluginscriptsubmission UNION ALL SELECT last_checkin FROM salrs_checkin) times";
const FACTS: &str = "SELECT string_agg(fact_name || fact_data, ' ' ORDER BY fact_name) FROM server_fact WHERE fact_name < 'c'";

#[tokio::test]
async fn what_came_again_is_not_compared_and_still_gets_its_times() {
    let server = TestServer::start(Filled::Seeded).await;
    submit(&server, hours(0), &usual()).await;
    submit(&server, hours(1), &usual()).await;
    let later = "2026-01-02 04:04:05";
    assert_eq!(ask(&server, TIMES).await, [later; 4].join(" "));
    let compared = ask(
        &server,
        "SELECT (compared AT TIME ZONE 'UTC')::text FROM salrs_checkin",
    )
    .await;
    assert_eq!(compared, "2026-01-02 03:04:05");
}

#[tokio::test]
async fn after_a_checkin_through_a_django_sal_everything_is_compared() {
    let server = TestServer::start(Filled::Seeded).await;
    submit(&server, hours(0), &usual()).await;
    run(&server, "DELETE FROM server_fact; UPDATE server_machine SET last_checkin = now() WHERE serial = 'C02A'").await;
    submit(&server, hours(1), &usual()).await;
    assert_eq!(ask(&server, FACTS).await, "a1 b2");
}

#[tokio::test]
async fn q012_rows_that_somebody_changed_by_hand_are_put_right_within_a_day() {
    let server = TestServer::start(Filled::Seeded).await;
    submit(&server, hours(0), &usual()).await;
    run(&server, "UPDATE server_fact SET fact_data = 'x' WHERE fact_name = 'a'; DELETE FROM server_manageditemhistory").await;
    submit(&server, hours(23), &usual()).await;
    assert_eq!(ask(&server, FACTS).await, "ax b2");
    submit(&server, hours(25), &usual()).await;
    assert_eq!(ask(&server, FACTS).await, "a1 b2");
    assert_eq!(
        ask(
            &server,
            "SELECT count(*)::text FROM server_manageditemhistory"
        )
        .await,
        "1"
    );
}

#[tokio::test]
async fn a_damaged_memory_or_none_costs_time_and_nothing_else() {
    let server = TestServer::start(Filled::Seeded).await;
    submit(&server, hours(0), &usual()).await;
    for damage in [
        "UPDATE salrs_checkin SET digests = 'abc'",
        "DELETE FROM salrs_checkin",
        "DROP TABLE salrs_checkin",
    ] {
        run(&server, "UPDATE server_fact SET fact_data = 'x'").await;
        run(&server, damage).await;
        submit(&server, hours(1), &usual()).await;
        assert_eq!(ask(&server, FACTS).await, "a1 b2", "{damage}");
    }
}

/// The same two hundred submissions to a server with its memory and to one without must leave the same rows.
#[tokio::test]
async fn with_and_without_memory_the_tables_end_alike() {
    let (with, without) = tokio::join!(
        TestServer::start(Filled::Seeded),
        TestServer::start(Filled::Seeded)
    );
    run(&without, "DROP TABLE salrs_checkin").await;
    let mut rng = StdRng::seed_from_u64(7);
    let mut submission = usual();
    for turn in 0..200 {
        // Often the same again, sometimes with only a part changed, sometimes all new.
        match rng.random_range(0..10) {
            0..4 => {}
            4 => submission = random_submission(turn, &mut rng),
            5 => submission["plugin_results"] = random_scripts(&mut rng),
            _ => submission["Munki"] = random_section(turn, &mut rng),
        }
        let at = start() + SignedDuration::from_mins(turn * 7);
        tokio::join!(
            submit(&with, at, &submission),
            submit(&without, at, &submission)
        );
        if turn % 10 == 9 {
            let (ours, theirs) = tokio::join!(ask(&with, CONTENT), ask(&without, CONTENT));
            assert_eq!(ours, theirs, "after turn {turn}: {submission:#}");
        }
    }
    let repeated = ask(
        &with,
        "SELECT (compared < last_checkin)::text FROM salrs_checkin",
    )
    .await;
    assert_eq!(repeated, "true", "the memory was used");
}

fn random_submission(turn: i64, rng: &mut StdRng) -> Value {
    let mut body =
        json!({"plugin_results": random_scripts(rng), "Munki": random_section(turn, rng)});
    if rng.random_bool(0.5) {
        body["Puppet"] = random_section(turn, rng);
    }
    body
}

fn random_section(turn: i64, rng: &mut StdRng) -> Value {
    let mut section = json!({"facts": {}, "managed_items": {}, "messages": []});
    for name in ["a", "b", "c", "d"] {
        if rng.random_bool(0.6) {
            section["facts"][name] = json!(rng.random_range(0..3));
        }
        if rng.random_bool(0.6) {
            let status = ["PRESENT", "PENDING", "ABSENT"][rng.random_range(0..3)];
            section["managed_items"][name] =
                json!({"status": status, "data": {"v": rng.random_range(0..2)}});
            if rng.random_bool(0.8) {
                section["managed_items"][name]["date_managed"] =
                    json!((start() + SignedDuration::from_mins(turn * 7)).to_string());
            }
        }
    }
    for _ in 0..rng.random_range(0..3) {
        let mut message =
            json!({"message_type": "ERROR", "text": format!("t{}", rng.random_range(0..2))});
        if rng.random_bool(0.3) {
            message["date"] = json!("2025-01-01T00:00:00Z");
        }
        section["messages"].as_array_mut().unwrap().push(message);
    }
    section
}

fn random_scripts(rng: &mut StdRng) -> Value {
    let mut results = Vec::new();
    for plugin in ["P", "Q"] {
        if rng.random_bool(0.7) {
            let historical = plugin == "Q" && rng.random_bool(0.3);
            results.push(json!({"plugin": plugin, "historical": historical, "data": {"k": rng.random_range(0..3), "l": 1}}));
        }
    }
    json!(results)
}

const CONTENT: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT concat_ws('|', 'fact', s.name, fact_name, fact_data) AS line FROM server_fact f JOIN server_managementsource s ON s.id = f.management_source_id
    UNION ALL SELECT concat_ws('|', 'item', s.name, i.name, status, date_managed, data) FROM server_manageditem i JOIN server_managementsource s ON s.id = i.management_source_id
    UNION ALL SELECT concat_ws('|', 'line', s.name, h.name, status, recorded) FROM server_manageditemhistory h JOIN server_managementsource s ON s.id = h.management_source_id
    UNION ALL SELECT concat_ws('|', 'message', s.name, message_type, text, date) FROM server_message t JOIN server_managementsource s ON s.id = t.management_source_id
    UNION ALL SELECT concat_ws('|', 'script', plugin, historical, recorded, pluginscript_name, pluginscript_data) FROM server_pluginscriptsubmission p
        LEFT JOIN server_pluginscriptrow r ON r.submission_id = p.id
    UNION ALL SELECT concat_ws('|', 'machine', serial, last_checkin, hostname, munki_version, machine_group_id, deployed) FROM server_machine) all_rows";
