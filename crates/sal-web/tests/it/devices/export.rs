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
