//! Carries a plan out: lock, journal, step, guard, fresh logins, and undoing what did not work.
//!
//! One administrator's session is kept open from the lock to the end: whatever a step does to
//! logins, this session can still take it back. What is shown to a person and what is carried out
//! is the same plan, read under the lock.

mod effect;
mod ground;

use std::time::Duration;

use rds_iam::Clock;
use serde_json::{Value, json};
use tokio_postgres::Client;

use self::ground::{lock, open_journal, read, snapshot};
use crate::{
    aws::{AwsApi, AwsCall, AwsSide},
    error::CutoverError,
    inventory::{self, Graph},
    journal::{Journal, JournalSettings, Note, Phase},
    logins::{Logins, Session, Who},
    plan::{Plan, Purpose},
    sql::identifier,
    steps::{Action, LoginEffect, Step},
    wish::Wish,
};

/// What a person may want to see of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Begins(Step),
    /// A step is done and verified.
    Done(String),
    /// A step did not work and was undone.
    Undone(String),
    /// Something to know.
    Note(String),
    /// Somebody's new session was opened, to see that it can be.
    LoggedIn(Who, String),
}

/// Where events go.
pub type Audience<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// Everything a run needs.
pub struct Stage<'a> {
    /// Who logs in, and how.
    pub logins: &'a Logins,
    /// What is wanted.
    pub wish: &'a Wish,
    /// AWS, when the AWS side is to be done too.
    pub aws: Option<(&'a AwsApi, &'a AwsSide)>,
    /// How long a change in AWS may take to be live.
    pub patience: Duration,
    /// Whether rolling back takes the new user's login without proof of the old password.
    pub old_password: OldPassword,
    /// Whether moving goes on without proof of the new user's login.
    pub token_login: TokenLogin,
    /// Says what time it is.
    pub clock: Clock,
}

/// What rolling back demands of the old password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldPassword {
    /// It has to log in before anything is taken from the new user.
    Proved,
    /// It is not tried; for whoever knows it and does not have it here.
    Unproved,
}

/// What moving demands of the login with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLogin {
    /// Whoever runs the move logs in as the new user before a step counts as done.
    Proved,
    /// It is not tried; for whoever may not log in to the database with a token, and has the container prove it.
    Unproved,
}

/// The lock is held, the journal is open, the plan is made. Dropping it ends the sessions.
pub struct Prepared<'a> {
    stage: Stage<'a>,
    admin: Session,
    further: Vec<(String, Session)>,
    /// None where the plan refuses: then nothing is done that it could tell of.
    journal: Option<Journal>,
    plan: Plan,
    before: Graph,
}

impl<'a> Prepared<'a> {
    /// Logs in as the administrator, takes the lock, reads, plans, and opens the journal unless the plan refuses.
    ///
    /// # Errors
    /// [`CutoverError`]; nothing was changed, but the journal's table may have been made.
    pub async fn new(
        stage: Stage<'a>,
        journal: JournalSettings,
        purpose: Purpose,
        audience: Audience<'_>,
    ) -> Result<Self, CutoverError> {
        let Some((home, others)) = stage.wish.databases.split_first() else {
            return Err(CutoverError::State("no database was named".to_owned()));
        };
        let admin = stage.logins.open(Who::Admin, home).await?;
        lock(&admin.client).await?;
        let mut further = Vec::new();
        for name in others {
            further.push((name.clone(), stage.logins.open(Who::Admin, name).await?));
        }
        let inventory = read(&stage, &admin.client, &further).await?;
        let plan = Plan::new(
            purpose,
            stage.wish,
            &inventory,
            stage.aws.map(|(_, side)| side),
        );
        let journal = match plan.refusals.is_empty() {
            true => Some(open_journal(&stage, journal, &admin.client, home, audience).await?),
            false => None,
        };
        Ok(Self {
            stage,
            admin,
            further,
            journal,
            plan,
            before: inventory.graph,
        })
    }

    /// What will be done.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Does it.
    ///
    /// # Errors
    /// [`CutoverError`] of the step that did not work; steps before it stay done, and the same
    /// command continues from there.
    pub async fn carry_out(mut self, audience: Audience<'_>) -> Result<(), CutoverError> {
        if !self.plan.refusals.is_empty() {
            return Err(CutoverError::Refused(self.plan.refusals.clone()));
        }
        self.check_accounts().await?;
        let steps = self.plan.steps.clone();
        let summary = json!({"steps": steps.iter().map(|step| &step.id).collect::<Vec<_>>()});
        self.note(
            Phase::Started,
            Note {
                after: summary,
                ..Note::default()
            },
        )
        .await?;
        for step in &steps {
            audience(Event::Begins(step.clone()));
            if let Err(error) = self.do_step(step, audience).await {
                let phase = match &error {
                    CutoverError::Undone { .. } => Phase::Undone,
                    CutoverError::NotUndone { .. } | CutoverError::LeftInAws { .. } => Phase::Left,
                    _ => Phase::Failed,
                };
                let note = Note {
                    step: &step.id,
                    note: error.to_string(),
                    ..Note::default()
                };
                // Whatever the journal says to it, this is the error that counts.
                if let Err(journal) = self.note(phase, note).await {
                    audience(Event::Note(format!(
                        "the journal could not be written: {journal}"
                    )));
                }
                if phase == Phase::Undone {
                    audience(Event::Undone(step.id.clone()));
                }
                return Err(error);
            }
            audience(Event::Done(step.id.clone()));
        }
        self.last_look(audience).await?;
        let after = self.snapshot().await?;
        self.note(
            Phase::Done,
            Note {
                after,
                ..Note::default()
            },
        )
        .await?;
        self.admin.end().await;
        Ok(())
    }

