//! What the lab breaks about roles, on every version: the move puts it right, or says exactly who can.

use iam_cutover::{
    logins::Who,
    plan::{Extent, Purpose},
};
use rds_lab::Deployment;

use crate::stage::{NEW, OLD, Owner, Stage, VERSIONS};

impl Stage {
    /// A deployment that has moved, with one fault.
    async fn broken(version: &str, fault: &str) -> Self {
        let stage = Self::set(version, Owner::Plain).await;
        stage
            .run(Who::Old, "CREATE TABLE server_machine (id int)")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.lab.break_it(fault, &deployment()).await.unwrap();
        stage
    }

    async fn everybody_logs_in(&self, after: &str) {
        for who in [Who::Admin, Who::Old, Who::New] {
            assert!(self.logs_in(who).await, "{who} after {after}");
        }
        assert_eq!(
            self.value(Who::New, "SELECT current_user::text").await,
            OLD,
            "after {after}"
        );
    }
}

fn deployment() -> Deployment {
    Deployment {
        database: "sal".to_owned(),
        old_user: OLD.to_owned(),
        new_user: NEW.to_owned(),
    }
}

#[tokio::test]
async fn what_was_taken_from_the_new_user_is_given_again() {
    for version in VERSIONS {
        let stage = Stage::broken(version, "rds-iam-revoked").await;
        assert!(!stage.logs_in(Who::New).await, "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.everybody_logs_in(version).await;
        stage
            .lab
            .break_it("membership-revoked", &deployment())
            .await
            .unwrap();
        let works_as = stage.value(Who::New, "SELECT current_user::text").await;
        assert_eq!(works_as, NEW, "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.everybody_logs_in(version).await;
    }
}

/// The old user became a member of the new one: its password is refused, and rolling back frees it.
#[tokio::test]
async fn an_old_user_in_the_wrong_direction_is_freed_by_rolling_back() {
    for version in VERSIONS {
        let stage = Stage::broken(version, "rds-iam-to-old").await;
        assert!(!stage.logs_in(Who::Old).await, "{version}");
        if version != "15.5" {
            // Whoever made the old user is its member from 16 on, and with it locked out, too.
            stage.may_connect("postgres");
            stage.unlock().await.unwrap();
        }
        stage
            .carry_out(Purpose::RollBack(Extent::Logins))
            .await
            .unwrap();
        assert!(stage.logs_in(Who::Old).await, "{version}");
        assert!(!stage.logs_in(Who::New).await, "{version}");
    }
}

/// What the refusal says to do, done: as the new user, with its token.
#[tokio::test]
async fn stray_objects_are_given_back_by_the_new_user_itself() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::broken(version, "stray-objects").await;
        let plan = stage.plan(Purpose::ToIam).await;
        let refusal = &plan.refusals[0];
        assert_eq!(refusal.code, "new_user_owns_objects");
        let statements = "SET ROLE NONE; REASSIGN OWNED BY \"salawsiam\" TO \"sal\"";
        assert!(refusal.next.contains(statements), "{refusal:?}");
        stage.run(Who::New, statements).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage
            .everybody_logs_in(&format!("stray-objects on {version}"))
            .await;
    }
}

/// A superuser's grant, on RDS a mistake from before the upgrade to 16.
#[tokio::test]
async fn an_administrator_in_the_wrong_direction_gets_in_with_a_token_and_out_of_it() {
    for version in VERSIONS {
        let stage = Stage::broken(version, "rds-iam-to-admin").await;
        stage.may_connect("postgres");
        stage.unlock().await.unwrap();
        stage
            .carry_out(Purpose::ToIam)
            .await
            .unwrap_or_else(|error| {
                // Nobody can take the superuser's grant out, so that user stays out of rds_iam, and it is said.
                assert_ne!(version, "15.5");
                assert!(
                    error.to_string().contains("would end its password login"),
                    "{error}"
                );
            });
        assert!(stage.password_of_admin_logs_in().await, "{version}");
        assert!(stage.logs_in(Who::Old).await, "{version}");
    }
}
