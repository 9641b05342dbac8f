//! Changing and deleting business units and machine groups.

use sal_testkit::Page;

use crate::{
    belongings::{belongings, fill_machines, orphans},
    site::{Answer, Site, Visitor, cells, names},
};

/// Machine 2 in group 1 of unit 1, machine 1 in group 2 of unit 2, and everybody.
async fn site_with_everybody() -> Site {
    let site = Site::start().await;
    site.machines(2).await;
    fill_machines(&site).await;
    for (id, name, level, unit) in [
        (1, "admin", "GA", None),
        (2, "writer", "RW", Some(1)),
        (3, "reader", "RO", Some(1)),
        (4, "counter", "SO", Some(1)),
        (5, "<b>eve", "RO", None),
    ] {
        site.user(id, name, level, unit).await;
    }
    site
}

#[tokio::test]
async fn q071_units_and_groups_are_changed_by_whom_sal_lets_and_deleted_by_post_alone() {
    let site = site_with_everybody().await;
    // Status for admin, writer, reader, counter.
    let rows = [
        ("/units/", [200, 302, 302, 302]),
        ("/business_unit/edit/1/", [200, 302, 302, 302]),
        ("/business_unit/edit/99/", [404, 302, 302, 302]),
        ("/business_unit/delete/1/", [200, 302, 302, 302]),
        ("/business_unit/delete/x/", [404, 302, 302, 302]),
        ("/business_unit/really/delete/1/", [200, 302, 302, 302]),
        ("/edit-machine-group/1/", [200, 200, 302, 302]),
        ("/edit-machine-group/2/", [200, 404, 302, 302]),
        ("/edit-machine-group/99/", [404, 404, 302, 302]),
        ("/machine_group/delete/1/", [200, 302, 302, 302]),
        ("/machine_group/delete/99/", [404, 302, 302, 302]),
        ("/machine_group/really/delete/1/", [200, 302, 302, 302]),
    ];
    for (place, name) in ["admin", "writer", "reader", "counter"].iter().enumerate() {
        let mut visitor = site.visitor(name).await;
        for (path, statuses) in rows {
            let answer = visitor.get(&site, path).await;
            assert_eq!(answer.status.as_u16(), statuses[place], "{name} {path}");
            if *name != "admin" && statuses[place] != 200 {
                let status = visitor.post(&site, path, &[("name", "x")]).await.status;
                let expected = if path == "/units/" {
                    405
                } else {
                    statuses[place]
                };
                assert_eq!(status.as_u16(), expected, "POST {name} {path}");
            }
        }
    }
    let untouched =
        "SELECT (SELECT count(*) FROM server_businessunit WHERE name IN ('Science', 'Arts'))
         + (SELECT count(*) FROM server_machinegroup WHERE name IN ('Labs', 'Studio'))";
    assert_eq!(site.number(untouched).await, 4);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        0
    );
}

/// Who is ticked.
fn ticked(page: &Page) -> Vec<String> {
    page.attributes("[name=users][checked]", "value")
}

#[tokio::test]
async fn a_unit_gets_a_name_and_members() {
    let site = site_with_everybody().await;
    site.sql("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 1)")
        .await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/business_unit/edit/1/").await.page();
    // Global admins are no choice.
    assert_eq!(
        page.texts("fieldset label"),
        ["<b>eve", "counter", "reader", "writer"]
    );
    assert_eq!(
        page.attributes("[name=users]", "value"),
        ["5", "4", "3", "2"]
    );
    assert_eq!(ticked(&page), ["4", "3", "2"]);
    // The writer stays, reader and counter leave, eve joins; unknown ids are nobody.
    let form = [
        ("name", " <Physics> "),
        ("users", "2"),
        ("users", "5"),
        ("users", "1"),
        ("users", "999"),
        ("users", "x\0"),
        ("csrfmiddlewaretoken", "as Django sends it"),
    ];
    let answer = admin.post(&site, "/business_unit/edit/1/", &form).await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (302, "/dashboard/1/")
    );
    let members =
        "SELECT sum(user_id)::bigint FROM server_businessunit_users WHERE businessunit_id = 1";
    // 1 is the global admin who belonged to it before.
    assert_eq!(site.number(members).await, 1 + 2 + 5);
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'business unit' AND action = 'changed' AND object_name = '<Physics>'
         AND detail = 'was called Science; joined: <b>eve; left: counter, reader'";
    assert_eq!(site.number(noted).await, 1);
    // Who left sees nothing from now on.
    let status = site
        .visitor("reader")
        .await
        .get(&site, "/dashboard/1/")
        .await
        .status;
    assert_eq!(status.as_u16(), 404);
    let page = admin.get(&site, "/units/").await.page();
    assert_eq!(names(&page), ["<Physics>", "Arts"]);
    // The same again is no change.
    admin.post(&site, "/business_unit/edit/1/", &form).await;
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        1
    );
}

