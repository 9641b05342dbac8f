//! `/machine_detail/<id or serial>/`.

use axum::http::StatusCode;

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
    for text in [
        "mac-1",
        "10.1.2.3",
        "Firefox",
        "133.0",
        "Disk is full",
        "FileVault",
        "Studio",
        "Arts",
        "Never reported",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(page.text.contains("Enabled") && !page.text.contains("Disabled"));
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
        assert!(
            page.text
                .contains(&format!("<section class=\"card\" id=\"{tab}\">")),
            "{tab}"
        );
        assert!(page.text.contains("mac-2") && !page.text.contains("/machine/edit/"));
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
    assert!(page.text.contains("Firefox") && !page.text.contains("Zoom"));
    let page = ben.get(&site, "/machine_detail/2/?status=ERROR").await;
    assert!(page.text.contains("No item has this status now"));
    let item = "/item/0193a5b0-0000-7000-8000-00000000000a/";
    let page = ben
        .get(&site, &format!("/machine_detail/SERIAL2{item}"))
        .await;
    for text in ["&#60;b&#62;Zoom", "2026-11-01 10:00 UTC", ">Error<", "6.0"] {
        assert!(page.text.contains(text), "{text}");
    }
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
    assert_eq!(page.text.matches(">item-").count(), 102);
    assert!(
        page.text.contains("changed: undeployed &#60;i&#62;")
            && !page.text.contains("another machine")
    );
    assert!(page.text.contains("<h3>Friday, 2026-11-20</h3>"));
    let older = page
        .text
        .split("href=\"?tab=timeline&#38;before=")
        .nth(1)
        .unwrap();
    let older = older.split('"').next().unwrap();
    let page = ben
        .get(
            &site,
            &format!("/machine_detail/2/?tab=timeline&before={older}"),
        )
        .await;
    assert_eq!(page.text.matches(">item-").count(), 28);
    assert!(
        page.text.contains("Appeared here for the first time") && page.text.contains(">Newest<")
    );
    let page = ben
        .get(&site, "/machine_detail/2/?tab=timeline&kind=changes")
        .await;
    assert!(page.text.contains("undeployed") && !page.text.contains(">item-"));
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
    assert_eq!(page.text.matches(">late<").count(), 1);
    let late = page
        .text
        .split("<li class=\"bad\"><span class=\"label\">")
        .nth(1)
        .unwrap();
    assert!(late.starts_with("Munki<"));
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
            "&#60;script&#62;",
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
        assert!(page.text.contains(shown), "{path}: {shown}");
        assert!(!page.text.contains("AAAA"), "{path}");
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
    let page = anna.get(&site, "/machine_detail/1/").await;
    assert!(page.text.contains("<h1>mac-1</h1>"));
    let page = anna.get(&site, "/machine_detail/77/").await;
    assert!(page.text.contains("<h1>mac-1</h1>"));
    let page = anna.get(&site, "/machine_detail/facts/77/Munki/").await;
    assert!(page.text.contains(">mac-1</a>"));
}
