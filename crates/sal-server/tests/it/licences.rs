//! `/licenses/…`, which Munki asks, and the routes that Sal 4 took away.

use sal_testkit::{Filled, TestServer, golden};

async fn get(server: &TestServer, path: &str) -> (u16, String, String) {
    let answer = server.http.get(server.url(path)).send().await.unwrap();
    let content_type = answer
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    (
        answer.status().as_u16(),
        content_type.unwrap_or_default(),
        answer.text().await.unwrap(),
    )
}

async fn server() -> TestServer {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(
        "INSERT INTO server_machine (serial, machine_group_id, first_checkin, deployed, broken_client, memory_kb, os_family)
         SELECT 'L' || n, (SELECT id FROM server_machinegroup ORDER BY id LIMIT 1), now(), n <> 1, false, 0, 'Darwin' FROM generate_series(1, 3) n;
         INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ('Editor', 'org.editor', 'Editor', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
         SELECT m.id, a.id, '1.' || right(m.serial, 1), '/Applications/Editor.app' FROM server_machine m, inventory_application a, generate_series(1, 2)
         WHERE m.serial LIKE 'L_' AND a.name = 'Editor';
         INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version, inventory_bundleid,
             inventory_bundlename, inventory_path, notes, business_unit_id)
         SELECT name, total, 0, app, version, '', '', '', '', (SELECT business_unit_id FROM server_machinegroup ORDER BY id LIMIT 1)
         FROM (VALUES ('any', 5, 'Editor', ''), ('full', 3, 'Editor', '1.*'), ('one', 2, '', '1.2')) l (name, total, app, version)",
    )
    .await
    .unwrap();
    server
}

#[tokio::test]
async fn munki_learns_whether_seats_are_left() {
    let server = server().await;
    let key = golden::seed_value("key1").unwrap().unwrap();
    let available = format!("/licenses/available/{key}/");
    let json = |path: String| format!("{path}output_style=json");
    for (path, expected) in [
        (
            json(format!("{available}?")),
            r#"{"any": 2, "full": 0, "one": 1}"#,
        ),
        (
            json(format!("{available}any/?name=full&name=nope&")),
            r#"{"any": true, "full": false}"#,
        ),
        (
            json(format!("/licenses/usage/{key}/one/?name=nope&")),
            r#"{"one": {"total": 2, "used": 1, "available": 1}, "nope": {}}"#,
        ),
        (json(format!("/licenses/usage/{key}/?")), "{}"),
    ] {
        let (code, content_type, text) = get(&server, &path).await;
        assert_eq!(
            (code, content_type.as_str(), text.as_str()),
            (200, "application/json", expected),
            "{path}"
        );
    }
    let (_, content_type, plist) = get(&server, &format!("{available}full/")).await;
    assert_eq!(content_type, "application/json");
    assert!(plist.contains("<key>full</key>\n\t<false/>\n"), "{plist}");
    assert_eq!(get(&server, "/licenses/available/wrong/").await.0, 404);
    assert_eq!(get(&server, "/licenses/usage/a%00b/x%00y/").await.0, 404);
    assert_eq!(get(&server, available.trim_end_matches('/')).await.0, 301);
}

#[tokio::test]
async fn q015_the_first_api_is_gone_and_says_where_the_second_is() {
    let server = TestServer::start(Filled::Seeded).await;
    for path in ["/api/", "/api/v1/", "/api/machines/", "/api/v1/facts/"] {
        let (code, content_type, text) = get(&server, path).await;
        assert_eq!(
            (code, content_type.as_str()),
            (410, "application/json"),
            "{path}"
        );
        assert!(text.contains("/api/v2/"));
    }
    for path in [
        "/preflight/",
        "/install_log_hash/X/",
        "/install_log_submit/",
    ] {
        assert_eq!(get(&server, path).await.0, 404, "{path}");
    }
}
