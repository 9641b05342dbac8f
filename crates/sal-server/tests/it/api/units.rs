//! Tokens for some business units: what is in others is neither seen nor changed.

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer};
use serde_json::{Value, json};

use super::tokens::{Bearer, WRITES, number, token};
use crate::access::FURNITURE;

/// The first of two units.
pub(crate) const OWN: (&str, &str) = (
    "units",
    "(SELECT array_agg(id) FROM server_businessunit WHERE name = 'Acme IT')",
);

fn rows(list: &Value) -> Vec<Value> {
    list["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_token_for_a_unit_sees_nothing_of_another_in_any_resource() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secrets = [
        token("own", &[OWN], &db).await,
        token("all", &[], &db).await,
    ];
    let [own, all] = [0, 1].map(|place: usize| Bearer {
        server: &server,
        secret: &secrets[place],
    });
    let mut narrower = Vec::new();
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/", resource.name);
        let (whole, part) = (all.get(&path).await.body, own.get(&path).await.body);
        assert!(!part.to_string().contains("SECRET"), "{path}: {part}");
        if part["count"] != whole["count"] {
            narrower.push(resource.name);
        }
        let key = if path.contains("machines") {
            "serial"
        } else {
            "id"
        };
        let mine = rows(&part);
        for row in rows(&whole) {
            let is_mine = mine.iter().any(|mine| mine[key] == row[key]);
            let id = row[key]
                .as_str()
                .map_or_else(|| row[key].to_string(), str::to_owned);
            let one = own.get(&format!("{path}{id}/")).await;
            let is_found = one.status == StatusCode::OK;
            assert_eq!(is_found, is_mine, "{path}{id}/: {}", one.status);
            assert!(is_found || one.status == StatusCode::NOT_FOUND);
        }
        for question in [
            "ordering=-id",
            "search=SECRET",
            "page=last",
            "filter=serial%20is%20set",
        ] {
            let text = own
                .get(&format!("{path}?{question}"))
                .await
                .body
                .to_string();
            let is_clean = !text.contains("SECRET1") && !text.contains("SECRET-");
            assert!(is_clean, "{path}?{question}: {text}");
        }
    }
    narrower.sort_unstable();
    let machines = [
        "machine_groups",
        "machines",
        "managed_items",
        "saved_searches",
    ];
    assert_eq!(narrower[..3], ["business_units", "facts", "inventory"]);
    assert_eq!(narrower[3..], machines);
}

#[tokio::test]
async fn a_token_for_a_unit_executes_only_searches_that_are_shared_with_it() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secret = token("own", &[OWN], &db).await;
    let own = Bearer {
        server: &server,
        secret: &secret,
    };
    for (name, is_shared) in [
        ("Acme IT", true),
        ("Engineering", false),
        ("SECRET-search", false),
    ] {
        let id = format!("SELECT id::bigint FROM search_savedsearch WHERE name = '{name}'");
        let id = number(&id, &db).await;
        let found = own
            .get(&format!("/api/v2/saved_searches/{id}/execute/"))
            .await;
        assert_eq!(
            found.status == StatusCode::OK,
            is_shared,
            "{name}: {}",
            found.body
        );
        assert!(!found.body.to_string().contains("SECRET"), "{name}");
        let named = format!(
            "/api/v2/machines/?filter=search%20%3D%20%22{}%22",
            name.replace(' ', "%20")
        );
        let named = own.get(&named).await;
        assert_eq!(
            named.status == StatusCode::OK,
            is_shared,
            "{name}: {}",
            named.body
        );
    }
}

