//! Searches for those who see numbers and no machines.

use axum::http::StatusCode;

use super::{assert_saved, id_of, save, site};
use crate::site::{Site, Visitor};

/// Dora sees the numbers of Science; Anna shares searches, and keeps one for herself.
async fn with_searches() -> (Site, Visitor, Visitor) {
    let (site, mut anna, _, _) = site().await;
    site.user(4, "dora", "SO", None).await;
    site.sql("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 4)")
        .await;
    for (name, filter, sharing, unit, overview) in [
        ("On 15.1", "os_version = 15.1", "everybody", "", "tile"),
        (
            "Named",
            "serial in (SERIAL4, SERIAL6, SERIAL7)",
            "unit",
            "1",
            "list",
        ),
        ("Theirs", "mac", "unit", "2", "tile"),
        ("Mine", "mac", "private", "", "tile"),
    ] {
        let form = [
            ("q", filter),
            ("name", name),
            ("description", "What it is for"),
            ("sharing", sharing),
            ("unit", unit),
            ("overview", overview),
        ];
        assert_saved(&save(&mut anna, &site, &form).await);
    }
    let dora = site.visitor("dora").await;
    (site, anna, dora)
}

/// That a page says nothing of machines, nor of what is asked of them.
fn assert_only_numbers(text: &str) {
    for secret in [
        "SERIAL",
        "mac-",
        "os_version",
        "/machines/",
        "csv",
        "builder",
        "Theirs",
        "Mine",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn q179_stats_only_sees_the_numbers_of_shared_searches_and_no_machine() {
    let (site, _anna, mut dora) = with_searches().await;
    let list = dora.get(&site, "/search/list/").await;
    assert_eq!(list.status, StatusCode::OK);
    for part in ["On 15.1", "Named", "What it is for", "/search/count/"] {
        assert!(list.text.contains(part), "{part}: {}", list.text);
    }
    assert_only_numbers(&list.text);
    // Of the machines of Science only: 6 of 3, 6 and 9; 4 and 6.
    for (name, number) in [("On 15.1", "1 machine"), ("Named", "2 machines")] {
        let id = id_of(&site, name).await;
        let page = dora.get(&site, &format!("/search/run_search/{id}/")).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        let said = format!("<strong>{number}</strong> match.");
        assert!(page.text.contains(&said), "{name}: {}", page.text);
        assert_only_numbers(&page.text);
        let of_unit = dora
            .get(&site, &format!("/search/run_search/{id}/?unit=1"))
            .await;
        let said = format!("<strong>{number}</strong> match in Science.");
        assert!(of_unit.text.contains(&said), "{name}: {}", of_unit.text);
        let elsewhere = dora
            .get(&site, &format!("/search/run_search/{id}/?unit=2"))
            .await;
        assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
        for path in [
            "csv",
            "first",
            "build_search",
            "delete_search",
            "save_search",
        ] {
            let path = format!("/search/{path}/{id}/");
            let status = dora.get(&site, &path).await.status;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    for name in ["Theirs", "Mine"] {
        let id = id_of(&site, name).await;
        for what in ["run_search", "count"] {
            let path = format!("/search/{what}/{id}/");
            let status = dora.get(&site, &path).await.status;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn the_overview_of_stats_only_counts_searches_that_list_machines_to_others() {
    let (site, mut anna, mut dora) = with_searches().await;
    let id = id_of(&site, "Named").await;
    let first = format!("hx-get=\"/search/first/{id}/\"");
    assert!(anna.get(&site, "/").await.text.contains(&first));
    let page = dora.get(&site, "/dashboard/1/").await;
    assert_eq!(page.status, StatusCode::OK);
    let count = format!("/search/count/{id}/?unit=1");
    let parts = page.page().attributes("[hx-get]", "hx-get");
    assert!(parts.contains(&count), "{parts:?}");
    assert_only_numbers(&page.text);
    let count = dora.get(&site, &format!("/search/count/{id}/")).await;
    assert!(count.text.contains(">2</span>"), "{}", count.text);
}

#[tokio::test]
async fn a_search_that_cannot_be_used_says_so_without_its_filter() {
    let (site, _anna, mut dora) = with_searches().await;
    site.sql("UPDATE salrs_search SET filter = 'search = \"serial SERIAL4\"'")
        .await;
    let id = id_of(&site, "On 15.1").await;
    let page = dora.get(&site, &format!("/search/run_search/{id}/")).await;
    assert!(page.text.contains("cannot be used now"), "{}", page.text);
    assert_only_numbers(&page.text);
    let count = dora.get(&site, &format!("/search/count/{id}/")).await;
    assert!(count.text.contains("It cannot be used."), "{}", count.text);
    assert_only_numbers(&count.text);
    assert_eq!(
        dora.get(&site, "/search/list/").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn stats_only_asks_nothing_of_its_own() {
    let (site, _anna, mut dora) = with_searches().await;
    for path in [
        "/search/builder/",
        "/search/suggest/?q=a",
        "/search/?q=a",
        "/search/new/",
    ] {
        let status = dora.get(&site, path).await.status;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let form = [("q", "a"), ("name", "a"), ("sharing", "private")];
    let saved = save(&mut dora, &site, &form).await;
    assert_eq!(saved.status, StatusCode::FORBIDDEN);
}
