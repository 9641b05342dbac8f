//! A deployment that has moved and changes: settings, limits, databases, and what somebody altered by hand.

use iam_cutover::{
    check::Status,
    logins::Who,
    plan::{Extent, Purpose},
    verify::verify,
};

use crate::stage::{Owner, Stage, VERSIONS};

impl Stage {
    async fn verified(&self) {
        let proof = verify(&self.logins, &self.wish).await;
        for check in &proof.checks {
            assert_eq!(check.status, Status::Ok, "{check:#?}");
        }
    }

    async fn ids(&self) -> Vec<String> {
        let steps = self.plan(Purpose::ToIam).await.steps;
        steps.into_iter().map(|step| step.id).collect()
    }
}

#[tokio::test]
async fn settings_that_change_after_the_move_are_carried_over() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.superuser("ALTER ROLE sal SET work_mem = '9MB'").await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage
            .superuser("ALTER ROLE sal SET work_mem = '12MB'; ALTER ROLE sal IN DATABASE sal SET statement_timeout = '77s'")
            .await;
        assert_eq!(stage.ids().await, ["copy-settings"], "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        for (setting, value) in [("work_mem", "12MB"), ("statement_timeout", "77s")] {
            let sql = format!("SELECT current_setting('{setting}')");
            // A session sees its settings from its beginning; PostgreSQL 17 writes 77 s as it was given.
            let shown = stage.value(Who::New, &sql).await;
            assert_eq!(shown.replace("77000ms", "77s"), value, "{version}");
        }
        stage.verified().await;
    }
}

/// The fault `set-role-reset` of the lab, which the doctor says apply mends.
#[tokio::test]
async fn a_role_that_was_reset_is_set_again() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage
            .superuser("ALTER ROLE salawsiam IN DATABASE sal RESET role")
            .await;
        assert_eq!(stage.ids().await, ["set-role"], "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert_eq!(
            stage.value(Who::New, "SELECT current_user::text").await,
            "sal"
        );
        // The same after going back, when the new user has no login of its own.
        stage
            .carry_out(Purpose::RollBack(Extent::Logins))
            .await
            .unwrap();
        stage
            .superuser("ALTER ROLE salawsiam IN DATABASE sal RESET role; ALTER ROLE sal SET work_mem = '11MB'")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.verified().await;
    }
}

#[tokio::test]
async fn a_second_database_follows_later() {
    for version in VERSIONS {
        let mut stage = Stage::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.lab.create_database("sal_two", "sal").await.unwrap();
        stage.wish.databases.push("sal_two".to_owned());
        assert_eq!(stage.ids().await, ["set-role"], "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let session = stage.open_in("sal_two", Who::New).await;
        let row = session
            .client
            .query_one("SELECT current_user::text", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), "sal", "{version}");
    }
}

/// A limit that only a superuser could change from 16 on is said, and stops nothing else.
#[tokio::test]
async fn a_limit_that_changes_is_set_or_named() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage
            .superuser("ALTER ROLE sal CONNECTION LIMIT 50; ALTER ROLE sal SET work_mem = '9MB'")
            .await;
        let plan = stage.plan(Purpose::ToIam).await;
        assert_eq!(plan.refusals, [], "{version}");
        let named = |code: &str| plan.warnings.iter().any(|warning| warning.code == code);
        assert_eq!(named("connection_limit_stays"), version != "15.5");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let limit = "SELECT rolconnlimit::text FROM pg_roles WHERE rolname = 'salawsiam'";
        let expected = if version == "15.5" { "50" } else { "-1" };
        assert_eq!(stage.value(Who::Admin, limit).await, expected);
    }
}

/// The faults `login-off` and `connection-limit` of the lab.
#[tokio::test]
async fn a_role_that_was_shut_is_opened_or_it_is_said_who_can() {
    for version in VERSIONS {
        for (shut, open) in [
            ("NOLOGIN", "ALTER ROLE \"salawsiam\" LOGIN"),
            (
                "CONNECTION LIMIT 0",
                "ALTER ROLE \"salawsiam\" CONNECTION LIMIT -1",
            ),
        ] {
            let mut stage = Stage::set(version, Owner::Plain).await;
            stage.carry_out(Purpose::ToIam).await.unwrap();
            stage
                .superuser(&format!("ALTER ROLE salawsiam {shut}"))
                .await;
            if version == "15.5" {
                stage.carry_out(Purpose::ToIam).await.unwrap();
                assert!(stage.logs_in(Who::New).await);
                continue;
            }
            let plan = stage.plan(Purpose::ToIam).await;
            let refusal = &plan.refusals[0];
            assert_eq!(refusal.code, "new_user_cannot_be_altered");
            assert!(refusal.next.contains(open), "{refusal:?}");
            // What it names besides works: another user.
            stage.wish.new_user = "salawsiam2".to_owned();
            stage.logins.new.as_mut().unwrap().user = "salawsiam2".to_owned();
            stage
                .lab
                .allow_connect(&stage.lab.role_arn(stage.lab.task_role()), "salawsiam2");
            stage.carry_out(Purpose::ToIam).await.unwrap();
            assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Admin).await);
        }
    }
}
