//! `/updates/` and `/updates/item/`: what waits, where it failed, and on which machines.

use axum::http::StatusCode;

use crate::site::{NOW, Site, Visitor};

const MUNKI: &str = "01900000-0000-0000-0000-000000000001";
const APPLE: &str = "01900000-0000-0000-0000-000000000002";

/// Machines of two units. Firefox waits on machines 1 to 6, failed on 7 and 8 and is there on the others; `macOS` waits on
/// the machines of unit 2 (odd ones); an item with a hostile name waits on machine 2.
async fn site_with_items(machines: u32) -> Site {
    let site = Site::start().await;
    site.machines(machines).await;
    site.sql(&format!(
        "INSERT INTO server_managementsource (id, name) VALUES ('{MUNKI}', 'Munki'), ('{APPLE}', 'Apple Software Update');
         INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status, data)
             SELECT gen_random_uuid(), 'Firefox', id, '{MUNKI}', timestamptz '{NOW}' - id * interval '1 hour',
                    CASE WHEN id <= 6 THEN 'PENDING' WHEN id <= 8 THEN 'ERROR' ELSE 'PRESENT' END,
                    '{{\"installed_version\": \"1.0\", \"version_to_install\": \"1.' || id || '\"}}' FROM server_machine;
         INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status, data)
             SELECT gen_random_uuid(), 'macOS', id, '{APPLE}', timestamptz '{NOW}', 'PENDING', 'no json'
             FROM server_machine WHERE id % 2 = 1;
         INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status, data)
             VALUES (gen_random_uuid(), '<b>&?x', 2, '{MUNKI}', timestamptz '{NOW}', 'PENDING', '{{\"version\": \"<i>2\"}}'),
                    (gen_random_uuid(), 'Fine', 2, '{MUNKI}', timestamptz '{NOW}', 'PRESENT', NULL);
         UPDATE server_machine SET deployed = false WHERE id = 4"
    ))
    .await;
    for (id, name, level, unit) in [
        (1, "admin", "GA", None),
        (2, "reader", "RO", Some(1)),
        (3, "counter", "SO", Some(1)),
    ] {
        site.user(id, name, level, unit).await;
    }
    site
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or(rest, |(part, _)| part)
}

fn names(page: &str) -> Vec<&str> {
    let lines = page.split("data-row-link").skip(1);
    lines.map(|line| between(line, ">", "<")).collect()
}

/// Name, version, pending and failed of each line.
fn lines(page: &str) -> Vec<(&str, &str, &str, &str)> {
    let line = |line| {
        (
            between(line, ">", "<"),
            between(line, "data-label=\"Version\">", "<"),
            between(line, "data-label=\"Pending\" class=\"number\">", "<"),
            between(line, "<span class=\"badge bad\">", "<"),
        )
    };
    page.split("data-row-link").skip(1).map(line).collect()
}

#[tokio::test]
async fn only_who_sees_machines_sees_updates_and_only_of_the_own_units() {
    let site = site_with_items(10).await;
    let firefox = "/updates/item/?source=Munki&name=Firefox";
    for (path, statuses) in [
        ("/updates/".to_owned(), [200, 200, 403]),
        ("/updates/?unit=1".to_owned(), [200, 200, 403]),
        ("/updates/?unit=2".to_owned(), [200, 404, 403]),
        ("/updates/?group=2".to_owned(), [200, 404, 403]),
        ("/updates/?group=99".to_owned(), [404, 404, 403]),
        ("/updates/?unit=x".to_owned(), [404, 404, 403]),
        ("/updates/item/".to_owned(), [404, 404, 403]),
        (
            "/updates/item/?source=Nope&name=Firefox".to_owned(),
            [404, 404, 403],
        ),
        (
            "/updates/item/?source=Munki&name=%00".to_owned(),
            [404, 404, 403],
        ),
        (firefox.to_owned(), [200, 200, 403]),
        (format!("{firefox}&group=2"), [200, 404, 403]),
    ] {
        for (name, status) in ["admin", "reader", "counter"].iter().zip(statuses) {
            let answer = site.visitor(name).await.get(&site, &path).await;
            assert_eq!(answer.status.as_u16(), status, "{name} {path}");
        }
        let anonymous = Visitor::default().get(&site, &path).await;
        assert!(anonymous.location().starts_with("/login?next="), "{path}");
    }
}