#[tokio::test]
async fn q032_a_bad_name_of_a_unit_or_group_keeps_what_was_typed() {
    let site = site_with_everybody().await;
    let mut admin = site.visitor("admin").await;
    let long = "<".repeat(101);
    for name in ["", " ", "a\0b", long.as_str()] {
        let form = [("name", name), ("users", "5")];
        let page = admin.post(&site, "/business_unit/edit/1/", &form).await;
        assert_eq!(page.status.as_u16(), 422, "{name:?}");
        let page = page.page();
        assert!(page.text("[role=alert]").contains("1 to 100 characters"));
        assert_eq!(ticked(&page), ["5"]);
        let page = admin
            .post(&site, "/edit-machine-group/1/", &[("name", name)])
            .await;
        assert_eq!(page.status.as_u16(), 422, "{name:?}");
    }
    assert_eq!(
        admin
            .post(&site, "/business_unit/edit/1/", &[])
            .await
            .status
            .as_u16(),
        422
    );
    for unit in ["", "99", "x", "99999999999999999999"] {
        let form = [("name", "Labs"), ("unit", unit)];
        let page = admin.post(&site, "/edit-machine-group/1/", &form).await;
        assert_eq!(page.status.as_u16(), 422, "{unit}");
        let problem = page.page().text("[role=alert]");
        assert_eq!(problem, "Choose one of the business units.");
    }
}

#[tokio::test]
async fn a_group_is_renamed_by_writers_and_moved_by_global_admins() {
    let site = site_with_everybody().await;
    let mut writer = site.visitor("writer").await;
    let page = writer.get(&site, "/edit-machine-group/1/").await;
    assert!(!page.text.contains("key-one") && !page.page().has("[name=unit]"));
    let form = [("name", "Laboratories"), ("unit", "2")];
    let answer = writer.post(&site, "/edit-machine-group/1/", &form).await;
    assert_eq!(answer.location(), "/machinegroup/1/");
    let stays = "SELECT count(*) FROM server_machinegroup WHERE id = 1 AND name = 'Laboratories' AND business_unit_id = 1 AND key = 'key-one'";
    assert_eq!(site.number(stays).await, 1);

    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/edit-machine-group/1/").await.page();
    assert_eq!(page.text("#group-key"), "key-one");
    assert_eq!(page.texts("[name=unit] option"), ["Arts", "Science"]);
    assert_eq!(page.field("unit").as_deref(), Some("1"));
    admin.post(&site, "/edit-machine-group/1/", &form).await;
    let moved = "SELECT count(*) FROM server_machinegroup WHERE id = 1 AND business_unit_id = 2 AND key = 'key-one'";
    assert_eq!(site.number(moved).await, 1);
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'machine group' AND action = 'changed' AND object_id = '1'
         AND ((username = 'writer' AND detail = 'was called Labs') OR (username = 'admin' AND detail = 'moved from Science to Arts'))";
    assert_eq!(site.number(noted).await, 2);
    let secrets = "SELECT count(*) FROM salrs_audit WHERE detail LIKE '%key-%'";
    assert_eq!(site.number(secrets).await, 0);
    // Its machine went with it.
    let status = writer.get(&site, "/machine_detail/2/").await.status;
    assert_eq!(status.as_u16(), 404);
}

