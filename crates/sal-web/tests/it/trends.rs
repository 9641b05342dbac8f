//! `/trends/`: numbers from day to day, of what the viewer may see.

use axum::http::StatusCode;

use crate::site::Site;

/// Four machines in the groups of two units, `ben` of unit 1, `anna` of all.
async fn site() -> Site {
    let site = Site::start().await;
    site.machines(4).await;
    site.user(1, "ben", "RO", Some(1)).await;
    site.user(2, "anna", "GA", None).await;
    site
}

async fn count(site: &Site) {
    // NOW is 2026-11-22.
    site.sql(
        "INSERT INTO salrs_snapshot (day, group_id, counts) VALUES
            ('2026-11-22', 1, '{\"machines\": 12, \"seen\": 10, \"os Darwin <15>\": 5}'),
            ('2026-11-15', 1, '{\"machines\": 10, \"seen\": 10}'),
            ('2026-11-22', 2, '{\"machines\": 1000, \"seen\": 1}'),
            ('2026-11-22', 77, '{\"machines\": 5}')",
    )
    .await;
}

#[tokio::test]
async fn numbers_are_those_of_the_viewers_groups_and_gaps_are_gaps() {
    let site = site().await;
    let mut ben = site.visitor("ben").await;
    let empty = ben.get(&site, "/trends/").await;
    assert!(empty.text.contains("Nothing was counted yet"));
    count(&site).await;
    let page = ben.get(&site, "/trends/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("<15>"));
    let page = page.page();
    assert_eq!(page.texts(".trend .head p")[0], "12 +2 in a week");
    let rows = page.texts(".trend:first-child tbody tr");
    assert_eq!(rows.len(), 30);
    assert!(
        rows[29].starts_with("2026-11-22") && rows[29].ends_with("2"),
        "{}",
        rows[29]
    );
    let titles = page.texts(".trend:first-child title");
    assert_eq!(titles[28], "2026-11-21: not counted");
    let weeks = ben.get(&site, "/trends/?range=26w").await;
    assert!(
        weeks.text.contains("Not counted yet."),
        "no Monday was counted"
    );
}

#[tokio::test]
async fn units_and_groups_are_for_those_who_may_see_them() {
    let site = site().await;
    count(&site).await;
    let mut ben = site.visitor("ben").await;
    let mut anna = site.visitor("anna").await;
    let all = anna.get(&site, "/trends/").await.page();
    // Those of a group that is gone were machines too.
    assert!(
        all.texts(".trend .head p")[0].starts_with("1,017"),
        "{:?}",
        all.texts(".trend .head p")
    );
    let unit = anna.get(&site, "/trends/?unit=2&range=x").await.page();
    assert!(
        unit.text("h1").contains("Arts") && unit.texts(".trend .head p")[0].starts_with("1,000")
    );
    let group = anna.get(&site, "/trends/?group=1&range=104w").await;
    assert_eq!(group.status, StatusCode::OK);
    for path in [
        "/trends/?unit=2",
        "/trends/?group=2",
        "/trends/?unit=99",
        "/trends/?unit=x",
        "/trends/export/?unit=2",
    ] {
        assert_eq!(
            ben.get(&site, path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let file = ben.get(&site, "/trends/export/").await;
    let lines: Vec<&str> = file.text.trim().lines().collect();
    assert_eq!(
        lines[1..],
        [
            "2026-11-15,machines,10",
            "2026-11-15,seen,10",
            "2026-11-22,machines,12",
            "2026-11-22,os Darwin <15>,5",
            "2026-11-22,seen,10"
        ]
    );
}
