//! When upstream says no, or is not there: a proper Postgres error, with what to do.

use rds_lab::{AuthHealth, InstanceRole, PolicyFault};

use crate::stage::{Stage, USER};

#[tokio::test]
async fn a_refused_token_becomes_postgress_own_error_with_our_hint() {
    let stage = Stage::set().await;
    stage.lab.faults().set_policy(PolicyFault::DenyAll);
    let said = stage.psql("sslmode=disable", "SELECT 1").await;
    assert!(
        !said.ok
            && said
                .err
                .contains(&format!("PAM authentication failed for user \"{USER}\"")),
        "{said:?}"
    );
    assert!(said.err.contains("rds-db:connect"), "the hint: {said:?}");
    assert_eq!(stage.counters.refused_upstream(), 1);
    stage.lab.faults().set_policy(PolicyFault::AsGranted);
    assert!(stage.psql("", "SELECT 1").await.ok);
}

#[tokio::test]
async fn a_user_outside_rds_iam_is_explained() {
    let stage = Stage::set().await;
    stage
        .lab
        .postgres()
        .run_sql("sal", "REVOKE rds_iam FROM salawsiam")
        .await
        .unwrap();
    let said = stage.psql("", "SELECT 1").await;
    assert!(
        !said.ok
            && said.err.contains("password authentication failed")
            && said.err.contains("rds_iam"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_the_servers_error() {
    let stage = Stage::set().await;
    let said = stage.psql("dbname=nosuch", "SELECT 1").await;
    assert!(
        !said.ok && said.err.contains("database \"nosuch\" does not exist"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_dead_server_is_an_error_and_not_a_hang() {
    let mut stage = Stage::set().await;
    stage.lab.crash_postgres().await;
    let said = stage.psql("", "SELECT 1").await;
    assert!(!said.ok && said.err.contains("starting up"), "{said:?}");
    stage.lab.restart_postgres().await.unwrap();
    assert!(stage.psql("", "SELECT 1").await.ok);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_named() {
    let stage = Stage::set().await;
    stage.lab.rotate_ca().unwrap();
    let said = stage.psql("", "SELECT 1").await;
    assert!(!said.ok && said.err.contains("not trusted"), "{said:?}");
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_without_the_client_knowing() {
    let stage = Stage::set().await;
    stage.lab.faults().set_auth(AuthHealth::Unavailable);
    let mending = async {
        crate::stage::until("the first refusal", async || {
            stage.lab.metrics().failure > 0
        })
        .await;
        stage.lab.faults().set_auth(AuthHealth::Healthy);
    };
    let (said, ()) = tokio::join!(stage.psql("", "SELECT 1"), mending);
    assert!(said.ok, "{said:?}");
}

#[tokio::test]
async fn a_session_through_a_reader_says_so_itself() {
    let stage = Stage::set().await;
    stage.lab.faults().set_role(InstanceRole::Reader);
    let said = stage.psql("", "CREATE TABLE t (x int)").await;
    assert!(
        !said.ok && said.err.contains("read-only transaction"),
        "{said:?}"
    );
}
