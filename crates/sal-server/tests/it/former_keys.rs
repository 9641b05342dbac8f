//! Another key for a machine group: machines that have the one before are let in until it ends, by every door of theirs.

use jiff::SignedDuration;
use sal_http::random_key::{GROUP_KEY, random_key};
use sal_store::former_keys::{end_former_keys, former_keys, replace_group_key};
use sal_store::ids::GroupId;
use sal_testkit::{Filled, TestServer};
use serde_json::json;
use tokio_postgres::Client;

use crate::packed::{dict, key, pack, plist, text};

const GROUP: GroupId = GroupId(1);

/// The key of licences is in the address, so that a wrong one leads nowhere.
const REFUSED: [u16; 5] = [401, 401, 401, 401, 404];

/// Replaces the key of the first group; the new one.
async fn replaced(days: i64, server: &TestServer, db: &Client) -> String {
    let now = server.app.now();
    let ends = now + SignedDuration::from_hours(24 * days);
    let new = random_key(GROUP_KEY);
    let changed = replace_group_key(db, &GROUP, &new, &now, &ends).await;
    assert_eq!(changed.unwrap(), 1);
    new
}

async fn check_in(key: &str, serial: &str, fact: &str, server: &TestServer) -> u16 {
    let body = json!({
        "Machine": {"extra_data": {"serial": serial}, "facts": {"a": fact}},
        "Sal": {"extra_data": {"key": key}, "facts": {}},
    });
    server.checkin(key, body.to_string()).await.0
}

/// What the other doors of machines answer to a key, in the header and in the form.
async fn others(key: &str, server: &TestServer) -> Vec<u16> {
    let item = dict(&[("name", "App"), ("version", "1"), ("path", "/a")]);
    let inventory = pack(plist(&format!("<array>{item}</array>")).as_bytes());
    let catalog = pack(plist("<array/>").as_bytes());
    let forms: [(&str, Vec<(&str, &str)>); 4] = [
        (
            "/inventory/submit/",
            vec![("serial", "C02A"), ("base64bz2inventory", &inventory)],
        ),
        (
            "/catalog/submit/",
            vec![
                ("key", key),
                ("name", "production"),
                ("sha256hash", "x"),
                ("base64bz2catalog", &catalog),
            ],
        ),
        ("/catalog/hash/", vec![("key", key)]),
        (
            "/report_broken_client/",
            vec![("serial", "C02A"), ("key", key), ("broken_client", "True")],
        ),
    ];
    let mut codes = Vec::new();
    for (path, form) in forms {
        let request = server.http.post(server.url(path));
        let request = request.basic_auth("sal", Some(key)).form(&form);
        codes.push(request.send().await.unwrap().status().as_u16());
    }
    let licences = server.url(&format!("/licenses/available/{key}/"));
    let licences = server.http.get(licences).basic_auth("sal", Some(key));
    codes.push(licences.send().await.unwrap().status().as_u16());
    codes
}

#[tokio::test]
async fn q190_a_former_key_lets_machines_in_until_it_ends_and_they_are_counted() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let old = key();
    for serial in ["C02A", "C02B"] {
        assert_eq!(check_in(&old, serial, "1", &server).await, 200);
    }
    let before = others(&old, &server).await;
    let new = replaced(30, &server, &db).await;
    let users = async || {
        let found = former_keys(&db, &GROUP, &server.app.now()).await.unwrap();
        found.first().map(|former| (former.machines, former.silent))
    };
    assert_eq!(users().await, Some((0, 2)), "nobody came since");
    server.set_clock(server.app.now() + SignedDuration::from_secs(60));
    // The same again, something new, a machine that was never here.
    assert_eq!(check_in(&old, "C02A", "1", &server).await, 200);
    assert_eq!(check_in(&old, "C02B", "2", &server).await, 200);
    assert_eq!(check_in(&old, "C02C", "1", &server).await, 200);
    assert_eq!(users().await, Some((3, 0)));
    assert_eq!(others(&old, &server).await, before);
    let groups = "SELECT string_agg(DISTINCT machine_group_id::text, ' ') FROM server_machine";
    assert_eq!(text(&server, groups).await, "1");

    // The new one counts as such, by the short way and by the long one.
    assert_eq!(check_in(&new, "C02A", "3", &server).await, 200);
    assert_eq!(check_in(&new, "C02B", "2", &server).await, 200);
    assert_eq!(users().await, Some((1, 0)));

    server.set_clock(server.app.now() + SignedDuration::from_hours(24 * 30));
    assert_eq!(check_in(&old, "C02C", "1", &server).await, 401);
    assert_eq!(others(&old, &server).await, REFUSED);
    assert_eq!(check_in(&new, "C02C", "1", &server).await, 200);
    assert_eq!(users().await, None);
}

#[tokio::test]
async fn a_key_that_is_ended_or_replaced_without_days_is_refused_at_once() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let first = key();
    assert_eq!(check_in(&first, "C02A", "1", &server).await, 200);
    let second = replaced(30, &server, &db).await;
    let third = replaced(30, &server, &db).await;
    for key in [&first, &second, &third] {
        assert_eq!(
            check_in(key, "C02A", "1", &server).await,
            200,
            "both former"
        );
    }
    end_former_keys(&db, &GROUP).await.unwrap();
    for key in [&first, &second] {
        assert_eq!(check_in(key, "C02A", "1", &server).await, 401);
    }
    let fourth = replaced(0, &server, &db).await;
    assert_eq!(check_in(&third, "C02A", "1", &server).await, 401);
    assert_eq!(check_in(&fourth, "C02A", "1", &server).await, 200);
    let kept = "SELECT count(*)::text FROM salrs_group_key";
    assert_eq!(text(&server, kept).await, "0");
}

#[tokio::test]
async fn a_former_key_of_a_group_that_is_gone_lets_nobody_in() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    replaced(30, &server, &db).await;
    db.batch_execute("DELETE FROM server_machinegroup WHERE id = 1")
        .await
        .unwrap();
    assert_eq!(check_in(&key(), "C02A", "1", &server).await, 401);
    assert_eq!(others(&key(), &server).await, REFUSED);
}

#[tokio::test]
async fn without_the_table_of_former_keys_a_wrong_key_is_refused_as_ever() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute("DROP TABLE salrs_group_key")
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(check_in("wrong", "C02A", "1", &server).await, 401);
        assert_eq!(others("wrong", &server).await, REFUSED);
        assert_eq!(check_in(&key(), "C02A", "1", &server).await, 200);
    }
}
