//! Lets an administrator who is locked out log in with its password again.
//!
//! RDS asks every member of `rds_iam` for a token, direct or through any chain of memberships (AWS: "IAM database
//! authentication"; Postgres manual, 21.1). One GRANT in the wrong direction, or from Postgres 16 on the mere making of
//! an IAM user, puts the master user into such a chain. Whoever still gets in takes out a membership that makes the
//! chain, and the password is proved before that session ends.

mod cut;
mod memberships;

use rds_iam::Clock;
use serde_json::json;

pub use self::cut::{Cut, Membership, Removal, cut};
use self::memberships::read;
use crate::{
    error::CutoverError,
    inventory,
    journal::{Journal, JournalSettings, Note, Phase},
    logins::{Account, Logins, Proof, Session, Who},
    run::{BEGIN, lock, run, take_back},
    wish::Wish,
};

/// Whether the password has to log in afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminPassword {
    /// It has to; otherwise everything is taken back.
    Proved,
    /// It is not known here, and somebody answers for it.
    Unproved,
}

/// What was found.
pub enum Found<'a> {
    /// The administrator's password logs in.
    NotLocked,
    /// Somebody got in and can take the chain apart.
    Way(Box<Unlock<'a>>),
}

/// A way out, with the session that can take it. Dropping it ends the session.
pub struct Unlock<'a> {
    logins: &'a Logins,
    clock: Clock,
    home: String,
    session: Session,
    /// Who got in, and with what.
    pub who: Who,
    /// The user who got in.
    pub user: String,
    /// The administrator.
    pub admin: String,
    /// What is taken out.
    pub cut: Cut,
    /// Who else loses the IAM login with it.
    pub switches_off: Vec<String>,
    password: AdminPassword,
    new_user: String,
}

