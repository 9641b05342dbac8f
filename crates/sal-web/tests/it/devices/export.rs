//! The list as a file.

use axum::http::{StatusCode, header};

use super::{fleet, link};
use crate::site::names;

#[tokio::test]
async fn a_file_has_the_filter_the_order_and_the_columns_of_the_page_and_all_lines() {
    let (site, mut anna) = fleet(3_000).await;
    let view = "os=15.1&sort=-hostname&cols=serial,unit&at=end";
    let page = anna.get(&site, &format!("/machines/?{view}")).await;
    let file = link(&page.page(), "CSV").unwrap();
    let csv = anna.get(&site, &file).await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (1_001, "hostname,serial,unit"));
    let listed = anna.get(&site, "/machines/?os=15.1&sort=-hostname").await;
    let first: Vec<&str> = lines[1..51]
        .iter()
        .map(|line| line.split_once(',').unwrap().0)
        .collect();
    assert_eq!(first, names(&listed.page()));
    assert_eq!(lines[1_000], "mac-1002,SERIAL1002,Science");
    let jsonl = anna
        .get(&site, &link(&page.page(), "JSON Lines").unwrap())
        .await;
    let lines: Vec<&str> = jsonl.text.lines().collect();
    assert_eq!(
        lines[999..],
        [
            r#"{"hostname":"mac-1002","serial":"SERIAL1002","unit":"Science"}"#,
            r#"{"end":true,"rows":1000}"#
        ]
    );
    assert_eq!(jsonl.headers[header::CONTENT_TYPE], "application/x-ndjson");
    let xlsx = anna.get(&site, &link(&page.page(), "Excel").unwrap()).await;
    assert!(xlsx.text.starts_with("PK") && xlsx.text.contains("xl/worksheets/sheet1.xml"));
    let name = xlsx.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(
        name.starts_with("attachment; filename=\"All machines.xlsx\""),
        "{name}"
    );
}

#[tokio::test]
async fn the_columns_somebody_chose_are_those_of_the_file() {
    let (site, mut anna) = fleet(2).await;
    anna.post(
        &site,
        "/machines/columns/",
        &[
            ("col", "last_checkin"),
            ("col", "deployed"),
            ("col", "errors"),
            ("col", "status"),
        ],
    )
    .await;
    site.sql("UPDATE server_machine SET deployed = false WHERE id = 2")
        .await;
    let csv = anna.get(&site, "/machines/export/").await;
    assert_eq!(
        csv.text,
        "hostname,last_checkin,deployed,errors,status\r\n\
         mac-1,2026-11-22 11:59:00.000000+00:00,True,0,\r\n\
         mac-2,2026-11-22 11:58:00.000000+00:00,False,0,Undeployed\r\n"
    );
}

#[tokio::test]
async fn formulas_in_names_are_defused() {
    let (site, mut anna) = fleet(1).await;
    site.sql("UPDATE server_machine SET hostname = '=cmd|x', console_user = '+1,\"2\"'")
        .await;
    let csv = anna.get(&site, "/machines/export/?cols=console_user").await;
    assert_eq!(
        csv.text,
        "hostname,console_user\r\n'=cmd|x,\"'+1,\"\"2\"\"\"\r\n"
    );
}

#[tokio::test]
async fn a_file_holds_only_what_the_viewer_may_see() {
    let (site, _anna) = fleet(10).await;
    site.user(2, "bert", "RO", Some(1)).await;
    let mut bert = site.visitor("bert").await;
    let csv = bert
        .get(&site, "/machines/export/?sort=serial&cols=unit")
        .await;
    assert_eq!(csv.text.lines().count(), 6);
    assert!(!csv.text.contains("Arts"));
    for (path, status) in [
        ("/machines/export/?unit=2", StatusCode::NOT_FOUND),
        ("/machines/export/?group=99", StatusCode::NOT_FOUND),
        (
            "/machines/export/?format=xlsx&unit=2",
            StatusCode::NOT_FOUND,
        ),
        ("/machines/export/?format=exe", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(bert.get(&site, path).await.status, status, "{path}");
    }
}

/// The cells of a file as they stand there, quotes included.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for letter in csv.chars() {
        match letter {
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            letter => {
                quoted ^= letter == '"';
                cell.push(letter);
            }
        }
    }
    assert!(!quoted && cell.is_empty(), "{csv}");
    rows
}

/// One machine with nothing, some with something that is odd, one with everything.
const ODD: &str = r#"
    UPDATE server_machine SET hostname = NULL, operating_system = NULL, memory = NULL, munki_version = NULL, manifest = NULL,
        hd_space = NULL, hd_total = NULL, hd_percent = NULL, console_user = NULL, machine_model = NULL, cpu_type = NULL,
        cpu_speed = NULL, last_checkin = NULL, first_checkin = NULL, sal_version = NULL, machine_model_friendly = NULL WHERE id = 1;
    UPDATE server_machine SET memory = '16 GB', memory_kb = 16777216, munki_version = '6.6.2', manifest = 'site/default',
        hd_space = 9007199254740993, hd_total = 0, hd_percent = '97.5', cpu_type = 'Apple M3', cpu_speed = '3 GHz',
        sal_version = '4.2', machine_model_friendly = 'MacBook Pro (14-inch)', os_family = 'Windows' WHERE id = 2;
    UPDATE server_machine SET hostname = E'=1+1,"x"\n\u00fc\u2028', manifest = '', machine_model_friendly = ' ', console_user = '-',
        broken_client = true, deployed = false, os_family = 'Plan 9' WHERE id = 3;
    UPDATE server_machine SET operating_system = NULL, last_checkin = '1969-12-31T23:59:59.5Z' WHERE id = 4;
    INSERT INTO server_message (machine_id, text, date, message_type) VALUES (3, 'a', now(), 'ERROR'), (3, 'b', now(), 'ERROR'),
        (3, 'c', now(), 'WARNING'), (4, 'd', now(), 'WARNING'), (4, 'e', now(), 'DEBUG'), (5, 'f', now(), 'ERROR');"#;

#[tokio::test]
async fn a_column_alone_says_what_it_says_among_all() {
    let (site, mut anna) = fleet(5).await;
    site.sql(ODD).await;
    let form = anna.get(&site, "/machines/").await.page();
    let columns = form.attributes("input[name=col]", "value");
    assert!(columns.len() > 20, "{columns:?}");
    let file = |columns: &str| format!("/machines/export/?sort=serial&cols={columns}");
    let all = cells(&anna.get(&site, &file(&columns.join(","))).await.text);
    assert_eq!(all.len(), 6);
    for (place, column) in all[0].iter().enumerate() {
        let alone = cells(&anna.get(&site, &file(column)).await.text);
        let last = alone[0].len() - 1;
        assert_eq!(alone[0][last], *column);
        for (one, whole) in alone.iter().zip(&all) {
            assert_eq!(one[last], whole[place], "{column} of {whole:?}");
        }
        assert_eq!(alone.len(), all.len(), "{column}");
        let differs = all[1..].iter().any(|row| row[place] != all[1][place]);
        assert!(differs, "{column} would not show a mistake");
    }
    for column in &columns {
        assert!(all[0].contains(column), "{column}");
    }
}
