//! `/machine_detail/<id or serial>/`.

use axum::http::StatusCode;
use sal_testkit::Page;

use crate::{belongings::fill_machines, site::Site};

#[tokio::test]
async fn q045_a_machine_is_found_by_id_then_by_serial_and_shows_all_its_parts() {
    let site = Site::start().await;
    site.machines(2).await;
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki');
         INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data) SELECT 1, id, 'ipv4_address', '10.1.2.3' FROM server_managementsource WHERE name = 'Munki';
         INSERT INTO server_fact (machine_id, fact_name, fact_data) VALUES (1, 'sshrsakey', 'AAAA');
         INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
             SELECT gen_random_uuid(), 1, id, 'Firefox', 'PENDING', now(), '{\"version\": \"133.0\"}' FROM server_managementsource WHERE name = 'Munki';
         INSERT INTO server_message (machine_id, text, date, message_type) VALUES (1, 'Disk is full', now(), 'ERROR');
         INSERT INTO server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded) VALUES (8, 1, 'Encryption', true, now() - interval '1 day'), (9, 1, 'Encryption', false, now());
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data, submission_and_script_name, pluginscript_data_int)
             VALUES (8, 'FileVault', 'Disabled', 'Encryption: FileVault', 0), (9, 'FileVault', 'Enabled', 'Encryption: FileVault', 0)",
    )
    .await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    let page = anna.get(&site, "/machine_detail/1/").await;
    assert_eq!(page.status, StatusCode::OK);
    let shown = page.page();
    assert_eq!(shown.text("h1"), "mac-1");
    assert_eq!(shown.texts("#machine .way-up a"), ["Arts", "Studio"]);
    assert_eq!(shown.texts("#items .item .name"), ["Firefox"]);
    assert_eq!(shown.texts("#items .item .version"), ["→ 133.0"]);
    assert_eq!(shown.texts("#messages p:first-child"), ["Disk is full"]);
    // The old submission is history.
    assert_eq!(
        shown.described("#plugins"),
        [("FileVault".to_owned(), "Enabled".to_owned())]
    );
    let words = shown.words();
    assert!(words.contains("10.1.2.3") && words.contains("Never reported"));
    assert!(!page.text.contains("AAAA"));
    assert_eq!(
        anna.get(&site, "/machine_detail/SERIAL1/").await.text,
        page.text
    );
}

#[tokio::test]
async fn a_machine_of_another_unit_is_forbidden_and_an_unknown_one_not_found() {
    let site = Site::start().await;
    site.machines(2).await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RW", Some(1)).await;
    let mut ben = site.visitor("ben").await;
    // Machine 2 is in group 1 of unit 1, machine 1 is not.
    for (key, status) in [
        ("2", StatusCode::OK),
        ("SERIAL2", StatusCode::OK),
        ("1", StatusCode::NOT_FOUND),
        ("SERIAL1", StatusCode::NOT_FOUND),
    ] {
        let page = ben.get(&site, &format!("/machine_detail/{key}/")).await;
        assert_eq!(page.status, status, "{key}");
        assert!(status == StatusCode::OK || !page.text.contains("mac-1"));
    }
    for key in ["999", "nope", "99999999999999999999", "%00", "serial2"] {
        assert_eq!(
            ben.get(&site, &format!("/machine_detail/{key}/"))
                .await
                .status,
            StatusCode::NOT_FOUND,
            "{key}"
        );
    }
}

/// A machine with rows everywhere, seen by a global admin and by a reader of its unit.
async fn site_with_a_full_machine() -> Site {
    let site = Site::start().await;
    site.machines(2).await;
    fill_machines(&site).await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RO", Some(1)).await;
    site
}

