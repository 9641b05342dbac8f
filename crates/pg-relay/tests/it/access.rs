//! Who may come in, and that nothing secret is told to anybody.

use std::os::unix::fs::PermissionsExt;

use pg_relay::Local;

use crate::stage::{Stage, USER, run};

#[tokio::test]
async fn a_wrong_local_password_is_refused_before_anybody_is_asked() {
    let stage = Stage::set().await;
    let said = run(stage
        .command("psql", "sslmode=disable")
        .args(["-Xc", "SELECT 1"])
        .env("PGPASSWORD", "wrong"))
    .await;
    assert!(
        !said.ok
            && said
                .err
                .contains("sal relay: password authentication failed"),
        "{said:?}"
    );
    assert!(said.err.contains("SAL_RELAY_PASSWORD"), "{said:?}");
    assert_eq!(stage.lab.metrics().requests, 0);
    assert_eq!(stage.counters.refused_here(), 1);
}

#[tokio::test]
async fn another_user_than_the_relays_is_refused_by_name() {
    let stage = Stage::set().await;
    let said = stage.psql("user=postgres", "SELECT 1").await;
    assert!(
        !said.ok && said.err.contains(&format!("logs in as \"{USER}\" only")),
        "{said:?}"
    );
    assert_eq!(stage.lab.metrics().requests, 0);
}

#[tokio::test]
async fn the_socket_is_its_owners_and_goes_with_the_relay() {
    let mut stage = Stage::set().await;
    let path = stage.folder.path().join(".s.PGSQL.5432");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(Local::unix(&path).await.is_err(), "somebody listens there");
    // Root may enter anywhere; another user is refused by the kernel, or else by the relay.
    let other = run(&mut as_nobody(&stage)).await;
    assert!(!other.ok, "{other:?}");
    // Where somebody has opened the socket to others, it is the relay that says no, and to whom.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    std::fs::set_permissions(stage.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let other = run(&mut as_nobody(&stage)).await;
    let said = "sal relay: this socket is for user root; you are nobody";
    assert!(!other.ok && other.err.contains(said), "{other:?}");
    assert_eq!(stage.lab.metrics().requests, 0);
    stage.stop().await;
    assert!(!path.exists());
}

fn as_nobody(stage: &Stage) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["psql", "-Xw", "-c", "SELECT 1"])
        .arg(format!(
            "host={} dbname=sal user={USER}",
            stage.folder.path().display()
        ));
    command
}

#[tokio::test]
async fn a_socket_that_a_killed_relay_left_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".s.PGSQL.5432");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(Local::unix(&path).await.is_ok());
}

#[tokio::test]
async fn more_clients_than_allowed_are_told_so() {
    let stage = Stage::set_with(|_| {}, |settings| settings.most_connections = 1).await;
    let (client, task) = stage.client().await;
    let said = stage.psql("", "SELECT 1").await;
    assert!(
        !said.ok
            && said.err.contains("too many connections")
            && said.err.contains("--max-connections"),
        "{said:?}"
    );
    drop(client);
    task.await.unwrap();
    crate::stage::until("a free place", async || stage.psql("", "SELECT 1").await.ok).await;
}
