//! `/settings/users/`: who may, what changes, and who must stay.

use axum::http::StatusCode;

use crate::site::{PASSWORD, Site, Visitor, names};

const NEW: &str = "four blue kettles";

/// `admin` (1) is global admin and staff, `ga` (2) global admin only, `ro` (3) reads unit 1.
async fn site() -> Site {
    let site = Site::start().await;
    site.machines(1).await;
    site.user(1, "admin", "GA", None).await;
    site.sql("UPDATE auth_user SET is_staff = true; SELECT setval('auth_user_id_seq', 100)")
        .await;
    site.user(2, "ga", "GA", None).await;
    site.user(3, "ro", "RO", Some(1)).await;
    site
}

async fn refused(admin: &mut Visitor, site: &Site, path: &str, form: &[(&str, &str)], words: &str) {
    let answer = admin.post(site, path, form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    assert!(answer.text.contains(words), "{path}: {}", answer.text);
}

#[tokio::test]
async fn q090_only_staff_manage_users_and_links_only_ask() {
    let site = site().await;
    let paths = [
        "/settings/users/",
        "/settings/users/new/",
        "/settings/users/edit/3/",
        "/settings/users/makestaff/2/",
        "/settings/users/removestaff/1/",
        "/settings/users/delete/3/",
    ];
    site.user(4, "so", "SO", Some(1)).await;
    site.user(5, "rw", "RW", Some(1)).await;
    site.sql("UPDATE auth_user SET is_staff = true WHERE id = 5")
        .await;
    for name in ["so", "ro", "rw", "ga"] {
        let mut visitor = site.visitor(name).await;
        for path in paths {
            let asked = visitor.get(&site, path).await;
            assert_eq!(asked.location(), "/", "{name} {path}");
            if path != "/settings/users/" {
                let posted = visitor.post(&site, path, &[]).await;
                assert_eq!(posted.location(), "/", "{name} {path}");
            }
        }
    }
    let mut nobody = Visitor::default();
    for path in paths {
        let asked = nobody.get(&site, path).await;
        assert!(asked.location().starts_with("/login?next="), "{path}");
    }
    let mut admin = site.visitor("admin").await;
    site.user(6, "second", "GA", None).await;
    site.sql("UPDATE auth_user SET is_staff = true WHERE id = 6")
        .await;
    for path in &paths[..] {
        let answer = admin.get(&site, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(
        site.number("SELECT count(*) FROM auth_user WHERE is_staff")
            .await,
        3
    );
    assert_eq!(site.number("SELECT count(*) FROM auth_user").await, 6);
    for path in [
        "edit/99/",
        "delete/99/",
        "makestaff/x/",
        "edit/99999999999/",
    ] {
        let answer = admin.get(&site, &format!("/settings/users/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_list_is_searched_and_shows_names_as_text() {
    let site = site().await;
    site.sql(
        "UPDATE auth_user SET first_name = '<b>Rose</b>', email = 'rose@example.org', password = '!x' WHERE id = 3;
         UPDATE auth_user SET is_active = false WHERE id = 2",
    )
    .await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/settings/users/").await.page();
    assert_eq!(page.text("#total"), "3 users");
    assert_eq!(
        page.rows("#users table"),
        [
            [
                "admin",
                "Global admin",
                "All",
                "just now",
                "Active Staff You",
                "Edit Remove staff"
            ],
            [
                "ga",
                "Global admin",
                "All",
                "never",
                "Not active",
                "Edit Make staff Delete"
            ],
            [
                "ro <b>Rose</b>",
                "Read only",
                "Science",
                "never",
                "Active No password",
                "Edit Delete"
            ],
        ]
    );
    assert_eq!(page.links("Make staff"), ["/settings/users/makestaff/2/"]);
    assert_eq!(
        page.links("Delete"),
        ["/settings/users/delete/2/", "/settings/users/delete/3/"]
    );
    let path = "/settings/users/?q=ROSE%40example&page=x";
    let found = admin.get(&site, path).await.page();
    assert_eq!(found.text("#total"), "1 user");
    assert_eq!(names(&found), ["ro"]);
    for search in [
        "%00ro",
        "%27%3B--",
        "%25",
        "a&page=99999999999999999999",
        "a&page=-4",
    ] {
        let answer = admin
            .get(&site, &format!("/settings/users/?q={search}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{search}");
    }
}

#[tokio::test]
async fn a_new_user_gets_level_units_and_a_password_that_works() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    let form = [
        ("username", "zoë"),
        ("first_name", "Zoë"),
        ("email", "zoe@example.org"),
        ("level", "RW"),
        ("unit", "2"),
        ("unit", "1"),
        ("unit", "77"),
        ("is_active", "on"),
        ("is_staff", "on"),
        ("is_superuser", "on"),
        ("password", NEW),
        ("again", NEW),
    ];
    let made = admin.post(&site, "/settings/users/new/", &form).await;
    assert_eq!(made.location(), "/settings/users/", "{}", made.text);
    let user = "SELECT count(*) FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id
         WHERE username = 'zoë' AND level = 'RW' AND NOT is_staff AND NOT is_superuser AND is_active
           AND password LIKE 'pbkdf2_sha256$600000$%' AND email = 'zoe@example.org' AND last_name = ''
           AND 2 = (SELECT count(*) FROM server_businessunit_users m WHERE m.user_id = u.id)";
    assert_eq!(site.number(user).await, 1);
    let audit = "SELECT count(*) FROM salrs_audit WHERE action = 'made' AND kind = 'user' AND username = 'admin'
         AND object_name = 'zoë' AND detail = 'level Read and write, Arts, Science'";
    assert_eq!(site.number(audit).await, 1);
    let login = [("username", "zoë"), ("password", NEW)];
    let mut zoe = Visitor::default();
    assert_eq!(zoe.post(&site, "/login/", &login).await.location(), "/");
}

#[tokio::test]
async fn q093_what_cannot_be_a_user_is_answered_with_a_sentence() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    let long = "a".repeat(151);
    for (name, value, words) in [
        ("username", "ADMIN", "user of this name"),
        ("username", "a b", "1 to 150"),
        ("username", "a\0b", "1 to 150"),
        ("username", long.as_str(), "1 to 150"),
        ("level", "XX", "Choose a level"),
        ("email", "<x>", "e-mail address"),
        ("password", "1234567890123", "digits"),
        ("password", "qwertyuiop", "commonest"),
        ("password", "rosie.lee1", "too similar"),
        ("password", "short", "10 characters"),
    ] {
        let mut form = vec![
            ("username", "rosie.lee"),
            ("level", "RO"),
            ("first_name", "\"><script>"),
            ("is_active", "on"),
            ("password", if name == "password" { value } else { NEW }),
            ("again", if name == "password" { value } else { NEW }),
        ];
        form.push((name, value));
        let answer = admin.post(&site, "/settings/users/new/", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{value}");
        assert!(!answer.text.contains(NEW));
        let page = answer.page();
        let problem = page.text("[role=alert]");
        assert!(problem.contains(words), "{value}: {problem}");
        assert_eq!(page.field("first_name").as_deref(), Some("\"><script>"));
    }
    let differ = [
        ("username", "rosie"),
        ("level", "RO"),
        ("password", NEW),
        ("again", "four blue kettle"),
    ];
    refused(&mut admin, &site, "/settings/users/new/", &differ, "differ").await;
    assert_eq!(site.number("SELECT count(*) FROM auth_user").await, 3);
    assert_eq!(
        site.number("SELECT count(*) FROM salrs_audit WHERE kind = 'user'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_user_is_changed_and_sessions_end_with_password_or_activity() {
    let site = site().await;
    let (mut admin, mut ro) = (site.visitor("admin").await, site.visitor("ro").await);
    let path = "/settings/users/edit/3/";
    let page = admin.get(&site, path).await.page();
    assert_eq!(page.field("level").as_deref(), Some("RO"));
    let units = page.attributes("[name=unit][checked]", "value");
    assert_eq!(units, ["1"]);
    let form = [
        ("level", "RW"),
        ("unit", "2"),
        ("is_active", "on"),
        ("last_name", "Lee"),
        ("username", "evil"),
    ];
    let changed = admin.post(&site, path, &form).await;
    assert_eq!(changed.location(), "/settings/users/", "{}", changed.text);
    let now = "SELECT count(*) FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id
         WHERE u.id = 3 AND username = 'ro' AND level = 'RW' AND last_name = 'Lee'
           AND (SELECT array_agg(businessunit_id) FROM server_businessunit_users m WHERE m.user_id = u.id) = ARRAY[2]";
    assert_eq!(site.number(now).await, 1);
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND action = 'changed' AND object_id = '3'
         AND detail = 'level Read only → Read and write, Science → Arts, another name'";
    assert_eq!(site.number(audit).await, 1);
    assert_eq!(
        ro.get(&site, "/changepassword/").await.status,
        StatusCode::OK
    );

    let mut form = form.to_vec();
    form.extend([("password", NEW), ("again", NEW)]);
    admin.post(&site, path, &form).await;
    let gone = ro.get(&site, "/changepassword/").await;
    assert_eq!(gone.status, StatusCode::FOUND);
    let leaked =
        "SELECT count(*) FROM salrs_audit WHERE detail LIKE '%kettles%' OR detail LIKE '%pbkdf2%'";
    assert_eq!(site.number(leaked).await, 0);
    let login = [("username", "ro"), ("password", NEW)];
    assert_eq!(ro.post(&site, "/login/", &login).await.location(), "/");

    // Without its box the account is not active, and its sessions are gone for good.
    admin.post(&site, path, &[("level", "RW")]).await;
    assert_eq!(ro.get(&site, "/").await.status, StatusCode::FOUND);
    site.sql("UPDATE auth_user SET is_active = true").await;
    assert_eq!(ro.get(&site, "/").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn whoever_leaves_global_admin_is_no_longer_staff() {
    let site = site().await;
    site.sql("UPDATE auth_user SET is_staff = true WHERE id = 2")
        .await;
    let mut admin = site.visitor("admin").await;
    let form = [("level", "RO"), ("is_active", "on")];
    admin.post(&site, "/settings/users/edit/2/", &form).await;
    let staff = "SELECT count(*) FROM auth_user WHERE is_staff AND id = 2";
    assert_eq!(site.number(staff).await, 0);
    let audit = "SELECT count(*) FROM salrs_audit WHERE detail = 'level Global admin → Read only, no longer staff'";
    assert_eq!(site.number(audit).await, 1);
}

#[tokio::test]
async fn the_own_new_password_keeps_this_session_and_ends_the_others() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    let mut elsewhere = site.visitor("admin").await;
    let mut copied = admin.copy();
    let form = [
        ("level", "GA"),
        ("is_active", "on"),
        ("password", NEW),
        ("again", NEW),
    ];
    admin.post(&site, "/settings/users/edit/1/", &form).await;
    let still = admin.get(&site, "/settings/users/").await;
    assert_eq!(still.status, StatusCode::OK);
    for other in [&mut elsewhere, &mut copied] {
        assert_eq!(other.get(&site, "/").await.status, StatusCode::FOUND);
    }
    assert_eq!(site.number("SELECT count(*) FROM salrs_session").await, 1);
}

#[tokio::test]
async fn q091_the_last_who_can_manage_users_stays_and_nobody_removes_the_own_account() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    let (edit, last) = ("/settings/users/edit/1/", "last active global admin");
    for form in [
        [("level", "RW"), ("is_active", "on")],
        [("level", "SO"), ("is_active", "on")],
    ] {
        refused(&mut admin, &site, edit, &form, last).await;
    }
    refused(&mut admin, &site, edit, &[("level", "GA")], "own account").await;
    refused(
        &mut admin,
        &site,
        "/settings/users/removestaff/1/",
        &[],
        last,
    )
    .await;
    refused(
        &mut admin,
        &site,
        "/settings/users/delete/1/",
        &[],
        "own account",
    )
    .await;
    let asked = admin.get(&site, "/settings/users/delete/1/").await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    // A second one who is not active does not count.
    site.sql("UPDATE auth_user SET is_staff = true, is_active = false WHERE id = 2")
        .await;
    refused(
        &mut admin,
        &site,
        "/settings/users/removestaff/1/",
        &[],
        last,
    )
    .await;
    let unchanged = "SELECT count(*) FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id
         WHERE u.id = 1 AND is_active AND is_staff AND level = 'GA'";
    assert_eq!(site.number(unchanged).await, 1);
    site.sql("UPDATE auth_user SET is_active = true WHERE id = 2")
        .await;
    let done = admin
        .post(&site, "/settings/users/removestaff/1/", &[])
        .await;
    assert_eq!(done.location(), "/settings/users/");
    assert_eq!(admin.get(&site, "/settings/users/").await.location(), "/");
}

#[tokio::test]
async fn staff_is_given_to_global_admins_only_and_taken() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    let path = "/settings/users/makestaff/3/";
    refused(&mut admin, &site, path, &[], "Only a global admin").await;
    let staff = "SELECT count(*) FROM auth_user WHERE is_staff AND id = 2";
    let asked = admin.get(&site, "/settings/users/makestaff/2/").await;
    assert!(asked.text.contains("Make ga staff?"));
    assert_eq!(site.number(staff).await, 0);
    for (path, after) in [("makestaff/2/", 1), ("removestaff/2/", 0)] {
        let path = format!("/settings/users/{path}");
        assert_eq!(
            admin.post(&site, &path, &[]).await.location(),
            "/settings/users/"
        );
        assert_eq!(site.number(staff).await, after);
    }
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND object_name = 'ga'
         AND detail IN ('is staff now', 'no longer staff')";
    assert_eq!(site.number(audit).await, 2);
}

#[tokio::test]
async fn q092_a_deleted_user_leaves_nothing_behind_and_its_searches_to_the_admin() {
    let site = site().await;
    site.sql(
        "INSERT INTO auth_group (id, name) VALUES (1, 'g');
         INSERT INTO auth_user_groups (user_id, group_id) VALUES (3, 1);
         INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT 3, min(id) FROM auth_permission;
         INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)
             VALUES (now(), 'x', 1, '', 3);
         INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id) VALUES (1, 'Old Macs', now(), true, 3);
         INSERT INTO search_searchgroup (id, and_or, position, saved_search_id) VALUES (1, 'AND', 0, 1)",
    )
    .await;
    let (mut admin, mut ro) = (site.visitor("admin").await, site.visitor("ro").await);
    let asked = admin.get(&site, "/settings/users/delete/3/").await;
    assert!(asked.text.contains("Delete user ro?") && asked.text.contains("Saved searches"));
    assert!(!asked.text.contains("API token"));
    for (name, words) in [
        ("a", "1 API token of this user stops working"),
        ("b", "2 API tokens of this user stop working"),
    ] {
        let token = format!(
            "INSERT INTO salrs_api_token (name, user_id, created, can_write, sees_keys) VALUES ('{name}', 3, now(), false, false)"
        );
        site.sql(&token).await;
        let asked = admin.get(&site, "/settings/users/delete/3/").await;
        assert!(asked.text.contains(words), "{}", asked.text);
    }
    let done = admin.post(&site, "/settings/users/delete/3/", &[]).await;
    assert_eq!(done.location(), "/settings/users/", "{}", done.text);
    for left in [
        "auth_user WHERE id = 3",
        "auth_user_groups",
        "auth_user_user_permissions",
        "django_admin_log",
        "server_businessunit_users",
        "server_userprofile WHERE user_id = 3",
        "salrs_session WHERE user_id = 3",
    ] {
        let count = site.number(&format!("SELECT count(*) FROM {left}")).await;
        assert_eq!(count, 0, "{left}");
    }
    let searches = "SELECT count(*) FROM search_savedsearch s JOIN search_searchgroup g ON g.saved_search_id = s.id
         WHERE s.created_by_id = 1";
    assert_eq!(site.number(searches).await, 1);
    assert_eq!(ro.get(&site, "/").await.status, StatusCode::FOUND);
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND action = 'deleted' AND object_name = 'ro'";
    assert_eq!(site.number(audit).await, 1);
    let again = admin.post(&site, "/settings/users/delete/3/", &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_user_without_a_password_can_be_given_one() {
    let site = site().await;
    site.sql("UPDATE auth_user SET password = '!sso' WHERE id = 3")
        .await;
    let mut admin = site.visitor("admin").await;
    let path = "/settings/users/edit/3/";
    assert!(admin.get(&site, path).await.text.contains("single sign-on"));
    let form = [("level", "RO"), ("is_active", "on")];
    admin.post(&site, path, &form).await;
    let unusable = "SELECT count(*) FROM auth_user WHERE password = '!sso'";
    assert_eq!(site.number(unusable).await, 1);
    let mut form = form.to_vec();
    form.extend([("password", NEW), ("again", NEW)]);
    admin.post(&site, path, &form).await;
    let login = [("username", "ro"), ("password", NEW)];
    let mut ro = Visitor::default();
    assert_eq!(ro.post(&site, "/login/", &login).await.location(), "/");
}

#[tokio::test]
async fn the_only_user_stays_global_admin_when_a_second_one_is_made() {
    let site = Site::start().await;
    site.user(1, "admin", "RO", None).await;
    site.sql(
        "UPDATE auth_user SET is_superuser = true, is_staff = true; SELECT setval('auth_user_id_seq', 100)",
    )
    .await;
    let mut admin = site.visitor("admin").await;
    let form = [
        ("username", "ben"),
        ("level", "RO"),
        ("password", NEW),
        ("again", NEW),
    ];
    let made = admin.post(&site, "/settings/users/new/", &form).await;
    assert_eq!(made.location(), "/settings/users/", "{}", made.text);
    let page = admin.get(&site, "/settings/users/").await;
    assert_eq!(page.status, StatusCode::OK);
    let login = [("username", "ben"), ("password", PASSWORD)];
    let answer = Visitor::default().post(&site, "/login/", &login).await;
    assert_eq!(answer.status, StatusCode::OK, "not active, wrong password");
}

const ISSUER: &str = "https://login.example.org";

fn account<'a>(action: &'a str, subject: &'a str) -> [(&'static str, &'a str); 3] {
    [("action", action), ("issuer", ISSUER), ("subject", subject)]
}

#[tokio::test]
async fn staff_link_an_account_of_a_provider_and_take_it_away_again() {
    let site = site().await;
    let (mut admin, mut ro) = (site.visitor("admin").await, site.visitor("ro").await);
    let path = "/settings/users/link/3/";
    let edit = admin.get(&site, "/settings/users/edit/3/").await;
    assert_eq!(edit.page().links("Single sign-on"), [path]);
    let linked = admin.post(&site, path, &account("link", "s<1>")).await;
    assert_eq!(linked.location(), path, "{}", linked.text);
    let page = admin.get(&site, path).await.page();
    assert_eq!(page.text("main strong"), "s<1>");
    let said = page.text("main form .sub");
    assert!(said.starts_with(&format!("of {ISSUER}, ")), "{said}");
    let again = admin.post(&site, path, &account("link", "s<1>")).await;
    assert_eq!(again.location(), path, "nothing changes");
    let other = "/settings/users/link/2/";
    refused(
        &mut admin,
        &site,
        other,
        &account("link", "s<1>"),
        "belongs to the user `ro`",
    )
    .await;
    refused(
        &mut admin,
        &site,
        path,
        &account("link", "s2"),
        "already; unlink that one",
    )
    .await;
    refused(
        &mut admin,
        &site,
        other,
        &account("unlink", "s<1>"),
        "does not belong",
    )
    .await;
    assert_eq!(ro.get(&site, "/").await.status, StatusCode::FOUND);
    let session = "SELECT count(*) FROM salrs_session WHERE user_id = 3";
    assert_eq!(site.number(session).await, 1);
    let gone = admin.post(&site, path, &account("unlink", "s<1>")).await;
    assert_eq!(gone.location(), path);
    assert_eq!(
        site.number(session).await,
        0,
        "a session of the account must not go on"
    );
    assert_eq!(site.number("SELECT count(*) FROM salrs_identity").await, 0);
    let noted = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND username = 'admin' AND object_name = 'ro'
         AND action IN ('linked', 'unlinked') AND detail LIKE '% an account of https://login.example.org'";
    assert_eq!(site.number(noted).await, 2);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_a_sentence() {
    let site = site().await;
    let mut admin = site.visitor("admin").await;
    for (issuer, subject, words) in [
        (
            "http://login.example.org",
            "s",
            "The issuer does not begin with https://",
        ),
        (
            "login.example.org",
            "s",
            "The issuer does not begin with https://",
        ),
        (ISSUER, " ", "The subject is empty"),
        (ISSUER, "a\nb", "The subject is empty"),
    ] {
        let form = [("action", "link"), ("issuer", issuer), ("subject", subject)];
        refused(&mut admin, &site, "/settings/users/link/3/", &form, words).await;
    }
    let nobody = admin.get(&site, "/settings/users/link/99/").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
