//! An administrator whose password RDS refuses: who still gets in, what is taken out, and what is proved.

use iam_cutover::{
    CutoverError,
    logins::Who,
    plan::Purpose,
    unlock::{AdminPassword, Found, Unlock},
};
use rds_iam::{LoginSecret, Secret};

use crate::stage::{Owner, Stage, VERSIONS, clock};

impl Stage {
    /// The administrator made the new user by hand, and has nothing left but a token.
    async fn locked_out(version: &str) -> Self {
        let stage = Self::set(version, Owner::Plain).await;
        let by_hand = "CREATE USER salawsiam; GRANT rds_iam TO salawsiam";
        stage.run(Who::Admin, by_hand).await;
        if version == "15.5" {
            stage.superuser("GRANT salawsiam TO postgres").await;
        }
        stage.may_connect("postgres");
        assert!(!stage.password_of_admin_logs_in().await, "{version}");
        stage
    }

    async fn way_out(&self, password: AdminPassword) -> Result<Option<Unlock<'_>>, CutoverError> {
        match Unlock::find(&self.logins, &self.wish, password, clock()).await? {
            Found::NotLocked => Ok(None),
            Found::Way(way) => Ok(Some(*way)),
        }
    }

    /// Finds the way out and takes it.
    pub(crate) async fn unlock(&self) -> Result<(), CutoverError> {
        let way = self.way_out(AdminPassword::Proved).await?.unwrap();
        way.carry_out(self.settings("unlock")).await
    }

    pub(crate) async fn password_of_admin_logs_in(&self) -> bool {
        matches!(
            self.logins.open_admin("sal").await,
            Ok((_, iam_cutover::logins::Proof::Password))
        )
    }

    pub(crate) fn may_connect(&self, user: &str) {
        self.lab
            .allow_connect(&self.lab.role_arn(self.lab.task_role()), user);
    }
}

/// The wiki page's statement the wrong way round, with a token of the master user at hand.
#[tokio::test]
async fn a_token_of_the_administrator_takes_the_wrong_grant_out() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert!(
            stage
                .way_out(AdminPassword::Proved)
                .await
                .unwrap()
                .is_none()
        );
        stage.superuser("GRANT salawsiam TO postgres").await;
        stage.may_connect("postgres");
        if version == "15.5" {
            stage.unlock().await.unwrap();
            assert!(stage.logs_in(Who::New).await);
        } else {
            // The superuser's grant is nobody else's to revoke: the role in between leaves rds_iam.
            let way = stage.way_out(AdminPassword::Proved).await.unwrap().unwrap();
            assert_eq!(way.switches_off, ["salawsiam"]);
            way.carry_out(stage.settings("unlock")).await.unwrap();
        }
        assert!(stage.password_of_admin_logs_in().await, "{version}");
        assert!(stage.logs_in(Who::Old).await);
        let last = stage.journal().pop().unwrap();
        assert_eq!(
            (last.command.as_str(), last.step.as_str()),
            ("unlock", "unlock")
        );
    }
}

/// Without a token of the administrator, another user may do: before Postgres 16 anybody with CREATEROLE.
#[tokio::test]
async fn another_user_who_may_gets_the_administrator_out() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage
        .superuser("GRANT salawsiam TO postgres; ALTER ROLE sal CREATEROLE")
        .await;
    assert!(!stage.password_of_admin_logs_in().await);
    let way = stage.way_out(AdminPassword::Proved).await.unwrap().unwrap();
    assert_eq!((way.who, way.user.as_str()), (Who::Old, "sal"));
    way.carry_out(stage.settings("unlock")).await.unwrap();
    assert!(stage.password_of_admin_logs_in().await);
    // The line that only the file has is in the table after the next run.
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let lines = "SELECT count(*)::text FROM salrs_iam.salrs_iam_journal WHERE command = 'unlock'";
    assert_eq!(stage.value(Who::Admin, lines).await, "2");
}

/// The wiki page's own two lines lock the master user out from Postgres 16 on.
#[tokio::test]
async fn the_wiki_pages_own_lines_on_16_are_undone_and_the_move_goes_on() {
    for version in &VERSIONS[1..] {
        let stage = Stage::set(version, Owner::Master).await;
        stage
            .run(Who::Admin, "CREATE USER salawsiam; GRANT rds_iam TO salawsiam; GRANT ALL PRIVILEGES ON DATABASE sal TO salawsiam")
            .await;
        stage.may_connect("postgres");
        assert!(!stage.password_of_admin_logs_in().await, "{version}");
        stage.unlock().await.unwrap();
        assert!(stage.password_of_admin_logs_in().await, "{version}");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert!(stage.password_of_admin_logs_in().await);
        assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Old).await);
    }
}

