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
    let page = admin.get(&site, "/settings/").await.page();
    assert_eq!(page.text("main strong"), "180 days");
    assert_eq!(page.field("days").as_deref(), Some("180"));
    site.sql("INSERT INTO server_salsetting (name, value) VALUES ('historical_retention', '31')")
        .await;
    let page = admin.get(&site, "/settings/").await.page();
    assert_eq!(page.text("main strong"), "31 days");
    let links = page.attributes("main h2 a", "href");
    assert_eq!(
        links,
        [
            "/settings/all/",
            "/settings/maintenance/",
            "/settings/plugins/",
            "/settings/api-tokens/",
            "/settings/api-keys/",
            "/database/"
        ]
    );
    for link in links {
        assert_eq!(admin.get(&site, &link).await.status, StatusCode::OK);
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
        assert_eq!(asked.page().count("main form[method=post] button"), 1);
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
    assert!(has_private_key(&shown.text));
    assert!(shown.page().words().contains("<grafana>"));
    assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    for answer in [
        admin.get(&site, &path).await,
        admin.post(&site, &path, &[]).await,
    ] {
        assert_eq!(answer.location(), "/settings/api-keys/");
        assert!(answer.text.is_empty());
    }
    let list = admin.get(&site, "/settings/api-keys/").await;
    assert!(!has_private_key(&list.text));
    let list = list.page();
    assert_eq!(list.texts("th a"), ["<grafana>"]);
    assert_eq!(list.texts("[data-label='Private key']"), ["Was shown"]);
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
    let [row] = &list.page().rows("table.devices")[..] else {
        panic!("{}", list.text)
    };
    assert_eq!(
        (row[0].as_str(), row[2].as_str()),
        ("terraform", "Read and write")
    );
    assert_eq!(row[3], "Show it once");
}

#[tokio::test]
async fn q094_an_api_key_is_renamed_and_deleted_and_every_step_is_noted() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let made = admin
        .post(&site, "/settings/api-keys/new/", &[("name", "grafana")])
        .await;
    admin.post(&site, made.location(), &[]).await;
    let list = admin.get(&site, "/settings/api-keys/").await.page();
    let edit = made.location().replace("display", "edit");
    let delete = made.location().replace("display", "delete");
    assert_eq!(list.links("Edit"), [edit.as_str()]);
    assert_eq!(list.links("Delete"), [delete.as_str()]);
    let page = admin.get(&site, &edit).await;
    assert!(!has_private_key(&page.text));
    assert_eq!(page.page().field("name").as_deref(), Some("grafana"));
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
    assert_eq!(asked.page().text("h1"), "Delete API key <terraform>?");
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
    let page = admin.get(&site, "/settings/plugins/").await.page();
    assert_eq!(
        page.texts("h2.section-head"),
        ["Widgets", "Reports", "Machine details"]
    );
    let captions = page.texts("caption");
    assert_eq!(captions, page.texts("h2.section-head"));
    // Thirteen widgets are enabled at first.
    let widgets = page.rows(".table-box:nth-of-type(2) table");
    let states: Vec<(&str, &str)> = widgets
        .iter()
        .map(|row| (row[0].as_str(), row[3].as_str()))
        .collect();
    assert!(states[..12].contains(&("Status", "Enabled")));
    assert_eq!(states[12], ("Activity", "Enabled"));
    assert_eq!(states[13], ("OurOwn", "Enabled Not part of this server"));
    let (enabled, disabled) = states.split_at(14);
    assert!(
        enabled
            .iter()
            .all(|(_, state)| state.starts_with("Enabled"))
    );
    assert!(disabled.iter().all(|(_, state)| *state == "Disabled"));
    assert!(
        page.attributes("button", "aria-label")
            .contains(&"Enable NewMachines".to_owned())
    );
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

