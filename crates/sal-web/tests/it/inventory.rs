//! `/inventory/…`: applications of a place, their versions and paths, and the machines that have them.

mod data_table;

use axum::http::{StatusCode, header};
use sal_store::{
    places::Place,
    pool::Lane,
    summaries::{Patience, Summary, lock},
};

use crate::site::{Answer, NOW, Site, Visitor};

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

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or(rest, |(part, _)| part)
}

/// Names in the order of a list.
fn names(page: &str) -> Vec<&str> {
    let lines = page.split("data-row-link").skip(1);
    lines.map(|line| between(line, ">", "<")).collect()
}

/// Name, machines and versions of each line of the list of applications.
fn counts(page: &str) -> Vec<(&str, &str, &str)> {
    let line = |line| {
        let machines = between(line, "data-label=\"Machines\"", "</a>");
        let machines = machines.rsplit('>').next().unwrap();
        let versions = between(line, "data-label=\"Versions\" class=\"number\">", "<");
        (between(line, ">", "<"), machines, versions)
    };
    page.split("data-row-link").skip(1).map(line).collect()
}

/// Labels and counts of bars.
fn bars(page: &str) -> Vec<(&str, &str)> {
    let bar = |bar| {
        (
            between(bar, "<span class=\"label\">", "<"),
            between(bar, "<span class=\"count\">", "<"),
        )
    };
    let bars = page.split("<li><a href=\"/inventory/list/").skip(1);
    bars.map(bar).collect()
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
    assert!(
        nobody
            .get(&site, "/inventory/")
            .await
            .text
            .contains("belongs to no business unit")
    );
    site.sql(
        "INSERT INTO server_businessunit (id, name) VALUES (3, 'Law');
         INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 5), (2, 5)",
    )
    .await;
    let choice = nobody.get(&site, "/inventory/").await.text;
    assert!(choice.contains("href=\"/inventory/business_unit/1/\"") && choice.contains("Arts"));
    assert!(!choice.contains("Law"));
    assert_eq!(
        nobody.get(&site, "/inventory/all/0/").await.status,
        StatusCode::FORBIDDEN
    );
    // Who belongs to every unit may see all, as in Sal.
    site.sql("DELETE FROM server_businessunit WHERE id = 3")
        .await;
    let all = nobody.get(&site, "/inventory/all/0/").await;
    assert_eq!((all.status, names(&all.text).len()), (StatusCode::OK, 3));
}

