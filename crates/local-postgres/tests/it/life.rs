//! Start, use, restart, crash, keep, stop.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use local_postgres::{Listen, LocalPostgres, Options, StartError};
use tokio_postgres::{Config, NoTls};

fn fast() -> Options {
    Options {
        fast: true,
        ..Options::default()
    }
}

async fn ask(config: &Config, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let question = async move {
        let answer = client.query_one(sql, &[]).await;
        drop(client);
        answer
    };
    let (answer, _ended) = tokio::join!(question, connection);
    answer?.try_get(0)
}

#[tokio::test]
async fn a_server_starts_answers_and_leaves_nothing_behind() {
    let server = LocalPostgres::start(fast()).await.unwrap();
    let folder = server.folder().to_owned();
    let pid = postmaster_pid(&folder);
    let user = ask(
        &server.admin_config("postgres"),
        "SELECT current_user::text",
    )
    .await;
    assert_eq!(user.unwrap(), "postgres");
    server.stop().await;
    assert!(!folder.exists());
    assert!(!is_running(&pid));
}

#[tokio::test]
async fn a_server_started_by_root_runs_as_somebody_else() {
    let server = LocalPostgres::start(fast()).await.unwrap();
    let pid = postmaster_pid(server.folder());
    let owner = std::fs::metadata(format!("/proc/{pid}")).unwrap().uid();
    let data = std::fs::metadata(server.folder().join("pgdata")).unwrap();
    assert_ne!(owner, 0);
    assert_eq!(data.uid(), owner);
    assert_eq!(data.mode() & 0o077, 0);
    let folder = std::fs::metadata(server.folder()).unwrap();
    assert_eq!(folder.mode() & 0o077, 0);
    let socket = std::fs::metadata(server.socket_dir()).unwrap();
    assert_eq!(socket.mode() & 0o077, 0);
}

#[tokio::test]
async fn dropping_a_server_ends_it_and_removes_its_folder() {
    let server = LocalPostgres::start(fast()).await.unwrap();
    let folder = server.folder().to_owned();
    let pid = postmaster_pid(&folder);
    drop(server);
    assert!(!is_running(&pid));
    assert!(!folder.exists());
}

#[tokio::test]
async fn committed_rows_survive_a_crash_and_a_restart() {
    survives_a_crash(Options::default()).await;
    survives_a_crash(fast()).await;
}