    /// Whoever has to log in at the end must be able to before anything is done.
    async fn check_accounts(&self) -> Result<(), CutoverError> {
        match self.plan.purpose {
            Purpose::ToIam if self.stage.token_login == TokenLogin::Unproved => {}
            Purpose::ToIam | Purpose::Finalize => self.stage.logins.can_sign(Who::New).await?,
            Purpose::RollBack(_) => {
                let takes = self
                    .plan
                    .steps
                    .iter()
                    .any(|step| step.logins == LoginEffect::NewUserOff);
                if takes && self.stage.old_password == OldPassword::Proved {
                    self.stage.logins.account(Who::Old)?;
                }
            }
        }
        Ok(())
    }

    async fn do_step(&mut self, step: &Step, audience: Audience<'_>) -> Result<(), CutoverError> {
        if step.logins == LoginEffect::NewUserOff {
            // The new user keeps its login until it is proved that the old one has its own back.
            self.try_old(audience).await?;
        }
        let before = self.snapshot().await?;
        let statements = match &step.action {
            Action::Sql { statements, .. } => statements.clone(),
            Action::Aws(call) => vec![call.cli()],
        };
        let started = Note {
            step: &step.id,
            statements: &statements,
            before: before.clone(),
            ..Note::default()
        };
        self.note(Phase::Started, started).await?;
        match &step.action {
            Action::Sql {
                database,
                statements,
            } => self.sql(database, statements, &step.removes).await?,
            Action::Aws(call) => self.aws(call).await?,
        }
        if let Err(reason) = self.verify(step, audience).await {
            return Err(self.undo(step, reason).await);
        }
        let after = self.snapshot().await?;
        let done = Note {
            step: &step.id,
            statements: &statements,
            before,
            after,
            ..Note::default()
        };
        self.note(Phase::Done, done).await
    }

    /// The statements, the guard and the commit, in one transaction.
    async fn sql(
        &self,
        database: &str,
        statements: &[String],
        removes: &[(String, String)],
    ) -> Result<(), CutoverError> {
        let client = self.session(database);
        run(client, BEGIN).await?;
        let outcome = async {
            for statement in statements {
                run(client, statement).await?;
            }
            let after = inventory::read_graph(client).await;
            let after = after.map_err(CutoverError::postgres("reading memberships"))?;
            gone(removes, &after)?;
            guard(&self.before, &after, &self.plan.wish.new_user)
        }
        .await;
        match outcome {
            Ok(()) => run(client, "COMMIT").await,
            Err(error) => {
                // A session that is lost has rolled back already.
                let _rolled_back = run(client, "ROLLBACK").await;
                Err(error)
            }
        }
    }

    async fn aws(&self, call: &AwsCall) -> Result<(), CutoverError> {
        let Some((api, _)) = self.stage.aws else {
            return Err(CutoverError::State(
                "the AWS side was not asked for".to_owned(),
            ));
        };
        api.make(call).await?;
        Ok(api.settle(call, self.stage.patience).await?)
    }

    /// New sessions of everybody whom the step may have touched.
    async fn verify(&self, step: &Step, audience: Audience<'_>) -> Result<(), String> {
        let login = |who: Who, user: &str| audience(Event::LoggedIn(who, user.to_owned()));
        self.try_admin().await.map_err(|error| error.to_string())?;
        login(
            Who::Admin,
            &self
                .stage
                .logins
                .admin
                .as_ref()
                .map(|admin| admin.user.clone())
                .unwrap_or_default(),
        );
        match step.logins {
            LoginEffect::OldUserOff => self.old_is_off().await?,
            LoginEffect::None
            | LoginEffect::NewUser
            | LoginEffect::NewUserOff
            | LoginEffect::OldUserBack => {
                self.try_old(audience)
                    .await
                    .map_err(|error| error.to_string())?;
            }
        }
        if step.logins == LoginEffect::NewUser && self.stage.token_login == TokenLogin::Proved {
            self.try_new(self.stage.patience)
                .await
                .map_err(|error| error.to_string())?;
            login(Who::New, &self.plan.wish.new_user);
        }
        self.has_effect(step).await
    }

    async fn try_admin(&self) -> Result<(), CutoverError> {
        let session = self.stage.logins.open(Who::Admin, &self.home()).await?;
        session.end().await;
        Ok(())
    }

