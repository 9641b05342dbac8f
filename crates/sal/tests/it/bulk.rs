//! `sal simulate --bulk` leaves the rows that the same machines leave when they check in, and nothing by accident.

use fake_fleet::{Fleet, FleetOptions, Submission};
use jiff::Timestamp;
use sal_testkit::{Filled, TestServer};
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::stage::{Ended, KEY, Settings, Stage};

const MACHINES: u32 = 20;
const AT: &str = "2026-11-02T08:30:00Z";

/// Rows by what names them, without the ids that each database gives.
const ROWS: &[(&str, &str)] = &[
    (
        "machines",
        "SELECT (to_jsonb(m) - 'id' - 'machine_group_id')::text FROM server_machine m",
    ),
    ("sources", "SELECT name FROM server_managementsource"),
    (
        "facts",
        "SELECT m.serial, s.name, f.fact_name, f.fact_data FROM server_fact f
         JOIN server_machine m ON m.id = f.machine_id JOIN server_managementsource s ON s.id = f.management_source_id",
    ),
    (
        "items",
        "SELECT m.serial, s.name, i.name, i.status, i.date_managed, i.data FROM server_manageditem i
         JOIN server_machine m ON m.id = i.machine_id JOIN server_managementsource s ON s.id = i.management_source_id",
    ),
    (
        "history",
        "SELECT m.serial, s.name, h.name, h.status, h.recorded FROM server_manageditemhistory h
         JOIN server_machine m ON m.id = h.machine_id JOIN server_managementsource s ON s.id = h.management_source_id",
    ),
    (
        "messages",
        "SELECT m.serial, s.name, x.message_type, x.text, x.date FROM server_message x
         JOIN server_machine m ON m.id = x.machine_id JOIN server_managementsource s ON s.id = x.management_source_id",
    ),
    (
        "scripts",
        "SELECT m.serial, p.plugin, p.historical, p.recorded, (to_jsonb(r) - 'id' - 'submission_id')::text
         FROM server_pluginscriptsubmission p JOIN server_machine m ON m.id = p.machine_id
         LEFT JOIN server_pluginscriptrow r ON r.submission_id = p.id",
    ),
    (
        "inventories",
        "SELECT m.serial, v.datestamp, v.sha256hash FROM inventory_inventory v JOIN server_machine m ON m.id = v.machine_id",
    ),
    (
        "applications",
        "SELECT (to_jsonb(a) - 'id')::text FROM inventory_application a",
    ),
    (
        "inventory items",
        "SELECT m.serial, a.name, a.bundleid, a.bundlename, i.version, i.path FROM inventory_inventoryitem i
         JOIN server_machine m ON m.id = i.machine_id JOIN inventory_application a ON a.id = i.application_id",
    ),
    (
        "profiles",
        "SELECT m.serial, (to_jsonb(p) - 'id' - 'machine_id')::text, l.identifier, l.uuid, l.payload_type
         FROM profiles_profile p JOIN server_machine m ON m.id = p.machine_id LEFT JOIN profiles_payload l ON l.profile_id = p.id",
    ),
    (
        "what was remembered",
        "SELECT m.serial, c.last_checkin, c.compared, encode(c.digests, 'hex')
         FROM salrs_checkin c JOIN server_machine m ON m.id = c.machine_id",
    ),
];

async fn bulk(settings: &Settings, more: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["simulate", "--bulk", "--at", AT, "--json"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    settings.run(&arguments).await
}

#[tokio::test]
async fn a_filled_database_holds_what_check_ins_leave() {
    let stage = Stage::set().await;
    let settings = stage.password_settings();
    let made = settings.run(&["db", "init"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let ended = bulk(&settings, &["--machines", "20", "--days", "0"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["rows"]["machines"].as_u64(), Some(20), "{report:#}");

    let server = TestServer::start(Filled::Fresh).await;
    let db = server.database.connect().await;
    db.batch_execute(&format!(
        "INSERT INTO server_businessunit (name) VALUES ('Unit');
         INSERT INTO server_machinegroup (business_unit_id, name, key) SELECT id, 'All', '{KEY}' FROM server_businessunit"
    ))
    .await
    .unwrap();
    check_in(&server).await;
    for (what, sql) in ROWS {
        let sql = format!("SET timezone = 'UTC'; {sql}");
        let mut copied = stage.rows(&sql).await;
        let mut stored = rows(&db.simple_query(&sql).await.unwrap());
        copied.sort();
        stored.sort();
        assert!(!stored.is_empty(), "no {what}");
        assert_eq!(copied.len(), stored.len(), "{what}");
        for (copied, stored) in copied.iter().zip(&stored) {
            assert_eq!(copied, stored, "{what}");
        }
    }
}

/// The same fleet through the server, each machine at its time.
async fn check_in(server: &TestServer) {
    let at: Timestamp = AT.parse().unwrap();
    let fleet = Fleet::new(FleetOptions {
        machines: MACHINES,
        facts: 100,
        items: 100,
        ..FleetOptions::default()
    });
    for machine in fleet.machines() {
        let now = at - machine.silence();
        server.set_clock(now);
        send(server, machine.checkin(0, now, KEY)).await;
        for submission in [machine.inventory(0), machine.profile_list()]
            .into_iter()
            .flatten()
        {
            send(server, submission).await;
        }
    }
}

async fn send(server: &TestServer, submission: Submission) {
    let answer = server
        .http
        .post(server.url(submission.path))
        .basic_auth("sal", Some(KEY))
        .header("content-type", submission.content_type)
        .body(submission.body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{}", submission.path);
}

fn rows(messages: &[SimpleQueryMessage]) -> Vec<Vec<String>> {
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let cell = |text: Option<&str>| text.unwrap_or_default().to_owned();
    rows.map(|row| (0..row.len()).map(|at| cell(row.get(at))).collect())
        .collect()
}

#[tokio::test]
async fn a_database_with_machines_is_filled_only_when_told_to_and_they_stay() {
    let stage = Stage::set().await;
    let settings = stage.password_settings();
    let early = bulk(&settings, &[]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stderr.contains("sal db init"), "{early:?}");
    assert_eq!(settings.run(&["db", "init"]).await.code, Some(0));
    assert_eq!(bulk(&settings, &["--machines", "6"]).await.code, Some(0));
    let history = "SELECT count(*) > 300, min(recorded) < '2026-09-20', max(recorded) <= '2026-11-02T08:30:00Z',
        count(*) FILTER (WHERE status = 'PENDING') > 10 FROM server_manageditemhistory";
    assert_eq!(stage.rows(history).await, [["t", "t", "t", "t"]]);
    let groups = "SELECT count(DISTINCT machine_group_id) > 2, bool_and(first_checkin <= last_checkin) FROM server_machine";
    assert_eq!(stage.rows(groups).await, [["t", "t"]]);

    let versions =
        "SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM server_machine WHERE id <= 6";
    let before = stage.value(versions).await;
    let refused = bulk(&settings, &["--machines", "3"]).await;
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("--add"), "{refused:?}");
    let added = bulk(&settings, &["--machines", "3", "--add"]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let count = "SELECT count(*) FROM server_machine";
    assert_eq!(stage.value(count).await, "9");
    assert_eq!(stage.value(versions).await, before);

    // The sequences are past the copied rows: a machine that comes by itself gets an id of its own.
    let next = "INSERT INTO server_machine (serial, machine_group_id, memory_kb, os_family, deployed, broken_client)
        SELECT 'BYITSELF', min(id), 0, '', true, false FROM server_machinegroup RETURNING id > 9";
    assert_eq!(stage.value(next).await, "t");
}