#[tokio::test]
async fn q085_q086_applications_are_counted_in_the_place_and_nowhere_else() {
    let site = site_with_applications(10).await;
    let mut admin = site.visitor("admin").await;
    for (place, expected) in [
        // Nine of ten machines are deployed, four of them in Science.
        ("all/0", vec![("Firefox", "9", "3"), ("Secret", "5", "1")]),
        ("business_unit/1", vec![("Firefox", "4", "3")]),
        (
            "machine_group/2",
            vec![("Firefox", "5", "3"), ("Secret", "5", "1")],
        ),
        (
            "machine/3",
            vec![("Firefox", "1", "1"), ("Secret", "1", "1")],
        ),
        // Q-086: a machine that is asked for by its id shows what it has, deployed or not.
        ("machine/4", vec![("Firefox", "1", "1")]),
    ] {
        let page = admin.get(&site, &format!("/inventory/{place}/")).await;
        let mut found = counts(&page.text);
        found.retain(|(name, _, _)| !name.contains("Evil"));
        assert_eq!(found, expected, "{place}");
        assert!(
            !page.text.contains("Nowhere") && !page.text.contains("proxyApp"),
            "{place}"
        );
    }
    // Nothing of another unit is found by searching either.
    let mut reader = site.visitor("reader").await;
    let page = reader
        .get(&site, "/inventory/business_unit/1/?q=secret")
        .await;
    assert!(page.text.contains("Nothing matches “secret”"));
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
            seen.extend(names(&page.text).into_iter().map(str::to_owned));
        }
        // Escaped names count as empty ones here.
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 123, "{sort}");
    }
    let most = admin.get(&site, "/inventory/all/0/?sort=-machines").await;
    assert_eq!(counts(&most.text)[0], ("Firefox", "5", "3"));
    assert!(most.text.contains("aria-sort=\"descending\"") && most.text.contains("1–50 of 123"));
    let found = admin.get(&site, "/inventory/all/0/?q=COM.x.11+app").await;
    assert_eq!(names(&found.text)[..2], ["App 011", "App 110"]);
    for nothing in ["%25", "_", "a%00b%00c", "%5C"] {
        let page = admin
            .get(&site, &format!("/inventory/all/0/?q={nothing}"))
            .await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Nothing matches"), "{nothing}");
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
    let page = admin
        .get(&site, "/inventory/application/all/0/1/")
        .await
        .text;
    assert_eq!(
        bars(&page),
        [
            ("10.10", "3"),
            ("10.9", "3"),
            ("9", "3"),
            ("/Applications/Firefox.app", "9"),
            ("/Users/anna/Firefox.app", "1"),
        ]
    );
    let link = between(&page, "<li><a href=\"", "\"").replace("&#38;", "&");
    let list = admin.get(&site, &link).await.text;
    assert_eq!(names(&list), ["mac-2", "mac-5", "mac-8"]);
    assert!(list.contains("version 10.10<span") && list.contains("3 machines"));
    // What the bar counts is what the list lists, in a unit too.
    let page = admin
        .get(&site, "/inventory/application/business_unit/1/1/")
        .await
        .text;
    assert_eq!(bars(&page)[0], ("10.10", "2"));
}

#[tokio::test]
async fn installs_show_machines_with_versions_and_counts() {
    let site = site_with_applications(10).await;
    let mut reader = site.visitor("reader").await;
    let path = "/inventory/list/business_unit/1/1/";
    let page = reader.get(&site, path).await.text;
    assert_eq!(names(&page), ["mac-10", "mac-2", "mac-6", "mac-8"]);
    assert!(!page.contains("mac-3") && !page.contains("SERIAL3"));
    let second = page.split("data-row-link").nth(2).unwrap();
    for text in ["SERIAL2", "user2", "10.10", "class=\"number\">2<"] {
        assert!(second.contains(text), "{text}");
    }
    let page = reader
        .get(&site, &format!("{path}?sort=-serial&q=SERIAL"))
        .await
        .text;
    assert_eq!(names(&page), ["mac-8", "mac-6", "mac-2", "mac-10"]);
    let page = reader.get(&site, &format!("{path}?q=user8")).await.text;
    assert_eq!(names(&page), ["mac-8"]);
    let page = reader
        .get(
            &site,
            &format!("{path}?field_type=path&field_value=%2FUsers%2Fanna%2FFirefox.app"),
        )
        .await
        .text;
    assert_eq!(names(&page), ["mac-2"]);
    // Another unit's machine is not found by its name either.
    let page = reader.get(&site, &format!("{path}?q=mac-3")).await.text;
    assert!(page.contains("<h2>No machine</h2>") && names(&page).is_empty());
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
            seen.extend(names(&page.text).into_iter().map(str::to_owned));
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
        for markup in ["<b>Evil", "<i>1", "<script>alert", "\" onload=", "\"><b>"] {
            assert!(!page.text.contains(markup), "{path} {markup}");
        }
        assert!(!page.text.contains(" style="), "{path}");
    }
    // A path that was never reported is a value too.
    let page = admin
        .get(&site, "/inventory/application/all/0/4/")
        .await
        .text;
    assert!(bars(&page).contains(&("unknown", "1")));
    let page = admin
        .get(
            &site,
            "/inventory/list/all/0/4/?field_type=path&field_value=",
        )
        .await;
    assert!(page.text.contains("1 machine<") && page.text.contains("unknown path"));
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
        page.text
    };
    let page = listed("").await;
    assert!(page.contains("Firefox") && !page.contains("Calculator"));
    assert!(
        listed("('filter_proxied_virtualization_apps', 'False')")
            .await
            .contains("Calculator")
    );
    let page = listed("('inventory_exclusion_pattern', 'mozilla|acme\\.no')").await;
    assert!(!page.contains("Firefox") && page.contains("Secret"));
    let page = listed("('inventory_exclusion_pattern', '(mozilla')").await;
    assert!(page.contains("Firefox") && page.contains("no regular expression"));
    let page = listed("('show_inventory_install_counts', 'false')").await;
    assert!(!page.contains("data-label=\"Machines\"") && names(&page).last() == Some(&"Secret"));
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