#[tokio::test]
async fn each_tab_shows_its_own_and_nothing_of_the_others() {
    let site = site_with_a_full_machine().await;
    let mut ben = site.visitor("ben").await;
    let marks = [
        ("items", "Status history"),
        ("applications", "/inventory/application/business_unit/1/"),
        ("profiles", "com.apple.wifi.managed"),
        ("facts", "/machine_detail/facts/2/Munki/"),
        ("timeline", "os_vers: 15.0"),
    ];
    for (tab, _) in marks {
        let page = ben
            .get(&site, &format!("/machine_detail/2/?tab={tab}"))
            .await;
        assert_eq!(page.status, StatusCode::OK, "{tab}");
        for (other, text) in marks {
            assert_eq!(page.text.contains(text), other == tab, "{tab}: {text}");
        }
        let page = page.page();
        assert_eq!(page.count(&format!("#tab > section#{tab}")), 1, "{tab}");
        assert_eq!(page.count("#tab > section"), 1, "{tab}");
        assert_eq!(page.text("h1"), "mac-2");
        assert!(!page.has("[href^='/machine/edit/'], [action^='/machine/edit/']"));
    }
    let page = ben
        .get(&site, "/machine_detail/2/?tab=applications&q=nothing")
        .await;
    assert!(page.text.contains("No application contains") && !page.text.contains("org.mozilla"));
    // Who sees all units gets links into all of them.
    let mut anna = site.visitor("anna").await;
    let page = anna.get(&site, "/machine_detail/2/?tab=applications").await;
    assert!(page.text.contains("/inventory/application/all/0/"));
    for link in [
        "/machine/edit/2/",
        "/machine/delete/2/",
        "/machinegroup/1/",
        "/dashboard/1/",
    ] {
        assert!(page.text.contains(link), "{link}");
    }
}

