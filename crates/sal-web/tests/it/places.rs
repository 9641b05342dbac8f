//! Business units and machine groups: who sees them, who makes them, and the key.

use axum::http::StatusCode;

use crate::site::{Site, Visitor};

/// Two units with machines; a global admin, and members of unit 1 with each lower level.
async fn site_with_everybody() -> Site {
    let site = Site::start().await;
    site.machines(10).await;
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

#[tokio::test]
async fn every_level_gets_what_sal_gives_it() {
    let site = site_with_everybody().await;
    // Status per path for admin, writer, reader, counter, nobody; 302 is to `/`, or where the row says.
    for (path, statuses) in [
        ("/dashboard/1/", [200, 200, 200, 200, 404]),
        ("/dashboard/2/", [200, 404, 404, 404, 404]),
        ("/dashboard/99/", [404; 5]),
        ("/dashboard/x/", [404; 5]),
        ("/machinegroup/1/", [200, 200, 200, 200, 404]),
        ("/machinegroup/2/", [200, 404, 404, 404, 404]),
        ("/machinegroup/99/", [404; 5]),
        ("/machines/?unit=2", [200, 404, 404, 403, 404]),
        ("/machines/?group=2", [200, 404, 404, 403, 404]),
        ("/machines/?group=99", [404, 404, 404, 403, 404]),
        ("/new-bu/", [200, 302, 302, 302, 302]),
        ("/new-machine-group/1/", [200, 200, 302, 302, 302]),
        ("/new-machine-group/2/", [200, 404, 302, 302, 302]),
        ("/new-machine-group/99/", [404, 404, 302, 302, 302]),
        ("/settings/", [200, 302, 302, 302, 302]),
        ("/settings/plugins/", [200, 302, 302, 302, 302]),
        ("/settings/api-keys/", [200, 302, 302, 302, 302]),
        ("/settings/api-keys/new/", [200, 302, 302, 302, 302]),
        ("/settings/api-keys/display/99/", [404, 302, 302, 302, 302]),
        ("/settings/senddata/disable/", [200, 302, 302, 302, 302]),
        ("/settings/senddata/maybe/", [404, 302, 302, 302, 302]),
    ] {
        for (name, status) in ["admin", "writer", "reader", "counter", "nobody"]
            .iter()
            .zip(statuses)
        {
            let answer = site.visitor(name).await.get(&site, path).await;
            assert_eq!(answer.status.as_u16(), status, "{name} {path}");
            if status == 302 {
                assert_eq!(answer.location(), "/", "{name} {path}");
            }
        }
        let anonymous = Visitor::default().get(&site, path).await;
        assert!(
            anonymous.location().starts_with("/login?next="),
            "{path}: {}",
            anonymous.location()
        );
    }
}

#[tokio::test]
async fn nobody_posts_what_they_may_not_open() {
    let site = site_with_everybody().await;
    let form = [("name", "x")];
    for (name, path, status) in [
        ("writer", "/new-bu/", 302),
        ("writer", "/new-machine-group/2/", 404),
        ("reader", "/new-machine-group/1/", 302),
        ("writer", "/settings/api-keys/new/", 302),
        ("writer", "/settings/senddata/disable/", 302),
        ("writer", "/settings/api-keys/display/1/", 302),
    ] {
        let answer = site.visitor(name).await.post(&site, path, &form).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {path}");
    }
    let rows = "SELECT (SELECT count(*) FROM server_businessunit) + (SELECT count(*) FROM server_machinegroup)
         + (SELECT count(*) FROM server_apikey) + (SELECT count(*) FROM server_salsetting WHERE value = 'False')";
    assert_eq!(site.number(rows).await, 4);
}

#[tokio::test]
async fn the_overview_leads_members_to_their_only_unit_and_others_to_theirs() {
    let site = site_with_everybody().await;
    for name in ["writer", "reader", "counter"] {
        let page = site.visitor(name).await.get(&site, "/").await;
        assert_eq!(
            (page.status.as_u16(), page.location()),
            (302, "/dashboard/1/")
        );
    }
    let mut nobody = site.visitor("nobody").await;
    let page = nobody.get(&site, "/").await;
    assert!(page.text.contains("belongs to no business unit"));
    site.sql(
        "INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 5), (2, 5);
              UPDATE server_machine SET deployed = false WHERE id = 1",
    )
    .await;
    for name in ["nobody", "admin"] {
        let page = site.visitor(name).await.get(&site, "/").await.page();
        // Sal counts deployed machines: one of the five in Arts is not.
        assert_eq!(page.texts(".places a"), ["Arts 4", "Science 5"], "{name}");
        assert_eq!(
            page.attributes(".places a", "title"),
            ["4 deployed machines", "5 deployed machines"]
        );
        assert_eq!(
            page.attributes(".places a", "href"),
            ["/dashboard/2/", "/dashboard/1/"]
        );
        assert_eq!(page.has("a[href='/new-bu/']"), name == "admin");
    }
}

#[tokio::test]
async fn a_unit_and_a_group_are_made_and_the_group_waits_for_its_first_mac() {
    let site = Site::start().await;
    site.user(1, "admin", "GA", None).await;
    let mut admin = site.visitor("admin").await;
    let form = |name| {
        [
            ("csrfmiddlewaretoken", "as Django sends it"),
            ("name", name),
        ]
    };
    let made = admin.post(&site, "/new-bu/", &form(" <Science> ")).await;
    let unit = made.location().to_owned();
    assert_eq!(made.status, StatusCode::FOUND);
    let page = admin.get(&site, &unit).await.page();
    assert_eq!(page.text("h1"), "<Science>");
    assert_eq!(page.text(".welcome h2"), "No machine groups yet");
    let id = unit.trim_start_matches("/dashboard/");
    let new_group = format!("/new-machine-group/{id}");
    assert!(page.attributes("a", "href").contains(&new_group));

    let path = format!("/new-machine-group/{id}");
    let made = admin.post(&site, &path, &form("Labs")).await;
    let group = made.location().to_owned();
    assert!(group.starts_with("/machinegroup/"), "{group}");
    let page = admin.get(&site, &group).await.page();
    assert_eq!(page.text(".welcome h2"), "Waiting for the first check-in");
    let command = page.text(".welcome pre[id]");
    assert!(command.contains(" ServerURL http://sal.example:8000 "));
    assert_eq!(page.attribute("[hx-trigger='every 5s']", "hx-get"), group);
    let keys =
        "SELECT count(*) FROM server_machinegroup WHERE key ~ '^[a-z0-9]{128}$' AND name = 'Labs'";
    assert_eq!(site.number(keys).await, 1);
    let noted = "SELECT count(*) FROM salrs_audit WHERE username = 'admin' AND action = 'made'
         AND ((kind, object_name, detail) IN (('business unit', '<Science>', ''), ('machine group', 'Labs', 'in <Science>')))";
    assert_eq!(site.number(noted).await, 2);
}

#[tokio::test]
async fn the_key_of_a_group_is_shown_to_global_admins_alone() {
    let site = site_with_everybody().await;
    for name in ["admin", "writer", "reader"] {
        let page = site
            .visitor(name)
            .await
            .get(&site, "/machinegroup/1/")
            .await;
        assert_eq!(page.text.contains("key-one"), name == "admin", "{name}");
        assert!(!page.text.contains("key-two"), "{name}");
    }
    // With machines, pages of units and the overview do not spread keys.
    let mut admin = site.visitor("admin").await;
    for path in ["/", "/dashboard/1/", "/machines/?group=1"] {
        assert!(
            !admin.get(&site, path).await.text.contains("key-one"),
            "{path}"
        );
    }
    site.sql("DELETE FROM server_machine").await;
    for (name, path) in [("reader", "/dashboard/1/"), ("writer", "/machinegroup/1/")] {
        let page = site.visitor(name).await.get(&site, path).await;
        assert!(page.text.contains("No machines yet") && !page.text.contains("key-one"));
    }
}

#[tokio::test]
async fn q032_a_name_that_cannot_be_taken_is_422_with_what_was_typed() {
    let site = site_with_everybody().await;
    let mut admin = site.visitor("admin").await;
    let long = "ü".repeat(101);
    for path in ["/new-bu/", "/new-machine-group/1/"] {
        for name in ["", "  ", long.as_str(), "a\0b"] {
            let page = admin.post(&site, path, &[("name", name)]).await;
            assert_eq!(
                page.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{path} {name:?}"
            );
            assert!(page.text.contains("A name has 1 to 100 characters."));
        }
        let page = admin.post(&site, path, &[("name", long.as_str())]).await;
        assert_eq!(page.page().field("name").as_ref(), Some(&long));
        // A form without the field is as an empty one.
        let page = admin.post(&site, path, &[]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    let long = "k".repeat(256);
    let page = admin
        .post(
            &site,
            "/settings/api-keys/new/",
            &[("name", long.as_str()), ("read_write", "on")],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.page();
    assert!(page.text("[role=alert]").contains("1 to 255 characters"));
    assert_eq!(page.field("read_write").as_deref(), Some("on"));
    assert_eq!(site.number("SELECT count(*) FROM server_apikey").await, 0);
    assert_eq!(
        site.number("SELECT count(*) FROM server_businessunit")
            .await,
        2
    );
}

#[tokio::test]
async fn old_list_addresses_keep_their_unit_or_group() {
    let site = site_with_everybody().await;
    let mut admin = site.visitor("admin").await;
    for (place, total, heading) in [
        ("all/0", 10, "Machines seen in the last hour"),
        (
            "business_unit/1",
            5,
            "Machines seen in the last hour in Science",
        ),
        (
            "machine_group/2",
            5,
            "Machines seen in the last hour in Studio",
        ),
    ] {
        let old = admin
            .get(&site, &format!("/list/Activity/hour/{place}/"))
            .await;
        let list = admin.get(&site, old.location()).await.page();
        assert_eq!(list.text("#total"), format!("{total} machines"), "{place}");
        assert_eq!(list.text("h1"), heading, "{place}");
        let filter = list.attribute("#list-search", "value");
        let narrows = filter.contains("and group_id = 2");
        assert_eq!(narrows, place == "machine_group/2", "{filter}");
    }
}
