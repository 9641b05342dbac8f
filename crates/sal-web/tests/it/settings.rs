//! `/settings/` and what is below it.

use axum::http::{StatusCode, header};

use crate::site::Site;

async fn site_with_admin() -> Site {
    let site = Site::start().await;
    site.user(1, "admin", "GA", None).await;
    site
}

#[tokio::test]
async fn retention_is_shown_as_it_was_set() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    site.sql("DELETE FROM server_salsetting").await;
    let page = admin.get(&site, "/settings/").await;
    assert!(page.text.contains("<strong>180 days</strong>"));
    site.sql("INSERT INTO server_salsetting (name, value) VALUES ('historical_retention', '31')")
        .await;
    let page = admin.get(&site, "/settings/").await;
    assert!(page.text.contains("<strong>31 days</strong>"));
    for link in ["/settings/plugins/", "/settings/api-keys/", "/database/"] {
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}");
        assert_eq!(admin.get(&site, link).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn q030_the_old_link_asks_and_the_form_changes_what_a_django_sal_sends() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let set = |value: &str| {
        format!(
            "SELECT count(*) FROM server_salsetting WHERE name = 'send_data' AND value = '{value}'"
        )
    };
    for (choice, before, after, words) in [
        ("disable", "true", "False", "would not send any either"),
        ("enable", "False", "True", "would send anonymous usage data"),
    ] {
        let path = format!("/settings/senddata/{choice}/");
        let asked = admin.get(&site, &path).await;
        assert_eq!(asked.status, StatusCode::OK);
        assert!(asked.text.contains("<form method=\"post\">"));
        assert_eq!(site.number(&set(before)).await, 1, "asking changes nothing");
        let changed = admin.post(&site, &path, &[]).await;
        assert_eq!(changed.location(), "/settings/");
        assert_eq!(site.number(&set(after)).await, 1);
        let page = admin.get(&site, "/settings/").await;
        assert!(page.text.contains("This server never sends any."));
        assert!(page.text.contains(words), "{words}");
    }
    site.sql("DELETE FROM server_salsetting").await;
    admin.post(&site, "/settings/senddata/disable/", &[]).await;
    assert_eq!(site.number(&set("False")).await, 1);
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'setting' AND object_id = 'send_data' AND username = 'admin'";
    assert_eq!(site.number(audit).await, 3);
}

#[tokio::test]
async fn q031_the_private_part_of_an_api_key_is_shown_once_and_only_on_request() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let form = [("csrfmiddlewaretoken", "x"), ("name", "<grafana>")];
    let made = admin.post(&site, "/settings/api-keys/new/", &form).await;
    let path = made.location().to_owned();
    assert!(path.starts_with("/settings/api-keys/display/"), "{path}");
    let unseen = "SELECT count(*) FROM server_apikey WHERE NOT has_been_seen AND NOT read_write
         AND public_key ~ '^[a-z0-9]{24}$' AND private_key ~ '^[a-z0-9]{64}$' AND name = '<grafana>'";
    for _ in 0..2 {
        let asked = admin.get(&site, &path).await;
        assert!(asked.text.contains("Show the private key?") && !has_private_key(&asked.text));
        assert_eq!(
            site.number(unseen).await,
            1,
            "opening the page uses nothing up"
        );
    }
    let shown = admin.post(&site, &path, &[]).await;
    assert!(has_private_key(&shown.text) && shown.text.contains("&#60;grafana&#62;"));
    assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    for answer in [
        admin.get(&site, &path).await,
        admin.post(&site, &path, &[]).await,
    ] {
        assert_eq!(answer.location(), "/settings/api-keys/");
        assert!(answer.text.is_empty());
    }
    let list = admin.get(&site, "/settings/api-keys/").await;
    assert!(list.text.contains("Was shown") && !has_private_key(&list.text));
}

#[tokio::test]
async fn a_ticked_box_makes_a_key_that_may_change_things() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let form = [("name", "terraform"), ("read_write", "on")];
    admin.post(&site, "/settings/api-keys/new/", &form).await;
    let keys = "SELECT count(*) FROM server_apikey WHERE read_write";
    assert_eq!(site.number(keys).await, 1);
    let list = admin.get(&site, "/settings/api-keys/").await;
    assert!(list.text.contains("Read and write") && list.text.contains("Show it once"));
}

