//! `/machines/`: pages, filters, columns, files, changes to many machines; and Sal's old addresses for lists.

mod bulk;
mod columns;
mod export;
mod filters;
mod old_lists;
mod paging;

use axum::http::StatusCode;

use crate::site::{Answer, Site, Visitor};

/// Host names in the order of the list.
fn names(page: &str) -> Vec<&str> {
    page.split("data-row-link")
        .skip(1)
        .filter_map(|part| part.split_once('>')?.1.split_once('<'))
        .map(|(name, _)| name)
        .collect()
}

/// Where the link with this text leads, if there is one.
fn link(page: &str, text: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!(">{text}</a>"))?;
    href(before.rsplit_once("<a ")?.1)
}

/// The value of the next `href`.
fn href(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("href=\"")?;
    let (href, _) = rest.split_once('"')?;
    Some(href.replace("&#38;", "&"))
}

/// The count of a choice of the rail, and where it leads.
fn choice(page: &str, label: &str) -> Option<(i64, String)> {
    let (before, after) = page.split_once(&format!("<span class=\"label\">{label}</span>"))?;
    let (_, count) = after.split_once("class=\"count\">")?;
    let count = count.split_once('<')?.0.replace(',', "").parse().unwrap();
    Some((count, href(before.rsplit_once("<a ")?.1)?))
}

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
    let first = anna.get(&site, "/machines/").await;
    assert!(first.text.contains("1–50 of 10,000"));
    assert_eq!(
        (names(&first.text).len(), names(&first.text)[0]),
        (50, "mac-1")
    );
    let last = anna.get(&site, "/machines/?at=end&sort=last_checkin").await;
    assert_eq!(names(&last.text).last(), Some(&"mac-1"));
    assert!(last.text.contains("9,951–10,000 of 10,000"));
    let by_name = anna.get(&site, "/machines/?sort=-hostname&size=100").await;
    assert_eq!(
        (names(&by_name.text).len(), names(&by_name.text)[0]),
        (100, "mac-9999")
    );
    let found = anna.get(&site, "/machines/?q=USER77+serial7701").await;
    assert_eq!(names(&found.text), ["mac-7701"]);
    let nothing = anna.get(&site, "/machines/?q=%25").await;
    assert!(nothing.text.contains("Nothing matches with the filter “%”"));
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
        assert!(
            !page.text.contains("<script>alert") && !page.text.contains("<img src=x"),
            "{path}"
        );
        let names_it = page.text.contains("&#60;script&#62;alert(1)");
        assert_eq!(names_it, is_read, "{path}");
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
