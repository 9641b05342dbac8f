//! What is older than the retention goes, in batches; the rest stays.

use sal_store::maintenance::first_id_of;

use crate::ground::{Ground, NOW, of};

/// For each machine 30 results with two rows, 30 lines of history and 30 facts, 10 days apart.
async fn fill(ground: &Ground) {
    ground.machines().await;
    ground
        .sql(&format!(
            "INSERT INTO server_managementsource (id, name) VALUES
                ('00000000-0000-0000-0000-00000000000a', 'Machine'), ('00000000-0000-0000-0000-00000000000b', 'Munki');
             WITH made AS (
                 INSERT INTO server_pluginscriptsubmission (plugin, historical, recorded, machine_id)
                 SELECT 'P' || n, false, timestamptz '{NOW}' - n * interval '10 days', m FROM generate_series(1, 30) n, generate_series(1, 2) m
                 RETURNING id)
             INSERT INTO server_pluginscriptrow (pluginscript_name, pluginscript_data, submission_id, submission_and_script_name, pluginscript_data_int)
             SELECT 'row' || r, 'x', id, 'P: row' || r, 0 FROM made, generate_series(1, 2) r;
             INSERT INTO server_manageditemhistory (id, recorded, name, status, machine_id, management_source_id)
             SELECT gen_random_uuid(), timestamptz '{NOW}' - n * interval '10 days', 'item' || n, 'PRESENT', m, '00000000-0000-0000-0000-00000000000b'
             FROM generate_series(1, 30) n, generate_series(1, 2) m;
             INSERT INTO server_historicalfact (fact_name, fact_data, fact_recorded, machine_id, management_source_id)
             SELECT 'f', n::text, timestamptz '{NOW}' - n * interval '10 days', m, '00000000-0000-0000-0000-00000000000b'
             FROM generate_series(1, 30) n, generate_series(1, 2) m;"
        ))
        .await;
}

const LEFT: &str = "SELECT (SELECT count(*) FROM server_pluginscriptsubmission) * 1000000
    + (SELECT count(*) FROM server_manageditemhistory) * 1000 + (SELECT count(*) FROM server_historicalfact)";

#[tokio::test]
async fn what_is_older_than_the_setting_goes_with_its_rows() {
    let mut ground = Ground::new().await;
    ground.config.batch = 7;
    fill(&ground).await;
    // 180 days: those of 190 to 300 days are too old, 12 for each machine.
    let would = ground.count("retention").await;
    assert_eq!(of(&would, "plugin results"), 24);
    assert_eq!(
        ground.number(LEFT).await,
        60_060_060,
        "counting removes nothing"
    );
    let did = ground.run("retention").await;
    assert_eq!(of(&did, "plugin results"), 24);
    assert_eq!(of(&did, "rows of plugin results"), 48);
    assert_eq!(of(&did, "lines of managed items' history"), 24);
    assert_eq!(of(&did, "historical facts"), 24);
    assert_eq!(ground.number(LEFT).await, 36_036_036);
    let rows = "SELECT count(*) FROM server_pluginscriptrow";
    assert_eq!(ground.number(rows).await, 72);
    let oldest = format!(
        "SELECT min(recorded) = timestamptz '{NOW}' - interval '180 days' FROM server_manageditemhistory"
    );
    assert!(ground.value::<bool>(&oldest).await);
    assert_eq!(ground.run("retention").await.rows(), 0);
}

#[tokio::test]
async fn q105_a_setting_that_is_no_number_of_days_warns_and_the_default_counts() {
    let ground = Ground::new().await;
    fill(&ground).await;
    let set = |value: &str| {
        format!(
            "UPDATE server_salsetting SET value = '{value}' WHERE name = 'historical_retention'"
        )
    };
    ground.sql(&set("half a year")).await;
    let did = ground.run("retention").await;
    assert!(did.warnings[0].contains("`half a year`"), "{did:?}");
    assert_eq!(ground.number(LEFT).await, 36_036_036);
    // In Sal this would remove everything.
    ground.sql(&set("0")).await;
    assert_eq!(ground.run("retention").await.rows(), 0);
    ground.sql(&set("95")).await;
    ground.run("retention").await;
    assert_eq!(ground.number(LEFT).await, 18_018_018);
}

#[tokio::test]
async fn results_of_a_machine_that_is_checking_in_wait_for_the_next_run() {
    let ground = Ground::new().await;
    fill(&ground).await;
    let version = "SELECT xmin::text::bigint FROM server_machine WHERE id = 1";
    let before = ground.number(version).await;
    ground
        .sql("BEGIN; SELECT FROM server_machine WHERE id = 1 FOR NO KEY UPDATE")
        .await;
    let did = ground.run("retention").await;
    assert_eq!(of(&did, "plugin results"), 12, "those of the other machine");
    assert_eq!(ground.number(version).await, before);
    ground.sql("COMMIT").await;
    let did = ground.run("retention").await;
    assert_eq!(of(&did, "plugin results"), 12);
    // A check-in that read before it waited for the lock sees by this that it has to read again.
    assert_ne!(ground.number(version).await, before);
}

#[tokio::test]
async fn q135_sources_that_nothing_names_go_unless_they_are_new() {
    let ground = Ground::new().await;
    fill(&ground).await;
    let fresh = first_id_of(NOW.parse().unwrap());
    ground
        .sql(&format!(
            "INSERT INTO server_managementsource (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Puppet'),
                ('00000000-0000-0000-0000-000000000002', 'Sal'), ('{fresh}', 'Chef')"
        ))
        .await;
    let would = ground.count("retention").await;
    assert_eq!(of(&would, "unused sources"), 1);
    let did = ground.run("retention").await;
    assert_eq!(of(&did, "unused sources"), 1);
    let left: String = ground
        .value("SELECT string_agg(name, ' ' ORDER BY name) FROM server_managementsource")
        .await;
    assert_eq!(left, "Chef Machine Munki Sal");
    ground.pass(2);
    assert_eq!(of(&ground.run("retention").await, "unused sources"), 1);
}
