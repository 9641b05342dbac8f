//! `/`: widgets, their numbers, and what an empty server teaches.

use axum::http::{StatusCode, header};
use sal_testkit::Page;

use crate::site::Site;

#[tokio::test]
async fn q046_the_first_visit_enables_the_default_widgets_and_a_lone_superuser_is_global_admin() {
    let site = Site::start().await;
    site.user(1, "anna", "RO", None).await;
    site.sql("UPDATE auth_user SET is_superuser = true").await;
    let page = site.visitor("anna").await.get(&site, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(site.number("SELECT count(*) FROM server_plugin").await, 13);
    let first = "SELECT \"order\"::bigint FROM server_plugin WHERE name = 'XprotectVersion'";
    assert_eq!(site.number(first).await, 12);
    assert_eq!(
        site.number("SELECT count(*) FROM server_userprofile WHERE level = 'GA'")
            .await,
        1
    );
}

#[tokio::test]
async fn administrators_alone_are_told_which_plugins_are_not_run() {
    let site = Site::start().await;
    site.machines(4).await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RW", None).await;
    let words = "Plugins that are enabled but not run";
    let page = site.visitor("anna").await.get(&site, "/").await;
    assert!(!page.text.contains(words));
    site.sql(
        "INSERT INTO server_plugin (name, \"order\") VALUES ('Old<Widget>', 90);
         INSERT INTO server_machinedetailplugin (name, \"order\") VALUES ('OldDetail', 90)",
    )
    .await;
    let page = site.visitor("anna").await.get(&site, "/").await.page();
    assert_eq!(
        page.text(".alert"),
        format!(
            "{words}: Old<Widget> (not on this server), OldDetail (not on this server). Manage plugins"
        )
    );
    assert_eq!(page.links("Manage plugins"), ["/settings/plugins/"]);
    let other = site.visitor("ben").await.get(&site, "/").await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(!other.text.contains(words));
}

#[tokio::test]
async fn an_empty_server_leads_from_the_first_group_to_the_first_check_in() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    assert!(
        anna.get(&site, "/")
            .await
            .text
            .contains("Make the first machine group")
    );
    for _ in 0..2 {
        let made = anna
            .post(
                &site,
                "/first-group/",
                &[("unit", "Science"), ("group", "<Labs>")],
            )
            .await;
        assert_eq!(made.location(), "/");
    }
    assert_eq!(
        site.number("SELECT count(*) FROM server_machinegroup WHERE length(key) = 128")
            .await,
        1
    );
    let page = anna.get(&site, "/").await.page();
    assert_eq!(page.text(".welcome h2"), "Waiting for the first check-in");
    let words = page.text(".welcome");
    assert!(words.contains("For machine group <Labs> in Science:"));
    let command = page.text(".welcome pre[id]");
    assert!(command.contains(" ServerURL http://sal.example:8000 "));
    assert_eq!(page.attribute("#overview", "hx-trigger"), "every 5s");
}

#[tokio::test]
async fn numbers_equal_the_lists_behind_them_and_stay_inside_the_scope() {
    let site = Site::start().await;
    site.machines(200).await;
    site.sql(
        "UPDATE server_machine SET deployed = false WHERE id = 1;
         UPDATE server_machine SET broken_client = true, last_checkin = last_checkin - interval '40 days' WHERE id = 2;
         UPDATE server_machine SET last_checkin = NULL WHERE id = 3;
         INSERT INTO server_message (machine_id, text, date, message_type) VALUES (4, 'a', now(), 'ERROR'), (4, 'b', now(), 'ERROR'), (5, 'c', now(), 'WARNING')",
    )
    .await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RO", Some(1)).await;
    // Half the machines of unit 2 are in a second group.
    site.sql(
        "INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (3, 2, 'Stage', 'key-three');
         UPDATE server_machine SET machine_group_id = 3 WHERE machine_group_id = 2 AND id <= 100",
    )
    .await;
    let mut segments = 0;
    for (name, path, machines) in [
        ("anna", "/", "200 machines"),
        ("anna", "/dashboard/2/", "100 machines"),
        ("anna", "/machinegroup/3/", "50 machines"),
        ("ben", "/dashboard/1/", "100 machines"),
    ] {
        let mut visitor = site.visitor(name).await;
        let page = visitor.get(&site, path).await.page();
        let subtitle = page.text(".page-head p");
        assert!(subtitle.contains(machines), "{name} {path}: {subtitle}");
        for (href, number) in numbers(&page) {
            let list = visitor.get(&site, &href).await.page();
            let noun = if number == "1" { "machine" } else { "machines" };
            assert_eq!(list.text("#total"), format!("{number} {noun}"), "{href}");
            segments += 1;
        }
    }
    // 4 tiles and 15 lines each, but for the broken client's line in unit 2 and its group; 9 bars in both units
    // together and 5 in every part; 12 lines of Uptime, Encryption, Gatekeeper and Sip.
    assert_eq!(segments, 4 * 19 - 2 + 9 + 3 * 5 + 4 * 12);
}

#[tokio::test]
async fn what_is_wrong_comes_first_and_only_from_the_own_unit() {
    let site = Site::start().await;
    site.machines(20).await;
    site.sql(
        "INSERT INTO server_message (machine_id, text, date, message_type) VALUES (2, 'a', now(), 'ERROR'), (3, 'a', now(), 'ERROR'), (3, 'b', now(), 'ERROR');
         UPDATE server_machine SET hd_percent = '97.50', hostname = '<full>' WHERE id = 4;
         UPDATE server_machine SET hd_percent = '94.99' WHERE id = 6;
         UPDATE server_machine SET broken_client = true, deployed = false WHERE id = 8",
    )
    .await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "RO", Some(1)).await;
    site.user(3, "sue", "SO", Some(1)).await;
    let all = site.visitor("anna").await.get(&site, "/").await.page();
    assert_eq!(all.text(".attention h2"), "Needs attention 3");
    assert_eq!(
        all.texts(".attention li .name"),
        ["mac-2 SERIAL2", "mac-3 SERIAL3", "<full> SERIAL4"]
    );
    assert_eq!(
        all.texts(".attention li .reasons"),
        ["1 error", "2 errors", "Disk 97.50 % used"]
    );
    let own = site
        .visitor("ben")
        .await
        .get(&site, "/dashboard/1/")
        .await
        .page();
    assert_eq!(own.text(".attention h2"), "Needs attention 2");
    assert_eq!(
        own.texts(".attention li .name"),
        ["mac-2 SERIAL2", "<full> SERIAL4"]
    );
    let numbers = site.visitor("sue").await.get(&site, "/dashboard/1/").await;
    assert!(!numbers.text.contains("Needs attention"));
}

