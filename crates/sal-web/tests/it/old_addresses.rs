//! Addresses and forms of Sal that have no page of their own here, as scripts and bookmarks use them.

use axum::http::StatusCode;

use crate::site::{Site, Visitor};

async fn site() -> (Site, Visitor) {
    let site = Site::start().await;
    site.machines(4).await;
    site.user(1, "anna", "GA", None).await;
    site.sql("UPDATE auth_user SET is_staff = true WHERE id = 1")
        .await;
    let anna = site.visitor("anna").await;
    (site, anna)
}

#[tokio::test]
async fn q119_djangos_pages_lead_to_those_that_do_the_same_work() {
    let (site, mut anna) = site().await;
    for (path, there) in [
        ("/admin/", "/settings/"),
        ("/admin/auth/user/", "/settings/users/"),
        ("/admin/auth/user/1/change/", "/settings/users/"),
        ("/admin/server/machine/", "/machines/"),
        ("/admin/server/machine/3/change/", "/machine_detail/3/"),
        ("/admin/server/machine/add/", "/machines/"),
        ("/admin/server/salsetting/", "/settings/all/"),
        ("/admin/server/machinegroup/2/change/", "/units/"),
        ("/admin/server/fact/", "/settings/"),
        ("/admin/login/", "/login/?next=%2F"),
        (
            "/admin/login/?next=/admin/server/machine/",
            "/login/?next=%2Fadmin%2Fserver%2Fmachine%2F",
        ),
        (
            "/admin/login/?next=https://evil.example/",
            "/login/?next=%2F",
        ),
        ("/admin/logout/", "/logout/"),
        ("/admin/password_change/", "/changepassword/"),
        ("/new_version/never/", "/"),
        ("/new_version/week/", "/"),
        ("/new_version/day/", "/"),
    ] {
        let answer = anna.get(&site, path).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::FOUND, there),
            "{path}"
        );
    }
    assert_eq!(
        anna.get(&site, "/new_version/month/").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn no_text_in_an_address_is_a_failure() {
    let (site, mut anna) = site().await;
    for (path, status) in [
        ("/search/get_fields/%00/", StatusCode::NOT_FOUND),
        ("/search/get_fields/Fac%00ter/", StatusCode::NOT_FOUND),
        ("/search/get_fields/nope/", StatusCode::OK),
        ("/admin/%00/%00/", StatusCode::FOUND),
        ("/new_version/%00/", StatusCode::NOT_FOUND),
        ("/load_plugin/%00/machine/1/", StatusCode::NOT_FOUND),
        ("/load_plugin/Status/machine/%00/", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(anna.get(&site, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn who_is_no_administrator_is_sent_to_djangos_login_and_in_no_circle() {
    let (site, _anna) = site().await;
    site.user(2, "rita", "RW", Some(1)).await;
    let mut rita = site.visitor("rita").await;
    for (path, there) in [
        ("/admin/", "/admin/login/?next=/admin/"),
        ("/admin/auth/user/", "/admin/login/?next=/admin/auth/user/"),
        ("/admin/login/?next=/admin/", "/"),
        ("/new_version/day/", "/"),
    ] {
        let answer = rita.get(&site, path).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::FOUND, there),
            "{path}"
        );
    }
    let mut nobody = Visitor::default();
    for (path, there) in [
        (
            "/admin/server/fact/",
            "/admin/login/?next=/admin/server/fact/",
        ),
        ("/admin/login/?next=/admin/", "/login/?next=%2Fadmin%2F"),
    ] {
        let answer = nobody.get(&site, path).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::FOUND, there),
            "{path}"
        );
    }
}

#[tokio::test]
async fn widgets_at_the_address_of_a_machine_show_what_the_viewer_sees() {
    let (site, mut anna) = site().await;
    anna.get(&site, "/").await;
    let all = anna.get(&site, "/load_plugin/Status/all/0/").await;
    let machine = anna.get(&site, "/load_plugin/Status/machine/1/").await;
    assert_eq!((machine.status, &machine.text), (StatusCode::OK, &all.text));
    let none = anna.get(&site, "/load_plugin/Status/machine/99/").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    // Machine 1 is another unit's.
    site.user(2, "rita", "RO", Some(1)).await;
    let mut rita = site.visitor("rita").await;
    for (path, status) in [
        ("/load_plugin/Status/machine/2/", StatusCode::OK),
        ("/load_plugin/Status/machine/1/", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(rita.get(&site, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn q146_numbers_of_plugins_that_are_disabled_stay_at_sals_addresses() {
    let (site, mut anna) = site().await;
    anna.get(&site, "/").await;
    site.sql("DELETE FROM server_plugin WHERE name = 'Status'; DELETE FROM server_report; DELETE FROM server_machinedetailplugin")
        .await;
    for (path, status) in [
        ("/load_plugin/Status/all/0/", StatusCode::OK),
        ("/load_plugin/Status/machine/1/", StatusCode::OK),
        ("/csv/Status/all_machines/all/0/", StatusCode::OK),
        ("/report/MunkiInfo/all/0/", StatusCode::OK),
        (
            "/load_plugin/MachineDetailSecurity/machine/1/",
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(anna.get(&site, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn sals_form_for_a_new_user_makes_one() {
    let (site, mut anna) = site().await;
    site.sql(NEXT_IDS).await;
    let made = anna
        .post(
            &site,
            "/settings/users/new/",
            &[
                ("username", "paul"),
                ("password1", "four blue kettles"),
                ("password2", "four blue kettles"),
                ("user_level", "RW"),
            ],
        )
        .await;
    assert_eq!(
        (made.status, made.location()),
        (StatusCode::FOUND, "/settings/users/")
    );
    let count = "SELECT count(*) FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id WHERE u.username = 'paul' AND u.is_active AND p.level = 'RW'";
    assert_eq!(site.number(count).await, 1);
    let mut paul = Visitor::default();
    let login = [("username", "paul"), ("password", "four blue kettles")];
    assert_eq!(
        paul.post(&site, "/login/", &login).await.status,
        StatusCode::FOUND
    );
    let wrong = anna
        .post(
            &site,
            "/settings/users/new/",
            &[
                ("username", "pia"),
                ("password1", "four blue kettles"),
                ("password2", "other"),
                ("user_level", "RO"),
            ],
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn sals_form_for_a_user_leaves_what_it_does_not_ask_for() {
    let (site, mut anna) = site().await;
    site.user(2, "rita", "RW", Some(1)).await;
    // Sal's form asks for level and password only: the rest stays.
    site.sql("UPDATE auth_user SET email = 'rita@example.org', first_name = 'Rita' WHERE id = 2")
        .await;
    let changed = anna
        .post(
            &site,
            "/settings/users/edit/2/",
            &[
                ("user_id", "2"),
                ("password1", ""),
                ("password2", ""),
                ("user_level", "RO"),
            ],
        )
        .await;
    assert_eq!(changed.status, StatusCode::FOUND, "{}", changed.text);
    let kept = "SELECT count(*) FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id JOIN server_businessunit_users b ON b.user_id = u.id
        WHERE u.first_name = 'Rita' AND u.email = 'rita@example.org' AND u.is_active AND p.level = 'RO' AND b.businessunit_id = 1";
    assert_eq!(site.number(kept).await, 1);
}

#[tokio::test]
async fn a_new_unit_has_the_members_that_were_ticked() {
    let (site, mut anna) = site().await;
    site.user(2, "rita", "RW", Some(1)).await;
    site.sql(NEXT_IDS).await;
    let unit = anna
        .post(&site, "/new-bu/", &[("name", "Music"), ("users", "2")])
        .await;
    assert_eq!(unit.status, StatusCode::FOUND);
    let members = "SELECT coalesce(sum(u.id), 0)::bigint FROM server_businessunit_users b JOIN server_businessunit s ON s.id = b.businessunit_id
        JOIN auth_user u ON u.id = b.user_id WHERE s.name = 'Music'";
    assert_eq!(site.number(members).await, 2);
    // Anna sees all units anyway and is no choice.
    for users in ["1", "99", "x", ""] {
        let form = [("name", "Other"), ("users", users)];
        let answer = anna.post(&site, "/new-bu/", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{users}");
    }
    let again = anna
        .post(&site, "/new-bu/", &[("name", ""), ("users", "2")])
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let ticked = again.page().attributes("[name=users][checked]", "value");
    assert_eq!(ticked, ["2"]);
}

/// Ids that were given by hand are passed over.
const NEXT_IDS: &str = "SELECT setval(pg_get_serial_sequence('auth_user', 'id'), 100), setval(pg_get_serial_sequence('server_businessunit', 'id'), 100)";
