//! `/inventory/…`: applications of a place, their versions and paths, and the machines that have them.

mod data_table;

use axum::http::{StatusCode, header};
use sal_store::{
    places::Place,
    pool::Lane,
    summaries::{Patience, Summary, lock},
};
use sal_testkit::Page;

use crate::site::{Answer, NOW, Site, Visitor, cells, names};

/// Machines of two units, and members of unit 1. Even machines are in unit 1 (Science), odd ones in unit 2 (Arts).
///
/// Firefox is on all of them in three versions, on machine 2 twice; Secret on those of Arts; a guest's application on
/// all; one with a hostile name on machine 2; one on none. Machine 4 is not deployed.
async fn site_with_applications(machines: u32) -> Site {
    let site = Site::start().await;
    site.machines(machines).await;
    site.sql(
        "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\") VALUES
             (1, 'Firefox', 'org.mozilla.firefox', 'Firefox', ''), (2, 'Secret', 'com.acme.secret', 'Secret', ''),
             (3, 'Calculator', 'com.vmware.proxyApp.7', 'Calculator', ''),
             (4, '<b>Evil</b>', '\" onload=\"x', '', ''), (5, 'Nowhere', 'com.acme.nowhere', '', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT id, 1, CASE id % 3 WHEN 0 THEN '9' WHEN 1 THEN '10.9' ELSE '10.10' END, '/Applications/Firefox.app'
             FROM server_machine;
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path) VALUES
             (2, 1, '10.10', '/Users/anna/Firefox.app'), (2, 4, '<i>1</i>', NULL);
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT id, 2, '1', '/s' FROM server_machine WHERE id % 2 = 1;
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT id, 3, '1', '/g' FROM server_machine;
         UPDATE server_machine SET deployed = false WHERE id = 4",
    )
    .await;
    for (id, name, level, unit) in [
        (1, "admin", "GA", None),
        (2, "writer", "RW", Some(1)),
        (3, "reader", "RO", Some(1)),
        (4, "counter", "SO", Some(1)),
        (5, "nobody", "RO", None),
    ] {
        site.user(id, name, level, unit).await;
    }
    site
}

/// Name, machines and versions of each line of the list of applications.
fn counts(page: &Page) -> Vec<[String; 3]> {
    let lines = cells(page).into_iter();
    lines
        .map(|[name, _, _, machines, versions]| [name, machines, versions])
        .collect()
}

/// Labels and counts of bars.
fn bars(page: &Page) -> Vec<String> {
    page.texts("ul.bars a")
}

fn disposition(answer: &Answer) -> &str {
    let header = answer.headers.get(header::CONTENT_DISPOSITION);
    header.unwrap().to_str().unwrap()
}

/// Paths, and the status for admin, writer, reader, counter and nobody.
const STATUSES: &[(&str, [u16; 5])] = &[
    ("/inventory/", [302, 302, 302, 403, 200]),
    ("/inventory/all/0/", [200, 403, 403, 403, 403]),
    ("/inventory/all/x/", [404, 404, 404, 403, 404]),
    ("/inventory/business_unit/1/", [200, 200, 200, 403, 404]),
    ("/inventory/business_unit/2/", [200, 404, 404, 403, 404]),
    ("/inventory/business_unit/99/", [404, 404, 404, 403, 404]),
    ("/inventory/machine_group/1/", [200, 200, 200, 403, 404]),
    ("/inventory/machine_group/2/", [200, 404, 404, 403, 404]),
    ("/inventory/machine/2/", [200, 200, 200, 403, 404]),
    ("/inventory/machine/3/", [200, 404, 404, 403, 404]),
    (
        "/inventory/machine/99999999999999999999/",
        [404, 404, 404, 403, 404],
    ),
    ("/inventory/machine/SERIAL2/", [404, 404, 404, 403, 404]),
    ("/inventory/nonsense/0/", [404, 404, 404, 403, 404]),
    ("/inventory/application/all/0/1/", [200, 403, 403, 403, 403]),
    (
        "/inventory/application/all/0/9999/",
        [404, 403, 403, 403, 403],
    ),
    (
        "/inventory/application/business_unit/1/2/",
        [200, 404, 404, 403, 404],
    ),
    ("/inventory/list/all/0/1/", [200, 403, 403, 403, 403]),
    (
        "/inventory/list/machine_group/1/1/",
        [200, 200, 200, 403, 404],
    ),
    (
        "/inventory/list/machine_group/1/9999/",
        [404, 404, 404, 403, 404],
    ),
    (
        "/inventory/list/machine_group/1/1/?field_type=id&field_value=1",
        [404, 404, 404, 403, 404],
    ),
    (
        "/inventory/list/machine_group/1/1/?field_type=path&field_value=%00",
        [404, 404, 404, 403, 404],
    ),
    ("/inventory/csv_export/all/0/", [200, 403, 403, 403, 403]),
    (
        "/inventory/csv_export/business_unit/2/?pk=1",
        [200, 404, 404, 403, 404],
    ),
    (
        "/inventory/csv_export/business_unit/1/?pk=x",
        [404, 404, 404, 403, 404],
    ),
];

