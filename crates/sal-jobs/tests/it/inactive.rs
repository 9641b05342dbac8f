//! Machines that were silent for long lose the mark of being in use.

use crate::ground::{Ground, of};

#[tokio::test]
async fn silent_machines_are_undeployed_and_the_audit_log_says_so() {
    let mut ground = Ground::new().await;
    ground.machines().await;
    let deployed =
        "SELECT string_agg(serial, ' ' ORDER BY serial) FROM server_machine WHERE deployed";
    ground.run("inactive-machines").await;
    assert_eq!(
        ground.value::<String>(deployed).await,
        "NEW OLD",
        "0 is off"
    );

    ground.config.undeploy_after_days = 200;
    assert_eq!(of(&ground.count("inactive-machines").await, "machines"), 1);
    assert_eq!(ground.value::<String>(deployed).await, "NEW OLD");
    assert_eq!(of(&ground.run("inactive-machines").await, "machines"), 1);
    assert_eq!(ground.value::<String>(deployed).await, "NEW");
    let line =
        "SELECT concat_ws('|', username, action, kind, object_name, detail) FROM salrs_audit";
    let line: String = ground.value(line).await;
    assert_eq!(
        line,
        "maintenance|changed|machine|1 machines|deployed: yes -> no, as they did not check in for 200 days: OLD"
    );
    assert_eq!(ground.run("inactive-machines").await.rows(), 0);
}

#[tokio::test]
async fn many_machines_go_in_batches_that_are_noted_each() {
    let mut ground = Ground::new().await;
    ground.config.undeploy_after_days = 30;
    ground.config.batch = 40;
    ground.machines().await;
    ground
        .sql(
            "INSERT INTO server_machine (id, serial, os_family, memory_kb, last_checkin, machine_group_id, deployed, broken_client)
             SELECT 10 + n, 'S' || n, 'Darwin', 0, '2026-01-01', 1, true, false FROM generate_series(1, 99) n",
        )
        .await;
    assert_eq!(of(&ground.run("inactive-machines").await, "machines"), 100);
    assert_eq!(ground.number("SELECT count(*) FROM salrs_audit").await, 3);
}