#[tokio::test]
async fn q137_machines_without_a_serial_number_of_their_own_need_attention() {
    let site = Site::start().await;
    site.machines(8).await;
    site.sql(
        "UPDATE server_machine SET serial = CASE id WHEN 1 THEN 'NOT AVAILABLE @ LAB-1' WHEN 2 THEN '00000000 @ LAB-2'
             WHEN 3 THEN 'NONE' WHEN 4 THEN 'NONE AT ALL' WHEN 5 THEN '1111' WHEN 6 THEN 'C02 @ HOME' ELSE serial END",
    )
    .await;
    site.user(1, "anna", "GA", None).await;
    let page = site.visitor("anna").await.get(&site, "/").await.page();
    assert_eq!(page.text(".attention h2"), "Needs attention 3");
    assert_eq!(
        page.texts(".attention .reasons"),
        ["No serial number of its own"; 3]
    );
}

#[tokio::test]
async fn q050_stats_only_sees_numbers_and_no_machine() {
    let site = Site::start().await;
    site.machines(20).await;
    site.user(1, "sue", "SO", Some(1)).await;
    let mut sue = site.visitor("sue").await;
    let page = sue.get(&site, "/dashboard/1/").await;
    let shown = page.page();
    let subtitle = shown.text(".page-head p");
    assert!(subtitle.contains("10 machines"), "the number is there");
    assert!(!page.text.contains("/machines/"), "no way to a list");
    for path in [
        "/machines/",
        "/machine_detail/1/",
        "/machine_detail/SERIAL1/",
    ] {
        let answer = sue.get(&site, path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.text.contains("SERIAL"), "{path}");
    }
}

#[tokio::test]
async fn the_policy_of_every_page_forbids_what_is_inline_or_elsewhere() {
    let site = Site::start().await;
    site.machines(30).await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    for path in [
        "/",
        "/machines/",
        "/machine_detail/1/",
        "/machine_detail/1/?tab=applications",
        "/machine_detail/1/?tab=profiles",
        "/machine_detail/1/?tab=facts",
        "/machine_detail/1/?tab=timeline",
        "/machine_detail/facts/1/None/",
        "/machine/new/1/",
        "/machine/edit/1/",
        "/machine/delete/1/",
        "/units/",
        "/business_unit/edit/1/",
        "/business_unit/delete/1/",
        "/edit-machine-group/1/",
        "/database/",
        "/logout/",
        "/dashboard/1/",
        "/machinegroup/1/",
        "/new-bu/",
        "/new-machine-group/1/",
        "/settings/",
        "/settings/plugins/",
        "/settings/api-keys/",
        "/settings/api-keys/new/",
        "/settings/api-tokens/",
        "/settings/api-tokens/new/",
        "/settings/senddata/enable/",
    ] {
        let page = anna.get(&site, path).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        let page = page.page();
        for inline in [
            "[style]",
            "[onclick], [onload], [onerror]",
            "style",
            "script:not([src])",
            "[href^='javascript:']",
            "[src^='http']",
            "[href^='http']",
        ] {
            assert!(!page.has(inline), "{path} {inline}");
        }
        assert!(page.text("title").ends_with(" · Test & Sal"), "{path}");
    }
}

/// The links to lists with the number each shows.
fn numbers(page: &Page) -> Vec<(String, String)> {
    let link = "a[href^='/machines/?widget=']";
    let hrefs = page.attributes(link, "href");
    let shown = page.texts(&format!(
        "{link} :is(.number, .count, .badge), {link}.count"
    ));
    assert_eq!(hrefs.len(), shown.len());
    hrefs.into_iter().zip(shown).collect()
}
