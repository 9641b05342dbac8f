//! Applications that no machine has, and inventories that need them at the same moment.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::join_all;
use sal_store::inventory::applications;
use sal_store::pool::Lane;
use sal_testkit::{Filled, TestServer, golden};

use crate::ground::{Ground, of};

const NAMES: &str =
    "SELECT COALESCE(string_agg(name, ' ' ORDER BY name), '') FROM inventory_application";

async fn fill(ground: &Ground) {
    ground.machines().await;
    ground
        .sql(
            "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             SELECT n, 'A' || n, 'b', 'n', '' FROM generate_series(1001, 1009) n;
             INSERT INTO inventory_inventoryitem (version, path, machine_id, application_id) VALUES ('1', '/a', 1, 1003), ('1', '/a', 2, 1003)",
        )
        .await;
}

#[tokio::test]
async fn q107_those_without_items_go() {
    let mut ground = Ground::new().await;
    ground.config.batch = 12;
    fill(&ground).await;
    assert_eq!(of(&ground.count("applications").await, "applications"), 8);
    assert_eq!(of(&ground.run("applications").await, "applications"), 8);
    assert_eq!(ground.value::<String>(NAMES).await, "A1003");
    assert_eq!(ground.run("applications").await.rows(), 0);
}

#[tokio::test]
async fn one_that_an_inventory_has_looked_up_stays() {
    let ground = Ground::new().await;
    fill(&ground).await;
    let tx = ground
        .database
        .store()
        .get(Lane::Pages)
        .await
        .unwrap()
        .begin()
        .await
        .unwrap();
    let list = |text: &str| vec![text.to_owned()];
    let found = applications(&tx, &list("A1001"), &list("b"), &list("n"))
        .await
        .unwrap();
    assert_eq!(found[0].id, 1001);
    assert_eq!(of(&ground.run("applications").await, "applications"), 7);
    assert_eq!(ground.value::<String>(NAMES).await, "A1001 A1003");
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn one_that_is_being_removed_is_made_anew() {
    let ground = Ground::new().await;
    fill(&ground).await;
    ground
        .sql("BEGIN; DELETE FROM inventory_application WHERE id = 1001")
        .await;
    let tx = ground
        .database
        .store()
        .get(Lane::Pages)
        .await
        .unwrap()
        .begin()
        .await
        .unwrap();
    let list = |text: &str| vec![text.to_owned()];
    let (names, bundles, titles) = (list("A1001"), list("b"), list("n"));
    let looking = applications(&tx, &names, &bundles, &titles);
    let removing = async {
        ground
            .until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())")
            .await;
        ground.sql("COMMIT").await;
    };
    let (found, ()) = tokio::join!(looking, removing);
    let found = found.unwrap();
    assert_eq!(found.len(), 1);
    assert_ne!(found[0].id, 1001);
    tx.commit().await.unwrap();
    assert!(
        ground
            .value::<String>(NAMES)
            .await
            .starts_with("A1001 A1002")
    );
}

async fn submit(server: &TestServer, key: &str, machine: usize, turn: usize) {
    // Each turn has applications of its own, which all machines share and which are nobody's between two rounds.
    let items: String = (0..20)
        .map(|n| {
            let name = (turn % 3) * 100 + n;
            format!("<dict><key>name</key><string>App{name}</string><key>version</key><string>{turn}</string><key>path</key><string>/{machine}</string></dict>")
        })
        .collect();
    let plist = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><array>{items}</array></plist>\n"
    );
    let inventory = BASE64_STANDARD.encode(plist);
    let serial = format!("S{machine}");
    let form = [
        ("serial", serial.as_str()),
        ("base64inventory", inventory.as_str()),
    ];
    let request = server.http.post(server.url("/inventory/submit/"));
    let answer = request
        .basic_auth("sal", Some(key))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
}

#[tokio::test]
async fn inventories_go_on_undisturbed_while_applications_are_removed() {
    let server = TestServer::start(Filled::Seeded).await;
    let key = golden::seed_value("key1").unwrap().unwrap();
    let mut ground = Ground::on(server.database.clone()).await;
    ground.config.batch = 20;
    ground
        .sql(
            "INSERT INTO server_machine (serial, os_family, memory_kb, machine_group_id, deployed, broken_client)
             SELECT 'S' || n, 'Darwin', 0, (SELECT min(id) FROM server_machinegroup), true, false FROM generate_series(0, 7) n",
        )
        .await;
    let is_over = AtomicBool::new(false);
    let submitting = async {
        join_all((0..8).map(|machine| {
            let (server, key) = (&server, key.as_str());
            async move {
                for turn in 0..15 {
                    submit(server, key, machine, turn).await;
                }
            }
        }))
        .await;
        is_over.store(true, Ordering::Relaxed);
    };
    let removing = async {
        let mut removed = 0;
        while !is_over.load(Ordering::Relaxed) {
            removed += ground.run("applications").await.rows();
        }
        removed
    };
    let ((), removed) = tokio::join!(submitting, removing);
    assert!(removed > 0, "the two never met");
    let items = "SELECT count(*) FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id
        WHERE i.version = '14' AND a.name LIKE 'App2__'";
    assert_eq!(ground.number(items).await, 8 * 20);
    let others = "SELECT count(*) FROM inventory_inventoryitem";
    assert_eq!(ground.number(others).await, 8 * 20);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(ground.number(deadlocks).await, 0);
    ground.run("applications").await;
    let left = "SELECT count(*) FROM inventory_application WHERE name LIKE 'App___' AND name NOT LIKE 'App2__'";
    assert_eq!(ground.number(left).await, 0);
}
