//! The built-in plugins on the demo fleet: every number equals the list behind it, and where the original counts
//! otherwise, both numbers are here.

use fake_fleet::{Fleet, FleetOptions};
use jiff::Timestamp;
use sal_plugins::{Panel, Settings};
use sal_query::Condition;
use sal_store::{
    devices::count_devices,
    overview::{count_groups, count_machines},
    scope::Scope,
};
use sal_testkit::{Filled, TestServer};
use tokio_postgres::Client;

/// A server at which the demo fleet of 40 machines has checked in, and some of its machines have oddities.
pub(crate) async fn demo_fleet() -> (TestServer, Client) {
    let server = TestServer::start(Filled::Seeded).await;
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    server.set_clock(now);
    let db = server.database.connect().await;
    let key: String = db
        .query_one(
            "SELECT key FROM server_machinegroup ORDER BY id LIMIT 1",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let fleet = Fleet::new(FleetOptions::default());
    for machine in fleet.machines() {
        let submission = machine.checkin(0, now, &key);
        let (status, text) = server.checkin(&key, submission.body).await;
        assert_eq!(status, 200, "{text}");
    }
    (server, db)
}

async fn count(server: &TestServer, db: &Client, plugin: &str, data: &str) -> i64 {
    let registry = server.app.registry();
    let condition = registry
        .get(plugin)
        .unwrap()
        .filter(data)
        .unwrap()
        .condition;
    count_devices(&condition, server.app.now(), &Scope::All, db)
        .await
        .unwrap()
}

async fn original(db: &Client, sql: &str) -> i64 {
    db.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn every_number_of_every_plugin_equals_the_list_it_opens() {
    let (server, db) = demo_fleet().await;
    let (registry, now) = (server.app.registry(), server.app.now());
    let mut compared = 0;
    for plugin in registry.iter() {
        for panel in &plugin.panels {
            match panel {
                Panel::Buckets(panel) => {
                    let conditions: Vec<&Condition> = panel
                        .buckets
                        .iter()
                        .map(|bucket| &bucket.condition)
                        .collect();
                    let all = Condition::everything();
                    let counts = count_machines(&all, &conditions, now, &Scope::All, &db);
                    for (bucket, number) in panel.buckets.iter().zip(counts.await.unwrap().each) {
                        let list = count(&server, &db, &plugin.name, &bucket.data).await;
                        assert_eq!(list, number, "{} {}", plugin.name, bucket.data);
                        compared += 1;
                    }
                }
                Panel::Groups(by) => {
                    let grouping = by.grouping(&Settings::default());
                    let groups = count_groups(&[grouping], now, &Scope::All, &db)
                        .await
                        .unwrap();
                    for group in &groups[0] {
                        let key = by.key(&group.value, group.then.as_deref());
                        let list = count(&server, &db, &plugin.name, &key).await;
                        if by.counts_rows() {
                            assert!((1..=group.count).contains(&list), "{} {key}", plugin.name);
                        } else {
                            assert_eq!(list, group.count, "{} {key}", plugin.name);
                        }
                        compared += 1;
                    }
                }
                _ => {}
            }
        }
    }
    assert!(compared > 120, "{compared}");
}

#[tokio::test]
async fn q110_apple_silicon_laptops_are_laptops() {
    let (server, db) = demo_fleet().await;
    let vault = |data: &str, laptops: &str| {
        format!(
            "SELECT count(DISTINCT m.id) FROM server_machine m
             JOIN server_pluginscriptsubmission s ON s.machine_id = m.id AND s.plugin = 'Encryption'
             JOIN server_pluginscriptrow r ON r.submission_id = s.id
             WHERE m.deployed AND m.machine_model {laptops} AND r.pluginscript_name = 'FileVault' AND r.pluginscript_data = '{data}'"
        )
    };
    let theirs = original(&db, &vault("Enabled", "LIKE '%Book%'")).await;
    let ours = count(&server, &db, "Encryption", "laptopsok").await;
    let desktops = original(&db, &vault("Enabled", "NOT LIKE '%Book%'")).await;
    let our_desktops = count(&server, &db, "Encryption", "desktopsok").await;
    assert_eq!(
        [theirs, ours, desktops, our_desktops],
        [7, 28, 24, 3],
        "encrypted laptops, theirs and ours; encrypted desktops, theirs and ours"
    );
}

#[tokio::test]
async fn q111_a_mac_that_never_told_of_sip_is_unknown() {
    let (server, db) = demo_fleet().await;
    db.batch_execute(
        "DELETE FROM server_pluginscriptrow WHERE submission_id IN (
             SELECT s.id FROM server_pluginscriptsubmission s JOIN server_machine m ON m.id = s.machine_id
             WHERE s.plugin = 'Sip' AND m.os_family = 'Darwin' ORDER BY s.id LIMIT 3)",
    )
    .await
    .unwrap();
    let theirs = original(
        &db,
        "SELECT count(DISTINCT m.id) FROM server_machine m
         JOIN server_pluginscriptsubmission s ON s.machine_id = m.id AND s.plugin = 'Sip'
         JOIN server_pluginscriptrow r ON r.submission_id = s.id
         WHERE m.deployed AND r.pluginscript_name = 'SIP' AND r.pluginscript_data IS NULL",
    )
    .await;
    let ours = count(&server, &db, "Sip", "unknown").await;
    assert_eq!((theirs, ours), (0, 3), "theirs and ours");
}

#[tokio::test]
async fn q112_days_of_uptime_are_numbers() {
    let (server, db) = demo_fleet().await;
    let rows = "SELECT count(DISTINCT m.id) FROM server_machine m
         JOIN server_pluginscriptsubmission s ON s.machine_id = m.id
         JOIN server_pluginscriptrow r ON r.submission_id = s.id
         WHERE m.deployed AND s.plugin = 'Uptime' AND r.pluginscript_name = 'UptimeDays'";
    let whole = |from: i32, to: i32| {
        format!(
            "{rows} AND r.pluginscript_data IN (SELECT n::text FROM generate_series({from}, {to}) n)"
        )
    };
    let theirs = [
        original(&db, &whole(0, 29)).await,
        original(&db, &whole(30, 59)).await,
        // Whoever has no row at all, of any plugin, with a whole number below 90.
        original(
            &db,
            &format!(
                "{rows} AND NOT EXISTS (SELECT FROM server_pluginscriptrow o
                 JOIN server_pluginscriptsubmission t ON t.id = o.submission_id WHERE t.machine_id = m.id
                 AND o.pluginscript_data IN (SELECT n::text FROM generate_series(0, 89) n))"
            ),
        )
        .await,
    ];
    let mut ours = Vec::new();
    for data in ["ok", "warning", "alert"] {
        ours.push(count(&server, &db, "Uptime", data).await);
    }
    assert_eq!(
        (theirs, ours.as_slice()),
        ([0, 0, 11], [25, 8, 0].as_slice()),
        "less than 30 days, 30 to 90, more: theirs and ours"
    );
}