#[tokio::test]
async fn q106_every_setting_is_checked_and_a_change_is_noted_with_old_and_new() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/settings/all/").await.page();
    for setting in sal_http::sal_settings::SETTINGS {
        let field = format!("form.settings [name='{}']", setting.name);
        let is_field = setting.kind != sal_http::sal_settings::Kind::Bookkeeping;
        assert_eq!(page.has(&field), is_field, "{}", setting.name);
    }
    assert_eq!(
        page.rows("table:not(.wordy)"),
        [[
            "DOCKER_SAL_TZ",
            "<Europe/London> (default)",
            "Time zone of pages."
        ]]
    );

    let form = [
        ("historical_retention", "31"),
        ("send_data", "true"),
        ("crypt_url", "https://crypt.example/"),
        ("MessagesPluginLevel", "WARNING"),
        ("unheard_of", "x"),
    ];
    let saved = admin.post(&site, "/settings/all/", &form).await;
    assert_eq!(saved.location(), "/settings/all/", "{}", saved.text);
    let rows = "SELECT count(*) FROM server_salsetting WHERE (name, value) IN (('historical_retention', '31'),
        ('crypt_url', 'https://crypt.example/'), ('MessagesPluginLevel', 'WARNING'), ('send_data', 'true'))";
    assert_eq!(site.number(rows).await, 4);
    let unknown = "SELECT count(*) FROM server_salsetting WHERE name = 'unheard_of'";
    assert_eq!(site.number(unknown).await, 0);
    let notes = "SELECT count(*) FROM salrs_audit WHERE kind = 'setting' AND username = 'admin'";
    assert_eq!(
        site.number(notes).await,
        3,
        "what did not change is not noted"
    );
    let note = "SELECT count(*) FROM salrs_audit WHERE object_id = 'historical_retention' AND detail = '`180` -> `31`'";
    assert_eq!(site.number(note).await, 1);
    admin.post(&site, "/settings/all/", &form).await;
    assert_eq!(site.number(notes).await, 3);
}

#[tokio::test]
async fn q106_what_does_not_fit_is_answered_with_a_sentence_and_nothing_is_saved() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    for (name, bad, sentence) in [
        (
            "historical_retention",
            "soon",
            "a whole number of days from 1 to 36500",
        ),
        (
            "inventory_exclusion_pattern",
            "com.(apple",
            "Postgres cannot use it: invalid regular expression",
        ),
        ("crypt_url", "javascript:alert(1)", "begins with https://"),
        ("MessagesPluginThreshold", "-1", "a whole number"),
        ("ssh_account", "a\0b", "one line"),
        ("send_data", "<i>perhaps</i>", "true or false"),
    ] {
        let form = [(name, bad), ("datatable_page_length", "50")];
        let refused = admin.post(&site, "/settings/all/", &form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        let page = refused.page();
        let problem = page.text(".problem[role=alert]");
        assert!(problem.contains(sentence), "{name}: {problem}");
        if name == "send_data" {
            assert!(!page.has("main i"));
        } else {
            assert_eq!(page.attribute("[aria-invalid]", "name"), name);
        }
    }
    let untouched = "SELECT count(*) FROM server_salsetting WHERE name = 'datatable_page_length' AND value = '20'";
    assert_eq!(site.number(untouched).await, 1, "all of a form or nothing");
    let fine = [("inventory_exclusion_pattern", "com\\.apple\\.(print|fax)")];
    let saved = admin.post(&site, "/settings/all/", &fine).await;
    assert_eq!(saved.status, StatusCode::FOUND);
}

