//! Many at once on the same machines: two of our servers, and a Django Sal beside them. And more than can be taken.

use futures_util::future::join_all;
use sal_testkit::{Filled, TestServer, golden};
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

/// Parts change at different turns, so that some are often what they were and some are not; the items say which turn it
/// was, and with it what all other parts must be.
fn body(machine: usize, turn: usize) -> String {
    let facts: serde_json::Map<_, _> = (0..20)
        .map(|n| (format!("f{n}"), json!(turn % 2)))
        .collect();
    let items: serde_json::Map<_, _> = (0..20)
        .map(|n| {
            let status = if (turn + n).is_multiple_of(2) { "PRESENT" } else { "PENDING" };
            (format!("i{n}"), json!({"status": status, "date_managed": format!("2025-01-01T00:00:{:02}Z", turn % 60), "data": {"turn": turn}}))
        })
        .collect();
    json!({
        "Machine": {"extra_data": {"serial": format!("S{machine}")}},
        "Sal": {"extra_data": {"key": key()}},
        "Munki": {"facts": facts, "managed_items": items, "messages": [{"message_type": "ERROR", "text": format!("t{}", turn % 3)}]},
        "plugin_results": [{"plugin": "P", "data": {"turn": turn % 5}}],
    })
    .to_string()
}

async fn count(db: &Client, sql: &str) -> i64 {
    db.query_one(sql, &[]).await.unwrap().get(0)
}

/// Machines that are not as one whole check-in leaves them.
const TORN: &str = "SELECT count(*) FROM server_machine m WHERE m.serial LIKE 'S_' AND (
    (SELECT count(*) FROM server_fact f WHERE f.machine_id = m.id) <> 20
    OR (SELECT count(DISTINCT fact_data) FROM server_fact f WHERE f.machine_id = m.id) <> 1
    OR (SELECT count(*) FROM server_manageditem i WHERE i.machine_id = m.id) <> 20
    OR (SELECT count(*) FROM server_message t WHERE t.machine_id = m.id) <> 1
    OR (SELECT count(*) FROM server_pluginscriptsubmission s WHERE s.machine_id = m.id) <> 1
    OR (SELECT count(DISTINCT data) FROM server_manageditem i WHERE i.machine_id = m.id) <> 1
    OR (SELECT concat(fact_data, ' ', text, ' ', pluginscript_data) FROM server_fact f, server_message t, server_pluginscriptrow r
        JOIN server_pluginscriptsubmission s ON s.id = r.submission_id
        WHERE f.machine_id = m.id AND t.machine_id = m.id AND s.machine_id = m.id LIMIT 1)
    <> (SELECT concat(turn % 2, ' t', turn % 3, ' ', turn % 5) FROM (SELECT (data::json->>'turn')::int AS turn FROM server_manageditem i
        WHERE i.machine_id = m.id LIMIT 1) sent))";

#[tokio::test]
async fn fifty_clients_at_two_servers_on_ten_machines_lose_nothing() {
    let one = TestServer::start(Filled::Seeded).await;
    let two = one.beside();
    let clients = (0..50_usize).map(|client| {
        let server = if client % 2 == 0 { &one } else { &two };
        async move {
            for turn in 0..6_usize {
                let (code, text) = server
                    .checkin(&key(), body(client % 10, client * 6 + turn))
                    .await;
                assert_eq!(code, 200, "{text}");
            }
        }
    });
    join_all(clients).await;
    let db = one.database.connect().await;
    assert_eq!(
        count(
            &db,
            "SELECT count(*) FROM server_machine WHERE serial LIKE 'S_'"
        )
        .await,
        10
    );
    assert_eq!(count(&db, TORN).await, 0);
    // The status that an item has now is the newest line of its history, or as old as it.
    let unwritten = "SELECT count(*) FROM server_manageditem i WHERE NOT EXISTS (SELECT 1 FROM server_manageditemhistory h
        WHERE h.machine_id = i.machine_id AND h.name = i.name AND h.management_source_id = i.management_source_id AND h.status = i.status)";
    assert_eq!(count(&db, unwritten).await, 0);
    assert_eq!(count(&db, "SELECT count(*) FROM pg_stat_database WHERE datname = current_database() AND deadlocks > 0").await, 0);
}

