//! Numbers of large parts of the fleet, as they were counted last.

use sal_testkit::Page;

use crate::site::{NOW, Site, Visitor};

/// Machines of two units, even ones in unit 1, and somebody of each kind.
async fn large_site() -> Site {
    let site = Site::start().await;
    site.machines(2_400).await;
    for (id, name, level, unit) in [
        (1, "admin", "GA", None),
        (2, "reader", "RO", Some(1)),
        (3, "both", "RO", Some(1)),
    ] {
        site.user(id, name, level, unit).await;
    }
    site.sql("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (2, 3)")
        .await;
    site
}

async fn page(path: &str, visitor: &mut Visitor, site: &Site) -> Page {
    let answer = visitor.get(site, path).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
    answer.page()
}

fn machines(page: &Page) -> String {
    page.text(".page-head p.muted")
}

#[tokio::test]
async fn a_large_overview_shows_what_was_counted_last_wherever_that_was() {
    let site = large_site().await;
    let (mut admin, mut both) = (site.visitor("admin").await, site.visitor("both").await);
    let first = page("/", &mut admin, &site).await;
    assert_eq!(machines(&first), "2,400 machines");
    assert_eq!(first.text(".fresh"), "Counted just now.");
    // Of the units that somebody is in together, a sum of their own.
    assert_eq!(
        machines(&page("/", &mut both, &site).await),
        "2,400 machines"
    );
    let places = "SELECT count(DISTINCT place) FROM salrs_summary WHERE what LIKE 'machines%'";
    assert_eq!(site.number(places).await, 2);

    // As another server counted it, three minutes ago.
    site.sql(&format!(
        "UPDATE salrs_summary SET counted = timestamptz '{NOW}' - interval '3 minutes';
         UPDATE salrs_summary SET counts = '[4711, [\"Darwin\"]]' WHERE what LIKE 'machines%' AND place = 'all'"
    ))
    .await;
    let old = page("/", &mut admin, &site).await;
    assert_eq!(machines(&old), "4,711 machines");
    assert_eq!(old.text(".fresh"), "Counted 3 min ago. Count again");
    assert_eq!(old.attribute("[hx-trigger=load]", "hx-get"), "/?recount=1");
    assert_eq!(old.attribute("[hx-trigger=load]", "hx-select"), "#overview");
    assert_eq!(
        machines(&page("/", &mut both, &site).await),
        "2,400 machines"
    );
    let again = page("/?recount=1", &mut admin, &site).await;
    assert_eq!(machines(&again), "2,400 machines");
    assert_eq!(again.text(".fresh"), "Counted just now.");
}

#[tokio::test]
async fn only_a_plugin_that_changed_or_is_new_makes_a_page_wait() {
    let site = large_site().await;
    let mut admin = site.visitor("admin").await;
    page("/", &mut admin, &site).await;
    let path = "/report/InstallReport/all/0/";
    let report = page(path, &mut admin, &site).await;
    assert_eq!(report.text(".fresh"), "Counted just now.");
    site.sql("UPDATE salrs_summary SET counts = '[4711, []]' WHERE what LIKE 'machines%'")
        .await;
    assert!(machines(&page(path, &mut admin, &site).await).starts_with("4,711 machines"));
    // What cannot be read is counted.
    for damage in [
        "UPDATE salrs_summary SET counts = '[\"x\"]' WHERE what LIKE 'widget InstallReport%'",
        "DELETE FROM salrs_summary WHERE what LIKE 'widget InstallReport%'",
        "DROP TABLE salrs_summary",
    ] {
        site.sql(damage).await;
        let found = machines(&page(path, &mut admin, &site).await);
        assert!(found.starts_with("2,400 machines"), "{damage}: {found}");
    }
}

#[tokio::test]
async fn small_parts_are_counted_at_each_visit() {
    let site = Site::start().await;
    site.machines(20).await;
    site.user(1, "admin", "GA", None).await;
    let mut admin = site.visitor("admin").await;
    let overview = page("/", &mut admin, &site).await;
    assert_eq!(machines(&overview), "20 machines");
    assert!(!overview.has(".fresh"));
    assert_eq!(site.number("SELECT count(*) FROM salrs_summary").await, 0);
}

#[tokio::test]
async fn large_places_are_counted_before_anybody_asks() {
    let site = large_site().await;
    let mut reader = site.visitor("reader").await;
    page("/dashboard/1/", &mut reader, &site).await;
    site.sql("DELETE FROM salrs_summary").await;
    sal_web::background::round("one", &site.app).await.unwrap();
    let kept = "SELECT count(*) FROM (SELECT DISTINCT place, place_id FROM salrs_summary
        WHERE what LIKE 'machines%' OR what LIKE 'widget InstallReport%' OR what IN ('applications', 'updates')) place";
    assert_eq!(site.number(kept).await, 5, "all machines, units and groups");
    site.sql("UPDATE salrs_summary SET counts = '[4711, []]' WHERE what LIKE 'machines%' AND place = 'unit' AND place_id = 1")
        .await;
    let unit = page("/dashboard/1/", &mut reader, &site).await;
    assert_eq!(machines(&unit), "4,711 machines");

    // Fresh counts stay, stale ones are made again, and only by one server at a time.
    let stale = format!(
        "UPDATE salrs_summary SET counted = timestamptz '{NOW}' - interval '2 hours' WHERE what LIKE 'machines%' AND place = 'unit'"
    );
    sal_web::background::round("one", &site.app).await.unwrap();
    assert_eq!(
        machines(&page("/dashboard/1/", &mut reader, &site).await),
        "4,711 machines"
    );
    site.sql(&stale).await;
    sal_web::background::round("two", &site.app).await.unwrap();
    assert_eq!(
        machines(&page("/dashboard/1/", &mut reader, &site).await),
        "4,711 machines"
    );
    sal_web::background::round("one", &site.app).await.unwrap();
    assert_eq!(
        machines(&page("/dashboard/1/", &mut reader, &site).await),
        "1,200 machines"
    );
    site.sql("DROP TABLE salrs_summary").await;
    sal_web::background::round("one", &site.app).await.unwrap();
}

#[tokio::test]
async fn a_first_count_that_takes_long_is_shown_as_such_and_goes_on() {
    let site = large_site().await;
    let mut admin = site.visitor("admin").await;
    for (path, table, part, then) in [
        ("/", "server_pluginscriptrow", "#overview", "2,400 machines"),
        (
            "/report/InstallReport/all/0/",
            "server_manageditem",
            "#report",
            "2,400 machines",
        ),
        (
            "/inventory/all/0/",
            "inventory_inventoryitem",
            "#listing",
            "No applications",
        ),
        (
            "/updates/",
            "server_manageditem",
            "#listing",
            "Nothing waits",
        ),
    ] {
        site.sql(&format!("BEGIN; LOCK TABLE {table}")).await;
        let waiting = page(path, &mut admin, &site).await;
        assert_eq!(waiting.text(".counting h2"), "Counting…", "{path}");
        let again = format!("{path}?recount=1");
        assert_eq!(waiting.attribute(".counting", "hx-get"), again);
        assert_eq!(waiting.attribute(".counting", "hx-target"), part);
        // Nothing on it says that there is nothing.
        assert_eq!(waiting.count(".nothing"), 1, "{path}");
        assert!(!waiting.words().contains(then), "{path}");
        site.sql("ROLLBACK").await;
        let counted = page(&again, &mut admin, &site).await;
        assert!(!counted.has(".counting"), "{path}");
        assert!(counted.words().contains(then), "{path}");
    }
}