#[tokio::test]
async fn sals_address_of_the_retention_saves_days_and_shows_nothing() {
    let site = site_with_admin().await;
    site.user(2, "writer", "RW", None).await;
    let mut admin = site.visitor("admin").await;
    let path = "/settings/save_historical_days/";
    assert_eq!(admin.get(&site, path).await.location(), "/settings/");
    let saved = admin.post(&site, path, &[("days", "45")]).await;
    assert_eq!(saved.location(), "/settings/");
    let days = "SELECT value::bigint FROM server_salsetting WHERE name = 'historical_retention'";
    assert_eq!(site.number(days).await, 45);
    for bad in ["", "0", "x", "99999999999999999999"] {
        let refused = admin.post(&site, path, &[("days", bad)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(site.number(days).await, 45);
    let mut writer = site.visitor("writer").await;
    for path in [path, "/settings/all/", "/settings/maintenance/"] {
        assert_eq!(writer.get(&site, path).await.location(), "/", "{path}");
    }
    for path in [
        path,
        "/settings/all/",
        "/settings/maintenance/run/search/",
        "/settings/forget/1/",
    ] {
        let refused = writer.post(&site, path, &[("days", "1")]).await;
        assert_ne!(refused.status, StatusCode::OK, "{path}");
    }
    assert_eq!(site.number(days).await, 45);
}

#[tokio::test]
async fn rows_that_nothing_knows_are_listed_and_can_be_deleted_and_no_others() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    site.sql(
        "INSERT INTO server_salsetting (id, name, value) VALUES (900, 'AppVersion_<Apps>', 'Safari & more'),
             (901, 'last_sent_data', '1760000000')",
    )
    .await;
    let page = admin.get(&site, "/settings/all/").await.page();
    let rows = page.rows("table.wordy");
    assert!(
        rows.contains(
            &["AppVersion_<Apps>", "Safari & more", "Delete…"]
                .map(str::to_owned)
                .to_vec()
        )
    );
    assert_eq!(page.links("Delete…"), ["/settings/forget/900/"]);
    let noted = rows.iter().find(|row| row[0] == "last_sent_data").unwrap();
    assert!(noted[1].starts_with("1760000000 "), "{noted:?}");
    let times = page.attributes("td time", "datetime");
    assert!(times.iter().any(|at| at.starts_with("2025-10-09")));
    let asked = admin.get(&site, "/settings/forget/900/").await.page();
    assert_eq!(asked.text("h1"), "Delete the setting AppVersion_<Apps>?");
    let count = "SELECT count(*) FROM server_salsetting WHERE id IN (900, 901)";
    assert_eq!(site.number(count).await, 2);
    assert_eq!(
        admin
            .post(&site, "/settings/forget/900/", &[])
            .await
            .location(),
        "/settings/all/"
    );
    assert_eq!(site.number(count).await, 1);
    let note = "SELECT count(*) FROM salrs_audit WHERE action = 'deleted' AND object_id = 'AppVersion_<Apps>' AND detail = ''";
    assert_eq!(site.number(note).await, 1);
    for gone in ["900", "901", "x", "99999999999"] {
        let path = format!("/settings/forget/{gone}/");
        assert_eq!(
            admin.post(&site, &path, &[]).await.status,
            StatusCode::NOT_FOUND,
            "{gone}"
        );
    }
}

/// Name, last run, rows, time, next run, button.
const JOBS: [[&str; 6]; 3] = [
    [
        "retention Removes.",
        "Failed 10 min ago on sal-1 relation & gone",
        "0",
        "5 ms",
        "in 10 min every 6 h · 1 run · 1 failed",
        "Run now",
    ],
    [
        "search Keeps <caches>.",
        "Done 1 min ago on sal-1",
        "1,234",
        "60.0 s",
        "in 4 min every 5 min · 7 runs",
        "Run now",
    ],
    [
        "sessions Removes.",
        "Its server is gone 1 h ago on sal-2",
        "0",
        "0 ms",
        "due every 1 h · 1 run",
        "Run now",
    ],
];

#[tokio::test]
async fn the_jobs_are_listed_with_their_last_run_and_can_be_had_now() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/settings/maintenance/").await.page();
    assert_eq!(page.text(".nothing h2"), "Nothing was done yet");
    assert_eq!(page.text(".page-head .badge.warn"), "No server");
    site.sql(
        "INSERT INTO salrs_job (name, what, every_seconds, next_due, last_started, last_finished, last_result, last_server, rows, duration_ms, last_error, runs, failures)
         VALUES ('search', 'Keeps <caches>.', 300, '2026-11-22T12:04:00Z', '2026-11-22T11:58:00Z', '2026-11-22T11:59:00Z', 'done', 'sal-1', 1234, 60000, '', 7, 0),
                ('sessions', 'Removes.', 3600, '2026-11-22T11:00:00Z', '2026-11-22T11:00:00Z', NULL, 'running', 'sal-2', 0, 0, '', 1, 0),
                ('retention', 'Removes.', 21600, '2026-11-22T12:10:00Z', '2026-11-22T11:50:00Z', '2026-11-22T11:50:00Z', 'failed', 'sal-1', 0, 5, 'relation & gone', 1, 1)",
    )
    .await;
    let page = admin.get(&site, "/settings/maintenance/").await.page();
    let mut rows = page.rows("table.devices");
    rows.sort();
    assert_eq!(rows, JOBS);
    let asked = admin
        .post(&site, "/settings/maintenance/run/search/", &[])
        .await;
    assert_eq!(asked.location(), "/settings/maintenance/");
    let due = "SELECT count(*) FROM salrs_job WHERE name = 'search' AND next_due = '2026-11-22T12:00:00Z'";
    assert_eq!(site.number(due).await, 1);
    let note = "SELECT count(*) FROM salrs_audit WHERE kind = 'job' AND object_id = 'search' AND username = 'admin'";
    assert_eq!(site.number(note).await, 1);
    for none in ["nothing", "a%00b"] {
        let path = format!("/settings/maintenance/run/{none}/");
        assert_eq!(
            admin.post(&site, &path, &[]).await.status,
            StatusCode::NOT_FOUND
        );
    }
    site.sql("DROP TABLE salrs_job").await;
    let page = admin.get(&site, "/settings/maintenance/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("sal db init"));
}

/// Whether a text holds 64 characters in a row that a private key is made of.
fn has_private_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .any(|word| word.len() == 64)
}

mod tokens;