/// Method, address, body and status; what stands in braces is filled in.
const CHANGES: &[(&str, &str, &str, u16)] = &[
    (
        "POST",
        "machines/",
        r#"{"serial": "X", "machine_group": <other group>}"#,
        400,
    ),
    ("PATCH", "machines/SECRET1/", r#"{"hostname": "x"}"#, 404),
    (
        "PUT",
        "machines/SECRET1/",
        r#"{"serial": "SECRET1", "machine_group": <own group>}"#,
        404,
    ),
    (
        "PATCH",
        "machines/OWN1/",
        r#"{"machine_group": <other group>}"#,
        400,
    ),
    ("DELETE", "machines/SECRET1/", "{}", 404),
    (
        "POST",
        "machine_groups/",
        r#"{"name": "X", "business_unit": <other unit>}"#,
        400,
    ),
    (
        "PATCH",
        "machine_groups/<other group>/",
        r#"{"name": "X"}"#,
        404,
    ),
    (
        "PATCH",
        "machine_groups/<own group>/",
        r#"{"business_unit": <other unit>}"#,
        400,
    ),
    ("DELETE", "machine_groups/<other group>/", "{}", 404),
    ("POST", "business_units/", r#"{"name": "X"}"#, 403),
    (
        "PATCH",
        "business_units/<other unit>/",
        r#"{"name": "X"}"#,
        404,
    ),
    ("DELETE", "business_units/<other unit>/", "{}", 404),
    (
        "PATCH",
        "business_units/<own unit>/",
        r#"{"users": [1]}"#,
        403,
    ),
];

/// The same as long as nothing changes.
const EVERYTHING: &str = "SELECT (count(*) + coalesce(sum(m.machine_group_id * m.id + length(m.hostname)), 0)
    + (SELECT sum(business_unit_id * id + length(name)) FROM server_machinegroup)
    + (SELECT sum(id + length(name)) FROM server_businessunit) + (SELECT count(*) FROM salrs_audit))::bigint
    FROM server_machine m";

#[tokio::test]
async fn a_token_for_a_unit_changes_nothing_of_another() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secret = token("own", &[OWN, WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let mut filled = Vec::new();
    for (hole, of, serial) in [
        ("<own group>", "g.id", "OWN1"),
        ("<other group>", "g.id", "SECRET1"),
        ("<other unit>", "g.business_unit_id", "SECRET1"),
        ("<own unit>", "g.business_unit_id", "OWN1"),
    ] {
        let sql = format!(
            "SELECT {of}::bigint FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE serial = '{serial}'"
        );
        filled.push((hole, number(&sql, &db).await.to_string()));
    }
    let fill = |text: &str| {
        let filled = filled.iter();
        filled.fold(text.to_owned(), |text, (hole, id)| text.replace(hole, id))
    };
    let before = number(EVERYTHING, &db).await;
    for (method, path, body, status) in CHANGES {
        let path = format!("/api/v2/{}", fill(path));
        let body: Value = serde_json::from_str(&fill(body)).unwrap();
        let answer = program
            .send(method.parse().unwrap(), &path, Some(body))
            .await;
        assert_eq!(
            answer.status.as_u16(),
            *status,
            "{method} {path}: {}",
            answer.body
        );
    }
    assert_eq!(
        number(EVERYTHING, &db).await,
        before,
        "nothing was changed and nothing noted"
    );
    // Nor is it told which serial numbers others have.
    let probe = json!({"serial": "SECRET1", "machine_group": 0});
    let answer = program
        .send(Method::POST, "/api/v2/machines/", Some(probe))
        .await;
    assert!(answer.body.get("serial").is_none(), "{}", answer.body);
    let group: i64 = filled[0].1.parse().unwrap();
    let made = json!({"serial": "MINE", "machine_group": group});
    let made = program
        .send(Method::POST, "/api/v2/machines/", Some(made))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let noted = "SELECT count(*) FROM salrs_audit a JOIN auth_user u ON u.id = a.user_id
        WHERE a.username = 'API token own' AND u.username = 'admin' AND object_name = 'MINE'";
    assert_eq!(number(noted, &db).await, 1);
}

#[tokio::test]
async fn a_machine_that_is_moved_away_meanwhile_is_not_deleted_with_its_group() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secret = token("all", &[WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let group = number(
        "SELECT machine_group_id::bigint FROM server_machine WHERE serial = 'OWN1'",
        &db,
    )
    .await;
    db.batch_execute(
        "BEGIN; UPDATE server_machine SET machine_group_id = (
             SELECT machine_group_id FROM server_machine WHERE serial = 'SECRET1') WHERE serial = 'OWN1'",
    )
    .await
    .unwrap();
    let path = format!("/api/v2/machine_groups/{group}/");
    let watcher = server.database.connect().await;
    let moved = async {
        while number("SELECT count(*) FROM pg_locks WHERE NOT granted", &watcher).await == 0 {}
        db.batch_execute("COMMIT").await.unwrap();
    };
    let (gone, ()) = tokio::join!(program.send(Method::DELETE, &path, None), moved);
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    let left = "SELECT count(*) FROM server_machine WHERE serial = 'OWN1'";
    assert_eq!(number(left, &db).await, 1);
}
