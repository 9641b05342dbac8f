//! What the public hears of the server's state.

use sal_testkit::{Database, Filled, Shape, TestServer};

async fn get(server: &TestServer, path: &str, token: Option<&str>) -> (u16, String) {
    let mut asked = server.http.get(server.url(path));
    if let Some(token) = token {
        asked = asked.bearer_auth(token);
    }
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_public_hears_ready_or_not_and_no_metrics() {
    let server = TestServer::start(Filled::Fresh).await;
    assert_eq!(get(&server, "/readyz", None).await, (200, "ready\n".into()));
    assert_eq!(
        get(&server, "/readyz", Some("guess")).await,
        (200, "ready\n".into())
    );
    assert_eq!(get(&server, "/metrics", None).await.0, 404);
    let db = server.database.connect().await;
    db.batch_execute("ALTER TABLE server_machine RENAME TO elsewhere")
        .await
        .unwrap();
    let said = loop {
        let (status, said) = get(&server, "/readyz", None).await;
        if status != 200 {
            break (status, said);
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(said, (503, "not ready\n".into()));
}

#[tokio::test]
async fn whoever_has_the_token_hears_all_of_it() {
    let mut shape = Shape::default();
    shape.options.status_token = Some("the right token".into());
    shape.options.render_metrics = std::sync::Arc::new(|| "sal_numbers 1\n".to_owned());
    let server = TestServer::shaped(Database::new(Filled::Fresh).await, shape);
    for wrong in [
        None,
        Some(""),
        Some("the right toke"),
        Some("The right token"),
    ] {
        assert_eq!(get(&server, "/metrics", wrong).await.0, 401, "{wrong:?}");
        assert_eq!(get(&server, "/readyz", wrong).await.1, "ready\n");
    }
    let (status, text) = get(&server, "/readyz", Some("the right token")).await;
    assert_eq!(status, 200);
    assert!(text.contains("\"database\":\"ok\""), "{text}");
    let metrics = get(&server, "/metrics", Some("the right token")).await;
    assert_eq!(metrics, (200, "sal_numbers 1\n".to_owned()));
}

#[tokio::test]
async fn a_server_whose_clock_is_days_off_is_not_ready_and_says_so() {
    let mut shape = Shape::default();
    shape.options.status_token = Some("the right token".into());
    let server = TestServer::shaped(Database::new(Filled::Fresh).await, shape);
    for (clock, words) in [
        ("2031-01-05T00:00:00Z", "days ahead of the database's"),
        ("2020-01-05T00:00:00Z", "days behind the database's"),
    ] {
        server.set_clock(clock.parse().unwrap());
        let (status, text) = get(&server, "/readyz", Some("the right token")).await;
        assert_eq!(status, 503);
        assert!(text.contains(words), "{text}");
    }
}