#[tokio::test]
async fn q080_q082_every_level_gets_what_sal_gives_it() {
    let site = site_with_applications(10).await;
    for (path, statuses) in STATUSES {
        for (name, status) in ["admin", "writer", "reader", "counter", "nobody"]
            .iter()
            .zip(statuses)
        {
            let answer = site.visitor(name).await.get(&site, path).await;
            assert_eq!(answer.status.as_u16(), *status, "{name} {path}");
        }
        let anonymous = Visitor::default().get(&site, path).await;
        assert!(anonymous.location().starts_with("/login?next="), "{path}");
    }
}

#[tokio::test]
async fn the_entry_leads_to_all_to_the_only_unit_or_to_a_choice() {
    let site = site_with_applications(4).await;
    let mut admin = site.visitor("admin").await;
    assert_eq!(
        admin.get(&site, "/inventory/").await.location(),
        "/inventory/all/0/"
    );
    let mut reader = site.visitor("reader").await;
    assert_eq!(
        reader.get(&site, "/inventory/").await.location(),
        "/inventory/business_unit/1/"
    );
    let mut nobody = site.visitor("nobody").await;
    let none = nobody.get(&site, "/inventory/").await.page();
    assert_eq!(none.text("main h2"), "No business unit");
    site.sql(
        "INSERT INTO server_businessunit (id, name) VALUES (3, 'Law');
         INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 5), (2, 5)",
    )
    .await;
    let choice = nobody.get(&site, "/inventory/").await.page();
    assert_eq!(choice.texts(".places .label"), ["Arts", "Science"]);
    assert_eq!(
        choice.attributes(".places a", "href"),
        ["/inventory/business_unit/2/", "/inventory/business_unit/1/"]
    );
    assert_eq!(
        nobody.get(&site, "/inventory/all/0/").await.status,
        StatusCode::FORBIDDEN
    );
    // Who belongs to every unit may see all, as in Sal.
    site.sql("DELETE FROM server_businessunit WHERE id = 3")
        .await;
    let all = nobody.get(&site, "/inventory/all/0/").await;
    assert_eq!(all.status, StatusCode::OK);
    assert_eq!(names(&all.page()), ["<b>Evil</b>", "Firefox", "Secret"]);
}

#[tokio::test]
async fn q085_q086_applications_are_counted_in_the_place_and_nowhere_else() {
    let site = site_with_applications(10).await;
    let mut admin = site.visitor("admin").await;
    let (evil, one_firefox) = (["<b>Evil</b>", "1", "1"], ["Firefox", "1", "1"]);
    for (place, expected) in [
        // Nine of ten machines are deployed, four of them in Science.
        (
            "all/0",
            &[evil, ["Firefox", "9", "3"], ["Secret", "5", "1"]][..],
        ),
        ("business_unit/1", &[evil, ["Firefox", "4", "3"]]),
        (
            "machine_group/2",
            &[["Firefox", "5", "3"], ["Secret", "5", "1"]],
        ),
        ("machine/3", &[one_firefox, ["Secret", "1", "1"]]),
        // Q-086: a machine that is asked for by its id shows what it has, deployed or not.
        ("machine/4", &[one_firefox]),
    ] {
        let page = admin.get(&site, &format!("/inventory/{place}/")).await;
        assert_eq!(counts(&page.page()), expected, "{place}");
    }
    // Nothing of another unit is found by searching either.
    let mut reader = site.visitor("reader").await;
    let page = reader
        .get(&site, "/inventory/business_unit/1/?q=secret")
        .await;
    assert_eq!(page.page().text("#listing h2"), "Nothing matches “secret”");
    let page = reader
        .get(&site, "/inventory/application/business_unit/1/2/")
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "it is in unit 2 alone");
}