/// The statements of the original for one check-in, each a transaction of its own (sal-protocol §1.3).
async fn as_django_does(
    db: &Client,
    serial: &str,
    source: &str,
    turn: i32,
) -> Result<(), tokio_postgres::Error> {
    let machine: i64 = db
        .query_one(
            "SELECT id FROM server_machine WHERE serial = $1",
            &[&serial],
        )
        .await?
        .get(0);
    let save = "UPDATE server_machine SET hostname = 'django', last_checkin = clock_timestamp(), broken_client = false WHERE id = $1";
    db.execute(save, &[&machine]).await?;
    for table in ["server_fact", "server_manageditem", "server_message"] {
        db.execute(
            &format!("DELETE FROM {table} WHERE machine_id = $1"),
            &[&machine],
        )
        .await?;
    }
    let of_source = "SELECT id FROM server_managementsource WHERE name = $1";
    let source: uuid::Uuid = db.query_one(of_source, &[&source]).await?.get(0);
    for _ in 0..3 {
        db.execute(save, &[&machine]).await?;
    }
    for n in 0..20 {
        let newest = "SELECT status FROM server_manageditemhistory WHERE machine_id = $1 AND name = $2 ORDER BY recorded DESC LIMIT 1";
        db.query(newest, &[&machine, &format!("i{n}")]).await?;
    }
    db.execute("INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data) SELECT $1, $2, 'f' || n, $3 FROM generate_series(0, 19) n",
        &[&machine, &source, &turn.to_string()]).await?;
    db.execute("INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed)
        SELECT gen_random_uuid(), $1, $2, 'i' || n, 'PRESENT', now() FROM generate_series(0, 19) n", &[&machine, &source]).await?;
    db.execute("INSERT INTO server_message (machine_id, management_source_id, message_type, text, date) VALUES ($1, $2, 'ERROR', $3, now())",
        &[&machine, &source, &format!("t{turn}")]).await?;
    Ok(())
}

#[tokio::test]
async fn a_django_sal_on_other_machines_never_fails_and_on_the_same_ones_only_as_beside_another_django()
 {
    let server = TestServer::start(Filled::Seeded).await;
    for machine in 0..10 {
        assert_eq!(server.checkin(&key(), body(machine, 0)).await.0, 200);
    }
    let ours = (0..10_usize).map(|client| {
        let server = &server;
        async move {
            for turn in 1..15_usize {
                let (code, text) = server
                    .checkin(&key(), body(client % 5, client * 15 + turn))
                    .await;
                assert_eq!(code, 200, "{text}");
            }
        }
    });
    let django = (0..10_usize).map(|client| {
        let server = &server;
        async move {
            let db = server.database.connect().await;
            for turn in 0..15 {
                // Machines 0 to 4 are ours too, 5 to 9 are Django's alone; a client has one machine of its own.
                let done = as_django_does(&db, &format!("S{client}"), "Munki", turn).await;
                let collided = done
                    .as_ref()
                    .is_err_and(|error| error.code() == Some(&SqlState::UNIQUE_VIOLATION));
                assert!(
                    done.is_ok() || collided && client < 5,
                    "client {client}, turn {turn}: {:?}",
                    done.err()
                );
            }
        }
    });
    tokio::join!(join_all(ours), join_all(django));
    let db = server.database.connect().await;
    assert_eq!(count(&db, "SELECT count(*) FROM pg_stat_database WHERE datname = current_database() AND deadlocks > 0").await, 0);
    // Whatever the two made of it together, the next whole check-in puts right.
    for machine in 0..10 {
        assert_eq!(server.checkin(&key(), body(machine, 59)).await.0, 200);
    }
    assert_eq!(count(&db, TORN).await, 0);
}

#[tokio::test]
async fn q203_a_check_in_in_too_great_a_crowd_is_told_so_at_once_and_nobody_else_is_turned_away() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut inside = Vec::new();
    // Nothing ends, so that the estimate grows with every one of them.
    while let Ok(one) = server.app.crowd().enter() {
        inside.push(one);
    }
    let post = |key: String| {
        let request = server.http.post(server.url("/checkin/"));
        let request = request.header("content-type", "application/json");
        request.basic_auth("sal", Some(key)).body(body(1, 1)).send()
    };
    for _ in 0..5 {
        let answer = post(key()).await.unwrap();
        assert_eq!(answer.status(), 503);
        let again = answer.headers()["retry-after"].to_str().unwrap();
        let again: u64 = again.parse().unwrap();
        assert!((10..=40).contains(&again), "{again}");
    }
    assert_eq!(post("wrong".to_owned()).await.unwrap().status(), 401);
    // A balancer would take it out and make the crowd at the others greater.
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/login/", 200)] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    let small = server.http.get(server.url("/preflight-v2/"));
    let small = small.basic_auth("sal", Some(key())).send().await.unwrap();
    assert_eq!(small.status(), 200);
    let db = server.database.connect().await;
    let there = "SELECT count(*) FROM server_machine WHERE serial = 'S1'";
    assert_eq!(count(&db, there).await, 0);
    drop(inside);
    assert_eq!(server.checkin(&key(), body(1, 1)).await.0, 200);
    assert_eq!(count(&db, there).await, 1);
}
