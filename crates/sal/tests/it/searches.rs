//! `sal search`: what each saved search of a database means, here and in Sal.

use serde_json::Value;

use crate::stage::Stage;

/// The machines of `golden/saved_searches`, and searches as a Django Sal left them.
async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.of_the_original().await;
    assert_eq!(stage.settings().run(&["db", "init"]).await.code, Some(0));
    let fleet = include_str!("../../../../golden/saved_searches/fleet.sql");
    stage
        .run(
            "SET ROLE sal; DELETE FROM server_machinegroup; DELETE FROM server_businessunit; DELETE FROM server_managementsource",
        )
        .await;
    stage.run(&format!("SET ROLE sal; {fleet}")).await;
    stage.run(SEARCHES).await;
    stage
}

const SEARCHES: &str = "SET ROLE sal;
    INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
    VALUES (70, '!', false, 'anna', '', '', '', false, true, now());
    INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id) VALUES
        (1, 'Same', now(), true, 70), (2, 'Two facts', now(), true, 70), (3, 'Broken', now(), true, 70), (4, NULL, now(), false, 70),
        (5, 'Ours', now(), true, 70), (6, 'Uses', now(), true, 70);
    INSERT INTO search_searchgroup (id, saved_search_id, and_or, position) SELECT n, n, 'AND', 0 FROM generate_series(1, 5) n;
    INSERT INTO search_searchrow (search_group_id, and_or, search_models, search_field, operator, search_term, position) VALUES
        (1, 'AND', 'Machine', 'hostname', 'Contains', 'ALPHA', 0),
        (2, 'AND', 'Facter', 'role', '=', 'kiosk', 0), (2, 'AND', 'Facter', 'arch', '=', 'arm64', 1),
        (3, 'AND', 'Machine', 'memory_kb', '=', 'abc', 0),
        (5, 'AND', 'Machine', 'id', '=', '0', 0);
    INSERT INTO salrs_search (search_id, filter, updated, mirror) VALUES
        (5, 'os_version < 15.9', now(), E'AND\\n\\tAND\\tMachine\\tid\\t=\\t0\\n'),
        (6, 'search = \"ours\" or search = same', now(), '')";

const CHECKED: &str = "\
Broken (anna)
  cannot be read: group 1, row 1: `memory_kb` is compared with a whole number; `abc` is none
  Sal answers with an error
Ours (anna)
  os_version < 15.9
  2 machines, 0 in Sal
  Q-170: Sal's rows cannot say this filter; a Django Sal finds no machine by this search
  only here: A1, B2
Same (anna)
  hostname ~ \"ALPHA\"
  2 machines, 2 in Sal
Two facts (anna)
  fact \"role\" == \"kiosk\" and fact \"arch\" == \"arm64\"
  2 machines, 0 in Sal
  Q-160: Sal looks for one fact, script row, application or profile that fulfils all rows about them; here each row is a question of its own
  only here: A1, E5
Uses (anna)
  search = \"ours\" or search = same
  2 machines, 6 in Sal
  only in Sal: C3, D4, E5, F6
";

#[tokio::test]
async fn q167_each_saved_search_is_checked_and_one_that_cannot_be_read_is_a_finding() {
    let stage = stage().await;
    let settings = stage.settings();
    let checked = settings.run(&["search", "check"]).await;
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(3), CHECKED));
    assert!(
        checked.stderr.contains(
            "5 saved searches: 1 find the same machines as in Sal, 3 others, 1 cannot be read"
        ),
        "{checked:?}"
    );
    let json = settings.run(&["search", "check", "--json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json.code, Some(3));
    assert_eq!(report[0]["fails_in_sal"].as_array().unwrap().len(), 1);
    assert_eq!(report[3]["differences"][0]["quirk"], "Q-160", "{report}");
    assert_eq!(report[3]["only_here"], serde_json::json!(["A1", "E5"]));
    stage
        .run("SET ROLE sal; DELETE FROM search_searchrow WHERE search_group_id = 3")
        .await;
    assert_eq!(settings.run(&["search", "check"]).await.code, Some(0));
}

#[tokio::test]
async fn searches_are_listed_and_run_by_name_and_by_filter() {
    let stage = stage().await;
    let settings = stage.settings();
    let listed = settings.run(&["search", "list"]).await;
    assert_eq!(listed.code, Some(0));
    for line in [
        "Same  (anna, shared with everybody)  hostname ~ \"ALPHA\"",
        "Ours  (anna, private)  os_version < 15.9",
        "Broken  (anna, shared with everybody)  cannot be read: group 1, row 1: ",
    ] {
        assert!(listed.stdout.contains(line), "{line} in {listed:?}");
    }
    let serials = async |what: &str| {
        let found = settings.run(&["search", "run", what]).await;
        assert_eq!(found.code, Some(0), "{what}: {found:?}");
        let first = |line: &str| line.split("  ").next().unwrap().to_owned();
        found.stdout.lines().map(first).collect::<Vec<_>>()
    };
    assert_eq!(serials("uses").await, ["A1", "B2"]);
    assert_eq!(serials("os_version >= 15.10").await, ["D4", "F6"]);
    assert_eq!(serials("search = 'two facts' and not alpha").await, ["E5"]);
    let json = settings.run(&["search", "run", "Same", "--json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report[1]["serial"], "B2", "{report}");
    for (what, code, words) in [
        ("os_versoin < 15", 2, "os_versoin"),
        ("hd_space < apples", 2, "a size"),
        ("broken", 3, "the search `Broken` cannot be read"),
    ] {
        let ended = settings.run(&["search", "run", what]).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}
