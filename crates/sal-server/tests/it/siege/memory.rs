//! The budget of memory, and what is larger than anything ours.

use fake_fleet::hostile::{bulky_checkin, unpacking_inventory};
use futures_util::future::join_all;
use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer, golden};

fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

async fn post(server: &TestServer, path: &str, bytes: usize) -> u16 {
    let form = format!("username={}", "a".repeat(bytes));
    let sent = server
        .http
        .post(server.url(path))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    sent.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn forms_larger_than_any_of_ours_are_413_before_anything_is_done() {
    let server = TestServer::start(Filled::Seeded).await;
    for (path, bytes, status) in [
        ("/login/", 2 * 1024 * 1024, 413),
        ("/login/", 17 * 1024, 413),
        ("/changepassword/", 65 * 1024, 413),
        ("/settings/all/", 3 * 1024 * 1024, 413),
    ] {
        assert_eq!(post(&server, path, bytes).await, status, "{path} {bytes}");
    }
    // Half of a login form: too little for a login, and no harm.
    assert_eq!(post(&server, "/login/", 1024).await, 422);
}

#[tokio::test]
async fn q140_a_checkin_with_more_values_than_any_machine_has_is_400_and_says_so() {
    let server = TestServer::start(Filled::Seeded).await;
    let sent = bulky_checkin("C02A", 49_990, &key());
    let (status, text) = server.checkin(&key(), sent.body).await;
    assert_eq!(status, 200, "{text}");
    for facts in [100_001, 200_000] {
        let values = vec!["1"; facts].join(",");
        let body = format!(
            "{{\"Machine\":{{\"extra_data\":{{\"serial\":\"C02A\"}},\"x\":[{values}]}},\"Sal\":{{\"extra_data\":{{\"key\":\"{}\"}}}}}}",
            key()
        );
        let (status, text) = server.checkin(&key(), body).await;
        assert_eq!(status, 400);
        assert_eq!(text, "Checkin holds more than 100000 values!");
    }
}

#[tokio::test]
async fn eight_bombs_at_once_are_refused_and_an_ordinary_inventory_beside_them_is_taken() {
    // Unpacking is slow without optimisation: a lower limit, and bombs as far beyond it.
    let config = HttpConfig {
        unpacked_limit_bytes: 3 * 1024 * 1024,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    let machine = bulky_checkin("C02A", 10, &key());
    assert_eq!(server.checkin(&key(), machine.body).await.0, 200);
    let send = |submission: fake_fleet::Submission| {
        let sent = server
            .http
            .post(server.url(submission.path))
            .basic_auth("sal", Some(key()))
            .header("content-type", submission.content_type)
            .body(submission.body);
        async move { sent.send().await.unwrap().status().as_u16() }
    };
    let bomb = unpacking_inventory("C02A", 6_000_000);
    assert!(bomb.body.len() < 10_000, "{}", bomb.body.len());
    let bombs = join_all((0..8).map(|_| send(bomb.clone())));
    let ordinary = join_all((0..8).map(|_| send(unpacking_inventory("C02A", 100_000))));
    let (bombs, ordinary) = tokio::join!(bombs, ordinary);
    assert!(
        bombs.iter().all(|status| [400, 503].contains(status)),
        "{bombs:?}"
    );
    assert_eq!(ordinary, [200; 8]);
}
