//! One step: the statements or the call, what is looked at before the commit, and taking it back.

use serde_json::Value;
use tokio_postgres::Client;

use super::{Audience, Prepared, guard, locks};
use crate::{
    aws::AwsCall,
    error::CutoverError,
    inventory,
    journal::{Note, Phase},
    logins::{Session, Who},
    steps::{Action, By, LoginEffect, Step},
};

impl Prepared<'_> {
    pub(super) async fn do_step(
        &mut self,
        step: &Step,
        audience: Audience<'_>,
    ) -> Result<(), CutoverError> {
        if step.logins == LoginEffect::NewUserOff && !self.old_waits_for_it() {
            // The new user keeps its login until it is proved that the old one has its own back.
            self.try_old(audience).await?;
        }
        let before = self.snapshot().await?;
        let statements = match &step.action {
            Action::Sql { statements, .. } => statements.clone(),
            Action::Aws(call) => vec![call.cli()],
        };
        self.begin(step, &statements, &before).await?;
        let own = self.own_session(step).await?;
        self.act(step, own.as_ref()).await?;
        if let Err(reason) = self.verify(step, audience).await {
            return Err(self.undo(step, reason, own).await);
        }
        if let Some(own) = own {
            own.end().await;
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

    async fn act(&self, step: &Step, own: Option<&Session>) -> Result<(), CutoverError> {
        match &step.action {
            Action::Sql {
                database,
                statements,
                ..
            } => {
                let client = self.session(database, own);
                self.sql(client, statements, &step.removes).await
            }
            Action::Aws(call) => self.aws(call).await,
        }
    }

    async fn begin(
        &mut self,
        step: &Step,
        statements: &[String],
        before: &Value,
    ) -> Result<(), CutoverError> {
        let started = Note {
            step: &step.id,
            statements,
            before: before.clone(),
            ..Note::default()
        };
        self.note(Phase::Started, started).await
    }

    /// The new user's own session, where it alters itself. It is kept until the step is proved.
    async fn own_session(&self, step: &Step) -> Result<Option<Session>, CutoverError> {
        let Action::Sql {
            database,
            by: By::NewUser,
            ..
        } = &step.action
        else {
            return Ok(None);
        };
        let logins = self.stage.logins;
        let session = logins
            .open_within(Who::New, database, self.stage.patience)
            .await?;
        // It works as a role that may not alter it.
        run(&session.client, "SET ROLE NONE").await?;
        Ok(Some(session))
    }

    fn session<'s>(&'s self, database: &str, own: Option<&'s Session>) -> &'s Client {
        if let Some(own) = own {
            return &own.client;
        }
        let found = self.further.iter().find(|(name, _)| name == database);
        found.map_or(&self.admin.client, |(_, session)| &session.client)
    }

    /// The statements, the guard and the commit, in one transaction.
    async fn sql(
        &self,
        client: &Client,
        statements: &[String],
        removes: &[(String, String)],
    ) -> Result<(), CutoverError> {
        run(client, BEGIN).await?;
        let outcome = async {
            for statement in statements {
                run(client, statement).await?;
            }
            let after = inventory::read_graph(client).await;
            let after = after.map_err(CutoverError::postgres("reading memberships"))?;
            guard::gone(removes, &after)?;
            guard::guard(&self.before, &after, &self.plan.wish.new_user)?;
            self.keeps_a_way_in(&after)
        }
        .await;
        match outcome {
            Ok(()) => run(client, "COMMIT").await,
            Err(error) => {
                // A session that is lost has rolled back already.
                let _rolled_back = run(client, "ROLLBACK").await;
                Err(locks::explained(error, client).await)
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

    async fn undo(&self, step: &Step, reason: String, own: Option<Session>) -> CutoverError {
        let id = step.id.clone();
        let undone = match &step.action {
            Action::Sql { database, .. } => {
                take_back(&step.undo, self.session(database, own.as_ref())).await
            }
            // What was switched on in AWS does no harm; rolling back takes it off.
            Action::Aws(_) => return CutoverError::LeftInAws { step: id, reason },
        };
        // Taken back is not yet logged in: the administrator is asked once more.
        let back_in = match undone {
            Ok(()) => self.try_admin().await.map(|_proof| ()),
            Err(error) => Err(error),
        };
        match back_in {
            Ok(()) => CutoverError::Undone { step: id, reason },
            Err(error) => CutoverError::NotUndone {
                step: id,
                reason,
                undo: error.to_string(),
                statements: step.undo.join("; "),
            },
        }
    }
}

/// Takes statements back in the session that was kept open.
pub(crate) async fn take_back(undo: &[String], client: &Client) -> Result<(), CutoverError> {
    let script = format!("{BEGIN}; {}; COMMIT", undo.join("; "));
    let undone = run(client, &script).await;
    if undone.is_err() {
        let _rolled_back = run(client, "ROLLBACK").await;
    }
    undone
}

pub(crate) async fn run(client: &Client, sql: &str) -> Result<(), CutoverError> {
    let done = client.batch_execute(sql).await;
    done.map_err(CutoverError::postgres(format!("`{sql}`")))
}

/// Where names are looked for is said once more: it must hold for these statements even if the session was exchanged.
pub(crate) const BEGIN: &str = "BEGIN; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '120s'";
