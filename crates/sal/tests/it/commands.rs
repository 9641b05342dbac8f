//! `sal db init` and `sal db check`, logged in with IAM.

use serde_json::Value;

use crate::stage::{Ended, Stage};

async fn check(stage: &Stage) -> Ended {
    stage.settings().run(&["db", "check"]).await
}

async fn check_json(stage: &Stage) -> (Option<i32>, Value) {
    let ended = stage.settings().run(&["db", "check", "--json"]).await;
    let report = serde_json::from_str(&ended.stdout);
    (
        ended.code,
        report.unwrap_or_else(|error| panic!("{error}: {ended:?}")),
    )
}

#[tokio::test]
async fn init_makes_the_tables_once_and_check_finds_nothing_wrong() {
    let stage = Stage::set().await;
    let nothing = check(&stage).await;
    assert_eq!(nothing.code, Some(3), "{nothing:?}");
    assert!(nothing.stdout.contains("sal db init"));
    assert_eq!(check_json(&stage).await.1["sal_tables"], false);

    let first = stage.settings().run(&["db", "init"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stderr.contains("were made"), "{first:?}");
    let tables = "SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'";
    let before = stage.value(tables).await;
    let second = stage.settings().run(&["db", "init"]).await;
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.stderr.contains("left as they are"), "{second:?}");
    assert_eq!(stage.value(tables).await, before);

    let fine = check(&stage).await;
    assert_eq!((fine.code, fine.stderr.as_str()), (Some(0), ""), "{fine:?}");
    let (code, report) = check_json(&stage).await;
    assert_eq!(code, Some(0));
    assert_eq!(report["sal_tables"], true);
    assert_eq!(report["differences"], Value::Array(Vec::new()));
    assert_eq!(report["missing_additions"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn check_names_what_is_damaged_and_ends_with_3() {
    let stage = Stage::set().await;
    assert_eq!(stage.settings().run(&["db", "init"]).await.code, Some(0));
    stage
        .run("ALTER TABLE server_machine DROP COLUMN hd_percent; DROP TABLE server_pluginscriptrow")
        .await;
    let damaged = check(&stage).await;
    assert_eq!(damaged.code, Some(3), "{damaged:?}");
    for what in ["hd_percent", "server_pluginscriptrow"] {
        assert!(damaged.stdout.contains(what), "{what} in {damaged:?}");
    }
    let (code, report) = check_json(&stage).await;
    assert_eq!(code, Some(3));
    let blocking = report["differences"].as_array().unwrap().iter();
    let blocking: Vec<_> = blocking
        .filter(|found| found["severity"] == "blocking")
        .collect();
    assert!(blocking.len() >= 2, "{report:#}");
}

#[tokio::test]
async fn a_refused_login_is_explained_and_ends_with_1() {
    let stage = Stage::set().await;
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let ended = check(&stage).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("PAM authentication failed"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("rds-db:connect"), "{ended:?}");
}

#[tokio::test]
async fn maintain_says_what_it_would_do_and_what_it_did() {
    let stage = Stage::set().await;
    let run = async |arguments: &[&str]| stage.settings().run(arguments).await;
    let early = run(&["db", "maintain"]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stderr.contains("sal db init"), "{early:?}");
    run(&["db", "init"]).await;
    stage
        .run("SET ROLE sal; INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', '', '2020-01-01')")
        .await;
    let left = "SELECT count(*)::text FROM django_session";

    let would = run(&["db", "maintain", "--dry-run", "--json"]).await;
    assert_eq!(would.code, Some(0), "{would:?}");
    let report: Value = serde_json::from_str(&would.stdout).unwrap();
    let sessions = report
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["job"] == "sessions");
    assert_eq!(
        sessions.unwrap()["counts"]["sessions of Django"],
        1,
        "{report}"
    );
    assert_eq!(stage.value(left).await, "1");

    let did = run(&["db", "maintain", "--job", "sessions"]).await;
    assert_eq!(did.code, Some(0), "{did:?}");
    assert!(
        did.stdout
            .contains("removed or changed 1 sessions of Django"),
        "{did:?}"
    );
    assert_eq!(stage.value(left).await, "0");

    let unknown = run(&["db", "maintain", "--job", "tidy"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("retention"), "{unknown:?}");
}
