//! Carries a plan out: lock, journal, step, guard, fresh logins, and undoing what did not work.
//!
//! One administrator's session is kept open from the lock to the end: whatever a step does to
//! logins, this session can still take it back. What is shown to a person and what is carried out
//! is the same plan, read under the lock.

mod effect;
mod ground;
mod guard;
mod locks;
mod logins;
mod step;

use std::time::Duration;

use rds_iam::Clock;
use serde_json::{Value, json};

pub(crate) use self::ground::lock;
use self::ground::{open_journal, read, snapshot};
pub use self::guard::guard;
pub(crate) use self::step::{BEGIN, run, take_back};
use crate::{
    aws::{AwsApi, AwsSide},
    error::CutoverError,
    inventory::Graph,
    journal::{Journal, JournalSettings, Note, Phase},
    logins::{Logins, Proof, Session, Who},
    plan::{Plan, Purpose},
    steps::{LoginEffect, Step},
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
    /// The administrator as Postgres knows it, and how it logged in.
    admin_user: String,
    admin_proof: Proof,
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
        stage.logins.at_a_database().await?;
        let (admin, admin_proof) = stage.logins.open_admin(home).await?;
        if admin_proof == Proof::Token && stage.logins.admin_has_password() {
            audience(Event::Note(BY_TOKEN.to_owned()));
        }
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
            admin_user: inventory.admin,
            admin_proof,
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
}

/// What is said where the administrator's password is refused and its token is not.
const BY_TOKEN: &str = "the administrator's password is refused, because it is a member of rds_iam; it logs in with a token of these AWS credentials instead";
