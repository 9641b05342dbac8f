//! What is counted for the trends.

use crate::ground::{Ground, NOW};

const COUNTS: &str = "SELECT string_agg(day || ' ' || group_id || ' ' || counts::text, '; ' ORDER BY day, group_id) FROM salrs_snapshot";

#[tokio::test]
async fn machines_of_each_group_are_counted_and_the_last_count_of_a_day_stays() {
    let ground = Ground::new().await;
    ground.machines().await;
    ground
        .sql(
            "INSERT INTO server_managementsource (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'Munki');
             UPDATE server_machine SET operating_system = '15.1', sal_version = '', hd_total = 100, hd_space = 10 WHERE id = 2;
             INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
             SELECT 1, '00000000-0000-0000-0000-00000000000b', 'ERROR', n::text, now() FROM generate_series(1, 3) n;
             INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed)
             SELECT gen_random_uuid(), 2, '00000000-0000-0000-0000-00000000000b', 'item' || n, 'PENDING', now() FROM generate_series(1, 2) n",
        )
        .await;
    ground.run("snapshots").await;
    let counts: String = ground.value(COUNTS).await;
    assert_eq!(
        counts,
        "2026-11-22 1 {\"seen\": 1, \"errors\": 1, \"missing\": 1, \"pending\": 1, \"machines\": 2, \"full disk\": 1, \"os Darwin 15.1\": 1}"
    );
    ground
        .sql("UPDATE server_machine SET deployed = false WHERE id = 1")
        .await;
    ground.run("snapshots").await;
    let counts: String = ground.value(COUNTS).await;
    assert!(
        counts.contains("\"machines\": 1") && !counts.contains("missing"),
        "{counts}"
    );
    ground.pass(24);
    ground.run("snapshots").await;
    assert_eq!(
        ground.number("SELECT count(*) FROM salrs_snapshot").await,
        2
    );
}

#[tokio::test]
async fn versions_are_bounded_and_old_days_become_mondays() {
    let ground = Ground::new().await;
    ground.machines().await;
    ground
        .sql(&format!(
            "INSERT INTO server_machine (id, serial, os_family, operating_system, memory_kb, machine_group_id, deployed, broken_client)
             SELECT n, 'S' || n, 'Darwin', repeat('9', n), 0, 1, true, false FROM generate_series(3, 100) n;
             INSERT INTO salrs_snapshot (day, group_id, counts)
             SELECT (timestamptz '{NOW}' - n * interval '1 day')::date, 1, '{{\"machines\": 1}}' FROM generate_series(1, 800) n"
        ))
        .await;
    ground.run("snapshots").await;
    let versions = "SELECT count(*) FROM salrs_snapshot, jsonb_object_keys(counts) key WHERE day = '2026-11-22' AND key LIKE 'os %'";
    assert_eq!(ground.number(versions).await, 40);
    let old = "SELECT count(*) FROM salrs_snapshot WHERE day < date '2026-11-22' - 400";
    let mondays = "SELECT count(*) FROM salrs_snapshot WHERE day < date '2026-11-22' - 400 AND extract(isodow FROM day) = 1";
    let (old, mondays) = (ground.number(old).await, ground.number(mondays).await);
    assert!(
        old == mondays && (56..=58).contains(&old),
        "{old} {mondays}"
    );
    assert_eq!(
        ground
            .number("SELECT count(*) FROM salrs_snapshot WHERE day >= date '2026-11-22' - 400")
            .await,
        401
    );
}

#[tokio::test]
async fn a_group_that_empties_is_not_counted_twice_and_no_number_stops_the_count() {
    let ground = Ground::new().await;
    ground.machines().await;
    ground
        .sql(&format!(
            "INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (2, 1, 'Other', 'key-two');
             UPDATE server_machine SET hd_total = {most}, hd_space = 0 WHERE id = 1;
             UPDATE server_machine SET hd_total = -{most}, hd_space = {most} WHERE id = 2",
            most = i64::MAX
        ))
        .await;
    ground.run("snapshots").await;
    ground
        .sql("UPDATE server_machine SET machine_group_id = 2")
        .await;
    ground.run("snapshots").await;
    let counts: String = ground.value(COUNTS).await;
    assert!(
        counts.starts_with("2026-11-22 2 {") && counts.contains("\"full disk\": 1"),
        "{counts}"
    );
    assert_eq!(
        ground.number("SELECT count(*) FROM salrs_snapshot").await,
        1
    );
}