#[tokio::test]
async fn the_list_is_searched_sorted_and_paged() {
    let site = site_with_applications(6).await;
    site.sql(
        "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             SELECT 100 + n, 'App ' || lpad(n::text, 3, '0'), 'com.x.' || n, 'B' || 200 - n, '' FROM generate_series(1, 120) n;
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT 1 + n % 3, 100 + n, v::text, '/p' FROM generate_series(1, 120) n, generate_series(1, n % 5 + 1) v",
    )
    .await;
    let mut admin = site.visitor("admin").await;
    for sort in [
        "",
        "-name",
        "bundleid",
        "-bundlename",
        "-machines",
        "versions",
        "id;--",
    ] {
        let mut seen = Vec::new();
        for page in 1..=3 {
            let path = format!("/inventory/all/0/?sort={sort}&page={page}");
            let page = admin.get(&site, &path).await;
            seen.extend(names(&page.page()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 123, "{sort}");
    }
    let most = admin.get(&site, "/inventory/all/0/?sort=-machines").await;
    let most = most.page();
    assert_eq!(counts(&most)[0], ["Firefox", "5", "3"]);
    assert_eq!(most.texts("th[aria-sort=descending]"), ["Machines"]);
    assert_eq!(most.text(".pager .muted"), "1–50 of 123");
    let found = admin.get(&site, "/inventory/all/0/?q=COM.x.11+app").await;
    assert_eq!(names(&found.page())[..2], ["App 011", "App 110"]);
    for nothing in ["%25", "_", "a%00b%00c", "%5C"] {
        let page = admin
            .get(&site, &format!("/inventory/all/0/?q={nothing}"))
            .await;
        assert_eq!(page.status, StatusCode::OK);
        let heading = page.page().text("#listing h2");
        assert!(
            heading.starts_with("Nothing matches"),
            "{nothing}: {heading}"
        );
    }
    let far = admin
        .get(&site, "/inventory/all/0/?page=99999999999999999999")
        .await;
    assert_eq!(far.status, StatusCode::OK);
}

#[tokio::test]
async fn versions_are_bars_newest_first_and_lead_to_their_machines() {
    let site = site_with_applications(10).await;
    let mut admin = site.visitor("admin").await;
    let path = "/inventory/application/all/0/1/";
    let page = admin.get(&site, path).await.page();
    assert_eq!(
        bars(&page),
        [
            "10.10 3",
            "10.9 3",
            "9 3",
            "/Applications/Firefox.app 9",
            "/Users/anna/Firefox.app 1",
        ]
    );
    let link = page.attribute(".bars.versions li:first-child a", "href");
    let list = admin.get(&site, &link).await.page();
    assert_eq!(names(&list), ["mac-2", "mac-5", "mac-8"]);
    assert_eq!(list.text("a.filter"), "version 10.10 remove filter");
    assert_eq!(list.text("#total"), "3 machines");
    // What the bar counts is what the list lists, in a unit too.
    let path = "/inventory/application/business_unit/1/1/";
    let page = admin.get(&site, path).await.page();
    assert_eq!(bars(&page)[0], "10.10 2");
}

#[tokio::test]
async fn installs_show_machines_with_versions_and_counts() {
    let site = site_with_applications(10).await;
    let mut reader = site.visitor("reader").await;
    let path = "/inventory/list/business_unit/1/1/";
    let page = reader.get(&site, path).await.page();
    assert_eq!(names(&page), ["mac-10", "mac-2", "mac-6", "mac-8"]);
    assert_eq!(
        page.rows("table.devices")[1],
        ["mac-2", "SERIAL2", "2 min ago", "user2", "10.10", "2"]
    );
    for (query, found) in [
        (
            "sort=-serial&q=SERIAL",
            &["mac-8", "mac-6", "mac-2", "mac-10"][..],
        ),
        ("q=user8", &["mac-8"]),
        (
            "field_type=path&field_value=%2FUsers%2Fanna%2FFirefox.app",
            &["mac-2"],
        ),
    ] {
        let page = reader.get(&site, &format!("{path}?{query}")).await.page();
        assert_eq!(names(&page), found, "{query}");
    }
    // Another unit's machine is not found by its name either.
    let page = reader.get(&site, &format!("{path}?q=mac-3")).await.page();
    assert_eq!(page.text("#listing h2"), "No machine");
    assert!(names(&page).is_empty());
}

#[tokio::test]
async fn every_page_of_installs_together_shows_every_machine_once() {
    let site = site_with_applications(130).await;
    site.sql("UPDATE server_machine SET console_user = NULL, last_checkin = NULL, hostname = NULL WHERE id % 3 = 0").await;
    let mut admin = site.visitor("admin").await;
    for sort in ["", "user", "-last_checkin", "-name"] {
        let mut seen = Vec::new();
        for page in 1..=3 {
            let path = format!("/inventory/list/all/0/1/?sort={sort}&page={page}");
            let page = admin.get(&site, &path).await;
            seen.extend(names(&page.page()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 129, "{sort}");
    }
}

#[tokio::test]
async fn what_machines_say_of_their_applications_is_text_and_never_markup() {
    let site = site_with_applications(4).await;
    site.sql("UPDATE server_machine SET hostname = '<script>alert(1)</script>' WHERE id = 2")
        .await;
    let mut admin = site.visitor("admin").await;
    for path in [
        "/inventory/all/0/",
        "/inventory/machine/2/",
        "/inventory/application/all/0/4/",
        "/inventory/list/all/0/4/",
        "/inventory/list/all/0/4/?field_type=version&field_value=%3Ci%3E1%3C%2Fi%3E",
        "/inventory/all/0/?q=%22%3E%3Cb%3E",
    ] {
        let page = admin.get(&site, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let page = page.page();
        assert_eq!(
            page.count("main :is(b, i), script:not([src]), [onload], [style]"),
            0,
            "{path}"
        );
    }
    // A path that was never reported is a value too.
    let path = "/inventory/application/all/0/4/";
    let page = admin.get(&site, path).await.page();
    assert_eq!(page.text("h1"), "<b>Evil</b>");
    assert_eq!(bars(&page), ["<i>1</i> 1", "unknown 1"]);
    let path = "/inventory/list/all/0/4/?field_type=path&field_value=";
    let page = admin.get(&site, path).await.page();
    assert_eq!(page.text("#total"), "1 machine");
    assert_eq!(page.text("a.filter"), "unknown path remove filter");
    assert_eq!(names(&page), ["<script>alert(1)</script>"]);
}

#[tokio::test]
async fn q081_sals_settings_hide_applications_and_a_wrong_pattern_hides_none() {
    let site = site_with_applications(4).await;
    let mut admin = site.visitor("admin").await;
    let mut listed = async |settings: &str| {
        site.sql(
            "DELETE FROM server_salsetting WHERE name LIKE '%inventory%' OR name LIKE 'filter_%'",
        )
        .await;
        if !settings.is_empty() {
            site.sql(&format!(
                "INSERT INTO server_salsetting (name, value) VALUES {settings}"
            ))
            .await;
        }
        let page = admin.get(&site, "/inventory/all/0/?sort=-machines").await;
        assert_eq!(page.status, StatusCode::OK, "{settings}");
        page.page()
    };
    let all = ["Firefox", "Secret", "<b>Evil</b>"];
    assert_eq!(names(&listed("").await), all);
    let page = listed("('filter_proxied_virtualization_apps', 'False')").await;
    assert!(names(&page).contains(&"Calculator".to_owned()));
    let page = listed("('inventory_exclusion_pattern', 'mozilla|acme\\.no')").await;
    assert_eq!(names(&page), ["Secret", "<b>Evil</b>"]);
    let page = listed("('inventory_exclusion_pattern', '(mozilla')").await;
    assert_eq!(names(&page), all);
    assert!(page.text(".alert").contains("is no regular expression"));
    let page = listed("('show_inventory_install_counts', 'false')").await;
    assert_eq!(page.texts("thead th"), ["Name", "Bundle ID", "Bundle name"]);
    assert_eq!(names(&page), ["<b>Evil</b>", "Firefox", "Secret"]);
}

#[tokio::test]
async fn files_have_sals_columns_and_names() {
    let site = site_with_applications(10).await;
    let mut reader = site.visitor("reader").await;
    let list = reader
        .get(
            &site,
            "/inventory/csv_export/business_unit/1/?pk=0&field_type=all&field_value=0",
        )
        .await;
    // As Sal: installs, not machines, and also what the page does not list.
    assert_eq!(
        list.text.lines().collect::<Vec<_>>(),
        [
            "name,bundleid,bundlename,install_count",
            "<b>Evil</b>,\"\"\" onload=\"\"x\",,1",
            "Calculator,com.vmware.proxyApp.7,Calculator,4",
            "Firefox,org.mozilla.firefox,Firefox,5",
        ]
    );
    assert!(
        disposition(&list)
            .contains("\"sal_inventory_application_list_for_business_unit_1.csv.csv\"")
    );
    let jsonl = reader
        .get(&site, "/inventory/csv_export/machine/2/?pk=0&format=jsonl")
        .await;
    assert!(jsonl.text.lines().any(|line| line
        == r#"{"name":"Firefox","bundleid":"org.mozilla.firefox","bundlename":"Firefox","install_count":2}"#));
    let installs = reader
        .get(
            &site,
            "/inventory/csv_export/business_unit/1/?pk=1&field_type=version&field_value=10.10",
        )
        .await;
    let lines: Vec<&str> = installs.text.lines().collect();
    assert!(lines[0].starts_with(
        "sal_version,deployed,broken_client,last_checkin,first_checkin,serial,hostname,"
    ));
    assert!(lines[0].ends_with(",manifest,business unit,machine group"));
    // A line for each install: machine 2 has two.
    let hosts: Vec<&str> = lines[1..]
        .iter()
        .map(|line| line.split(',').nth(6).unwrap())
        .collect();
    assert_eq!(hosts, ["mac-2", "mac-2", "mac-8"]);
    assert!(lines[1].starts_with(",True,False,2026-11-22 11:58:00.000000+00:00,"));
    assert!(lines[1].ends_with(",Science,Labs"));
    assert!(disposition(&installs).contains("where_version_is_10.10.csv"));
}

#[tokio::test]
async fn a_file_of_many_installs_has_each_of_them_once() {
    let site = site_with_applications(5_001).await;
    let mut admin = site.visitor("admin").await;
    let file = admin
        .get(&site, "/inventory/csv_export/all/0/?pk=1")
        .await
        .text;
    let mut serials: Vec<&str> = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(5).unwrap())
        .collect();
    assert_eq!(serials.len(), 5_001);
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), 5_000);
}

/// What is loaded without being asked for.
const BY_ITSELF: &str = "[hx-trigger=load]";

fn firefox(page: &Page) -> [String; 3] {
    let mut lines = counts(page).into_iter();
    lines.find(|[name, ..]| name == "Firefox").unwrap()
}

#[tokio::test]
async fn counts_of_a_large_place_are_kept_and_counted_again_when_they_are_old() {
    let site = site_with_applications(600).await;
    let mut admin = site.visitor("admin").await;
    let first = admin.get(&site, "/inventory/all/0/").await.page();
    assert_eq!(first.text(".fresh"), "Counted just now.");
    assert!(!first.has(BY_ITSELF));
    let brute = "SELECT count(DISTINCT i.machine_id) FROM inventory_inventoryitem i JOIN server_machine m ON m.id = i.machine_id
                 WHERE m.deployed AND i.application_id = 1";
    assert_eq!(site.number(brute).await, 599);
    assert_eq!(firefox(&first), ["Firefox", "599", "3"]);
    // A unit of 300 is kept too; a machine is always counted now.
    let path = "/inventory/business_unit/1/?q=firefox";
    let unit = admin.get(&site, path).await.page();
    assert_eq!(counts(&unit), [["Firefox", "299", "3"]]);
    let machine = admin.get(&site, "/inventory/machine/2/").await.page();
    assert!(!machine.has(".fresh"));
    assert_eq!(site.number("SELECT count(*) FROM salrs_summary").await, 2);

    site.sql("DELETE FROM inventory_inventoryitem WHERE application_id = 1 AND machine_id <= 100")
        .await;
    let fresh = admin.get(&site, "/inventory/all/0/?recount=1").await.page();
    assert_eq!(
        firefox(&fresh),
        ["Firefox", "599", "3"],
        "no more often than once a minute"
    );
    site.sql(&format!(
        "UPDATE salrs_summary SET counted = timestamptz '{NOW}' - interval '3 minutes'"
    ))
    .await;
    let old = admin.get(&site, "/inventory/all/0/").await.page();
    assert_eq!(firefox(&old), ["Firefox", "599", "3"]);
    assert_eq!(old.text(".fresh"), "Counted 3 min ago. Count again");
    assert_eq!(
        old.attribute(BY_ITSELF, "hx-get"),
        "/inventory/all/0/?recount=1"
    );
    let again = admin.get(&site, "/inventory/all/0/?recount=1").await.page();
    assert_eq!(firefox(&again), ["Firefox", "500", "3"]);
}

#[tokio::test]
async fn counts_that_are_lost_very_old_or_have_no_table_are_made_at_once() {
    let site = site_with_applications(600).await;
    let mut admin = site.visitor("admin").await;
    for damage in [
        "DELETE FROM salrs_summary",
        "UPDATE salrs_summary SET counts = '[]', counted = counted - interval '8 days'",
        "UPDATE salrs_summary SET counts = '[]', counted = counted + interval '1 day'",
        "DROP TABLE salrs_summary",
    ] {
        site.sql(damage).await;
        let page = admin.get(&site, "/inventory/all/0/").await.page();
        assert_eq!(firefox(&page), ["Firefox", "599", "3"], "{damage}");
        assert_eq!(page.has(".fresh"), !damage.starts_with("DROP"), "{damage}");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_count_that_another_is_making() {
    let site = site_with_applications(600).await;
    let mut admin = site.visitor("admin").await;
    admin.get(&site, "/inventory/all/0/").await;
    site.sql("UPDATE salrs_summary SET counted = counted - interval '3 minutes'")
        .await;
    let tx = site
        .app
        .store
        .get(Lane::Pages)
        .await
        .unwrap()
        .begin()
        .await
        .unwrap();
    let locked = lock(Summary::Applications, &Place::All, Patience::Leave, &tx).await;
    assert!(locked.unwrap());
    let page = admin.get(&site, "/inventory/all/0/?recount=1").await.page();
    assert_eq!(page.text(".fresh"), "Counted 3 min ago. Count again");
    assert!(!page.has(BY_ITSELF), "the browser must not ask without end");
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn paths_of_many_installs_come_after_the_page() {
    let site = site_with_applications(5_010).await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/inventory/application/all/0/1/").await;
    let page = Page::parse(&page.text);
    assert_eq!(page.count("#versions .bars li"), 3);
    assert_eq!(page.count("#paths .bars li"), 0);
    let later = page.attribute("#paths", "hx-get");
    assert_eq!(later, "/inventory/application/all/0/1/?paths=1");
    let whole = admin.get(&site, &later).await;
    assert_eq!(Page::parse(&whole.text).count("#paths .bars li"), 2);
    let few = "/inventory/application/business_unit/1/1/";
    let few = Page::parse(&admin.get(&site, few).await.text);
    assert_eq!(few.count("#paths .bars li"), 2);
    assert!(!few.has("#paths[hx-get]"));
}
