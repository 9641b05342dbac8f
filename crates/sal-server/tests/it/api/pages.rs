//! Walks by cursor, links to other pages, and what a program has already.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use sal_testkit::{Filled, TestServer};
use serde_json::{Value, json};

use super::{Program, machines, streams::SOME_OF_ALL};

async fn filled(count: u32) -> TestServer {
    let server = TestServer::start(Filled::Seeded).await;
    machines(count, &server).await;
    let db = server.database.connect().await;
    db.batch_execute(SOME_OF_ALL).await.unwrap();
    server
}

fn reader(server: &TestServer) -> Program<'_> {
    Program {
        server,
        keys: Some("ro"),
    }
}

#[tokio::test]
async fn q201_a_cursor_meets_every_row_of_every_list_once_in_the_order_of_ids() {
    let server = filled(12).await;
    let program = reader(&server);
    for resource in sal_store::resources::RESOURCES {
        let path = format!("/api/v2/{}/", resource.name);
        let count = program
            .get(&path)
            .await
            .body
            .get("count")
            .unwrap()
            .as_u64()
            .unwrap();
        let (mut next, mut met) = (
            Some(format!("{path}?cursor=&page_size=5&search=")),
            Vec::new(),
        );
        while let Some(path) = next {
            let page = program.get(&path).await.body;
            let names: Vec<&String> = page.as_object().unwrap().keys().collect();
            assert_eq!(names, ["next", "previous", "results"]);
            let rows = page.get("results").unwrap().as_array().unwrap();
            assert!(!rows.is_empty() && rows.len() <= 5);
            met.extend(rows.iter().map(|row| row.get("id").unwrap().clone()));
            next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        }
        let all: BTreeSet<String> = met.iter().map(Value::to_string).collect();
        assert_eq!(
            (met.len(), all.len()),
            (usize::try_from(count).unwrap(), met.len()),
            "{path}"
        );
        let numbers: Option<Vec<i64>> = met.iter().map(Value::as_i64).collect();
        match numbers {
            Some(numbers) => assert!(numbers.is_sorted()),
            None => assert!(met.iter().map(Value::to_string).is_sorted()),
        }
    }
    for query in [
        "cursor=5&page=2",
        "cursor=x",
        "cursor=&ordering=serial",
        "cursor=&format=jsonl",
        "cursor=%00",
    ] {
        let answer = program.get(&format!("/api/v2/machines/?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(
            answer
                .body
                .get("cursor")
                .unwrap()
                .get(0)
                .unwrap()
                .is_string()
        );
    }
}

/// Where others come and go, a cursor misses none that stays, also in lists that come by name.
#[tokio::test]
async fn a_walk_by_cursor_is_not_led_astray_by_what_goes() {
    let server = filled(30).await;
    let program = reader(&server);
    let first = program
        .get("/api/v2/machines/?cursor=&page_size=10")
        .await
        .body;
    let next = first.get("next").unwrap().as_str().unwrap().to_owned();
    assert_eq!(
        first.get("results").unwrap().get(9).unwrap().get("serial"),
        Some(&json!("SER0010"))
    );
    let db = server.database.connect().await;
    db.batch_execute("UPDATE server_machine SET hostname = 'zzz' WHERE serial < 'SER0010'; UPDATE server_machine SET hostname = '0' WHERE serial > 'SER0025'")
        .await
        .unwrap();
    let second = program.get(&next).await.body;
    assert_eq!(
        second.get("results").unwrap().get(0).unwrap().get("serial"),
        Some(&json!("SER0011"))
    );
}

#[tokio::test]
async fn q202_links_lead_to_the_other_pages() {
    let server = filled(12).await;
    let program = reader(&server);
    let links = async |query: &str| {
        let answer = program.get(&format!("/api/v2/machines/?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        let links = answer.headers.get("link").unwrap().to_str().unwrap();
        links
            .replace(&server.url("/api/v2/machines/"), "")
            .replace("rel=", "")
    };
    assert_eq!(
        links("page_size=5&page=2").await,
        "<?page_size=5>; \"first\", <?page_size=5>; \"prev\", <?page=3&page_size=5>; \"next\", <?page=3&page_size=5>; \"last\""
    );
    assert_eq!(links("").await, "<>; \"first\", <>; \"last\"");
    assert_eq!(
        links("page_size=5&page=last").await,
        "<?page_size=5>; \"first\", <?page=2&page_size=5>; \"prev\", <?page=3&page_size=5>; \"last\""
    );
    let walk = links("page_size=5&cursor=").await;
    assert!(
        walk.starts_with("<?cursor=&page_size=5>; \"first\", <?cursor="),
        "{walk}"
    );
    assert!(walk.ends_with("&page_size=5>; \"next\""), "{walk}");
}

#[tokio::test]
async fn q202_what_a_program_has_already_is_not_sent_again() {
    let server = filled(12).await;
    let program = reader(&server);
    for path in [
        "/api/v2/machines/",
        "/api/v2/machines/SER0003/",
        "/api/v2/facts/?cursor=",
    ] {
        let first = program.open(path, &[]).await;
        let tag = first
            .headers()
            .get("etag")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert!(tag.starts_with("W/\""));
        assert_eq!(
            first.headers().get("cache-control").unwrap(),
            "private, no-cache"
        );
        for told in [
            tag.clone(),
            format!("\"other\", {tag}"),
            tag.replace("W/", ""),
            "*".to_owned(),
        ] {
            let again = program
                .open(
                    path,
                    &[("if-none-match", &told), ("accept-encoding", "gzip")],
                )
                .await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {told}");
            assert_eq!(again.headers().get("etag").unwrap(), &tag);
            assert!(again.headers().contains_key("vary"));
            assert_eq!(again.text().await.unwrap(), "");
        }
        let other = program.open(path, &[("if-none-match", "W/\"0-0\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
        let db = server.database.connect().await;
        db.batch_execute("UPDATE server_machine SET console_user = console_user || 'x' || id, manifest = path FROM (SELECT gen_random_uuid() path) any_text;
             UPDATE server_fact SET fact_data = fact_data || 'x'")
            .await
            .unwrap();
        let changed = program.open(path, &[("if-none-match", &tag)]).await;
        assert_eq!(changed.status(), StatusCode::OK, "{path}");
    }
    let nowhere = program
        .open("/api/v2/machines/nope/", &[("if-none-match", "*")])
        .await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}
