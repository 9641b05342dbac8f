//! The login page under fire: hashing, guessing, locking out, and what is noted of it.

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use sal_testkit::TestServer;

use super::{PASSWORD, at, login, noted, server, texts, user};

/// Waits until something is so.
async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_administrator_does_not_wait_behind_a_hundred_logins_of_a_stranger() {
    let server = Arc::new(server(|_| {}).await);
    let stranger = at("127.0.0.2");
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..100 {
        let request = login(&server, &stranger, &format!("nobody {n}"), "guess");
        crowd.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    let usage = || server.app.hashing().usage();
    until(|| usage().waiting >= 4 && usage().running == 2).await;
    let before = usage().turns;
    let answer = login(&server, &at("127.0.0.3"), "anna", PASSWORD);
    assert_eq!(answer.send().await.unwrap().status(), 302);
    let turns = usage().turns - before;
    assert!(turns <= 6, "{turns} turns until the administrator was in");
    let mut statuses = Vec::new();
    while let Some(status) = crowd.join_next().await {
        statuses.push(status.unwrap().unwrap());
    }
    assert!(
        statuses.iter().all(|status| [200, 429].contains(status)),
        "{statuses:?}"
    );
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 80);
    assert_eq!(usage().most_running, 2);
}

#[tokio::test]
async fn thirty_callers_who_hang_up_do_not_make_thirty_hashes_at_once() {
    let server = server(|_| {}).await;
    for n in 0..30 {
        let stranger = at(&format!("127.0.1.{n}"));
        let hung_up = tokio::time::timeout(
            std::time::Duration::from_millis(30),
            login(&server, &stranger, "anna", "guess").send(),
        );
        let _too_late = hung_up.await;
    }
    let answer = login(&server, &at("127.0.0.3"), "anna", PASSWORD);
    assert_eq!(answer.send().await.unwrap().status(), 302);
    assert_eq!(server.app.hashing().usage().most_running, 2);
}

#[tokio::test]
async fn a_crowd_at_one_address_is_told_to_wait_in_words() {
    let server = server(|_| {}).await;
    let stranger = at("127.0.0.2");
    let requests = (0..20).map(|n| login(&server, &stranger, &format!("n{n}"), "x").send());
    let answers = join_all(requests).await;
    let refused = answers
        .into_iter()
        .map(Result::unwrap)
        .find(|answer| answer.status() == 429)
        .unwrap();
    assert_eq!(refused.headers()["retry-after"], "5");
    assert!(refused.text().await.unwrap().contains("try again"));
}

#[tokio::test]
async fn nobody_locks_another_out() {
    let server = server(|_| {}).await;
    let stranger = at("127.0.0.2");
    for _ in 0..10 {
        let answer = login(&server, &stranger, "anna", "guess").send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    let locked = login(&server, &stranger, "anna", PASSWORD).send().await;
    assert_eq!(locked.unwrap().status(), 429);
    let own = login(&server, &at("127.0.0.3"), "anna", PASSWORD)
        .send()
        .await;
    assert_eq!(own.unwrap().status(), 302);
    // The stranger's own account neither.
    user(&server, 2, "ben", "RO").await;
    let other = login(&server, &stranger, "ben", PASSWORD).send().await;
    assert_eq!(other.unwrap().status(), 302);
}

#[tokio::test]
async fn ten_thousand_random_names_reset_no_lock() {
    let server = server(|_| {}).await;
    let stranger = at("127.0.0.2");
    for _ in 0..10 {
        let answer = login(&server, &stranger, "anna", "guess").send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    let statuses: Vec<_> = stream::iter(0..10_000)
        .map(|n| login(&server, &stranger, &format!("random {n}"), "guess").send())
        .buffer_unordered(4)
        .map(|answer| answer.unwrap().status().as_u16())
        .collect()
        .await;
    let looked_at = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(looked_at, 90, "the address has a bound of its own");
    let again = login(&server, &stranger, "anna", PASSWORD).send().await;
    assert_eq!(again.unwrap().status(), 429);
    let own = login(&server, &at("127.0.0.3"), "anna", PASSWORD)
        .send()
        .await;
    assert_eq!(own.unwrap().status(), 302);
    let lines = noted(&server).await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("anna refused from 127.0.0.2, 10 times, the last "));
    assert!(lines[1].starts_with("(unknown) refused from 127.0.0.2, 90 times, the last "));
    assert!(lines[2].starts_with("(several) locked out too many tries from 127.0.0.2, 9911 times"));
    assert_eq!(lines[3], "anna logged in from 127.0.0.3");
}

#[tokio::test]
async fn refused_logins_are_counted_and_what_was_typed_is_nowhere() {
    let server = server(|_| {}).await;
    let (one, other) = (at("127.0.0.2"), at("127.0.0.4"));
    for _ in 0..3 {
        fails(&server, &one, "anna").await;
    }
    fails(&server, &other, "anna").await;
    for typed in ["my own password", "Anna", "anna\u{200b}", "' OR 1=1 --"] {
        fails(&server, &one, typed).await;
    }
    let lines = noted(&server).await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("anna refused from 127.0.0.2, 3 times, the last "));
    assert_eq!(lines[1], "anna refused from 127.0.0.4");
    assert!(lines[2].starts_with("(unknown) refused from 127.0.0.2, 4 times"));
    let all = texts(&server, "SELECT a::text FROM salrs_audit a")
        .await
        .join("\n");
    assert!(
        !all.contains("my own password") && !all.contains("guess"),
        "{all}"
    );
}

async fn fails(server: &TestServer, http: &reqwest::Client, name: &str) {
    let answer = login(server, http, name, "guess").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}