impl<'a> Unlock<'a> {
    /// Finds out whether the administrator is locked out, who still gets in, and what that user can take out.
    ///
    /// # Errors
    /// [`CutoverError::NoWayIn`] when nobody gets in or may change anything; it names what everybody was refused for.
    pub async fn find(
        logins: &'a Logins,
        wish: &Wish,
        password: AdminPassword,
        clock: Clock,
    ) -> Result<Found<'a>, CutoverError> {
        let home = wish.databases.first().cloned().unwrap_or_default();
        let account = logins.account(Who::Admin)?;
        let mut refused = match is_refused(account, password, logins, &home).await? {
            Some(refused) => refused,
            None => return Ok(Found::NotLocked),
        };
        let mut got_in = false;
        for (who, account) in ways_in(logins) {
            let session = match logins.open_as(who, account, &home).await {
                Ok(session) => session,
                Err(error) => {
                    let said = error.to_string();
                    if !refused.contains(&said) {
                        refused.push(said);
                    }
                    continue;
                }
            };
            got_in |= who == Who::Admin;
            // The new user works as a role that is no member of itself.
            run(&session.client, "SET ROLE NONE").await?;
            let memberships = read(&session.client).await?;
            let admin = logins.account(Who::Admin)?.user.clone();
            let cut = match cut(&admin, &wish.new_user, &memberships) {
                Ok(cut) if cut.removals.is_empty() => return Ok(Found::NotLocked),
                Ok(cut) => cut,
                Err(chain) => {
                    refused.push(format!("`{}` got in, and {chain}", account.user));
                    continue;
                }
            };
            return Ok(Found::Way(Box::new(Self {
                logins,
                clock,
                home,
                session,
                who,
                user: account.user.clone(),
                switches_off: cut.switches_off(&admin, &memberships),
                admin,
                cut,
                password,
                new_user: wish.new_user.clone(),
            })));
        }
        let user = account.user.clone();
        let connect = match got_in {
            true => String::new(),
            false => format!(
                "credentials that allow rds-db:connect as `{user}` (`sal iam policy --user {user}` prints the policy); switching IAM authentication of the database off, which lets every password log in again (--no-enable-iam-database-authentication); or "
            ),
        };
        Err(CutoverError::NoWayIn {
            next: format!("{connect}a support case with AWS, whose rdsadmin is the only superuser"),
            user,
            reasons: refused,
        })
    }

    /// Takes the memberships out, in one transaction, and proves the password; whatever fails is taken back.
    ///
    /// # Errors
    /// [`CutoverError::Undone`] when the password is refused afterwards; then everything is as it was.
    pub async fn carry_out(self, mut settings: JournalSettings) -> Result<(), CutoverError> {
        settings.actor.database_user.clone_from(&self.user);
        let client = &self.session.client;
        // Two at once would take back what the other one proved.
        lock(client).await?;
        self.is_still_so().await?;
        // The table is an administrator's.
        let table = (self.who == Who::Admin).then_some(client);
        let mut journal = Journal::open_for(settings, table).await?;
        let statements = self.cut.statements();
        let note = |text: String| Note {
            step: "unlock",
            statements: &statements,
            after: json!({"administrator": self.admin}),
            note: text,
            ..Note::default()
        };
        journal
            .write(Phase::Started, note(String::new()), (self.clock)(), client)
            .await?;
        let done = match self.revoke().await {
            Ok(()) => self.prove().await,
            Err(error) => Err(error),
        };
        let (phase, text) = match &done {
            Ok(()) => (Phase::Done, String::new()),
            Err(error @ CutoverError::Undone { .. }) => (Phase::Undone, error.to_string()),
            Err(error @ CutoverError::NotUndone { .. }) => (Phase::Left, error.to_string()),
            Err(error) => (Phase::Failed, error.to_string()),
        };
        let written = journal
            .write(phase, note(text), (self.clock)(), client)
            .await;
        self.session.end().await;
        done?;
        written.map_err(CutoverError::from)
    }

    /// What was found without the lock must hold under it: undoing would otherwise grant what another run has taken out.
    async fn is_still_so(&self) -> Result<(), CutoverError> {
        let memberships = read(&self.session.client).await?;
        if cut(&self.admin, &self.new_user, &memberships).as_ref() == Ok(&self.cut) {
            return Ok(());
        }
        Err(CutoverError::State(
            "somebody changed the memberships meanwhile; nothing was done: start again".to_owned(),
        ))
    }

    async fn revoke(&self) -> Result<(), CutoverError> {
        let client = &self.session.client;
        run(client, BEGIN).await?;
        let outcome = async {
            for statement in self.cut.statements() {
                run(client, &statement).await?;
            }
            let after = inventory::read_graph(client).await;
            let after = after.map_err(CutoverError::postgres("reading memberships"))?;
            // A REVOKE of somebody else's grant is only a warning from Postgres 16 on.
            match after.iam_chain(&self.admin) {
                None => Ok(()),
                Some(chain) => Err(CutoverError::State(format!(
                    "`{}` is still in rds_iam ({}); nothing was changed",
                    self.admin,
                    chain.join(" -> ")
                ))),
            }
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

    /// A new session of the administrator with its password.
    async fn prove(&self) -> Result<(), CutoverError> {
        if self.password == AdminPassword::Unproved && !self.logins.admin_has_password() {
            return Ok(());
        }
        let account = self.logins.account(Who::Admin)?;
        let Err(refused) = self.logins.open_as(Who::Admin, account, &self.home).await else {
            return Ok(());
        };
        let undo = self.cut.undo();
        let step = "unlock".to_owned();
        match take_back(&undo, &self.session.client).await {
            Ok(()) => Err(CutoverError::Undone {
                step,
                reason: refused.to_string(),
            }),
            Err(error) => Err(CutoverError::NotUndone {
                step,
                reason: refused.to_string(),
                undo: error.to_string(),
                statements: undo.join("; "),
            }),
        }
    }
}

/// Tries the administrator's password: `None` where it logs in, otherwise how it was refused, if it was tried.
async fn is_refused(
    account: &Account,
    password: AdminPassword,
    logins: &Logins,
    home: &str,
) -> Result<Option<Vec<String>>, CutoverError> {
    match (account.proof(), password) {
        (Proof::Token, AdminPassword::Unproved) => return Ok(Some(Vec::new())),
        (Proof::Token, AdminPassword::Proved) => {
            return Err(CutoverError::NoAdminPassword {
                user: account.user.clone(),
            });
        }
        (Proof::Password, _) => {}
    }
    match logins.open_as(Who::Admin, account, home).await {
        Ok(session) => {
            session.end().await;
            Ok(None)
        }
        Err(error) if error.is_password_of_iam_user() => Ok(Some(vec![error.to_string()])),
        Err(error) => Err(error),
    }
}

/// Who might get in: the administrator with a token, the new user with one, the old user as it is set.
fn ways_in(logins: &Logins) -> impl Iterator<Item = (Who, &Account)> {
    [
        (Who::Admin, logins.admin_by_token.as_ref()),
        (Who::New, logins.new.as_ref()),
        (Who::Old, logins.old.as_ref()),
    ]
    .into_iter()
    .filter_map(|(who, account)| Some((who, account?)))
}
