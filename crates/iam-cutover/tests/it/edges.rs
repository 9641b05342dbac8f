//! States that a reviewer found and nobody had in mind: nothing may be lost in any of them.

use iam_cutover::{
    CutoverError,
    logins::Who,
    plan::{Extent, Plan, Purpose},
    run::{OldPassword, Prepared},
};
use rds_iam::{LoginSecret, Secret};

use crate::stage::{Owner, Stage};

const EVERYTHING: Purpose = Purpose::RollBack(Extent::Everything);

#[tokio::test]
async fn undoing_a_second_move_of_objects_leaves_those_of_the_first() {
    let mut stage = Stage::set("15.5", Owner::Master).await;
    stage
        .run(Who::Old, "CREATE TABLE t (x int); INSERT INTO t VALUES (1)")
        .await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage
        .superuser("CREATE TABLE late (x int); ALTER TABLE late OWNER TO postgres")
        .await;
    // The master's password was changed since; only the administrator's is known.
    let stale = LoginSecret::Password(Secret::new("stale"));
    let fresh = std::mem::replace(&mut stage.logins.old.as_mut().unwrap().secret, stale);
    let error = stage.carry_out(Purpose::ToIam).await.unwrap_err();
    assert!(matches!(error, CutoverError::Undone { .. }), "{error}");
    assert_eq!(stage.value(Who::New, "SELECT x::text FROM t").await, "1");
    stage.logins.old.as_mut().unwrap().secret = fresh;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let owner = "SELECT tableowner::text FROM pg_tables WHERE tablename = 'late'";
    assert_eq!(stage.value(Who::Admin, owner).await, "sal_owner");
}

#[tokio::test]
async fn rolling_everything_back_loses_nothing_that_was_made_meanwhile() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Master).await;
        stage.run(Who::Old, "CREATE TABLE t (x int, y int)").await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let prepared = stage.prepared(EVERYTHING).await.unwrap();
        let made = "CREATE TABLE meanwhile AS SELECT 7 AS x; CREATE STATISTICS s ON x, y FROM t; CREATE COLLATION c FROM \"C\"";
        stage.run(Who::New, made).await;
        prepared.carry_out(&|_event| {}).await.unwrap();
        assert_eq!(
            stage.value(Who::Old, "SELECT x::text FROM meanwhile").await,
            "7"
        );
        let left = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'sal_owner'";
        assert_eq!(stage.value(Who::Admin, left).await, "0");
    }
}

#[tokio::test]
async fn a_role_of_the_owners_name_that_somebody_else_made_is_left_alone() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.superuser("CREATE ROLE sal_owner; CREATE TABLE theirs (x int); ALTER TABLE theirs OWNER TO sal_owner").await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.carry_out(EVERYTHING).await.unwrap();
    let owner = "SELECT tableowner::text FROM pg_tables WHERE tablename = 'theirs'";
    assert_eq!(stage.value(Who::Admin, owner).await, "sal_owner");
    let master = Stage::set("15.5", Owner::Master).await;
    master.superuser("CREATE ROLE sal_owner").await;
    assert_eq!(
        master.plan(Purpose::ToIam).await.refusals[0].code,
        "owner_role_exists"
    );
}

#[tokio::test]
async fn nothing_is_taken_from_the_new_user_while_the_old_password_is_not_proved() {
    let mut stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.logins.old = None;
    let error = stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("DB_PASS") && error.to_string().contains("--unproved"),
        "{error}"
    );
    assert!(stage.logs_in(Who::New).await);
    let mut run = stage.run_stage(None);
    run.old_password = OldPassword::Unproved;
    let prepared = Prepared::new(
        run,
        stage.settings("rollback"),
        Purpose::RollBack(Extent::Logins),
        &|_event| {},
    )
    .await
    .unwrap();
    prepared.carry_out(&|_event| {}).await.unwrap();
    assert!(!stage.logs_in(Who::New).await);
}

#[tokio::test]
async fn a_revoke_that_does_nothing_is_no_success() {
    let stage = Stage::set("18.4", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage
        .superuser(
            "REVOKE rds_iam FROM salawsiam GRANTED BY rds_superuser; GRANT rds_iam TO salawsiam",
        )
        .await;
    let error = stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("had no effect: it was granted by `rdsadmin`"),
        "{error}"
    );
    assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Old).await);
}

#[tokio::test]
async fn a_master_user_in_rds_iam_is_taken_out_by_rolling_back() {
    let mut stage = Stage::set("15.5", Owner::Master).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.superuser("GRANT rds_iam TO postgres").await;
    assert!(!stage.logs_in(Who::Old).await);
    // Whoever is locked out of the password logs in with a token.
    stage.lab.allow_connect("*", "postgres");
    let password = stage.logins.admin.clone();
    stage.logins.admin.clone_from(&stage.logins.admin_by_token);
    let steps: Vec<String> = stage
        .plan(EVERYTHING)
        .await
        .steps
        .iter()
        .map(|step| step.id.clone())
        .collect();
    assert_eq!(steps[0], "free-old-user");
    let error = stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap_err();
    // The administrator's own token would stop working with it: nothing is committed before the password is at hand.
    assert!(error.to_string().contains("set SAL_ADMIN_PASS"), "{error}");
    stage.logins.admin = password;
    stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap();
    assert!(stage.logs_in(Who::Old).await);
}

#[tokio::test]
async fn a_user_in_rds_superuser_whose_objects_nobody_can_move_is_refused() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.superuser("GRANT rds_superuser TO sal").await;
    let plan = stage.plan(Purpose::ToIam).await;
    assert_eq!(plan.refusals[0].code, "old_user_is_rds_superuser");
    stage.superuser("REVOKE rds_superuser FROM sal").await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
}

#[tokio::test]
async fn an_empty_search_path_is_copied_and_a_custom_setting_is_named() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Plain).await;
        stage.superuser("ALTER ROLE sal SET search_path = ''; ALTER ROLE sal SET \"my.own\" = 'x'; ALTER ROLE sal SET log_statement = 'all'").await;
        let plan: Plan = stage.plan(Purpose::ToIam).await;
        let named = plan
            .warnings
            .iter()
            .find(|warning| warning.code == "settings_not_copied")
            .unwrap();
        assert!(
            named.what.contains("my.own") && named.what.contains("log_statement"),
            "{named:?}"
        );
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert_eq!(
            stage
                .value(Who::New, "SELECT pg_catalog.current_setting('search_path')")
                .await,
            "\"\""
        );
    }
}

#[tokio::test]
async fn a_role_that_something_mentions_stays_and_is_in_nobodys_way() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.run(Who::Old, "CREATE TABLE t (x int)").await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.run(Who::Old, "GRANT SELECT ON t TO salawsiam").await;
    let plan = stage.plan(EVERYTHING).await;
    assert!(
        plan.warnings.iter().any(
            |warning| warning.code == "role_stays" && warning.what.contains("something in sal")
        ),
        "{:#?}",
        plan.warnings
    );
    stage.carry_out(EVERYTHING).await.unwrap();
    assert!(stage.logs_in(Who::Old).await && !stage.logs_in(Who::New).await);
}