#[tokio::test]
async fn items_are_filtered_by_status_and_their_history_is_a_page() {
    let site = site_with_a_full_machine().await;
    site.sql(
        "INSERT INTO server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)
             SELECT '0193a5b0-0000-7000-8000-00000000000a', 2, id, '<b>Zoom</b>', 'PRESENT', now(), '{\"version\": \"6.0\"}' FROM server_managementsource;
         INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
             SELECT gen_random_uuid(), 2, id, '<b>Zoom</b>', 'ERROR', timestamptz '2026-11-01 10:00Z' FROM server_managementsource",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    let page = ben.get(&site, "/machine_detail/2/?status=PENDING").await;
    assert_eq!(page.page().texts("#items .item .name"), ["Firefox"]);
    let page = ben.get(&site, "/machine_detail/2/?status=ERROR").await;
    let words = page.page().text("#items > p");
    assert_eq!(words, "No item has this status now. Show all");
    let item = "/item/0193a5b0-0000-7000-8000-00000000000a/";
    let page = ben
        .get(&site, &format!("/machine_detail/SERIAL2{item}"))
        .await;
    let page = page.page();
    assert_eq!(page.text("h1"), "<b>Zoom</b>");
    assert_eq!(page.texts(".history li time"), ["2026-11-01 10:00 UTC"]);
    assert_eq!(page.texts(".history li .badge"), ["Error"]);
    let details = page.described("main");
    assert!(
        details.iter().any(|(_, value)| value == "6.0"),
        "{details:?}"
    );
    for (path, status) in [
        (format!("/machine_detail/1{item}"), 404),
        (format!("/machine_detail/99{item}"), 404),
        ("/machine_detail/2/item/x/".to_owned(), 404),
        (
            "/machine_detail/2/item/0193a5b0-0000-7000-8000-00000000000b/".to_owned(),
            404,
        ),
    ] {
        assert_eq!(
            ben.get(&site, &path).await.status.as_u16(),
            status,
            "{path}"
        );
    }
}

/// How many events of items the timeline shows.
fn items(page: &Page) -> usize {
    let told = page.texts("#timeline .text").into_iter();
    told.filter(|text| text.starts_with("item-")).count()
}

#[tokio::test]
async fn the_timeline_is_paged_by_time_and_filtered_by_kind() {
    let site = site_with_a_full_machine().await;
    // 100 events of one moment, and 30 before it: the moment is not torn apart.
    site.sql(
        "DELETE FROM server_manageditemhistory; DELETE FROM server_historicalfact;
         INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
             SELECT gen_random_uuid(), 2, s.id, 'item-' || n, 'PRESENT',
                    timestamptz '2026-11-20 10:00Z' - CASE WHEN n > 102 THEN interval '1 day' ELSE interval '0' END
             FROM server_managementsource s, generate_series(1, 130) n;
         INSERT INTO salrs_audit (at, user_id, username, action, kind, object_id, object_name, detail)
             VALUES ('2026-11-21 10:00Z', 1, 'anna', 'changed', 'machine', '2', 'mac-2', 'undeployed <i>'),
                    ('2026-11-21 10:00Z', 1, 'anna', 'changed', 'machine', '1', 'mac-1', 'another machine')",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    let page = ben.get(&site, "/machine_detail/2/?tab=timeline").await;
    let page = page.page();
    assert_eq!(items(&page), 102);
    assert_eq!(
        page.texts("#timeline h3"),
        ["Saturday, 2026-11-21", "Friday, 2026-11-20"]
    );
    assert_eq!(page.texts("#timeline .text")[0], "changed: undeployed <i>");
    let older = page.attribute("#timeline .pager a[rel=next]", "href");
    let page = ben.get(&site, &format!("/machine_detail/2/{older}")).await;
    let page = page.page();
    assert_eq!(items(&page), 28);
    let told = page.texts("#timeline .text");
    assert!(told.contains(&"Checked in for the first time".to_owned()));
    assert_eq!(page.texts("#timeline .pager a"), ["Newest"]);
    let page = ben
        .get(&site, "/machine_detail/2/?tab=timeline&kind=changes")
        .await
        .page();
    assert_eq!(page.texts("#timeline .text"), ["changed: undeployed <i>"]);
    for before in [
        "-009999-01-02T01:59:59Z",
        "9999-12-30T22:00:00Z",
        "x",
        "%00",
    ] {
        let path = format!("/machine_detail/2/?tab=timeline&before={before}");
        assert_eq!(
            ben.get(&site, &path).await.status,
            StatusCode::OK,
            "{before}"
        );
    }
}

#[tokio::test]
async fn what_lags_behind_the_check_in_is_marked_late() {
    let site = site_with_a_full_machine().await;
    site.sql(
        "UPDATE server_manageditem SET date_managed = timestamptz '2026-11-15 10:00Z';
         UPDATE server_pluginscriptsubmission SET recorded = timestamptz '2026-11-22 11:00Z'",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    let page = ben.get(&site, "/machine_detail/2/").await;
    let page = page.page();
    assert_eq!(
        page.texts(".badge.bad")
            .iter()
            .filter(|text| *text == "late")
            .count(),
        1
    );
    assert_eq!(page.texts(".freshness li.bad .label"), ["Munki"]);
}

#[tokio::test]
async fn the_facts_of_a_source_have_a_page() {
    let site = site_with_a_full_machine().await;
    site.sql(
        "INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Apple Software Update');
         INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
             SELECT 2, id, 'catalog', '<script>' FROM server_managementsource WHERE name LIKE 'Apple%';
         INSERT INTO server_fact (machine_id, fact_name, fact_data) VALUES (2, 'old one', '1'), (2, 'sshrsakey', 'AAAA')",
    )
    .await;
    let mut ben = site.visitor("ben").await;
    for (path, shown) in [
        (
            "/machine_detail/facts/2/Apple%20Software%20Update/",
            "<script>",
        ),
        ("/machine_detail/facts/SERIAL2/Munki/", "os_vers"),
        ("/machine_detail/facts/2/None/", "old one"),
        ("/machine_detail/facts/2/None/", "Legacy facts"),
        (
            "/machine_detail/facts/2/Munki/?q=nothing",
            "No fact contains",
        ),
        (
            "/machine_detail/facts/2/Puppet/",
            "told nothing about this machine",
        ),
    ] {
        let page = ben.get(&site, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text.contains("AAAA"), "{path}");
        let words = page.page().text("main");
        assert!(words.contains(shown), "{path}: {words}");
    }
    for (path, status) in [
        ("/machine_detail/facts/1/Munki/", 404),
        ("/machine_detail/facts/99/Munki/", 404),
        ("/machine_detail/facts/nope/None/", 404),
        ("/machine_detail/facts/2/a%00b/", 404),
    ] {
        assert_eq!(ben.get(&site, path).await.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_viewer_of_numbers_sees_no_machine() {
    let site = site_with_a_full_machine().await;
    site.user(3, "cleo", "SO", Some(1)).await;
    let mut cleo = site.visitor("cleo").await;
    for path in [
        "/machine_detail/2/",
        "/machine_detail/facts/2/Munki/",
        "/machine_detail/2/item/0193a5b0-0000-7000-8000-00000000000a/",
    ] {
        let page = cleo.get(&site, path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!page.text.contains("mac-2"), "{path}");
    }
}

#[tokio::test]
async fn q045_a_numeric_serial_number_is_a_serial_number_where_no_id_is_meant() {
    let site = site_with_a_full_machine().await;
    site.sql("UPDATE server_machine SET serial = '1' WHERE id = 2; UPDATE server_machine SET serial = '77' WHERE id = 1").await;
    let mut anna = site.visitor("anna").await;
    for path in ["/machine_detail/1/", "/machine_detail/77/"] {
        let page = anna.get(&site, path).await.page();
        assert_eq!(page.text("h1"), "mac-1", "{path}");
    }
    let page = anna.get(&site, "/machine_detail/facts/77/Munki/").await;
    assert_eq!(page.page().texts(".way-up a"), ["mac-1"]);
}