#[tokio::test]
async fn counts_of_a_large_place_are_kept_and_counted_again_when_they_are_old() {
    let site = site_with_applications(600).await;
    let mut admin = site.visitor("admin").await;
    let first = admin.get(&site, "/inventory/all/0/").await.text;
    assert!(
        first.contains("Counted <time")
            && first.contains("just now")
            && !first.contains("hx-trigger=\"load\"")
    );
    let brute = "SELECT count(DISTINCT i.machine_id) FROM inventory_inventoryitem i JOIN server_machine m ON m.id = i.machine_id
                 WHERE m.deployed AND i.application_id = 1";
    assert_eq!(site.number(brute).await, 599);
    assert!(counts(&first).contains(&("Firefox", "599", "3")));
    // A unit of 300 is kept too; a machine is always counted now.
    let unit = admin
        .get(&site, "/inventory/business_unit/1/?q=firefox")
        .await
        .text;
    assert_eq!(counts(&unit), [("Firefox", "299", "3")]);
    let machine = admin.get(&site, "/inventory/machine/2/").await.text;
    assert!(!machine.contains("Counted"));
    assert_eq!(site.number("SELECT count(*) FROM salrs_summary").await, 2);

    site.sql("DELETE FROM inventory_inventoryitem WHERE application_id = 1 AND machine_id <= 100")
        .await;
    let fresh = admin.get(&site, "/inventory/all/0/?recount=1").await.text;
    assert!(
        counts(&fresh).contains(&("Firefox", "599", "3")),
        "no more often than once a minute"
    );
    site.sql(&format!(
        "UPDATE salrs_summary SET counted = timestamptz '{NOW}' - interval '3 minutes'"
    ))
    .await;
    let old = admin.get(&site, "/inventory/all/0/").await.text;
    assert!(counts(&old).contains(&("Firefox", "599", "3")) && old.contains("3 min ago"));
    assert!(old.contains("hx-get=\"/inventory/all/0/?recount=1\" hx-trigger=\"load\""));
    let again = admin.get(&site, "/inventory/all/0/?recount=1").await.text;
    assert!(counts(&again).contains(&("Firefox", "500", "3")));
}

#[tokio::test]
async fn counts_that_are_lost_very_old_or_have_no_table_are_made_at_once() {
    let site = site_with_applications(600).await;
    let mut admin = site.visitor("admin").await;
    let firefox = ("Firefox", "599", "3");
    for damage in [
        "DELETE FROM salrs_summary",
        "UPDATE salrs_summary SET counts = '[]', counted = counted - interval '2 hours'",
        "UPDATE salrs_summary SET counts = '[]', counted = counted + interval '1 day'",
        "DROP TABLE salrs_summary",
    ] {
        site.sql(damage).await;
        let page = admin.get(&site, "/inventory/all/0/").await.text;
        assert!(counts(&page).contains(&firefox), "{damage}");
        assert_eq!(
            page.contains("Counted"),
            !damage.starts_with("DROP"),
            "{damage}"
        );
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
    let page = admin.get(&site, "/inventory/all/0/?recount=1").await.text;
    assert!(page.contains("3 min ago") && page.contains("Count again"));
    assert!(
        !page.contains("hx-trigger=\"load\""),
        "the browser must not ask without end"
    );
    tx.rollback().await.unwrap();
}