#[tokio::test]
async fn items_that_wait_or_failed_are_counted_in_the_place() {
    let site = site_with_items(10).await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/updates/").await.text;
    // Machine 4 is not deployed; the version is that of the newest report.
    assert_eq!(
        lines(&page)[..2],
        [("Firefox", "1.1", "5", "2"), ("macOS", "", "5", "")]
    );
    assert!(page.contains("3 items wait or failed") && page.contains("8 h ago"));
    assert!(!page.contains("Fine"));
    let page = admin.get(&site, "/updates/?group=2").await.text;
    assert_eq!(
        lines(&page),
        [("macOS", "", "5", ""), ("Firefox", "1.1", "3", "1")]
    );
    assert!(page.contains("Updates in Studio"));
    let page = admin.get(&site, "/updates/?q=APPLE").await.text;
    assert_eq!(names(&page), ["macOS"]);
    let page = admin.get(&site, "/updates/?q=%25").await.text;
    assert!(page.contains("Nothing matches"));
    // Without narrowing, a member of one unit sees that unit.
    let mut reader = site.visitor("reader").await;
    let page = reader.get(&site, "/updates/").await.text;
    assert_eq!(lines(&page)[0], ("Firefox", "1.2", "2", "1"));
    assert!(!page.contains("macOS"));
}

#[tokio::test]
async fn an_item_lists_its_machines_with_failures_first() {
    let site = site_with_items(10).await;
    let mut admin = site.visitor("admin").await;
    let path = "/updates/item/?source=Munki&name=Firefox";
    let page = admin.get(&site, path).await.text;
    assert_eq!(
        names(&page),
        [
            "mac-7", "mac-8", "mac-1", "mac-2", "mac-3", "mac-5", "mac-6", "mac-9", "mac-10"
        ]
    );
    for (label, count) in [("Failed", "2"), ("Pending", "5"), ("Installed", "2")] {
        let status = between(&page, &format!("<span class=\"label\">{label}"), "</a>");
        assert!(
            status.ends_with(&format!(">{count}</span>")),
            "{label}: {status}"
        );
    }
    let page = admin.get(&site, &format!("{path}&status=ERROR")).await.text;
    assert_eq!(names(&page), ["mac-7", "mac-8"]);
    assert!(page.contains("1–2 of 2"));
    let page = admin
        .get(&site, &format!("{path}&status=%3Cb%3E&page=77"))
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let page = admin
        .get(&site, "/updates/item/?source=Munki&name=Gone")
        .await
        .text;
    assert!(page.contains("On no machine"));

    let mut reader = site.visitor("reader").await;
    let page = reader.get(&site, path).await.text;
    assert_eq!(names(&page), ["mac-8", "mac-2", "mac-6", "mac-10"]);
    assert!(!page.contains("mac-7") && !page.contains("SERIAL1<"));
    let page = reader
        .get(
            &site,
            "/updates/item/?source=Apple%20Software%20Update&name=macOS",
        )
        .await
        .text;
    assert!(page.contains("On no machine"));
}

#[tokio::test]
async fn hostile_names_of_items_are_text_and_their_links_work() {
    let site = site_with_items(4).await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/updates/?q=%3Cb%3E").await.text;
    assert!(
        !page.contains("<b>&") && !page.contains("<i>2") && page.contains("&#60;b&#62;&#38;?x")
    );
    let link = between(&page, "data-row-link href=\"", "\"").replace("&#38;", "&");
    let item = admin.get(&site, &link).await;
    assert_eq!(item.status, StatusCode::OK);
    assert_eq!(names(&item.text), ["mac-2"]);
    assert!(!item.text.contains("<b>&") && !item.text.contains("<i>2"));
}

#[tokio::test]
async fn counts_of_many_machines_are_kept_and_equal_those_made_now() {
    let site = site_with_items(600).await;
    let mut admin = site.visitor("admin").await;
    let kept = admin.get(&site, "/updates/").await.text;
    assert!(kept.contains("Counted"));
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_summary WHERE what = 'updates'")
            .await,
        1
    );
    let again = admin.get(&site, "/updates/?q=o").await.text;
    assert_eq!(lines(&again)[0], ("macOS", "", "300", ""));
    // Who sees two units of three sees their sum, which nobody keeps.
    site.sql(
        "INSERT INTO server_businessunit (id, name) VALUES (3, 'Law');
         INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (2, 2)",
    )
    .await;
    let mut reader = site.visitor("reader").await;
    let both = reader.get(&site, "/updates/").await.text;
    assert_eq!(lines(&both), lines(&kept));
    assert!(!both.contains("Counted"));
    site.sql("DROP TABLE salrs_summary").await;
    let live = admin.get(&site, "/updates/").await.text;
    assert_eq!(lines(&live), lines(&kept));
}
