//! What the tools answer, and what a token for some units sees by them.

use jiff::Timestamp;
use sal_testkit::TestServer;
use serde_json::{Value, json};

use super::{Assistant, open};
use crate::access::FURNITURE;
use crate::api::units::OWN;

fn serials(found: &Value) -> Vec<&str> {
    let rows = found["machines"].as_array().unwrap().iter();
    rows.map(|row| row["serial"].as_str().unwrap()).collect()
}

const JOURNAL: &str = "INSERT INTO salrs_journal (fingerprint, serial, route, outcome, reason, address, client, times, first_at, last_at,
        body_bytes, milliseconds, has_key)
    SELECT substring(sha256(serial::bytea) FOR 16), serial, '/checkin/', 'refused', 'no valid machine group key', '192.0.2.7', 'Sal/4', 3,
        now() - interval '2 hours', now() + interval '1 minute', 10, 1, false
    FROM unnest(ARRAY['OWN1', 'SECRET1', 'SECRET-STRANGER']) AS new (serial)";

#[tokio::test]
async fn a_token_for_a_unit_sees_nothing_of_another_by_any_tool() {
    let server = open().await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    db.batch_execute(JOURNAL).await.unwrap();
    let own = Assistant::new(&[OWN], &server, &db).await;
    let all = Assistant::new(&[], &server, &db).await;
    let columns = ["serial", "hostname", "fact \"Munki/a\""];
    let everything = json!({ "columns": columns, "sort": "serial" });
    let (part, whole) = (
        own.call("search_machines", everything.clone()).await,
        all.call("search_machines", everything).await,
    );
    assert_eq!((serials(&part), &part["total"]), (vec!["OWN1"], &json!(1)));
    assert_eq!(serials(&whole), ["OWN1", "SECRET1"]);
    assert_eq!(part["machines"][0]["fact \"Munki/a\""], "OWN1");
    for (by, count) in [
        ("serial", 1),
        ("unit", 1),
        ("fact \"Munki/a\"", 1),
        ("last_checkin", 1),
    ] {
        let counted = own.call("count_machines", json!({ "by": by })).await;
        assert_eq!(counted["machines"], count, "{by}");
        assert!(!counted.to_string().contains("SECRET"), "{counted}");
        let counted = all.call("count_machines", json!({ "by": by })).await;
        assert_eq!(counted["machines"], 2, "{by}");
    }
    let none = own
        .call("count_machines", json!({ "filter": "hostname ~ SECRET" }))
        .await;
    assert_eq!(none["machines"], 0);
    for tool in ["get_machine", "what_changed", "explain_checkin"] {
        let _mine = own.call(tool, json!({ "serial": "own1" })).await;
        let _seen = all.call(tool, json!({ "serial": "SECRET1" })).await;
        let refused = own.refused(tool, json!({ "serial": "SECRET1" })).await;
        let never = own.refused(tool, json!({ "serial": "NEVER77" })).await;
        assert_eq!(refused.replace("SECRET1", "NEVER77"), never, "{tool}");
    }
    // Strangers are in no unit; whoever sees all units may know of them.
    let _refused = own
        .refused("explain_checkin", json!({ "serial": "SECRET-STRANGER" }))
        .await;
    let stranger = all
        .call("explain_checkin", json!({ "serial": "secret-stranger" }))
        .await;
    assert_eq!(stranger["last_checkin"], Value::Null);
    assert_eq!(stranger["events"][0]["times"], 3);
    let named = own
        .refused(
            "search_machines",
            json!({ "filter": "search = \"SECRET-search\"" }),
        )
        .await;
    assert!(named.contains("no saved search"), "{named}");
}

const TROUBLE: &str = "
    INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
        SELECT m.id, s.id, 'fact ' || n, repeat('x', 3000) FROM server_machine m, server_managementsource s, generate_series(1, 150) n
        WHERE s.name = 'Munki' AND m.serial = 'OWN1';
    INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
        SELECT gen_random_uuid(), 'Broken', m.id, s.id, now(), 'ERROR' FROM server_machine m, server_managementsource s
        WHERE s.name = 'Munki' AND m.serial = 'OWN1';
    INSERT INTO server_message (machine_id, text, date, message_type)
        SELECT id, 'The disk is full', now(), 'ERROR' FROM server_machine WHERE serial = 'OWN1';
    INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
        SELECT gen_random_uuid(), machine_id, management_source_id, name, status, now() - n * interval '1 day'
        FROM server_manageditem, generate_series(1, 5) n WHERE name = 'Broken'";

