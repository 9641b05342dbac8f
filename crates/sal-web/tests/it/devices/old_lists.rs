//! `/tableajax/…` and `/csv/…`, held against what Sal 4.4.1 was recorded to answer (scenarios `widgets`, `web_as_rw`).

use axum::http::{StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::fleet;
use crate::site::{Answer, Site, Visitor};

fn args(column: i64, direction: &str, start: i64, length: i64, search: &str) -> Value {
    json!({
        "draw": 1,
        "columns": [{"data": 0, "name": "hostname"}, {"data": 1, "name": "console_user"}, {"data": 2, "name": "last_checkin"}],
        "order": [{"column": column, "dir": direction}],
        "start": start,
        "length": length,
        "search": {"value": search, "regex": false},
    })
}

async fn table(list: &str, args: &Value, visitor: &mut Visitor, site: &Site) -> Answer {
    let args = args.to_string();
    let args = utf8_percent_encode(&args, NON_ALPHANUMERIC);
    visitor
        .get(site, &format!("/tableajax/{list}/?args={args}"))
        .await
}

fn names(answer: &Answer) -> Vec<String> {
    let answer: Value = serde_json::from_str(&answer.text).unwrap();
    let rows = answer.get("data").unwrap().as_array().unwrap().iter();
    let links = rows.map(|row| row[0].as_str().unwrap().to_owned());
    links
        .map(|link| link.split(['>', '<']).nth(2).unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_table_answers_its_script_as_it_was_recorded() {
    let (site, mut anna) = fleet(24).await;
    site.sql(
        "UPDATE server_machine SET hostname = '<NO NAME> & ''x''', console_user = NULL WHERE id = 1;
         UPDATE server_machine SET hostname = NULL, last_checkin = NULL WHERE id = 2",
    )
    .await;
    let answer = table(
        "Status/all_machines/all/0",
        &args(2, "desc", 0, 2, ""),
        &mut anna,
        &site,
    )
    .await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let found: Value = serde_json::from_str(&answer.text).unwrap();
    let expected = json!({
        "draw": 1, "recordsTotal": 24, "recordsFiltered": 24,
        // Postgres puts NULL first when it sorts downwards, and Sal leaves it so.
        "data": [
            ["<a href=\"/machine_detail/2/\">None</a>", "user2", ""],
            ["<a href=\"/machine_detail/1/\">&lt;NO NAME&gt; &amp; &#x27;x&#x27;</a>", "None", "2026-11-22 11:59 UTC"],
        ],
        "title": "All machines",
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_table_pages_orders_and_searches() {
    let (site, mut anna) = fleet(24).await;
    let list = "Status/all_machines/all/0";
    for (args, expected) in [
        (args(0, "asc", 0, 3, ""), vec!["mac-1", "mac-10", "mac-11"]),
        (args(0, "asc", 22, 5, ""), vec!["mac-8", "mac-9"]),
        (args(0, "asc", 100, 5, ""), vec![]),
        (args(0, "desc", 0, 0, ""), vec![]),
        (args(1, "desc", 0, 1, ""), vec!["mac-9"]),
        (args(2, "asc", 0, 20, "USER24"), vec!["mac-24"]),
        (args(2, "asc", 0, 20, "11:37:00"), vec!["mac-23"]),
        (args(2, "asc", 0, 20, "%"), vec![]),
    ] {
        let answer = table(list, &args, &mut anna, &site).await;
        assert_eq!(answer.status, StatusCode::OK, "{args}");
        let found: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(found["recordsFiltered"], 24);
        assert_eq!(names(&answer), expected, "{args}");
    }
    let nul = table(list, &args(2, "asc", 0, 20, "\u{0}"), &mut anna, &site).await;
    assert_eq!(nul.status, StatusCode::OK);
    let segment = table(
        "OperatingSystem/Darwin%252615.1/all/0",
        &args(2, "desc", 0, 20, ""),
        &mut anna,
        &site,
    )
    .await;
    assert!(
        segment.text.contains("\"recordsTotal\":8,")
            && segment.text.contains("Machines running macOS 15.1")
    );
}

#[tokio::test]
async fn lists_of_others_do_not_exist_for_members() {
    let (site, mut anna) = fleet(10).await;
    site.user(2, "writer", "RW", Some(1)).await;
    let mut writer = site.visitor("writer").await;
    for (place, status, total) in [
        ("all/0", 404, 0),
        ("business_unit/1", 200, 5),
        ("business_unit/2", 404, 0),
        ("business_unit/99", 404, 0),
        ("machine_group/1", 200, 5),
        ("machine_group/2", 404, 0),
        ("machine_group/x", 404, 0),
    ] {
        let list = format!("Status/all_machines/{place}");
        let answer = table(&list, &args(2, "desc", 0, 5, ""), &mut writer, &site).await;
        assert_eq!(answer.status.as_u16(), status, "{place}");
        let csv = writer.get(&site, &format!("/csv/{list}/")).await;
        assert_eq!(csv.status.as_u16(), status, "{place}");
        if status == 200 {
            assert!(
                answer.text.contains(&format!("\"recordsTotal\":{total},")),
                "{place}"
            );
            assert_eq!(csv.text.lines().count(), total + 1, "{place}");
        }
    }
    let shell = writer.get(&site, "/list/Status/all_machines/all/0/").await;
    assert_eq!(
        writer.get(&site, shell.location()).await.status,
        StatusCode::OK
    );
    // A member of all units may ask for all, as in Sal.
    site.sql("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (2, 2)")
        .await;
    let answer = table(
        "Status/all_machines/all/0",
        &args(2, "desc", 0, 5, ""),
        &mut writer,
        &site,
    )
    .await;
    assert!(answer.text.contains("\"recordsTotal\":10,"));
    let other = anna
        .get(&site, "/csv/Status/all_machines/business_unit/2/")
        .await;
    assert_eq!(other.text.lines().count(), 6);
}

#[tokio::test]
async fn items_with_blanks_are_found_by_the_links_of_sals_install_report() {
    let (site, mut anna) = fleet(8).await;
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki') ON CONFLICT DO NOTHING;
         INSERT INTO server_manageditem (id, name, date_managed, status, data, management_source_id, machine_id)
         SELECT gen_random_uuid(), name, now(), status, '{}', (SELECT id FROM server_managementsource WHERE name = 'Munki'), m.id
         FROM server_machine m, (VALUES ('1Password 6.0.2', 'PRESENT', 1, 5), ('C++ & C# 100% /x', 'PENDING', 2, 3), ('+', 'PENDING', 4, 4))
             AS items (name, status, first, last) WHERE m.id BETWEEN first AND last",
    )
    .await;
    // As Sal's page writes them, as its own script asks for them, and as people write them by hand.
    for (data, machines) in [
        ("PRESENT%3FNAME=1Password+6.0.2", 5),
        ("PRESENT%3FNAME=1Password%206.0.2", 5),
        ("PRESENT%3FNAME%3D1Password+6.0.2", 5),
        ("PRESENT%3FNAME=1Password%25206.0.2", 5),
        ("PENDING%3FNAME=1Password+6.0.2", 0),
        ("PENDING%3FNAME=C%252B%252B+%2526+C%2523+100%2525+%252Fx", 2),
        ("PENDING%3FNAME=%252B", 1),
    ] {
        let list = format!("InstallReport/{data}/all/0");
        let csv = anna.get(&site, &format!("/csv/{list}/")).await;
        assert_eq!(csv.status, StatusCode::OK, "{list}");
        assert_eq!(csv.text.lines().count(), machines + 1, "{list}");
        let rows = table(&list, &args(0, "asc", 0, 50, ""), &mut anna, &site).await;
        assert_eq!(names(&rows).len(), machines, "{list}");
        let link = anna.get(&site, &format!("/list/{list}/")).await;
        let page = anna.get(&site, link.location()).await;
        let found = crate::site::names(&page.page());
        assert_eq!(found.len(), machines, "{list}");
    }
}

#[tokio::test]
async fn q060_requests_that_are_none_of_the_tables_script_are_400() {
    let (site, mut anna) = fleet(3).await;
    let path = "/tableajax/Status/all_machines/all/0/";
    for query in [
        "",
        "?args=",
        "?args=x",
        "?args=%7B%7D",
        "?args=%5B%5D",
        "?other=1",
    ] {
        let answer = anna.get(&site, &format!("{path}{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let list = "Status/all_machines/all/0";
    for hostile in [
        args(9, "desc", 0, 20, ""),
        args(2, "desc", 0, -1, ""),
        args(2, "desc", -1, 20, ""),
        json!({"columns": [{"data": 2, "name": "id; DROP TABLE server_machine"}], "order": [{"column": 2, "dir": "asc"}]}),
        json!({"columns": [{"data": 2, "name": "machine_group__key"}]}),
        json!({"columns": 7}),
    ] {
        let answer = table(list, &hostile, &mut anna, &site).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{hostile}");
    }
    let huge = table(
        list,
        &args(2, "desc", i64::MAX, i64::MAX, ""),
        &mut anna,
        &site,
    )
    .await;
    assert_eq!(huge.status, StatusCode::OK);
}

#[tokio::test]
async fn q061_segments_and_places_that_there_are_not_are_404() {
    let (site, mut anna) = fleet(3).await;
    for list in [
        "Status/nope/all/0",
        "Nope/x/all/0",
        "Activity/%00/all/0",
        "Status/all_machines/nonsense/1",
    ] {
        let answer = table(list, &args(2, "desc", 0, 5, ""), &mut anna, &site).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{list}");
        assert_eq!(
            anna.get(&site, &format!("/csv/{list}/")).await.status,
            StatusCode::NOT_FOUND,
            "{list}"
        );
    }
}

#[tokio::test]
async fn the_csv_has_sals_columns_in_sals_words() {
    let (site, mut anna) = fleet(2).await;
    site.sql(
        "UPDATE server_machine SET last_checkin = '2026-11-22 14:52:46.890191+00', sal_version = '4.2.1', memory = '16 GB',
             memory_kb = 16777216, hd_space = 1, hd_total = 2, hd_percent = '48.14', machine_model_friendly = 'MacBook, old'
         WHERE id = 2",
    )
    .await;
    let csv = anna.get(&site, "/csv/Status/all_machines/all/0/").await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv");
    assert_eq!(
        csv.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"All machines.csv\""
    );
    let lines: Vec<&str> = csv.text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "sal_version,deployed,broken_client,last_checkin,first_checkin,serial,hostname,operating_system,memory,memory_kb,\
         hd_space,hd_total,hd_percent,console_user,machine_model,machine_model_friendly,cpu_type,cpu_speed,os_family,\
         munki_version,manifest,business unit,machine group"
    );
    assert_eq!(
        lines[2],
        "4.2.1,True,False,2026-11-22 14:52:46.890191+00:00,2026-08-24 12:00:00.000000+00:00,SERIAL2,mac-2,14.2,16 GB,16777216,\
         1,2,48.14,user2,\"Mac15,3\",\"MacBook, old\",,,Darwin,,,Science,Labs"
    );
}

#[tokio::test]
async fn q062_formulas_in_the_csv_are_defused() {
    let (site, mut anna) = fleet(1).await;
    site.sql("UPDATE server_machine SET hostname = '=1+1', console_user = '@x'")
        .await;
    let csv = anna.get(&site, "/csv/Status/all_machines/all/0/").await;
    assert!(csv.text.contains(",'=1+1,") && csv.text.contains(",'@x,"));
}