    /// Tries the old user's password, where it was given and the role may log in.
    async fn try_old(&self, audience: Audience<'_>) -> Result<(), CutoverError> {
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
            let session = self
                .stage
                .logins
                .open_within(Who::New, database, patience)
                .await?;
            let row = session
                .client
                .query_one("SELECT current_user::text", &[])
                .await;
            let works_as: Result<String, _> = row.and_then(|row| row.try_get(0));
            let works_as =
                works_as.map_err(CutoverError::postgres("asking for the current user"))?;
            session.end().await;
            if works_as != self.plan.works_as {
                return Err(CutoverError::State(format!(
                    "the new user works as `{works_as}` in `{database}`, not as `{}`",
                    self.plan.works_as
                )));
            }
        }
        Ok(())
    }

    async fn undo(&self, step: &Step, reason: String) -> CutoverError {
        let id = step.id.clone();
        let undone = match &step.action {
            Action::Sql { database, .. } => {
                let mut script = vec![
                    "BEGIN".to_owned(),
                    "SET LOCAL search_path = pg_catalog, pg_temp".to_owned(),
                    "SET LOCAL lock_timeout = '5s'".to_owned(),
                ];
                script.extend(step.undo.iter().cloned());
                script.push("COMMIT".to_owned());
                let client = self.session(database);
                let undone = run(client, &script.join(";\n")).await;
                if undone.is_err() {
                    let _rolled_back = run(client, "ROLLBACK").await;
                }
                undone
            }
            // What was switched on in AWS does no harm; rolling back takes it off.
            Action::Aws(_) => return CutoverError::LeftInAws { step: id, reason },
        };
        match undone {
            Ok(()) => CutoverError::Undone { step: id, reason },
            Err(error) => CutoverError::NotUndone {
                step: id,
                reason,
                undo: error.to_string(),
                statements: step.undo.join("; "),
            },
        }
    }

    /// The proof at the end, also when nothing was left to do.
    async fn last_look(&self, audience: Audience<'_>) -> Result<(), CutoverError> {
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

    async fn snapshot(&self) -> Result<Value, CutoverError> {
        let inventory = read(&self.stage, &self.admin.client, &[]).await?;
        Ok(snapshot(self.stage.wish, &inventory))
    }

    async fn note(&mut self, phase: Phase, note: Note<'_>) -> Result<(), CutoverError> {
        let now = (self.stage.clock)();
        if let Some(journal) = &mut self.journal {
            journal.write(phase, note, now, &self.admin.client).await?;
        }
        Ok(())
    }

    fn home(&self) -> String {
        self.plan
            .wish
            .databases
            .first()
            .cloned()
            .unwrap_or_default()
    }

    fn session(&self, database: &str) -> &Client {
        let found = self.further.iter().find(|(name, _)| name == database);
        found.map_or(&self.admin.client, |(_, session)| &session.client)
    }
}

/// Refuses a graph in which somebody other than the new user got a new chain to `rds_iam`.
///
/// # Errors
/// [`CutoverError::LockOut`] names who and by which chain.
pub fn guard(before: &Graph, after: &Graph, new_user: &str) -> Result<(), CutoverError> {
    let everybody: std::collections::BTreeSet<&str> = after
        .edges
        .iter()
        .map(|edge| edge.member.as_str())
        .filter(|member| *member != new_user)
        .collect();
    let reached = after.newly_reaching(before, everybody.into_iter());
    if reached.is_empty() {
        return Ok(());
    }
    Err(CutoverError::LockOut(reached))
}

/// A REVOKE of what somebody else granted is only a warning from Postgres 16 on, and changes nothing.
fn gone(removes: &[(String, String)], after: &Graph) -> Result<(), CutoverError> {
    for (member, role) in removes {
        if let Some(edge) = after.members(role).find(|edge| edge.member == *member) {
            let (role, member) = (identifier(role), identifier(member));
            return Err(CutoverError::State(format!(
                "REVOKE {role} FROM {member} had no effect: it was granted by `{grantor}`; as that role, or a superuser: REVOKE {role} FROM {member} GRANTED BY {}",
                identifier(&edge.grantor),
                grantor = edge.grantor
            )));
        }
    }
    Ok(())
}

/// Sessions of a user, without this tool's own.
pub(crate) async fn sessions_of(user: &str, db: &Client) -> Result<i64, tokio_postgres::Error> {
    let row = db
        .query_one(SESSIONS, &[&user, &crate::logins::APPLICATION])
        .await?;
    row.try_get(0)
}

async fn run(client: &Client, sql: &str) -> Result<(), CutoverError> {
    let done = client.batch_execute(sql).await;
    done.map_err(CutoverError::postgres(format!("`{sql}`")))
}

/// Where names are looked for is said once more: it must hold for these statements even if the session was exchanged.
const BEGIN: &str = "BEGIN; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '120s'";

const SESSIONS: &str = "
SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
WHERE usename = $1::text AND pid <> pg_catalog.pg_backend_pid() AND application_name <> $2::text AND backend_type = 'client backend'";
