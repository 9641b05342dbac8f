//! What is written of a machine's changes, by every door that changes it.

use sal_testkit::{Filled, TestServer, golden};
use serde_json::{Value, json};

use crate::packed::{dict, pack, plist, post, text};

fn key(name: &str) -> String {
    golden::seed_value(name).unwrap().unwrap()
}

fn body(hostname: &str, key: &str, munki: &Value) -> String {
    json!({
        "Machine": {"extra_data": {"serial": "C02A", "hostname": hostname, "console_user": "ada"}},
        "Sal": {"extra_data": {"key": key, "sal_version": "5"}},
        "Munki": munki,
    })
    .to_string()
}

async fn check_in(server: &TestServer, hostname: &str, key_name: &str, munki: &Value) {
    let (code, answer) = server
        .checkin(&key("key1"), body(hostname, &key(key_name), munki))
        .await;
    assert_eq!(code, 200, "{answer}");
}

/// The lines that were written since this was asked last, and takes them away.
async fn lines(server: &TestServer) -> String {
    let taken = "WITH gone AS (DELETE FROM salrs_change RETURNING *)
        SELECT coalesce(string_agg(concat_ws('|', kind, name, coalesce(was, '-'), coalesce(became, '-')), ', ' ORDER BY kind, name), '')
        FROM gone";
    text(server, taken).await
}

#[tokio::test]
async fn every_door_notes_what_it_changes_and_nothing_else() {
    let server = TestServer::start(Filled::Seeded).await;
    let error = json!({"messages": [{"message_type": "ERROR", "text": "full"}]});
    check_in(&server, "mac", "key1", &error).await;
    assert_eq!(lines(&server).await, "1||-|-");
    for _ in 0..2 {
        check_in(&server, "mac", "key1", &error).await;
        assert_eq!(lines(&server).await, "", "nothing changed");
    }
    // Only what the machine says of itself: nothing that is compared by source.
    check_in(&server, "other", "key1", &error).await;
    assert_eq!(lines(&server).await, "5||mac|other");
    check_in(&server, "other", "key1", &json!({})).await;
    assert_eq!(lines(&server).await, "15|full|reported|-");
    check_in(&server, "other", "key2", &json!({})).await;
    let moved = lines(&server).await;
    assert!(
        moved.starts_with("4||") && moved.matches('(').count() == 2,
        "{moved}"
    );

    let key = key("key2");
    let fields = [
        ("serial", "C02A"),
        ("key", &key),
        ("name", "other"),
        ("broken_client", "True"),
    ];
    for _ in 0..2 {
        let (code, answer) = post(&server, "/report_broken_client/", &fields).await;
        assert_eq!(code, 200, "{answer}");
    }
    assert_eq!(lines(&server).await, "14||-|broken", "once");
    check_in(&server, "other", "key2", &json!({})).await;
    assert_eq!(lines(&server).await, "14||broken|-");
}

#[tokio::test]
async fn software_is_noted_from_the_second_inventory_on() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "mac", "key1", &json!({})).await;
    lines(&server).await;
    let inventory = |items: &[(&str, &str)]| {
        let items: String = items
            .iter()
            .map(|(name, version)| dict(&[("name", name), ("version", version), ("path", "/a")]))
            .collect();
        pack(plist(&format!("<array>{items}</array>")).as_bytes())
    };
    for (items, wanted) in [
        (&[("A", "1"), ("B", "1")][..], ""),
        (&[("A", "1"), ("B", "1")], ""),
        (&[("A", "2"), ("C", "1")], "18|A|1|2, 18|B|1|-, 18|C|-|1"),
    ] {
        let packed = inventory(items);
        let fields = [("serial", "C02A"), ("base64bz2inventory", packed.as_str())];
        assert_eq!(post(&server, "/inventory/submit/", &fields).await.0, 200);
        assert_eq!(lines(&server).await, wanted);
    }
    let profiles = |names: &[&str]| {
        let one = |name: &&str| {
            format!(
                "<dict><key>ProfileIdentifier</key><string>org.{name}</string>\
                 <key>ProfileDisplayName</key><string>{name}</string></dict>"
            )
        };
        let all: String = names.iter().map(one).collect();
        pack(
            plist(&format!(
                "<dict><key>_computerlevel</key><array>{all}</array></dict>"
            ))
            .as_bytes(),
        )
    };
    for (names, wanted) in [
        (&["wifi", "vpn"][..], ""),
        (&["wifi", "vpn"], ""),
        (&["vpn"], "19|wifi|org.wifi|-"),
        (&["vpn", "dns"], "19|dns|-|org.dns"),
    ] {
        let packed = profiles(names);
        let fields = [("serial", "C02A"), ("base64bz2profiles", packed.as_str())];
        assert_eq!(post(&server, "/profiles/submit/", &fields).await.0, 200);
        assert_eq!(lines(&server).await, wanted);
    }
}

#[tokio::test]
async fn a_report_of_a_broken_client_is_a_return_too() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "mac", "key1", &json!({})).await;
    lines(&server).await;
    let db = server.database.connect().await;
    db.batch_execute(
        "UPDATE server_machine SET last_checkin = now() - interval '40 days' WHERE serial = 'C02A'",
    )
    .await
    .unwrap();
    let key = key("key1");
    let fields = [("serial", "C02A"), ("key", &key), ("broken_client", "True")];
    assert_eq!(
        post(&server, "/report_broken_client/", &fields).await.0,
        200
    );
    let noted = lines(&server).await;
    assert!(
        noted.starts_with("2||") && noted.ends_with(", 14||-|broken"),
        "{noted}"
    );
}

#[tokio::test]
async fn without_the_table_check_ins_go_on_and_nothing_is_noted() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    check_in(&server, "mac", "key1", &json!({})).await;
    db.batch_execute("DROP TABLE salrs_change").await.unwrap();
    // Each server finds out by itself, a broken client's report as well as a check-in.
    check_in(&server, "other", "key1", &json!({})).await;
    let name = "SELECT hostname::text FROM server_machine WHERE serial = 'C02A'";
    assert_eq!(text(&server, name).await, "other");
    let key = key("key1");
    let fields = [("serial", "C02A"), ("key", &key), ("broken_client", "True")];
    let (code, answer) = post(&server.beside(), "/report_broken_client/", &fields).await;
    assert_eq!(code, 200, "{answer}");
}