#[tokio::test]
async fn q113_a_family_of_models_holds_no_other_family() {
    let (server, db) = demo_fleet().await;
    let theirs = original(
        &db,
        "SELECT count(*) FROM server_machine WHERE deployed AND machine_model LIKE 'Mac%'",
    )
    .await;
    let ours = count(&server, &db, "MachineModels", "Mac").await;
    assert_eq!(
        (theirs, ours),
        (31, 24),
        "machines behind the bar `Mac`: theirs and ours"
    );
}

#[tokio::test]
async fn q173_a_family_keeps_what_stands_between_numbers() {
    let (server, db) = demo_fleet().await;
    db.batch_execute(
        "UPDATE server_machine SET machine_model = 'HP Z2 G9' WHERE serial IN (
             SELECT serial FROM server_machine WHERE deployed ORDER BY id LIMIT 3)",
    )
    .await
    .unwrap();
    let theirs = original(
        &db,
        "SELECT count(*) FROM server_machine
         WHERE deployed AND regexp_replace(machine_model, '[0-9, ]', '', 'g') = 'HPZG'",
    )
    .await;
    let ours = count(&server, &db, "MachineModels", "HP Z2 G").await;
    assert_eq!(
        (theirs, ours),
        (3, 3),
        "behind the bar `HPZG` of theirs, and behind ours"
    );
}

#[tokio::test]
async fn q114_a_list_of_messages_names_each_machine_once() {
    let (server, db) = demo_fleet().await;
    db.batch_execute(
        "INSERT INTO server_message (machine_id, text, date, message_type)
         SELECT id, 'disk \"full\" & more', now(), 'ERROR' FROM server_machine, generate_series(1, 2) WHERE serial IN (
             SELECT serial FROM server_machine WHERE deployed ORDER BY id LIMIT 3)",
    )
    .await
    .unwrap();
    let registry = server.app.registry();
    let Panel::Groups(by) = &registry.get("Messages").unwrap().panels[0] else {
        panic!()
    };
    let grouping = by.grouping(&Settings::default());
    let groups = count_groups(&[grouping], server.app.now(), &Scope::All, &db)
        .await
        .unwrap();
    let counted = groups[0]
        .iter()
        .find(|group| group.value.starts_with("disk"))
        .unwrap();
    assert_eq!(counted.count, 6, "rows");
    assert_eq!(
        count(&server, &db, "Messages", &counted.value).await,
        3,
        "machines"
    );
    let title = registry
        .get("Messages")
        .unwrap()
        .filter("a\"b")
        .unwrap()
        .title;
    assert_eq!(title, "Machines with message a\"b");
}

#[tokio::test]
async fn q118_versions_of_chrome_os_end_with_their_third_part() {
    let (server, db) = demo_fleet().await;
    db.batch_execute(
        "INSERT INTO server_machine (serial, machine_group_id, operating_system, memory_kb, os_family, deployed, broken_client)
         SELECT 'CROS' || n, min(g.id), '100.0.' || n, 0, 'ChromeOS', true, false
         FROM server_machinegroup g, unnest(ARRAY['1', '12', '1.7', '1.9']) n GROUP BY n",
    )
    .await
    .unwrap();
    let theirs = original(
        &db,
        "SELECT count(*) FROM server_machine WHERE os_family = 'ChromeOS' AND operating_system LIKE '100.0.1%'",
    )
    .await;
    let ours = count(&server, &db, "OperatingSystem", "ChromeOS&100.0.1").await;
    assert_eq!(
        (theirs, ours),
        (4, 3),
        "machines behind the bar `100.0.1`: theirs and ours"
    );
}
