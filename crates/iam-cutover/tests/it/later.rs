//! A deployment that has moved and changes: settings, limits, databases, and what somebody altered by hand.

use iam_cutover::{
    check::Status,
    logins::Who,
    plan::{Extent, Plan, Purpose},
    verify::verify,
};

use crate::stage::{Owner, Stage, VERSIONS};

impl Stage {
    /// A deployment that has moved.
    async fn moved(version: &str) -> Self {
        let stage = Self::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.superuser("ALTER ROLE sal SET work_mem = '9MB'").await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage
    }

    async fn verified(&self) {
        let proof = verify(&self.logins, &self.wish).await;
        for check in &proof.checks {
            assert_eq!(check.status, Status::Ok, "{check:#?}");
        }
    }

    /// Applies the plan, which has just these steps.
    async fn applied(&self, expected: &[&str]) -> Plan {
        let plan = self.plan(Purpose::ToIam).await;
        assert_eq!(plan.refusals, []);
        let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, expected);
        self.carry_out(Purpose::ToIam).await.unwrap();
        plan
    }
}

/// Settings, the lab's fault `set-role-reset`, a second database and a limit, one after the other.
async fn changed_afterwards(version: &str) {
    let mut stage = Stage::moved(version).await;
    settings_change(&stage).await;
    stage.lab.create_database("sal_two", "sal").await.unwrap();
    stage.wish.databases.push("sal_two".to_owned());
    stage.applied(&["set-role"]).await;
    stage.verified().await;
    goes_back_and_comes_again(version, &stage).await;
}

async fn settings_change(stage: &Stage) {
    stage
        .superuser("ALTER ROLE sal SET work_mem = '12MB'; ALTER ROLE sal IN DATABASE sal SET statement_timeout = '77s'")
        .await;
    stage.applied(&["copy-settings"]).await;
    for (setting, value) in [("work_mem", "12MB"), ("statement_timeout", "77s")] {
        let sql = format!("SELECT current_setting('{setting}')");
        assert_eq!(stage.value(Who::New, &sql).await, value);
    }
    stage
        .superuser("ALTER ROLE salawsiam IN DATABASE sal RESET role")
        .await;
    stage.applied(&["set-role"]).await;
    assert_eq!(
        stage.value(Who::New, "SELECT current_user::text").await,
        "sal"
    );
}

/// After going back the new user has no login of its own, and has to get it first.
async fn goes_back_and_comes_again(version: &str, stage: &Stage) {
    stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap();
    stage
        .superuser(
            "ALTER ROLE salawsiam IN DATABASE sal RESET role; ALTER ROLE sal CONNECTION LIMIT 50",
        )
        .await;
    let first = match version {
        "15.5" => ["create-role", "set-role", "grant-rds-iam"].as_slice(),
        _ => ["grant-rds-iam", "set-role"].as_slice(),
    };
    let plan = stage.applied(first).await;
    let named = |code: &str| plan.warnings.iter().any(|warning| warning.code == code);
    assert_eq!(named("connection_limit_stays"), version != "15.5");
    let limit = "SELECT rolconnlimit::text FROM pg_roles WHERE rolname = 'salawsiam'";
    let expected = if version == "15.5" { "50" } else { "-1" };
    assert_eq!(stage.value(Who::Admin, limit).await, expected);
}

#[tokio::test]
async fn changed_afterwards_on_15_5() {
    changed_afterwards(VERSIONS[0]).await;
}

#[tokio::test]
async fn changed_afterwards_on_16() {
    changed_afterwards(VERSIONS[1]).await;
}

#[tokio::test]
async fn changed_afterwards_on_17() {
    changed_afterwards(VERSIONS[2]).await;
}

#[tokio::test]
async fn changed_afterwards_on_18() {
    changed_afterwards(VERSIONS[3]).await;
}

/// The faults `login-off` and `connection-limit` of the lab.
#[tokio::test]
async fn a_role_that_was_shut_is_opened_or_it_is_said_who_can() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::moved(version).await;
        for (shut, open) in [
            ("NOLOGIN", "ALTER ROLE \"salawsiam\" LOGIN"),
            (
                "CONNECTION LIMIT 0",
                "ALTER ROLE \"salawsiam\" CONNECTION LIMIT -1",
            ),
        ] {
            stage
                .superuser(&format!("ALTER ROLE salawsiam {shut}"))
                .await;
            if version == "15.5" {
                stage.applied(&["create-role"]).await;
                continue;
            }
            let plan = stage.plan(Purpose::ToIam).await;
            let refusal = &plan.refusals[0];
            assert_eq!(refusal.code, "new_user_cannot_be_altered");
            assert!(refusal.next.contains(open), "{refusal:?}");
            stage.superuser(open).await;
        }
        if version == "15.5" {
            continue;
        }
        // What it names besides works: another user.
        stage.superuser("ALTER ROLE salawsiam NOLOGIN").await;
        stage.wish.new_user = "salawsiam2".to_owned();
        stage.logins.new.as_mut().unwrap().user = "salawsiam2".to_owned();
        stage.may_connect("salawsiam2");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Admin).await);
    }
}