async fn delete(admin: &mut Visitor, site: &Site, path: &str) -> Answer {
    let asked = admin.get(site, path).await;
    assert_eq!(asked.page().text("button.danger"), "Delete all of it");
    admin.post(site, path, &[]).await
}

#[tokio::test]
async fn a_deleted_group_takes_its_machines_and_catalogs_with_it_and_nothing_else() {
    let site = site_with_everybody().await;
    let others = belongings(&site, 1).await;
    let mut admin = site.visitor("admin").await;
    let asked = admin.get(&site, "/machine_group/delete/1/").await;
    assert!(
        asked
            .text
            .contains("With it go 1 machine, 1 Munki catalog.")
    );
    let answer = delete(&mut admin, &site, "/machine_group/delete/1/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (302, "/dashboard/1/")
    );
    assert_eq!(
        (belongings(&site, 2).await, belongings(&site, 1).await),
        (0, others)
    );
    assert_eq!(orphans(&site).await, 0);
    let left = "SELECT (SELECT count(*) FROM server_machinegroup) * 100 + (SELECT count(*) FROM server_machine) * 10
         + (SELECT count(*) FROM catalog_catalog)";
    assert_eq!(site.number(left).await, 111);
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'machine group' AND action = 'deleted' AND object_name = 'Labs'
         AND detail = 'of Science, with 1 machine, 1 Munki catalog'";
    assert_eq!(site.number(noted).await, 1);
    let again = admin.post(&site, "/machine_group/delete/1/", &[]).await;
    assert_eq!(again.status.as_u16(), 404);
}

#[tokio::test]
async fn a_deleted_unit_takes_everything_in_it_with_it() {
    let site = site_with_everybody().await;
    let others = belongings(&site, 1).await;
    let mut admin = site.visitor("admin").await;
    let asked = admin.get(&site, "/business_unit/delete/1/").await;
    assert!(
        asked
            .text
            .contains("With it go 1 machine group, 1 machine, 1 licence, 3 memberships.")
    );
    let answer = delete(&mut admin, &site, "/business_unit/really/delete/1/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (302, "/units/")
    );
    assert_eq!(
        (belongings(&site, 2).await, belongings(&site, 1).await),
        (0, others)
    );
    assert_eq!(orphans(&site).await, 0);
    let left = "SELECT (SELECT count(*) FROM server_businessunit) * 100 + (SELECT count(*) FROM licenses_license) * 10
         + (SELECT count(*) FROM auth_user)";
    assert_eq!(site.number(left).await, 115);
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'business unit' AND action = 'deleted' AND object_name = 'Science'
         AND detail = 'with 1 machine group, 1 machine, 1 licence, 3 memberships'";
    assert_eq!(site.number(noted).await, 1);
    // A unit with nothing in it.
    site.sql("INSERT INTO server_businessunit (id, name) VALUES (9, 'Empty')")
        .await;
    let answer = delete(&mut admin, &site, "/business_unit/delete/9/").await;
    assert_eq!(answer.status.as_u16(), 302);
}

#[tokio::test]
async fn the_list_of_units_leads_to_what_can_be_changed() {
    let site = site_with_everybody().await;
    site.sql("UPDATE server_machine SET deployed = false WHERE id = 2; INSERT INTO server_businessunit (id, name) VALUES (9, 'Empty')")
        .await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/units/").await.page();
    assert_eq!(
        page.text(".page-head .muted"),
        "3 business units, 2 machine groups"
    );
    assert_eq!(
        cells(&page),
        [
            ["Arts", "0", "1", "Studio 1 machine Edit"],
            ["Empty", "0", "0", "None yet"],
            ["Science", "3", "1", "Labs 1 machine, 1 undeployed Edit"],
        ]
    );
    assert_eq!(
        page.attributes("[data-label=Change] a", "href"),
        [
            "/business_unit/edit/2/",
            "/new-machine-group/2/",
            "/business_unit/edit/9/",
            "/new-machine-group/9/",
            "/business_unit/edit/1/",
            "/new-machine-group/1/",
        ]
    );
    assert_eq!(
        page.attributes(".unit-groups a[aria-label]", "href"),
        ["/edit-machine-group/2/", "/edit-machine-group/1/"]
    );
}

