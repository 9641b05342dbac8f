//! `/updates/` and `/updates/item/`: what waits, where it failed, and on which machines.

use axum::http::StatusCode;

use sal_testkit::Page;

use crate::site::{NOW, Site, Visitor, cells, names};

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

/// Item and source, version, pending and failed of each line.
fn lines(page: &Page) -> Vec<[String; 4]> {
    cells(page)
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
    let page = admin.get(&site, "/updates/").await.page();
    // Machine 4 is not deployed; the version is that of the newest report.
    assert_eq!(
        lines(&page),
        [
            ["Firefox Munki", "1.1", "5", "2"],
            ["macOS Apple Software Update", "–", "5", "–"],
            ["<b>&?x Munki", "<i>2", "1", "–"],
        ]
    );
    assert_eq!(page.text("#total"), "3 items wait or failed");
    assert_eq!(
        page.texts("[data-label='Oldest report']"),
        ["8 h ago", "just now", "just now"]
    );
    let page = admin.get(&site, "/updates/?group=2").await.page();
    assert_eq!(
        lines(&page),
        [
            ["macOS Apple Software Update", "–", "5", "–"],
            ["Firefox Munki", "1.1", "3", "1"],
        ]
    );
    assert_eq!(page.text("h1"), "Updates in Studio");
    let page = admin.get(&site, "/updates/?q=APPLE").await.page();
    assert_eq!(names(&page), ["macOS"]);
    let page = admin.get(&site, "/updates/?q=%25").await.page();
    assert_eq!(page.text("#listing h2"), "Nothing matches “%”");
    // Without narrowing, a member of one unit sees that unit.
    let mut reader = site.visitor("reader").await;
    let page = reader.get(&site, "/updates/").await.page();
    assert_eq!(
        lines(&page),
        [
            ["Firefox Munki", "1.2", "2", "1"],
            ["<b>&?x Munki", "<i>2", "1", "–"],
        ]
    );
}

#[tokio::test]
async fn an_item_lists_its_machines_with_failures_first() {
    let site = site_with_items(10).await;
    let mut admin = site.visitor("admin").await;
    let path = "/updates/item/?source=Munki&name=Firefox";
    let page = admin.get(&site, path).await.page();
    assert_eq!(
        names(&page),
        [
            "mac-7", "mac-8", "mac-1", "mac-2", "mac-3", "mac-5", "mac-6", "mac-9", "mac-10"
        ]
    );
    assert_eq!(
        page.texts("ul.lines a"),
        ["Failed 2", "Pending 5", "Installed 2"]
    );
    let page = admin
        .get(&site, &format!("{path}&status=ERROR"))
        .await
        .page();
    assert_eq!(names(&page), ["mac-7", "mac-8"]);
    assert_eq!(
        page.texts("ul.lines a[aria-current]"),
        ["Failed (only these are listed; show all) 2"]
    );
    assert_eq!(page.text(".pager .muted"), "1–2 of 2");
    let page = admin
        .get(&site, &format!("{path}&status=%3Cb%3E&page=77"))
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let page = admin
        .get(&site, "/updates/item/?source=Munki&name=Gone")
        .await
        .page();
    assert_eq!(page.text("main h2"), "On no machine");

    let mut reader = site.visitor("reader").await;
    let page = reader.get(&site, path).await.page();
    assert_eq!(names(&page), ["mac-8", "mac-2", "mac-6", "mac-10"]);
    assert_eq!(
        page.texts("ul.lines a"),
        ["Failed 1", "Pending 2", "Installed 1"]
    );
    let other = "/updates/item/?source=Apple%20Software%20Update&name=macOS";
    let page = reader.get(&site, other).await.page();
    assert_eq!(page.text("main h2"), "On no machine");
}

#[tokio::test]
async fn hostile_names_of_items_are_text_and_their_links_work() {
    let site = site_with_items(4).await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/updates/?q=%3Cb%3E").await.page();
    assert_eq!(lines(&page), [["<b>&?x Munki", "<i>2", "1", "–"]]);
    let link = page.attribute("a[data-row-link]", "href");
    let item = admin.get(&site, &link).await;
    assert_eq!(item.status, StatusCode::OK);
    let item = item.page();
    assert_eq!(names(&item), ["mac-2"]);
    assert_eq!(
        (item.text("h1").as_str(), item.count("main :is(b, i)")),
        ("<b>&?x", 0)
    );
}

#[tokio::test]
async fn counts_of_many_machines_are_kept_and_equal_those_made_now() {
    let site = site_with_items(600).await;
    let mut admin = site.visitor("admin").await;
    let kept = admin.get(&site, "/updates/").await.page();
    assert_eq!(kept.text(".fresh"), "Counted just now.");
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_summary WHERE what = 'updates'")
            .await,
        1
    );
    let again = admin.get(&site, "/updates/?q=o").await.page();
    assert_eq!(
        lines(&again)[0],
        ["macOS Apple Software Update", "–", "300", "–"]
    );
    // Who sees two units of three sees their sum, which nobody keeps.
    site.sql(
        "INSERT INTO server_businessunit (id, name) VALUES (3, 'Law');
         INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (2, 2)",
    )
    .await;
    let mut reader = site.visitor("reader").await;
    let both = reader.get(&site, "/updates/").await.page();
    assert_eq!(lines(&both), lines(&kept));
    assert!(!both.has(".fresh"));
    site.sql("DROP TABLE salrs_summary").await;
    let live = admin.get(&site, "/updates/").await.page();
    assert_eq!(lines(&live), lines(&kept));
}
