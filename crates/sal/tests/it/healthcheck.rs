//! `sal healthcheck`: what a container's health check runs.

use crate::server::Server;
use crate::stage::{Settings, Stage, until};

#[tokio::test]
async fn a_server_is_healthy_while_it_can_use_its_database_and_alive_without() {
    let mut stage = Stage::set().await;
    let mut server = Server::start(&stage.password_settings()).await;
    let address = server.url.trim_start_matches("http://").to_owned();
    let settings = Settings::default().with("SAL_LISTEN", &address);
    let well = settings.run(&["healthcheck"]).await;
    assert_eq!(
        (well.code, well.stdout.trim()),
        (Some(0), "ready"),
        "{well:?}"
    );
    let by_url = Settings::default()
        .run(&["healthcheck", "--url", &server.url])
        .await;
    assert_eq!(by_url.code, Some(0), "{by_url:?}");

    stage.lab.crash_postgres().await;
    until("the health check's no", async || {
        settings.run(&["healthcheck"]).await.code == Some(1)
    })
    .await;
    let ill = settings.run(&["healthcheck"]).await;
    assert!(ill.stderr.contains("/readyz answered 503"), "{ill:?}");
    let alive = settings.run(&["healthcheck", "--live"]).await;
    assert_eq!(alive.code, Some(0), "{alive:?}");

    server.kill().await;
    let gone = settings.run(&["healthcheck", "--live"]).await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(
        gone.stderr.contains("no answer from") && gone.stderr.contains("refused"),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_server_listens_where_the_environment_says_unless_the_command_line_does() {
    let stage = Stage::set().await;
    // Loopback's other addresses are this test's own.
    let settings = stage.password_settings().with("SAL_LISTEN", "127.9.8.7:0");
    let server = Server::start(&settings).await;
    assert!(
        server.url.starts_with("http://127.0.0.1:"),
        "{}",
        server.url
    );
    let wrong = settings.with("SAL_LISTEN", "8000");
    for command in ["serve", "healthcheck"] {
        let ended = wrong.run(&[command]).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("SAL_LISTEN=`8000` is not an address and a port"),
            "{ended:?}"
        );
    }
}
