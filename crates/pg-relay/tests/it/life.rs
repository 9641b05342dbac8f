//! Idle sessions, the end, health.

use std::time::Duration;

use crate::stage::{Stage, until};

#[tokio::test]
async fn a_session_in_which_nothing_moves_is_closed() {
    let stage = Stage::set_with(
        |_| {},
        |settings| settings.idle = Some(Duration::from_millis(500)),
    )
    .await;
    let (client, task) = stage.client().await;
    assert!(client.simple_query("SELECT 1").await.is_ok());
    task.await.unwrap();
    assert!(client.is_closed());
    assert_eq!(stage.counters.idle_closed(), 1);
    until("the server's session to end", async || {
        stage.counters.open() == 0
    })
    .await;
}

#[tokio::test]
async fn the_end_waits_for_open_sessions_and_turns_new_ones_away() {
    let mut stage = Stage::set().await;
    let (client, task) = stage.client().await;
    stage.shutdown.cancel();
    let counters = std::sync::Arc::clone(&stage.counters);
    until("draining", async || !counters.is_listening()).await;
    let said = stage.psql("", "SELECT 1").await;
    assert!(!said.ok && said.err.contains("shutting down"), "{said:?}");
    assert!(
        client.simple_query("SELECT 1").await.is_ok(),
        "what is open goes on"
    );
    drop(client);
    task.await.unwrap();
    stage.stop().await;
}

#[tokio::test]
async fn clients_are_taken_until_the_end_of_the_drain_or_until_nobody_needs_it() {
    let mut stage = Stage::set().await;
    stage.drain.cancel();
    let counters = std::sync::Arc::clone(&stage.counters);
    until("draining", async || !counters.is_listening()).await;
    // One connection for each request, and none in between, as Django does.
    for _ in 0..3 {
        let said = stage.psql("", "SELECT 1").await;
        assert!(said.ok, "{said:?}");
        until("its end", async || counters.open() == 0).await;
    }
    assert!(
        stage.ready().await.contains("503"),
        "no new ones are sent here"
    );
    assert!(!stage.running.as_ref().unwrap().is_finished());
    stage.stop().await;
}

#[tokio::test]
async fn the_drain_ends_by_itself() {
    let mut stage = Stage::set_with(
        |_| {},
        |settings| settings.drain = Duration::from_millis(200),
    )
    .await;
    stage.drain.cancel();
    let running = stage.running.take().unwrap();
    tokio::time::timeout(crate::stage::PATIENCE, running)
        .await
        .unwrap()
        .unwrap();
    assert!(!stage.psql("", "SELECT 1").await.ok);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let mut stage = Stage::set_with(
        |_| {},
        |settings| settings.drain = Duration::from_millis(200),
    )
    .await;
    let (client, task) = stage.client().await;
    stage.stop().await;
    task.await.unwrap();
    assert!(client.is_closed());
}

#[tokio::test]
async fn health_follows_the_upstream() {
    let stage = Stage::set().await;
    let routes = pg_relay::health_routes(
        std::sync::Arc::clone(&stage.counters),
        vec![std::sync::Arc::clone(&stage.connector)],
        stage.shutdown.clone(),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's task, ended with its runtime"
    )]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let get = async |path: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
            .await
            .unwrap();
        answer
    };
    // Nobody has come yet: readiness has tried the login itself.
    let first = get("/readyz").await;
    assert!(
        first.contains("200 OK") && first.contains("\"failing\":null"),
        "{first}"
    );
    assert!(stage.psql("", "SELECT 1").await.ok);
    assert!(get("/livez").await.contains("200 OK"));
    assert!(get("/readyz").await.contains("200 OK"));
    assert!(get("/metrics").await.contains("sal_relay_clients_total 1"));
    stage.lab.revoke_connect("*");
    assert!(!stage.psql("", "SELECT 1").await.ok);
    let unready = get("/readyz").await;
    assert!(
        unready.contains("503") && unready.contains("rds-db:connect"),
        "{unready}"
    );
}

/// Postgres says so only after the login, to the client; readiness has to hear it, too.
#[tokio::test]
async fn a_role_that_may_not_log_in_and_a_full_limit_show_in_readiness() {
    let stage = Stage::set().await;
    assert!(stage.psql("", "SELECT 1").await.ok);
    let said = stage.ready().await;
    assert!(said.contains("200 OK"), "{said}");
    assert!(said.contains("\"last_login_seconds_ago\":0"), "{said}");
    // What a client got wrong is its own affair.
    assert!(!stage.psql("dbname=nowhere", "SELECT 1").await.ok);
    assert!(stage.ready().await.contains("200 OK"));
    for (fault, words, mended) in [
        ("NOLOGIN", "not permitted to log in", "LOGIN"),
        (
            "CONNECTION LIMIT 0",
            "too many connections for role",
            "CONNECTION LIMIT -1",
        ),
    ] {
        let alter = |how: &str| format!("ALTER ROLE salawsiam {how}");
        let postgres = stage.lab.postgres();
        postgres.run_sql("sal", &alter(fault)).await.unwrap();
        assert!(!stage.psql("", "SELECT 1").await.ok);
        let said = stage.ready().await;
        assert!(said.contains("503") && said.contains(words), "{said}");
        postgres.run_sql("sal", &alter(mended)).await.unwrap();
        assert!(stage.psql("", "SELECT 1").await.ok);
        assert!(stage.ready().await.contains("200 OK"));
    }
}