/// Where the administrator's token is at hand, the move itself needs no command before it.
#[tokio::test]
async fn a_move_that_begins_locked_out_ends_with_everybodys_login() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::locked_out(version).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert!(stage.password_of_admin_logs_in().await, "{version}");
        assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Old).await);
    }
}

#[tokio::test]
async fn whoever_comes_in_with_a_token_is_not_freed_into_a_password_that_nobody_knows() {
    let mut stage = Stage::set("15.5", Owner::Plain).await;
    stage
        .superuser("CREATE USER salawsiam; GRANT rds_iam TO salawsiam; GRANT salawsiam TO postgres")
        .await;
    stage.may_connect("postgres");
    let password = stage.logins.admin.clone();
    stage.logins.admin.clone_from(&stage.logins.admin_by_token);
    let error = stage
        .carry_out(Purpose::ToIam)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("set SAL_ADMIN_PASS"), "{error}");
    assert!(stage.logs_in(Who::Admin).await, "nothing was taken out");
    let Err(CutoverError::NoAdminPassword { .. }) = stage.way_out(AdminPassword::Proved).await
    else {
        panic!("it would be left with a password that nobody knows")
    };
    let way = stage
        .way_out(AdminPassword::Unproved)
        .await
        .unwrap()
        .unwrap();
    way.carry_out(stage.settings("unlock")).await.unwrap();
    stage.logins.admin = password;
    assert!(stage.password_of_admin_logs_in().await);
}

/// A wrong password would leave the administrator with no way in at all.
#[tokio::test]
async fn a_password_that_is_refused_afterwards_puts_the_grant_back() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::locked_out(version).await;
        let wrong = LoginSecret::Password(Secret::new("not the passw0rd"));
        stage.logins.admin.as_mut().unwrap().secret = wrong;
        let error = stage.unlock().await.unwrap_err();
        assert!(matches!(error, CutoverError::Undone { .. }), "{error}");
        assert!(stage.logs_in(Who::Admin).await, "the token is still good");
        let phase = serde_json::to_value(stage.journal().last().unwrap().phase).unwrap();
        assert_eq!(phase, "undone");
    }
}

#[tokio::test]
async fn what_only_rdsadmin_can_take_out_is_said() {
    let stage = Stage::set("18.4", Owner::Plain).await;
    stage.superuser("GRANT rds_iam TO postgres").await;
    let error = stage.unlock().await.unwrap_err().to_string();
    assert!(error.contains("`postgres` stays locked out"), "{error}");
    assert!(error.contains("sal iam policy --user postgres"), "{error}");
    stage.may_connect("postgres");
    let error = stage.unlock().await.unwrap_err().to_string();
    assert!(error.contains("by a grant of `rdsadmin`"), "{error}");
    assert!(stage.logs_in(Who::Admin).await, "it still has its token");
}

/// Two at once, of which one has a wrong password: it must not take back what the other one proved.
#[tokio::test]
async fn a_run_that_comes_second_undoes_nothing_of_the_first() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::locked_out(version).await;
        let wrong = LoginSecret::Password(Secret::new("not the passw0rd"));
        let right = std::mem::replace(&mut stage.logins.admin.as_mut().unwrap().secret, wrong);
        let mut logins = crate::stage::logins(&stage.lab, "sal", crate::stage::PASSWORD);
        logins.admin.as_mut().unwrap().secret = right;
        let second = stage.way_out(AdminPassword::Proved).await.unwrap().unwrap();
        let found = Unlock::find(&logins, &stage.wish, AdminPassword::Proved, clock()).await;
        let Ok(Found::Way(first)) = found else {
            panic!("no way out on {version}")
        };
        first.carry_out(stage.settings("unlock")).await.unwrap();
        let error = second.carry_out(stage.settings("unlock")).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("somebody changed the memberships"),
            "{error}"
        );
        let session = logins.open_admin("sal").await;
        assert!(
            matches!(session, Ok((_, iam_cutover::logins::Proof::Password))),
            "{version}"
        );
    }
}