async fn survives_a_crash(options: Options) {
    let mut server = LocalPostgres::start(options).await.unwrap();
    let write = "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')";
    server.run_sql("postgres", write).await.unwrap();
    server.crash().await;
    assert!(
        ask(&server.admin_config("postgres"), "SELECT 'up'")
            .await
            .is_err()
    );
    server.restart().await.unwrap();
    let config = server.admin_config("postgres");
    assert_eq!(
        ask(&config, "SELECT word FROM kept").await.unwrap(),
        "still here"
    );
    server.restart().await.unwrap();
    assert_eq!(
        ask(&config, "SELECT word FROM kept").await.unwrap(),
        "still here"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_given_folder_is_kept_and_used_again() {
    let parent = shared_folder();
    let folder = parent.path().join("lab");
    let options = Options {
        data_dir: Some(folder.clone()),
        superuser: "rdsadmin".to_owned(),
        ..fast()
    };
    let server = LocalPostgres::start(options.clone()).await.unwrap();
    assert_eq!(server.superuser(), "rdsadmin");
    server
        .run_sql("postgres", "CREATE DATABASE sal")
        .await
        .unwrap();
    server.stop().await;
    assert!(folder.join("pgdata/PG_VERSION").exists());
    let server = LocalPostgres::start(options).await.unwrap();
    let name = ask(
        &server.admin_config("sal"),
        "SELECT current_database()::text",
    )
    .await;
    assert_eq!(name.unwrap(), "sal");
    server.stop().await;
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_its_server_lives_on() {
    let parent = shared_folder();
    let options = Options {
        data_dir: Some(parent.path().join("one")),
        ..fast()
    };
    let first = LocalPostgres::start(options.clone()).await.unwrap();
    let second = LocalPostgres::start(options).await;
    assert!(matches!(second, Err(StartError::Ended { ref log }) if log.contains("postmaster.pid")));
    let answer = ask(&first.admin_config("postgres"), "SELECT 'alive'").await;
    assert_eq!(answer.unwrap(), "alive");
    first.stop().await;
}

#[tokio::test]
async fn settings_and_hba_are_the_callers() {
    let server = LocalPostgres::start(Options {
        settings: vec![("work_mem".to_owned(), "7MB".to_owned())],
        hba: Some("local all postgres trust\nlocal all all reject\n".to_owned()),
        ..fast()
    })
    .await
    .unwrap();
    let memory = ask(&server.admin_config("postgres"), "SHOW work_mem").await;
    assert_eq!(memory.unwrap(), "7MB");
    server
        .run_sql("postgres", "CREATE ROLE other LOGIN")
        .await
        .unwrap();
    let mut other = server.admin_config("postgres");
    let refused = ask(other.user("other"), "SELECT 'in'").await.unwrap_err();
    assert!(
        refused
            .as_db_error()
            .unwrap()
            .message()
            .contains("pg_hba.conf rejects")
    );
}

#[tokio::test]
async fn tcp_is_off_unless_asked_for_and_then_needs_a_password() {
    let server = LocalPostgres::start(Options {
        listen: Listen::Loopback,
        ..fast()
    })
    .await
    .unwrap();
    let role = "CREATE ROLE guest LOGIN PASSWORD 'a secret'";
    server.run_sql("postgres", role).await.unwrap();
    let mut tcp = Config::new();
    tcp.host("127.0.0.1")
        .port(server.port())
        .user("guest")
        .dbname("postgres");
    assert!(ask(&tcp, "SELECT 'in'").await.is_err());
    assert_eq!(
        ask(tcp.password("a secret"), "SELECT 'in'").await.unwrap(),
        "in"
    );

    let socket_only = LocalPostgres::start(fast()).await.unwrap();
    let addresses = ask(
        &socket_only.admin_config("postgres"),
        "SHOW listen_addresses",
    )
    .await;
    assert_eq!(addresses.unwrap(), "");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_still_starts() {
    let parent = shared_folder();
    let folder = parent.path().join("a-rather-long-name".repeat(6));
    let server = LocalPostgres::start(Options {
        data_dir: Some(folder.clone()),
        ..fast()
    })
    .await
    .unwrap();
    let short = server.socket_dir().to_owned();
    assert!(!short.starts_with(&folder));
    server.stop().await;
    assert!(!short.exists());
    assert!(folder.exists());
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let refused = LocalPostgres::start(Options {
        settings: vec![("no_such_setting".to_owned(), "1".to_owned())],
        ..fast()
    })
    .await;
    assert!(
        matches!(refused, Err(StartError::Ended { ref log }) if log.contains("no_such_setting"))
    );
    let nowhere = LocalPostgres::start(Options {
        server_binaries: Some("/nonexistent".into()),
        ..fast()
    })
    .await;
    assert!(matches!(nowhere, Err(StartError::NotFound(_))));
}

#[tokio::test]
async fn a_folder_with_other_files_is_left_alone() {
    let parent = shared_folder();
    let file = parent.path().join("letter.txt");
    std::fs::write(&file, "dear").unwrap();
    let before = std::fs::metadata(parent.path()).unwrap();
    let refused = LocalPostgres::start(Options {
        data_dir: Some(parent.path().to_owned()),
        ..fast()
    })
    .await;
    assert!(matches!(refused, Err(StartError::NotOurs(_))));
    let after = std::fs::metadata(parent.path()).unwrap();
    assert_eq!((before.uid(), before.mode()), (after.uid(), after.mode()));
}

#[tokio::test]
async fn a_folder_the_account_cannot_enter_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let closed = shared_folder();
    std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let refused = LocalPostgres::start(Options {
        data_dir: Some(closed.path().join("inside")),
        ..fast()
    })
    .await;
    match refused {
        Err(StartError::Unreachable { path, .. }) => assert_eq!(path, closed.path()),
        Ok(_) => assert_ne!(std::fs::metadata(closed.path()).unwrap().uid(), 0),
        Err(other) => panic!("{other}"),
    }
}

/// A folder below `/tmp` that an unprivileged account may pass through.
fn shared_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new()
        .prefix("lpt-")
        .tempdir_in("/tmp")
        .unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
    folder
}

pub(crate) fn postmaster_pid(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("pgdata/postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}

pub(crate) fn is_running(pid: &str) -> bool {
    // A zombie has been ended and only waits to be counted.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z'))
}