async fn in_trouble() -> TestServer {
    let server = open().await;
    let db = server.database.connect().await;
    for rows in [FURNITURE, JOURNAL, TROUBLE] {
        db.batch_execute(rows).await.unwrap();
    }
    server
}

#[tokio::test]
async fn a_machine_is_shown_with_what_is_wrong_first_and_without_group_keys() {
    let server = in_trouble().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[("sees_keys", "true")], &server, &db).await;
    let shown = assistant
        .call("get_machine", json!({ "serial": "OWN1" }))
        .await;
    assert_eq!(shown["machine"]["unit"], "Acme IT");
    assert_eq!(
        (&shown["pending"], &shown["failed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shown["managed_items"][0]["name"], "Broken");
    assert_eq!(shown["messages"][0]["text"], "The disk is full");
    let facts = shown["facts"].as_array().unwrap().len();
    assert!((20..100).contains(&facts), "{facts}");
    let note = shown["notes"][0].as_str().unwrap();
    let begin = format!("facts: {} of 151 are left out.", 151 - facts);
    assert!(note.starts_with(&begin), "{note}");
    let one = json!({ "serial": "OWN1", "facts": "FACT 150" });
    let one = assistant.call("get_machine", one).await;
    assert_eq!(one["facts"].as_array().unwrap().len(), 1);
    assert_eq!(one["notes"], json!([]));
    let columns = json!({ "columns": ["serial", "group", "group_id"] });
    let searched = assistant.call("search_machines", columns).await;
    let keys = "SELECT key FROM server_machinegroup WHERE key IS NOT NULL";
    let keys = db.query(keys, &[]).await.unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let key: String = key.get(0);
        assert!(!shown.to_string().contains(&key) && !searched.to_string().contains(&key));
    }
}

#[tokio::test]
async fn checkins_are_explained_and_changes_are_listed() {
    let server = in_trouble().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let own = json!({ "serial": "OWN1" });
    let explained = assistant.call("explain_checkin", own).await;
    let summary = explained["summary"].as_str().unwrap();
    let why = "was refused: no valid machine group key.";
    assert!(summary.contains(why), "{summary}");
    assert_eq!(explained["events"][0]["address"], "192.0.2.7");
    let count = async |since: &str| {
        let arguments = json!({ "serial": "OWN1", "since": since, "kind": "items" });
        let changed = assistant.call("what_changed", arguments).await;
        changed["events"].as_array().unwrap().len()
    };
    assert_eq!((count("60h").await, count("60d").await), (2, 5));
    let arguments = json!({ "serial": "OWN1", "limit": 2 });
    let changed = assistant.call("what_changed", arguments).await;
    assert_eq!(changed["events"].as_array().unwrap().len(), 2);
    let note = changed["notes"][0].as_str().unwrap();
    assert!(note.contains("more events"), "{note}");
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_told_where_and_what_was_meant() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let long = "x".repeat(20_000);
    let nested = format!("{}serial = 1{}", "(".repeat(500), ")".repeat(500));
    let slip = "os_version < 15 and hostnme = x";
    for (filter, words) in [
        (slip, "at character 21, at `hostnme`"),
        (slip, "did you mean `hostname`?"),
        ("os_version <", "at its end"),
        ("serial in (a b)", "at character 14, at `b`"),
        (&long, "longer than 16384 bytes"),
        (&nested, "nested"),
        ("hostname = \"\u{0}\"", "NUL"),
    ] {
        for tool in ["search_machines", "count_machines"] {
            let refused = assistant.refused(tool, json!({ "filter": filter })).await;
            assert!(refused.contains(words), "{filter}: {refused}");
            assert!(refused.len() < 1_000, "{}", refused.len());
        }
    }
    // Words or values like any others.
    for filter in [
        "'; DROP TABLE server_machine; --",
        "serial = \"' OR 1=1 --\"",
        "hostname ~ \"%\"",
    ] {
        let params = json!({ "name": "count_machines", "arguments": { "filter": filter } });
        let answer = assistant.ask("tools/call", params).await;
        assert!(answer["isError"].is_boolean(), "{filter}: {answer}");
        let found = &answer["structuredContent"]["machines"];
        assert!(found.is_null() || *found == json!(0), "{filter}: {answer}");
    }
    let rows = db
        .query_one("SELECT count(*) FROM server_machine", &[])
        .await;
    assert!(rows.is_ok());
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_answered_with_how_to_do_better() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    for (tool, arguments, words) in [
        ("search_machines", json!({ "columns": ["key"] }), "`key`"),
        (
            "search_machines",
            json!({ "columns": ["item"] }),
            "one value",
        ),
        (
            "search_machines",
            json!({ "sort": "unit" }),
            "`sort` is a field",
        ),
        ("search_machines", json!({ "limit": 101 }), "1 to 100"),
        (
            "search_machines",
            json!({ "page": 2 }),
            "There is no argument `page`",
        ),
        (
            "count_machines",
            json!({ "by": "os_versoin" }),
            "did you mean `os_version`?",
        ),
        ("get_machine", json!({}), "`serial` is needed"),
        ("get_machine", json!({ "serial": 7 }), "has to be a text"),
        (
            "what_changed",
            json!({ "serial": "x", "since": "soon" }),
            "`7d`",
        ),
        (
            "what_changed",
            json!({ "serial": "x", "kind": "all" }),
            "`kind` is one of",
        ),
    ] {
        let refused = assistant.refused(tool, arguments.clone()).await;
        assert!(refused.contains(words), "{tool} {arguments}: {refused}");
    }
}

#[tokio::test]
async fn lists_are_bounded_and_say_so() {
    let server = open().await;
    let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    server.set_clock(now);
    crate::api::machines(250, &server).await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let found = assistant
        .call(
            "search_machines",
            json!({ "limit": 100, "sort": "-serial" }),
        )
        .await;
    assert_eq!((serials(&found).len(), &found["total"]), (100, &json!(250)));
    assert_eq!(serials(&found)[0], "SER0250");
    assert!(
        found["notes"][0]
            .as_str()
            .unwrap()
            .contains("more machines than the 100")
    );
    let usual: Vec<&String> = found["machines"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        usual,
        [
            "serial",
            "hostname",
            "user",
            "os_version",
            "model",
            "group",
            "unit",
            "last_checkin"
        ]
    );
    let found = assistant
        .call(
            "search_machines",
            json!({ "filter": "serial in (SER0007, ser0009)" }),
        )
        .await;
    assert_eq!((serials(&found).len(), &found["notes"]), (2, &json!([])));
    let fields = assistant
        .call("list_fields", json!({ "about": "checkin" }))
        .await;
    let names: Vec<&str> = fields["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"last_checkin") && !names.contains(&"serial"),
        "{names:?}"
    );
    // Nothing of it is in the audit log; the token's last use is noted.
    server.app.write_late().await;
    let noted = "SELECT (SELECT count(*) FROM salrs_audit), (SELECT count(*) FROM salrs_api_token WHERE last_used = $1)";
    let noted = db.query_one(noted, &[&now]).await.unwrap();
    assert_eq!((noted.get::<_, i64>(0), noted.get::<_, i64>(1)), (0, 1));
}

#[tokio::test]
async fn machines_are_counted_by_their_values() {
    let server = open().await;
    crate::api::machines(250, &server).await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let counted = assistant
        .call("count_machines", json!({ "by": "os_version" }))
        .await;
    assert_eq!(
        counted["values"][0],
        json!({ "value": "15.1", "machines": 36 })
    );
    let counted = assistant
        .call("count_machines", json!({ "by": "serial", "limit": 3 }))
        .await;
    assert_eq!(
        (
            counted["values"].as_array().unwrap().len(),
            &counted["machines"]
        ),
        (3, &json!(250))
    );
    let note = counted["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("There are 250 values; the 3 most frequent"),
        "{note}"
    );
    let counted = assistant
        .call("count_machines", json!({ "filter": "deployed = true" }))
        .await;
    assert_eq!(counted["machines"], 125);
}
