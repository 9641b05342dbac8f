//! New sessions of everybody whom a step may have touched.

use std::time::Duration;

use tokio_postgres::Client;

use super::{Audience, Event, Prepared, TokenLogin};
use crate::{
    error::CutoverError,
    inventory::{Graph, RDS_IAM},
    logins::{Proof, Who},
    plan::Purpose,
    steps::{LoginEffect, Step},
};

impl Prepared<'_> {
    pub(super) async fn verify(&self, step: &Step, audience: Audience<'_>) -> Result<(), String> {
        let text = |error: CutoverError| error.to_string();
        self.try_admin().await.map_err(text)?;
        audience(Event::LoggedIn(Who::Admin, self.admin_user.clone()));
        match step.logins {
            LoginEffect::OldUserOff => self.old_is_off().await?,
            LoginEffect::None
            | LoginEffect::NewUser
            | LoginEffect::NewUserLogin
            | LoginEffect::NewUserOff
            | LoginEffect::OldUserBack => self.try_old(audience).await.map_err(text)?,
        }
        let patience = self.stage.patience;
        let is_tried = match step.logins {
            _ if self.stage.token_login == TokenLogin::Unproved => false,
            LoginEffect::NewUser => {
                self.try_new(patience).await.map_err(text)?;
                true
            }
            LoginEffect::NewUserLogin => {
                self.login_of_new(patience).await.map_err(text)?;
                true
            }
            _ => false,
        };
        if is_tried {
            audience(Event::LoggedIn(Who::New, self.plan.wish.new_user.clone()));
        }
        self.has_effect(step).await
    }

    /// A new session of the administrator, who may get a password back and must not lose one.
    pub(super) async fn try_admin(&self) -> Result<Proof, CutoverError> {
        let (session, proof) = self.stage.logins.open_admin(&self.home()).await?;
        session.end().await;
        if self.admin_proof == Proof::Password && proof == Proof::Token {
            return Err(CutoverError::State(format!(
                "`{}` could log in with its password before, and now only with a token",
                self.admin_user
            )));
        }
        Ok(proof)
    }

    /// Before the commit: whoever comes in with a token must not be taken out of `rds_iam` without a password at hand.
    pub(super) fn keeps_a_way_in(&self, after: &Graph) -> Result<(), CutoverError> {
        let freed = self.before.iam_chain(&self.admin_user).is_some()
            && after.iam_chain(&self.admin_user).is_none();
        if !freed || self.stage.logins.admin_has_password() {
            return Ok(());
        }
        Err(CutoverError::State(format!(
            "nothing was changed: this takes `{user}` out of {RDS_IAM}, and from then on only its password logs it in, which is not known here; set SAL_ADMIN_PASS so that it can be proved (if nobody knows it, set a new one first: aws rds modify-db-instance --db-instance-identifier NAME --master-user-password PASSWORD --apply-immediately)",
            user = self.admin_user
        )))
    }

    /// Whether the old user is locked out by the new user's membership, so that only this step can free it.
    pub(super) fn old_waits_for_it(&self) -> bool {
        let wish = &self.plan.wish;
        let chain = self.before.iam_chain(&wish.old_user);
        chain.is_some_and(|chain| chain.contains(&wish.new_user))
    }

    /// Tries the old user's password, where it was given and the role may log in.
    pub(super) async fn try_old(&self, audience: Audience<'_>) -> Result<(), CutoverError> {
        let (Some(old), true) = (&self.stage.logins.old, self.old_may_log_in().await?) else {
            return Ok(());
        };
        let session = self.stage.logins.open(Who::Old, &self.home()).await?;
        session.end().await;
        audience(Event::LoggedIn(Who::Old, old.user.clone()));
        Ok(())
    }

    async fn old_may_log_in(&self) -> Result<bool, CutoverError> {
        let sql = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1::text AND rolcanlogin";
        let found = self
            .admin
            .client
            .query(sql, &[&self.plan.wish.old_user])
            .await;
        let found = found.map_err(CutoverError::postgres("looking for the old user"))?;
        // Before its own step of a rollback the old user cannot, and need not.
        Ok(!found.is_empty())
    }

    /// After NOLOGIN: nobody may have slipped in between the count and the statement.
    async fn old_is_off(&self) -> Result<(), String> {
        let sessions = sessions_of(&self.plan.wish.old_user, &self.admin.client).await;
        match sessions.map_err(|error| error.to_string())? {
            0 => {}
            count => return Err(format!("the old user has {count} sessions again")),
        }
        self.try_new(Duration::ZERO)
            .await
            .map_err(|error| error.to_string())
    }

    /// A login by token, which must work as the role that owns the objects.
    async fn try_new(&self, patience: Duration) -> Result<(), CutoverError> {
        for database in &self.plan.wish.databases {
            let works_as = self.new_in(database, patience).await?;
            if works_as != self.plan.works_as {
                return Err(CutoverError::State(format!(
                    "the new user works as `{works_as}` in `{database}`, not as `{}`",
                    self.plan.works_as
                )));
            }
        }
        Ok(())
    }

    /// A login by token, whatever it works as.
    async fn login_of_new(&self, patience: Duration) -> Result<(), CutoverError> {
        for database in &self.plan.wish.databases {
            self.new_in(database, patience).await?;
        }
        Ok(())
    }

    async fn new_in(&self, database: &str, patience: Duration) -> Result<String, CutoverError> {
        let logins = self.stage.logins;
        let session = logins.open_within(Who::New, database, patience).await?;
        let row = session
            .client
            .query_one("SELECT current_user::text", &[])
            .await;
        let works_as: Result<String, _> = row.and_then(|row| row.try_get(0));
        session.end().await;
        works_as.map_err(CutoverError::postgres("asking for the current user"))
    }

    /// The proof at the end, also when nothing was left to do.
    pub(super) async fn last_look(&self, audience: Audience<'_>) -> Result<(), CutoverError> {
        self.try_admin().await?;
        match self.plan.purpose {
            Purpose::ToIam => {
                self.try_old(audience).await?;
                if self.stage.token_login == TokenLogin::Proved {
                    self.try_new(self.stage.patience).await?;
                }
            }
            Purpose::Finalize => self.try_new(Duration::ZERO).await?,
            Purpose::RollBack(_) => self.try_old(audience).await?,
        }
        Ok(())
    }
}

/// Sessions of a user, without this tool's own.
async fn sessions_of(user: &str, db: &Client) -> Result<i64, tokio_postgres::Error> {
    let row = db
        .query_one(SESSIONS, &[&user, &crate::logins::APPLICATION])
        .await?;
    row.try_get(0)
}

const SESSIONS: &str = "
SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
WHERE usename = $1::text AND pid <> pg_catalog.pg_backend_pid() AND application_name <> $2::text AND backend_type = 'client backend'";
