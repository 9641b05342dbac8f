//! A database behind a unix socket: Postgres's own, and a relay's that logs in with IAM; and the hosts that are none.

use local_postgres::{Listen, LocalPostgres, Options};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::task::JoinSet;

use crate::relay::relay;
use crate::server::Server;
use crate::stage::{OWNER_PASSWORD, Settings, Stage, USER};

fn settings(folder: &str, user: &str) -> Settings {
    Settings::default()
        .with("DB_HOST", folder)
        .with("DB_NAME", "sal")
        .with("DB_USER", user)
}

#[tokio::test]
async fn every_command_logs_in_with_a_password_through_postgres_s_own_socket() {
    let stage = Stage::set().await;
    let postgres = stage.lab.postgres();
    let folder = postgres.socket_dir().to_str().unwrap();
    let port = postgres.port().to_string();
    let of_folder = settings(folder, "sal")
        .with("DB_PORT", &port)
        .with("DB_PASS", OWNER_PASSWORD);
    let of_socket = settings(&format!("{folder}/.s.PGSQL.{port}"), "sal")
        .with("DB_PASS", OWNER_PASSWORD)
        .with("DB_SSLMODE", "verify-full");
    for settings in [&of_folder, &of_socket] {
        let server = Server::start(settings).await;
        let (status, _) = server.readiness().await;
        assert_eq!(status, reqwest::StatusCode::OK);
        drop(server);
        let checked = settings.run(&["db", "check"]).await;
        assert!(matches!(checked.code, Some(0 | 3)), "{checked:?}");
        let status = settings.run(&["iam", "status"]).await;
        assert!(status.stdout.contains("sessions"), "{status:?}");
    }
}

#[tokio::test]
async fn a_server_without_a_password_logs_in_with_iam_through_a_relay_s_socket() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let upstream = format!("{}:{}", stage.lab.endpoint(), stage.lab.address().port());
    let door = format!("unix:{path}={upstream}");
    let (_relay, first) = relay(&stage.settings(), &[&door]).await;
    assert!(first.contains("listens on"), "{first}");
    let settings = settings(path, USER);
    let server = Server::start(&settings).await;
    let (status, body) = server.readiness().await;
    assert_eq!(status, reqwest::StatusCode::OK, "{body}");
    let checked = settings.run(&["db", "check"]).await;
    assert!(matches!(checked.code, Some(0 | 3)), "{checked:?}");
    let doctor = settings.run(&["iam", "doctor"]).await;
    assert!(!doctor.stderr.contains("panicked"), "{doctor:?}");
}

#[tokio::test]
async fn iam_works_through_a_tunnel_s_socket_when_the_endpoint_is_named() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let target = stage.lab.address();
    let mut tunnel = JoinSet::new();
    tunnel.spawn(async move {
        let mut clients = JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            clients.spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                // Either end may be gone first.
                let _ended = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    let settings = stage
        .settings()
        .without("SAL_DB_HOSTADDR")
        .with("DB_HOST", folder.path().to_str().unwrap())
        .with("DB_PORT", "5432")
        .with("SAL_DB_SIGN_HOST", stage.lab.endpoint())
        .with("SAL_DB_SIGN_PORT", &target.port().to_string());
    let server = Server::start(&settings).await;
    let (status, body) = server.readiness().await;
    assert_eq!(status, reqwest::StatusCode::OK, "{body}");
    let verified = settings.run(&["iam", "verify", "--login-only"]).await;
    assert!(verified.stdout.contains("ok "), "{verified:?}");
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_told_with_its_path_and_iam_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let settings = settings(path, "sal");
    let ended = settings.run(&["db", "check"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let socket = format!("{path}/.s.PGSQL.5432");
    assert!(ended.stderr.contains(&socket), "{ended:?}");
    assert!(ended.stderr.contains("relay"), "{ended:?}");
    let with_iam = settings.with("AWS_IAM", "true");
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["db", "check"]] {
        let ended = with_iam.run(arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("take AWS_IAM away"), "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_no_host_stops_every_command_at_once_and_is_shown_nowhere() {
    let commands: [&[&str]; 7] = [
        &["serve", "--listen", "127.0.0.1:0"],
        &["db", "check"],
        &["relay", "unix:/nowhere"],
        &["iam", "doctor"],
        &["iam", "plan"],
        &["iam", "env"],
        &["iam", "token"],
    ];
    for host in [
        "postgres://sal:hunter2@host/sal",
        "\"postgresql://sal:hunter2@host:5432/sal\"",
        "sal:hunter2@host",
        "hunter2 host",
        "hunter2..host",
    ] {
        let settings = settings(host, "sal")
            .with("DB_PASS", "x")
            .with("SAL_LOG", "trace")
            .with("RUST_BACKTRACE", "1");
        for arguments in commands {
            let ended = settings.run(arguments).await;
            assert_eq!(ended.code, Some(2), "{host} {arguments:?}: {ended:?}");
            assert!(ended.stderr.contains("error: DB_HOST "), "{ended:?}");
            let all = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!all.contains("hunter2"), "{host} {arguments:?}: {all}");
        }
    }
}

#[tokio::test]
async fn without_tls_the_cause_is_what_postgres_says_and_no_failure_is_told() {
    let plain = LocalPostgres::start(Options {
        fast: true,
        listen: Listen::Loopback,
        hba: Some("local all all trust\nhost all all 127.0.0.1/32 trust\n".to_owned()),
        ..Options::default()
    })
    .await
    .unwrap();
    let port = plain.port().to_string();
    let settings = settings("127.0.0.1", "postgres")
        .with("DB_PORT", &port)
        .with("DB_PASS", "any");
    let missing = settings.run(&["db", "check"]).await;
    assert!(
        missing.stderr.contains("database \"sal\" does not exist"),
        "{missing:?}"
    );
    assert!(!missing.stderr.contains("TLS"), "{missing:?}");
    let nobody = settings
        .with("DB_USER", "nobody")
        .run(&["db", "check"])
        .await;
    assert!(nobody.stderr.contains("\"nobody\""), "{nobody:?}");
    assert!(!nobody.stderr.contains("TLS"), "{nobody:?}");
    plain.stop().await;
}
