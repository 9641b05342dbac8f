//! Nobody is locked out: not by the tool, not by a grant in the wrong direction, not by somebody in between.

use iam_cutover::{CutoverError, logins::Who, plan::Purpose, run};

use crate::stage::{Owner, Stage, VERSIONS};

/// What operators, Terraform and REASSIGN OWNED do, in the transaction in which the tool would look.
#[tokio::test]
async fn a_grant_in_the_wrong_direction_is_seen_before_the_commit() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage.superuser("CREATE ROLE salawsiam LOGIN").await;
        let admin = stage
            .lab
            .admin_config("sal")
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        let (db, connection) = admin;
        let work = async {
            let before = iam_cutover::inventory::read_graph(&db).await.unwrap();
            db.batch_execute("BEGIN; GRANT rds_iam TO salawsiam; GRANT salawsiam TO postgres")
                .await
                .unwrap();
            let after = iam_cutover::inventory::read_graph(&db).await.unwrap();
            let Err(CutoverError::LockOut(reached)) = run::guard(&before, &after, "salawsiam")
            else {
                panic!("the guard let it pass on {version}")
            };
            assert_eq!(reached[0].role, "postgres");
            assert_eq!(reached[0].chain, ["postgres", "salawsiam", "rds_iam"]);
            db.batch_execute("ROLLBACK").await.unwrap();
            drop(db);
        };
        let (_ended, ()) = tokio::join!(connection, work);
        assert!(stage.logs_in(Who::Admin).await);
    }
}

/// Between plan and step, somebody makes the administrator a member of the new user.
#[tokio::test]
async fn a_grant_that_somebody_makes_meanwhile_stops_the_run_and_nothing_is_left_half_done() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Plain).await;
        let prepared = stage.prepared(Purpose::ToIam).await.unwrap();
        stage.superuser("CREATE ROLE group_of_admins NOLOGIN; GRANT rds_iam TO group_of_admins; GRANT group_of_admins TO sal").await;
        let error = prepared.carry_out(&|_event| {}).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, CutoverError::LockOut(_)), "{text}");
        assert!(text.contains("group_of_admins -> rds_iam"), "{text}");
        stage.superuser("REVOKE group_of_admins FROM sal").await;
        let made = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'salawsiam'";
        assert_eq!(
            stage.value(Who::Admin, made).await,
            "0",
            "the first step was rolled back"
        );
        stage.carry_out(Purpose::ToIam).await.unwrap();
    }
}

/// The new session of the old user fails after the step: the step is undone in the kept session.
#[tokio::test]
async fn a_step_after_which_somebody_cannot_log_in_is_undone() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    let prepared = stage.prepared(Purpose::ToIam).await.unwrap();
    stage.superuser("ALTER ROLE sal CONNECTION LIMIT 0").await;
    let error = prepared.carry_out(&|_event| {}).await.unwrap_err();
    assert!(matches!(error, CutoverError::Undone { .. }), "{error}");
    assert!(
        error.to_string().contains("too many connections"),
        "{error}"
    );
    let left = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'salawsiam'";
    assert_eq!(stage.value(Who::Admin, left).await, "0");
    let journal = stage.journal();
    assert_eq!(
        serde_json::to_value(journal.last().unwrap().phase).unwrap(),
        "undone"
    );
}

#[tokio::test]
async fn the_new_users_refused_token_takes_rds_iam_back() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage
        .lab
        .revoke_connect(&stage.lab.role_arn(stage.lab.task_role()));
    let mut run = stage.run_stage(None);
    run.patience = std::time::Duration::ZERO;
    let prepared =
        iam_cutover::run::Prepared::new(run, stage.settings("apply"), Purpose::ToIam, &|_event| {})
            .await
            .unwrap();
    let error = prepared.carry_out(&|_event| {}).await.unwrap_err();
    assert!(
        error.to_string().contains("PAM authentication failed"),
        "{error}"
    );
    let member = "SELECT pg_has_role('salawsiam', 'rds_iam', 'MEMBER')::text";
    assert_eq!(stage.value(Who::Admin, member).await, "false");
    assert!(stage.logs_in(Who::Old).await);
    stage
        .lab
        .allow_connect(&stage.lab.role_arn(stage.lab.task_role()), "salawsiam");
    stage.carry_out(Purpose::ToIam).await.unwrap();
}
