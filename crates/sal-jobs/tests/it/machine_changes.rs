//! Who went missing is noted once for each time, and what is older than `SAL_CHANGES_DAYS` goes.

use crate::ground::{Ground, NOW, of};

#[tokio::test]
async fn a_machine_goes_missing_once_until_it_comes_back() {
    let ground = Ground::new().await;
    ground.machines().await;
    assert_eq!(
        of(
            &ground.count("machine-changes").await,
            "machines that went missing"
        ),
        1
    );
    for noted in [1, 0] {
        let outcome = ground.run("machine-changes").await;
        assert_eq!(of(&outcome, "machines that went missing"), noted);
    }
    let line = "SELECT count(*) FROM salrs_change WHERE machine_id = 1 AND kind = 3
        AND at = (SELECT last_checkin + interval '30 days' FROM server_machine WHERE id = 1) AND was LIKE '2026-%T%Z'";
    assert_eq!(ground.number(line).await, 1);
    ground
        .sql(&format!(
            "UPDATE server_machine SET last_checkin = timestamptz '{NOW}'"
        ))
        .await;
    ground.pass(31 * 24);
    assert_eq!(
        of(
            &ground.run("machine-changes").await,
            "machines that went missing"
        ),
        2
    );
    // Also where another job takes the mark of being in use first.
    ground
        .sql("UPDATE server_machine SET deployed = false; DELETE FROM salrs_change")
        .await;
    let outcome = ground.run("machine-changes").await;
    assert_eq!(of(&outcome, "machines that went missing"), 2);
}

#[tokio::test]
async fn changes_older_than_the_setting_go_in_batches() {
    let mut ground = Ground::new().await;
    ground.machines().await;
    ground.config.batch = 7;
    ground.config.changes_days = 100;
    ground
        .sql(&format!(
            "INSERT INTO salrs_change (machine_id, at, kind, name)
             SELECT 2, timestamptz '{NOW}' - n * interval '10 days', 15, n::text FROM generate_series(1, 40) n"
        ))
        .await;
    assert_eq!(
        of(
            &ground.count("machine-changes").await,
            "changes of machines"
        ),
        30
    );
    assert_eq!(
        of(&ground.run("machine-changes").await, "changes of machines"),
        30
    );
    assert_eq!(
        ground
            .number("SELECT count(*) FROM salrs_change WHERE kind = 15")
            .await,
        10
    );
    // A setting with a digit too few does not empty the table.
    ground.config.changes_days = 1;
    ground.config.most_share = 50;
    ground
        .sql(&format!(
            "INSERT INTO salrs_change (machine_id, at, kind, name)
             SELECT 2, timestamptz '{NOW}' - interval '10 days', 15, n::text FROM generate_series(1, 200) n"
        ))
        .await;
    let own = ground.database.connect().await;
    let jobs = [sal_jobs::jobs::named("machine-changes").unwrap()];
    let mode = sal_jobs::by_hand::Mode::Do;
    let ran = sal_jobs::by_hand::run(&jobs, mode, &ground.config, &ground.clock(), &own).await;
    assert!(ran.unwrap()[0].result.is_err());
}
