//! `/machines/` and Sal's old addresses for it.

use axum::http::StatusCode;

use crate::site::Site;

/// Host names in the order of the list.
fn names(page: &str) -> Vec<&str> {
    page.split("data-row-link")
        .skip(1)
        .filter_map(|part| part.split_once('>')?.1.split_once('<'))
        .map(|(name, _)| name)
        .collect()
}

#[tokio::test]
async fn ten_thousand_machines_are_paged_sorted_and_searched() {
    let site = Site::start().await;
    site.machines(10_000).await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    let first = anna.get(&site, "/machines/").await;
    assert!(first.text.contains("1–50 of 10,000"));
    assert_eq!(
        (names(&first.text).len(), names(&first.text)[0]),
        (50, "mac-1")
    );
    let last = anna
        .get(&site, "/machines/?page=200&sort=last_checkin")
        .await;
    assert_eq!(names(&last.text).last(), Some(&"mac-1"));
    let by_name = anna.get(&site, "/machines/?sort=-hostname&size=100").await;
    assert_eq!(
        (names(&by_name.text).len(), names(&by_name.text)[0]),
        (100, "mac-9999")
    );
    let found = anna.get(&site, "/machines/?q=USER77+serial7701").await;
    assert_eq!(names(&found.text), ["mac-7701"]);
    let nothing = anna.get(&site, "/machines/?q=%25").await;
    assert!(nothing.text.contains("Nothing matches “%”"));
}

#[tokio::test]
async fn every_page_together_shows_every_machine_once() {
    let site = Site::start().await;
    site.machines(130).await;
    // Equal values must not make machines appear twice or not at all.
    site.sql("UPDATE server_machine SET console_user = NULL WHERE id % 2 = 0; UPDATE server_machine SET console_user = 'x' WHERE id % 2 = 1").await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    for sort in [
        "console_user",
        "-console_user",
        "operating_system",
        "machine_model",
    ] {
        let mut seen = Vec::new();
        for page in 1..=3 {
            let page = anna
                .get(&site, &format!("/machines/?sort={sort}&page={page}"))
                .await;
            seen.extend(names(&page.text).into_iter().map(str::to_owned));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 130, "{sort}");
    }
}

#[tokio::test]
async fn what_machines_say_of_themselves_is_text_and_never_markup() {
    let site = Site::start().await;
    site.machines(2).await;
    site.sql("UPDATE server_machine SET hostname = '<script>alert(1)</script>', console_user = '\"><img src=x>', serial = 'A&B' WHERE id = 1").await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    for path in [
        "/machines/",
        "/machine_detail/1/",
        "/machines/?q=%22%3E%3Cimg%20src%3Dx%3E",
    ] {
        let page = anna.get(&site, path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            !page.text.contains("<script>alert") && !page.text.contains("<img src=x"),
            "{path}"
        );
        assert!(page.text.contains("&#60;script&#62;alert(1)"), "{path}");
    }
}

#[tokio::test]
async fn q042_q044_old_addresses_lead_to_the_list_and_unknown_ones_nowhere() {
    let site = Site::start().await;
    site.machines(12).await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    let old = anna
        .get(&site, "/list/OperatingSystem/Darwin%252615.1/all/0/")
        .await;
    let list = anna.get(&site, old.location()).await;
    assert!(
        list.text.contains("Machines running macOS 15.1"),
        "{}",
        old.location()
    );
    assert_eq!(names(&list.text).len(), 4);
    for path in [
        "/machines/?widget=Nope&data=x",
        "/machines/?widget=Activity&data=year",
        "/machines/?widget=Uptime&data=nope",
    ] {
        assert_eq!(
            anna.get(&site, path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}