#[tokio::test]
async fn q094_an_api_key_is_renamed_and_deleted_and_every_step_is_noted() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let made = admin
        .post(&site, "/settings/api-keys/new/", &[("name", "grafana")])
        .await;
    admin.post(&site, made.location(), &[]).await;
    let list = admin.get(&site, "/settings/api-keys/").await.text;
    let edit = made.location().replace("display", "edit");
    let delete = made.location().replace("display", "delete");
    assert!(list.contains(&edit) && list.contains(&delete));
    let page = admin.get(&site, &edit).await;
    assert!(page.text.contains("value=\"grafana\"") && !has_private_key(&page.text));
    for name in ["", "a\0b", &"x".repeat(256)] {
        let answer = admin.post(&site, &edit, &[("name", name)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let form = [("name", "<terraform>"), ("read_write", "on")];
    let changed = admin.post(&site, &edit, &form).await;
    assert_eq!(changed.location(), "/settings/api-keys/");
    let now = "SELECT count(*) FROM server_apikey WHERE name = '<terraform>' AND read_write AND has_been_seen";
    assert_eq!(site.number(now).await, 1);

    let asked = admin.get(&site, &delete).await;
    assert!(asked.text.contains("Delete API key &#60;terraform&#62;?"));
    assert_eq!(site.number(now).await, 1, "asking deletes nothing");
    let gone = admin.post(&site, &delete, &[]).await;
    assert_eq!(gone.location(), "/settings/api-keys/");
    assert_eq!(site.number("SELECT count(*) FROM server_apikey").await, 0);
    for path in [&edit, &delete, "/settings/api-keys/edit/x/"] {
        let answer = admin.post(&site, path, &form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (action, detail) in [
        ("made", "read"),
        ("shown", "the private part, once"),
        (
            "changed",
            "name grafana → <terraform>, read → read and write",
        ),
        ("deleted", "read and write"),
    ] {
        let rows = format!(
            "SELECT count(*) FROM salrs_audit WHERE kind = 'API key' AND action = '{action}' AND detail = '{detail}'"
        );
        assert_eq!(site.number(&rows).await, 1, "{action}");
    }
}

#[tokio::test]
async fn only_global_admins_touch_api_keys() {
    let site = site_with_admin().await;
    site.machines(1).await;
    site.sql(
        "INSERT INTO server_apikey (id, name, public_key, private_key, read_write, has_been_seen)
              VALUES (7, 'k', 'p', 's', false, false)",
    )
    .await;
    for (id, level) in [(2, "SO"), (3, "RO"), (4, "RW")] {
        site.user(id, level, level, Some(1)).await;
        let mut visitor = site.visitor(level).await;
        for path in ["", "new/", "display/7/", "edit/7/", "delete/7/"] {
            let path = format!("/settings/api-keys/{path}");
            assert_eq!(visitor.get(&site, &path).await.location(), "/", "{level}");
            let answer = visitor.post(&site, &path, &[("name", "x")]).await;
            assert!(answer.location() == "/" || answer.status == StatusCode::METHOD_NOT_ALLOWED);
        }
    }
    let same = "SELECT count(*) FROM server_apikey WHERE name = 'k' AND NOT has_been_seen";
    assert_eq!(site.number(same).await, 1);
}

#[tokio::test]
async fn q116_plugins_are_listed_in_their_order_and_foreign_ones_keep_their_place() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    admin.get(&site, "/").await;
    site.sql(
        "UPDATE server_plugin SET \"order\" = 99 WHERE name = 'Activity';
              INSERT INTO server_plugin (name, \"order\") VALUES ('OurOwn', 100)",
    )
    .await;
    let page = admin.get(&site, "/settings/plugins/").await.text;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    let order = [
        "row\">Status<",
        "row\">Activity<",
        "row\">OurOwn<",
        "Not part of this server",
        ">Disabled<",
        "<h2 class=\"section-head\">Reports</h2>",
        "InstallReport",
        "<h2 class=\"section-head\">Machine details</h2>",
        "MachineDetailSecurity",
    ];
    assert!(order.map(at).is_sorted(), "{:?}", order.map(at));
    assert!(page.contains("NewMachines"), "a disabled widget is listed");
    let rows = "SELECT count(*) FROM server_plugin WHERE name = 'OurOwn'";
    assert_eq!(site.number(rows).await, 1);
}

#[tokio::test]
async fn q115_plugins_are_enabled_moved_and_disabled_by_buttons_and_links_only_ask() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    admin.get(&site, "/").await;
    let place = |name: &str| {
        format!(
            "SELECT count(*) FROM server_plugin one, server_plugin other
             WHERE one.name = '{name}' AND other.\"order\" <= one.\"order\""
        )
    };
    let enable = "/settings/plugins/enable/NewMachines/";
    let asked = admin.get(&site, enable).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.text.contains("Shall NewMachines be enabled?"));
    assert_eq!(site.number("SELECT count(*) FROM server_plugin").await, 13);
    for _ in 0..2 {
        let done = admin.post(&site, enable, &[]).await;
        assert_eq!(done.location(), "/settings/plugins/");
    }
    assert_eq!(site.number(&place("NewMachines")).await, 14);
    let id = site
        .number("SELECT id::bigint FROM server_plugin WHERE name = 'NewMachines'")
        .await;
    for (step, expected) in [
        ("plus", 13),
        ("plus", 12),
        ("minus", 13),
        ("minus", 14),
        ("minus", 14),
    ] {
        admin
            .post(&site, &format!("/settings/plugins/{step}/{id}/"), &[])
            .await;
        assert_eq!(site.number(&place("NewMachines")).await, expected, "{step}");
    }
    admin
        .post(&site, &format!("/settings/plugins/disable/{id}/"), &[])
        .await;
    assert_eq!(site.number("SELECT count(*) FROM server_plugin").await, 13);
    let changes =
        "SELECT count(*) FROM salrs_audit WHERE kind = 'plugin' AND object_id = 'NewMachines'";
    assert_eq!(
        site.number(changes).await,
        6,
        "what changed nothing is not noted"
    );
    for nowhere in [
        "/settings/plugins/enable/MunkiInfo/",
        "/settings/plugins/enable/Nope/",
        "/settings/plugins/plus/99999/",
        "/settings/plugins/plus/99999999999/",
        "/settings/plugins/reports/plus/1/",
        "/settings/plugins/nonsense/1/",
    ] {
        let answer = admin.post(&site, nowhere, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
}

/// Whether a text holds 64 characters in a row that a private key is made of.
fn has_private_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .any(|word| word.len() == 64)
}
