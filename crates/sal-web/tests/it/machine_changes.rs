//! `/machines/changes/`: what became of machines, for those who may see them.

use axum::http::StatusCode;

use crate::site::{Site, Visitor};

/// Twenty machines; machine 2 is of unit 1, machine 1 of unit 2. `ben` sees unit 1, `anna` everything.
async fn site() -> Site {
    let site = Site::start().await;
    site.machines(20).await;
    site.user(1, "ben", "RO", Some(1)).await;
    site.user(2, "anna", "GA", None).await;
    site.user(3, "stats", "SO", Some(1)).await;
    site
}

async fn texts(visitor: &mut Visitor, site: &Site, path: &str) -> Vec<String> {
    let page = visitor.get(site, path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}");
    page.page().texts("#timeline .text")
}

#[tokio::test]
async fn changes_are_those_of_machines_that_the_viewer_may_see() {
    let site = site().await;
    let mut ben = site.visitor("ben").await;
    let empty = ben.get(&site, "/machines/changes/").await;
    assert!(empty.text.contains("No changes yet"), "{}", empty.text);
    site.sql(
        "INSERT INTO salrs_change (machine_id, at, kind, name, was, became) VALUES
            (2, '2026-11-20 10:00Z', 7, '', '15.0', '15.1'),
            (2, '2026-11-21 10:00Z', 15, '<b>Disk</b>', NULL, 'reported'),
            (2, '2026-11-21 11:00Z', 999, 'from later', NULL, NULL),
            (1, '2026-11-21 12:00Z', 7, '', '15.0', '15.1'),
            (4711, '2026-11-21 13:00Z', 7, '', '15.0', 'of a machine that is gone')",
    )
    .await;
    let mine = texts(&mut ben, &site, "/machines/changes/").await;
    assert_eq!(
        mine,
        ["mac-2 from later", "mac-2 <b>Disk</b>", "mac-2 15.0 → 15.1"]
    );
    let os = texts(&mut ben, &site, "/machines/changes/?kind=os").await;
    assert_eq!(os, ["mac-2 15.0 → 15.1"]);
    let day = texts(
        &mut ben,
        &site,
        "/machines/changes/?day=2026-11-21&what=%3Cb%3EDisk%3C%2Fb%3E",
    )
    .await;
    assert_eq!(day, ["mac-2 <b>Disk</b>"]);
    let mut anna = site.visitor("anna").await;
    let path = "/machines/changes/?kind=os&to=15.1";
    let all = texts(&mut anna, &site, path).await;
    assert_eq!(all, ["mac-1 15.0 → 15.1", "mac-2 15.0 → 15.1"]);
    let path = "/machines/changes/?kind=os&q=hostname+%3D+mac-2";
    assert_eq!(texts(&mut anna, &site, path).await, ["mac-2 15.0 → 15.1"]);
    // From the timeline of one machine to the others.
    let timeline = anna
        .get(&site, "/machine_detail/2/?tab=timeline&kind=machine")
        .await
        .page();
    let others = timeline.attribute("#timeline .muted a", "href");
    assert_eq!(
        texts(&mut anna, &site, &others).await,
        ["mac-2 15.0 → 15.1"]
    );
    let mut stats = site.visitor("stats").await;
    let refused = stats.get(&site, "/machines/changes/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let file = ben.get(&site, "/machines/changes/export/?kind=os").await;
    let lines: Vec<&str> = file.text.trim().lines().collect();
    assert_eq!(lines.len(), 2, "{}", file.text);
    assert!(
        lines[1].ends_with("SERIAL2,mac-2,Labs,os,,15.0,15.1"),
        "{}",
        file.text
    );
}

#[tokio::test]
async fn changes_are_paged_by_their_border_and_nonsense_is_the_first_page() {
    let site = site().await;
    // Of one moment, so that only the number tells them apart.
    site.sql(
        "INSERT INTO salrs_change (machine_id, at, kind, name)
         SELECT 2, '2026-11-21 10:00Z', 15, 'error ' || n FROM generate_series(1, 250) n",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    let (mut path, mut seen) = ("/machines/changes/?kind=error".to_owned(), Vec::new());
    loop {
        let page = ben.get(&site, &path).await.page();
        seen.extend(page.texts("#timeline .text"));
        if !page.has("#older[href]") {
            break;
        }
        path = page.attribute("#older", "href");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 250);
    for query in [
        "until=x",
        "until=0-0",
        "until=%00",
        "day=x",
        "day=-009000-01-01",
        "day=9999-12-31",
        "day=0000-01-01",
        "kind=x",
        "until=-99999999999999999-1",
        "what=%00",
    ] {
        let page = ben.get(&site, &format!("/machines/changes/?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
    }
    let wrong = ben.get(&site, "/machines/changes/?q=nothing+%3C+").await;
    assert!(wrong.status.is_success() || wrong.status == StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn others_are_those_with_the_same_change_and_not_with_the_opposite() {
    let site = site().await;
    site.sql(
        "INSERT INTO salrs_change (machine_id, at, kind, name, was, became) VALUES
            (2, '2026-11-21 10:00Z', 18, 'Zoom', '6.5', NULL), (4, '2026-11-21 11:00Z', 18, 'Zoom', NULL, '6.5'),
            (6, '2026-11-21 12:00Z', 18, 'Zoom', '6.4', NULL)",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    let path = "/machine_detail/2/?tab=timeline&kind=software";
    let timeline = ben.get(&site, path).await.page();
    let others = timeline.attribute("#timeline .muted a", "href");
    let found = texts(&mut ben, &site, &others).await;
    assert_eq!(
        found,
        ["mac-6 Zoom 6.4 was removed", "mac-2 Zoom 6.5 was removed"]
    );
    let page = ben.get(&site, &others).await.page();
    assert!(
        page.texts(".active-filters .filter")
            .contains(&"Removed or ended".to_owned())
    );
}