#[tokio::test]
async fn overviews_lead_to_what_may_be_changed() {
    let site = site_with_everybody().await;
    let mut admin = site.visitor("admin").await;
    let mut writer = site.visitor("writer").await;
    for (path, for_all, for_admins) in [
        (
            "/dashboard/1/",
            "/new-machine-group/1/",
            "/business_unit/edit/1/",
        ),
        (
            "/dashboard/1/",
            "/new-machine-group/1/",
            "/business_unit/delete/1/",
        ),
        (
            "/machinegroup/1/",
            "/machine/new/1/",
            "/machine_group/delete/1/",
        ),
        (
            "/machinegroup/1/",
            "/edit-machine-group/1/",
            "/machine_group/delete/1/",
        ),
    ] {
        for (visitor, is_admin) in [(&mut admin, true), (&mut writer, false)] {
            let page = visitor.get(&site, path).await.page();
            let has = |href: &str| page.has(&format!("a.button[href='{href}']"));
            assert!(has(for_all), "{path} {for_all}");
            assert_eq!(has(for_admins), is_admin, "{path} {for_admins}");
        }
    }
    let page = site
        .visitor("reader")
        .await
        .get(&site, "/machinegroup/1/")
        .await;
    assert!(!page.page().has("a[href^='/edit-machine-group/']"));
}

#[tokio::test]
async fn a_global_admin_replaces_the_key_of_a_group_and_ends_the_one_before() {
    let site = site_with_everybody().await;
    let mut admin = site.visitor("admin").await;
    let path = "/edit-machine-group/1/";
    let page = admin.get(&site, &format!("{path}key/")).await;
    assert_eq!(page.page().text("h1"), "Replace the key of Labs");
    for days in ["", "x", "-1", "366", "1.5"] {
        let page = admin
            .post(&site, &format!("{path}key/"), &[("days", days)])
            .await;
        assert_eq!(page.status.as_u16(), 422, "{days:?}");
        let problem = page.page().text("[role=alert]");
        assert!(problem.contains("0 to 365"), "{problem}");
    }
    assert!(admin.get(&site, path).await.text.contains("key-one"));
    let ended = admin.get(&site, &format!("{path}former-keys/")).await;
    assert_eq!(ended.status.as_u16(), 404, "there is none yet");

    let sent = admin
        .post(&site, &format!("{path}key/"), &[("days", "30")])
        .await;
    assert_eq!(sent.status.as_u16(), 302);
    let page = admin.get(&site, path).await;
    assert!(!page.text.contains("key-one"));
    assert!(page.text.contains("No machine"), "{}", page.text);
    assert!(!page.text.contains("previous keys work"));
    admin
        .post(&site, &format!("{path}key/"), &[("days", "1")])
        .await;
    let page = admin.get(&site, path).await;
    assert!(page.text.contains("2 previous keys work"), "{}", page.text);
    // The second click finds nothing to end.
    for _ in 0..2 {
        let sent = admin.post(&site, &format!("{path}former-keys/"), &[]).await;
        assert_eq!(sent.status.as_u16(), 302);
    }
    let page = admin.get(&site, path).await;
    assert!(!page.text.contains("former-keys"));
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'machine group'
        AND (detail LIKE '%works until%' OR detail LIKE '%was ended%')";
    assert_eq!(site.number(noted).await, 3);
    let told = "SELECT count(*) FROM salrs_audit WHERE detail LIKE '%key-one%'";
    assert_eq!(site.number(told).await, 0);
}
