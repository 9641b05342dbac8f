//! The caches of a Django Sal's searches.

use crate::ground::{Ground, NOW, of};

const FIELDS: &str = "SELECT count(*) FROM search_searchfieldcache";

async fn fill(ground: &Ground) {
    ground.machines().await;
    ground
        .sql(&format!(
            "INSERT INTO server_fact (fact_name, fact_data, machine_id) VALUES
                 ('colour', 'red', 1), ('colour', 'blue', 2), ('colour', repeat('x', 300), 2), (repeat('n', 255), 'long', 1);
             INSERT INTO server_pluginscriptsubmission (id, plugin, historical, recorded, machine_id) VALUES (1, 'Uptime', false, '{NOW}', 1);
             INSERT INTO server_pluginscriptrow (pluginscript_name, pluginscript_data, submission_id, submission_and_script_name, pluginscript_data_int)
             VALUES ('UptimeDays', '3', 1, 'Uptime: UptimeDays', 0);
             INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ('Safari', 'com.apple.Safari', 'Safari', '');"
        ))
        .await;
}

async fn listed(ground: &Ground, model: &str) -> String {
    let query = format!(
        "SELECT COALESCE(string_agg(search_field, ',' ORDER BY search_field), '') FROM search_searchfieldcache WHERE search_model = '{model}'"
    );
    ground.value(&query).await
}

#[tokio::test]
async fn q108_the_drop_downs_list_what_there_is_and_are_written_only_when_that_changed() {
    let ground = Ground::new().await;
    fill(&ground).await;
    ground
        .sql("INSERT INTO search_searchfieldcache (search_model, search_field) VALUES ('Facter', 'gone'), ('Facter', 'colour'), ('Facter', 'colour')")
        .await;
    let would = ground.count("search").await;
    assert_eq!(ground.number(FIELDS).await, 3, "counting changes nothing");
    let did = ground.run("search").await;
    assert_eq!(did, would);
    assert_eq!(
        listed(&ground, "Facter").await,
        "colour",
        "a name of 255 characters has no room"
    );
    assert_eq!(
        listed(&ground, "External Script").await,
        "Uptime=>UptimeDays"
    );
    assert_eq!(
        listed(&ground, "Application Version").await,
        "Safari=>com.apple.Safari"
    );
    assert_eq!(
        listed(&ground, "Application Inventory").await,
        "Bundle ID,Bundle Name,Name,Path"
    );
    assert_eq!(
        listed(&ground, "Profile Payload").await,
        "identifier,payload_type,profile,uuid"
    );
    assert!(
        listed(&ground, "Profile")
            .await
            .starts_with("description,display_name,")
    );
    let columns: String = ground
        .value(
            "SELECT string_agg(name, ',' ORDER BY name) FROM (SELECT replace(column_name, '_id', '') AS name FROM information_schema.columns
             WHERE table_name = 'server_machine' AND column_name <> 'id') AS columns",
        )
        .await;
    assert_eq!(listed(&ground, "Machine").await, columns);

    let version =
        "SELECT string_agg(xmin::text || ctid::text, ' ' ORDER BY id) FROM search_searchfieldcache";
    let before: String = ground.value(version).await;
    assert_eq!(ground.run("search").await.rows(), 0);
    assert_eq!(
        ground.value::<String>(version).await,
        before,
        "no row was touched"
    );
    ground
        .sql("DELETE FROM server_fact WHERE fact_name = 'colour'")
        .await;
    assert_eq!(of(&ground.run("search").await, "entries of drop-downs"), 1);
    assert_eq!(listed(&ground, "Facter").await, "");
}

#[tokio::test]
async fn a_reader_never_sees_the_drop_downs_empty() {
    let ground = Ground::new().await;
    fill(&ground).await;
    ground.run("search").await;
    let full = ground.number(FIELDS).await;
    ground
        .sql("DELETE FROM server_fact; INSERT INTO server_fact (fact_name, fact_data, machine_id) VALUES ('shape', 'round', 1)")
        .await;
    let reading = async {
        let mut least = full;
        for _ in 0..200 {
            least = least.min(ground.number(FIELDS).await);
        }
        least
    };
    let (least, did) = tokio::join!(reading, ground.run("search"));
    assert_eq!(of(&did, "entries of drop-downs"), 2);
    assert_eq!(least, full);
}

#[tokio::test]
async fn quick_search_has_the_values_of_the_chosen_facts() {
    let mut ground = Ground::new().await;
    fill(&ground).await;
    let items = "SELECT COALESCE(string_agg(machine_id || ' ' || search_item, ',' ORDER BY machine_id), '') FROM search_searchcache";
    ground.run("search").await;
    assert_eq!(ground.value::<String>(items).await, "");
    ground.config.search_facts = vec!["colour".to_owned()];
    assert_eq!(of(&ground.run("search").await, "values of quick search"), 2);
    assert_eq!(ground.value::<String>(items).await, "1 red,2 blue");
    ground
        .sql("UPDATE server_fact SET fact_data = 'green' WHERE fact_data = 'red'")
        .await;
    ground.run("search").await;
    assert_eq!(ground.value::<String>(items).await, "1 green,2 blue");
    assert_eq!(ground.run("search").await.rows(), 0);
}

#[tokio::test]
async fn searches_that_nobody_saved_go_after_thirty_days() {
    let mut ground = Ground::new().await;
    ground.config.batch = 2;
    ground.run("search").await;
    ground
        .sql(&format!(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES (1, '', false, 'anna', '', '', '', false, true, '{NOW}');
             INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id)
             SELECT n, NULL, timestamptz '{NOW}' - CASE WHEN n <= 5 THEN interval '31 days' ELSE interval '29 days' END, n = 5, 1
             FROM generate_series(1, 6) n;
             INSERT INTO search_searchgroup (id, and_or, position, saved_search_id) SELECT n, 'AND', 0, n FROM generate_series(1, 6) n;
             INSERT INTO search_searchrow (search_models, search_field, and_or, operator, search_term, search_group_id, position)
             SELECT 'Machine', 'serial', 'AND', '=', 'x', n, 0 FROM generate_series(1, 6) n;"
        ))
        .await;
    assert_eq!(of(&ground.count("search").await, "unsaved searches"), 4);
    assert_eq!(of(&ground.run("search").await, "unsaved searches"), 4);
    for table in [
        "search_savedsearch",
        "search_searchgroup",
        "search_searchrow",
    ] {
        let left = format!("SELECT count(*) FROM {table}");
        assert_eq!(ground.number(&left).await, 2, "{table}");
    }
}
