//! Which columns the list shows, and to whom.

use sal_testkit::Page;

use super::{assert_ok, fleet};

/// The heads of the table, without that of the boxes to tick.
fn heads(page: &Page) -> Vec<String> {
    page.texts("thead th:not(:has(.hidden))")
}

#[tokio::test]
async fn columns_are_remembered_for_the_person_who_chose_them() {
    let (site, mut anna) = fleet(3).await;
    site.user(2, "bert", "RO", Some(1)).await;
    let usual = [
        "Name",
        "User",
        "Model",
        "System",
        "Machine group",
        "Last check-in",
        "Status",
    ];
    assert_eq!(heads(&anna.get(&site, "/machines/").await.page()), usual);
    let form = [
        ("list", "q=mac&at=end"),
        ("col", "serial"),
        ("col", "unit"),
        ("col", "nope"),
        ("col", "errors"),
    ];
    let answer = anna.post(&site, "/machines/columns/", &form).await;
    assert_eq!(
        answer.location(),
        "/machines/?q=mac&cols=hostname%2Cserial%2Cunit%2Cerrors"
    );
    let chosen = ["Name", "Serial number", "Business unit", "Errors"];
    assert_eq!(
        heads(&anna.get(&site, answer.location()).await.page()),
        chosen
    );
    assert_eq!(heads(&anna.get(&site, "/machines/").await.page()), chosen);
    // The URL says otherwise, and remembers nothing.
    assert_eq!(
        heads(&anna.get(&site, "/machines/?cols=memory").await.page()),
        ["Name", "Memory"]
    );
    assert_eq!(heads(&anna.get(&site, "/machines/").await.page()), chosen);
    assert_eq!(
        heads(
            &site
                .visitor("bert")
                .await
                .get(&site, "/machines/")
                .await
                .page()
        ),
        usual
    );
    let answer = anna
        .post(
            &site,
            "/machines/columns/",
            &[("list", "sort=serial&cols=memory"), ("reset", "yes")],
        )
        .await;
    assert_eq!(answer.location(), "/machines/");
    assert_eq!(heads(&anna.get(&site, "/machines/").await.page()), usual);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_preference").await,
        0
    );
}

#[tokio::test]
async fn columns_that_are_saved_as_they_are_offered_stay_in_their_order() {
    let (site, mut anna) = fleet(1).await;
    let page = anna.get(&site, "/machines/").await.page();
    let ticked = page.attributes("input[name=col][checked]", "value");
    let mut same = vec![("list", "")];
    same.extend(ticked.iter().map(|key| ("col", key.as_str())));
    let answer = anna.post(&site, "/machines/columns/", &same).await;
    assert_eq!(answer.location(), "/machines/");
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_preference").await,
        0
    );
}

#[tokio::test]
async fn every_column_shows_what_there_is_and_says_what_is_missing() {
    let (site, mut anna) = fleet(2).await;
    site.sql(
        "UPDATE server_machine SET machine_model_friendly = 'MacBook <Pro>', munki_version = '6.6', sal_version = '4.9',
             manifest = 'site', memory = '16 GB', hd_percent = '66.71', hd_space = 331133251570, cpu_type = 'Apple M1',
             memory_kb = 16777216, hd_total = 994662584320, cpu_speed = '3.2 GHz'
         WHERE id = 1; UPDATE server_machine SET last_checkin = NULL, hostname = NULL WHERE id = 2",
    )
    .await;
    let all = "cols=serial,console_user,model,machine_model,operating_system,group,unit,last_checkin,first_checkin,\
               munki_version,sal_version,manifest,memory,hd_percent,hd_space,cpu_type,deployed,errors,warnings,status,\
               memory_kb,hd_total,cpu_speed,os_family,machine_model_friendly,broken_client";
    let page = anna.get(&site, &format!("/machines/?{all}")).await;
    assert_ok(&page);
    let page = page.page();
    // After the box to tick: the name, then the columns as they were asked for.
    assert_eq!(
        page.rows("table.devices")[0][1..],
        [
            "mac-1",
            "SERIAL1",
            "user1",
            "MacBook <Pro>",
            "Mac15,3",
            "macOS 14.1",
            "Studio",
            "Arts",
            "1 min ago",
            "3 months ago",
            "6.6",
            "4.9",
            "site",
            "16 GB",
            "66.71 %",
            "331.1 GB",
            "Apple M1",
            "Yes",
            "0",
            "0",
            "–",
            "16 GB",
            "994.6 GB",
            "3.2 GHz",
            "macOS",
            "MacBook <Pro>",
            "No"
        ]
    );
    let second = page.rows("table.devices")[1][1..].to_vec();
    assert_eq!(second[..4], ["SERIAL2", "SERIAL2", "user2", "Mac15,3"]);
    assert_eq!(second[8], "never");
}

#[tokio::test]
async fn a_database_without_our_newest_table_still_lists() {
    let (site, mut anna) = fleet(2).await;
    site.sql("DROP TABLE salrs_preference").await;
    assert_ok(&anna.get(&site, "/machines/").await);
    let answer = anna
        .post(&site, "/machines/columns/", &[("col", "serial")])
        .await;
    assert_eq!(answer.location(), "/machines/?cols=hostname%2Cserial");
}

#[tokio::test]
async fn a_form_that_is_none_leads_nowhere_else() {
    let (site, mut anna) = fleet(2).await;
    for (list, status) in [
        ("//evil.example", 302),
        ("q=a&q=b", 400),
        ("\u{0}", 400),
        ("q=a b", 400),
    ] {
        let answer = anna
            .post(&site, "/machines/columns/", &[("list", list)])
            .await;
        assert_eq!(answer.status.as_u16(), status, "{list}");
        assert!(!answer.location().contains("evil"), "{list}");
    }
}

#[tokio::test]
async fn any_fact_and_any_plugin_value_can_be_a_column_and_goes_into_files() {
    let (site, mut anna) = fleet(3).await;
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Puppet');
         INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
         VALUES (1, '00000000-0000-4000-8000-000000000001', 'role, main', '<kiosk>'),
                (2, NULL, 'role, main', 'of nobody');
         INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded) VALUES (1, 3, 'Uptime', false, now());
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name,
             pluginscript_data_int, pluginscript_data_string) VALUES (1, 'Days', '12', 'Uptime: Days', 0, '12')",
    )
    .await;
    let form = [
        ("list", "sort=serial"),
        ("col", "hostname"),
        ("col", "plugin \"Uptime/Days\""),
        ("add", "fact \"Puppet/role, main\""),
    ];
    let answer = anna.post(&site, "/machines/columns/", &form).await;
    let page = anna.get(&site, answer.location()).await;
    assert_ok(&page);
    let page = page.page();
    assert_eq!(heads(&page), ["Name", "Days", "role, main"]);
    let rows = page.rows("table.devices");
    assert_eq!(
        rows.iter().map(|row| &row[2..]).collect::<Vec<_>>(),
        [["–", "<kiosk>"], ["–", "–"], ["12", "–"]]
    );
    // Remembered, and in the file.
    let file = anna
        .get(&site, "/machines/export/?sort=serial&format=csv")
        .await;
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(
        lines,
        [
            "hostname,\"plugin \"\"Uptime/Days\"\"\",\"fact \"\"Puppet/role, main\"\"\"",
            "mac-1,,<kiosk>",
            "mac-2,,",
            "mac-3,12,",
        ]
    );
    let wrong = anna
        .post(
            &site,
            "/machines/columns/",
            &[("list", ""), ("add", "role")],
        )
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("A column is a fact or a plugin value"));
}
