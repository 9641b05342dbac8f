//! `/machines/`: pages, filters, columns, files, changes to many machines; and Sal's old addresses for lists.

mod bulk;
mod columns;
mod export;
mod filters;
mod old_lists;
mod paging;
mod sorting;

use axum::http::StatusCode;

use sal_testkit::Page;

use crate::site::{Answer, Site, Visitor, names};

/// Where the link with this text leads, if there is one.
fn link(page: &Page, text: &str) -> Option<String> {
    let mut links = page.links(text);
    assert!(links.len() <= 1, "{text}: {links:?}");
    links.pop()
}

/// The count of a choice of the rail, and where it leads.
fn choice(page: &Page, label: &str) -> Option<(i64, String)> {
    let labels = page.texts("#rail li a .label").into_iter();
    let counts = page.texts("#rail li a .count").into_iter();
    let hrefs = page.attributes("#rail li a", "href").into_iter();
    let mut choices = labels.zip(counts).zip(hrefs);
    let ((_, count), href) = choices.find(|((text, _), _)| text == label)?;
    Some((count.replace(',', "").parse().unwrap(), href))
}

/// Which lines of how many the page shows.
const SHOWN: &str = ".pager > .muted";

/// A server with machines and a global admin.
async fn fleet(count: u32) -> (Site, Visitor) {
    let site = Site::start().await;
    site.machines(count).await;
    site.user(1, "anna", "GA", None).await;
    let anna = site.visitor("anna").await;
    (site, anna)
}

fn assert_ok(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn ten_thousand_machines_are_paged_sorted_and_searched() {
    let (site, mut anna) = fleet(10_000).await;
    for (query, shown, lines, first, last) in [
        ("", "1–50 of 10,000", 50, "mac-1", "mac-50"),
        (
            "at=end&sort=last_checkin",
            "9,951–10,000 of 10,000",
            50,
            "mac-50",
            "mac-1",
        ),
        (
            "sort=-hostname&size=100",
            "1–100 of 10,000",
            100,
            "mac-9999",
            "mac-9909",
        ),
        ("q=USER77+serial7701", "1–1 of 1", 1, "mac-7701", "mac-7701"),
    ] {
        let page = anna.get(&site, &format!("/machines/?{query}")).await;
        let page = page.page();
        let names = names(&page);
        assert_eq!(page.text(SHOWN), shown, "{query}");
        assert_eq!(names.len(), lines, "{query}");
        assert_eq!(
            (names[0].as_str(), names[lines - 1].as_str()),
            (first, last)
        );
    }
    let nothing = anna.get(&site, "/machines/?q=%25").await.page();
    assert_eq!(
        nothing.text("#devices .nothing h2"),
        "Nothing matches with the filter “%”"
    );
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
        let is_read = !path.contains("?q=");
        assert_eq!(page.status == StatusCode::OK, is_read, "{path}");
        let page = page.page();
        assert_eq!(page.count("script:not([src]), img[src=x]"), 0, "{path}");
        let name = "<script>alert(1)</script>";
        assert_eq!(page.words().contains(name), is_read, "{path}");
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
    let list = anna.get(&site, old.location()).await.page();
    assert_eq!(list.text("h1"), "Machines running macOS 15.1");
    assert_eq!(names(&list), ["mac-3", "mac-6", "mac-9", "mac-12"]);
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
