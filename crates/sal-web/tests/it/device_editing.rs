//! Making, moving, undeploying and deleting machines.

use crate::{
    belongings::{belongings, fill_machines, orphans},
    site::Site,
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
    ] {
        site.user(id, name, level, unit).await;
    }
    site
}

#[tokio::test]
async fn q071_only_those_who_may_change_machines_change_them_and_only_by_post() {
    let site = site_with_everybody().await;
    // Status for admin, writer, reader, counter.
    for (path, statuses) in [
        ("/machine/new/1/", [200, 200, 302, 302]),
        ("/machine/new/2/", [200, 404, 302, 302]),
        ("/machine/new/99/", [404, 404, 302, 302]),
        ("/machine/edit/2/", [200, 200, 302, 302]),
        ("/machine/edit/1/", [200, 404, 302, 302]),
        ("/machine/edit/99/", [404, 404, 302, 302]),
        ("/machine/delete/2/", [200, 200, 302, 302]),
        ("/machine/delete/1/", [200, 404, 302, 302]),
        ("/machine/delete/SERIAL2/", [404, 404, 302, 302]),
        (
            "/machine/delete/99999999999999999999/",
            [404, 404, 302, 302],
        ),
    ] {
        for (name, status) in ["admin", "writer", "reader", "counter"]
            .iter()
            .zip(statuses)
        {
            let answer = site.visitor(name).await.get(&site, path).await;
            assert_eq!(answer.status.as_u16(), status, "{name} {path}");
        }
    }
    let form = [("serial", "X"), ("group", "1"), ("deployed", "no")];
    for (name, path, status) in [
        ("reader", "/machine/new/1/", 302),
        ("reader", "/machine/edit/2/", 302),
        ("reader", "/machine/delete/2/", 302),
        ("writer", "/machine/new/2/", 404),
        ("writer", "/machine/edit/1/", 404),
        ("writer", "/machine/delete/1/", 404),
        ("writer", "/machine/delete/99/", 404),
    ] {
        let answer = site.visitor(name).await.post(&site, path, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {path}");
    }
    let untouched = "SELECT count(*) FROM server_machine WHERE deployed";
    assert_eq!(site.number(untouched).await, 2);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_deleted_machine_leaves_nothing_behind_and_takes_nothing_with_it() {
    let site = site_with_everybody().await;
    let before = belongings(&site, 1).await;
    assert!(before >= 11 && belongings(&site, 2).await == before);
    let mut writer = site.visitor("writer").await;
    let asked = writer.get(&site, "/machine/delete/2/").await;
    let asked = asked.page();
    assert_eq!(asked.text("h1"), "Delete mac-2?");
    assert!(asked.text("section.form").contains("SERIAL2"));
    let answer = writer.post(&site, "/machine/delete/2/", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (302, "/machinegroup/1/")
    );
    assert_eq!(belongings(&site, 2).await, 0);
    assert_eq!(belongings(&site, 1).await, before);
    assert_eq!(orphans(&site).await, 0);
    assert_eq!(site.number("SELECT count(*) FROM server_machine").await, 1);
    let noted = "SELECT count(*) FROM salrs_audit WHERE user_id = 2 AND username = 'writer' AND action = 'deleted'
         AND kind = 'machine' AND object_id = '2' AND object_name = 'mac-2' AND detail LIKE '%SERIAL2%'";
    assert_eq!(site.number(noted).await, 1);
    assert_eq!(
        writer
            .post(&site, "/machine/delete/2/", &[])
            .await
            .status
            .as_u16(),
        404
    );
    // Shared rows stay.
    assert_eq!(
        site.number("SELECT count(*) FROM inventory_application")
            .await,
        1
    );
}

#[tokio::test]
async fn a_machine_is_moved_and_undeployed() {
    let site = site_with_everybody().await;
    site.sql("INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (3, 1, '<Other>', 'key-three')")
        .await;
    let mut writer = site.visitor("writer").await;
    let page = writer.get(&site, "/machine/edit/2/").await.page();
    assert_eq!(page.texts("[name=group] option"), ["<Other>", "Labs"]);
    assert_eq!(page.field("group").as_deref(), Some("1"));
    assert_eq!(page.field("deployed").as_deref(), Some("yes"));
    let form = [("group", "3"), ("deployed", "no")];
    let answer = writer.post(&site, "/machine/edit/2/", &form).await;
    assert_eq!(answer.location(), "/machine_detail/2/");
    // The same again changes nothing, and is not noted.
    writer.post(&site, "/machine/edit/2/", &form).await;
    let moved = "SELECT count(*) FROM server_machine WHERE id = 2 AND machine_group_id = 3 AND NOT deployed";
    assert_eq!(site.number(moved).await, 1);
    let noted = "SELECT count(*) FROM salrs_audit WHERE action = 'changed' AND object_id = '2'
         AND detail = 'moved from Science / Labs to Science / <Other>, undeployed'";
    assert_eq!(site.number(noted).await, 1);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind <> 'login'")
            .await,
        1
    );
    let page = writer.get(&site, "/machine_detail/2/?tab=timeline").await;
    let told = page.page().texts("#timeline .text");
    let moved = "changed: moved from Science / Labs to Science / <Other>, undeployed";
    assert_eq!(told.iter().filter(|text| *text == moved).count(), 1);
    assert!(
        told.contains(&"Labs (Science) → <Other> (Science)".to_owned()),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_machine_is_not_moved_to_where_the_viewer_sees_nothing() {
    let site = site_with_everybody().await;
    let mut writer = site.visitor("writer").await;
    for (group, deployed) in [
        ("2", "no"),
        ("99", "no"),
        ("", "no"),
        ("x\0", "no"),
        ("1", ""),
        ("1", "maybe"),
    ] {
        let form = [("group", group), ("deployed", deployed)];
        let answer = writer.post(&site, "/machine/edit/2/", &form).await;
        assert_eq!(answer.status.as_u16(), 422, "{group:?} {deployed:?}");
        assert!(answer.text.contains("Choose one of the groups"));
    }
    assert_eq!(
        writer
            .post(&site, "/machine/edit/2/", &[])
            .await
            .status
            .as_u16(),
        422
    );
    let untouched =
        "SELECT count(*) FROM server_machine WHERE id = 2 AND machine_group_id = 1 AND deployed";
    assert_eq!(site.number(untouched).await, 1);
}

#[tokio::test]
async fn q070_the_serial_number_of_a_new_machine_is_cleaned_as_a_check_in_cleans_it() {
    let site = site_with_everybody().await;
    // A machine that was inserted with its id, as the fixture does, does not move the sequence.
    site.sql("SELECT setval(pg_get_serial_sequence('server_machine', 'id'), 100)")
        .await;
    let mut writer = site.visitor("writer").await;
    let answer = writer
        .post(&site, "/machine/new/1/", &[("serial", " vmw-a+b/c ")])
        .await;
    assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
    let made = "SELECT count(*) FROM server_machine WHERE serial = 'VMW-ABC' AND machine_group_id = 1 AND deployed
         AND NOT broken_client AND last_checkin IS NULL AND first_checkin IS NOT NULL AND os_family = 'Darwin'";
    assert_eq!(site.number(made).await, 1);
    let page = writer.get(&site, answer.location()).await.page();
    assert_eq!(page.text("h1"), "VMW-ABC");
    let muted = page.texts("#machine .muted");
    assert_eq!(muted[0], "Never checked in");
    let noted = "SELECT count(*) FROM salrs_audit WHERE action = 'made' AND kind = 'machine' AND object_name = 'VMW-ABC'";
    assert_eq!(site.number(noted).await, 1);

    let long = "x".repeat(101);
    for (serial, problem) in [
        ("vmw-abc", "There is a machine with this serial number."),
        ("serial1", "There is a machine with this serial number."),
        ("", "1 to 100 characters"),
        (" +/ ", "1 to 100 characters"),
        ("a\0b", "1 to 100 characters"),
        (long.as_str(), "1 to 100 characters"),
    ] {
        let answer = writer
            .post(&site, "/machine/new/1/", &[("serial", serial)])
            .await;
        assert_eq!(answer.status.as_u16(), 422, "{serial:?}");
        assert!(answer.text.contains(problem), "{serial:?}");
    }
    let hostile = writer
        .post(&site, "/machine/new/1/", &[("serial", "\"><script>+")])
        .await;
    let page = writer.get(&site, hostile.location()).await.page();
    assert_eq!(page.text("h1"), "\"><SCRIPT>");
    assert!(!page.has("script:not([src])"));
    assert_eq!(site.number("SELECT count(*) FROM server_machine").await, 4);
}
