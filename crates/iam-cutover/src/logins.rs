//! The three who log in during a move, each by a session of its own: administrator, old user, new user.
//!
//! Every session is opened here, and looks for names in `pg_catalog` only (`rds_iam::guard`): the administrator works in
//! databases that the application's user owns, and the old user may be the master user.

use std::{fmt, sync::Arc, time::Duration};

use rds_iam::{Clock, Connector, LoginConfig, LoginError, LoginSecret, Resolver, SearchPath};
use serde::Serialize;
use tokio::{task::JoinHandle, time::Instant};
use tokio_postgres::Client;

use crate::{error::CutoverError, plan::target};

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The master user, or whoever may make roles.
    Admin,
    /// The user of the present deployment, by password.
    Old,
    /// The user to come, by token.
    New,
}

/// A user and the proof.
#[derive(Clone, Debug)]
pub struct Account {
    /// The Postgres user.
    pub user: String,
    /// Password or IAM.
    pub secret: LoginSecret,
}

/// What somebody logged in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A password.
    Password,
    /// An IAM token.
    Token,
}

/// How everybody logs in to the same server.
pub struct Logins {
    /// Host, port, TLS and times; user, database and secret are replaced.
    pub base: LoginConfig,
    /// Asks DNS.
    pub resolver: Arc<dyn Resolver>,
    /// Says what time it is.
    pub clock: Clock,
    /// The administrator.
    pub admin: Option<Account>,
    /// The administrator with a token, for when its password is refused because it is a member of `rds_iam`.
    pub admin_by_token: Option<Account>,
    /// The old user; without it its login is not tried.
    pub old: Option<Account>,
    /// The new user; without it its login is not tried.
    pub new: Option<Account>,
}

/// A session. Dropping it ends it.
pub struct Session {
    /// Sends statements.
    pub client: Client,
    task: JoinHandle<()>,
}

impl Account {
    /// What it logs in with.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match self.secret {
            LoginSecret::Password(_) => Proof::Password,
            LoginSecret::Iam(_) => Proof::Token,
        }
    }
}

impl Session {
    /// Its two halves, for whoever wants to own them.
    #[must_use]
    pub fn into_parts(self) -> (Client, JoinHandle<()>) {
        (self.client, self.task)
    }

    /// Ends the session and waits until it has ended.
    pub async fn end(self) {
        drop(self.client);
        // A task that panicked has ended, too.
        let _ended = self.task.await;
    }
}

impl Logins {
    /// Refuses names that no move can be made at, before anybody logs in there.
    ///
    /// # Errors
    /// [`CutoverError::Refused`]. A name that leads nowhere is left to the login, which explains it.
    pub async fn at_a_database(&self) -> Result<(), CutoverError> {
        let signed = match self.new.as_ref().map(|account| &account.secret) {
            Some(LoginSecret::Iam(iam)) => iam.sign_host.as_deref(),
            _ => None,
        };
        let host = signed.unwrap_or(&self.base.host);
        let found = rds_iam::find_endpoint(host, self.resolver.as_ref()).await;
        let Ok((Some(endpoint), _)) = found else {
            return Ok(());
        };
        let refusals = target::refusals(&endpoint, None);
        match refusals.is_empty() {
            true => Ok(()),
            false => Err(CutoverError::Refused(refusals)),
        }
    }

    /// Opens a session; the administrator's by whichever way there is.
    ///
    /// # Errors
    /// [`CutoverError::Login`] explains itself; [`CutoverError::NoAccount`] when none was given.
    pub async fn open(&self, who: Who, database: &str) -> Result<Session, CutoverError> {
        match who {
            Who::Admin => self
                .open_admin(database)
                .await
                .map(|(session, _proof)| session),
            Who::Old | Who::New => self.open_as(who, self.account(who)?, database).await,
        }
    }

    /// Opens a session of the administrator: as configured, and with a token where RDS refuses its password because it
    /// became a member of `rds_iam`.
    ///
    /// # Errors
    /// [`CutoverError::LockedOut`] when both are refused, and as [`Logins::open`].
    pub async fn open_admin(&self, database: &str) -> Result<(Session, Proof), CutoverError> {
        let account = self.account(Who::Admin)?;
        let refused = match self.open_as(Who::Admin, account, database).await {
            Ok(session) => return Ok((session, account.proof())),
            Err(error) if error.is_password_of_iam_user() => error,
            Err(error) => return Err(error),
        };
        let password = match refused {
            CutoverError::Login { explanation, .. } => explanation.what,
            other => other.to_string(),
        };
        let token = match &self.admin_by_token {
            Some(token) => match self.open_as(Who::Admin, token, database).await {
                Ok(session) => return Ok((session, Proof::Token)),
                Err(CutoverError::Login { explanation, .. }) => explanation.to_string(),
                Err(error) => error.to_string(),
            },
            None => "there are no AWS credentials here.".to_owned(),
        };
        Err(CutoverError::LockedOut {
            user: account.user.clone(),
            password,
            token,
        })
    }

    /// Whether a password of the administrator is at hand.
    #[must_use]
    pub fn admin_has_password(&self) -> bool {
        let account = self.admin.as_ref();
        account.is_some_and(|account| account.proof() == Proof::Password)
    }

    /// Opens a session with one account and no other.
    pub(crate) async fn open_as(
        &self,
        who: Who,
        account: &Account,
        database: &str,
    ) -> Result<Session, CutoverError> {
        let connector = self.connector(account, database)?;
        let connected = connector.connect().await;
        let connection = connected.map_err(|error| CutoverError::login(who, &error))?;
        let session = Session {
            client: connection.client,
            task: connection.task,
        };
        if who == Who::Admin {
            // A role that was set for the administrator in this database would hide CREATEROLE.
            let none = session.client.batch_execute("SET ROLE NONE").await;
            none.map_err(CutoverError::postgres("SET ROLE NONE"))?;
        }
        Ok(session)
    }

    /// Tries to log in and says how it went, for a report.
    ///
    /// # Errors
    /// The login's own error, with everything it knows; `None` when no account was given.
    pub async fn attempt(
        &self,
        who: Who,
        database: &str,
    ) -> Option<Result<rds_iam::LoginStatus, Box<LoginError>>> {
        let account = self.account(who).ok()?;
        let connector = self.connector(account, database).ok()?;
        Some(match connector.connect().await {
            Ok(connection) => {
                drop(connection.client);
                let _ended = connection.task.await;
                Ok(connector.status())
            }
            Err(error) => Err(Box::new(error)),
        })
    }

    /// Opens a session as soon as it can be had, for what needs a moment to take effect in AWS.
    ///
    /// # Errors
    /// The last refusal.
    pub async fn open_within(
        &self,
        who: Who,
        database: &str,
        patience: Duration,
    ) -> Result<Session, CutoverError> {
        let end = Instant::now() + patience;
        loop {
            match self.open(who, database).await {
                Err(CutoverError::Login { .. }) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                other => return other,
            }
        }
    }

    /// The account of somebody.
    ///
    /// # Errors
    /// [`CutoverError::NoAccount`] says what to set.
    pub fn account(&self, who: Who) -> Result<&Account, CutoverError> {
        let (account, hint) = match who {
            Who::Admin => (
                &self.admin,
                "set SAL_ADMIN_USER and SAL_ADMIN_PASS (without the password it logs in with IAM)",
            ),
            Who::Old => (
                &self.old,
                "set DB_PASS, the old user's password, so that it can be proved before anything is taken from the new user (or say --unproved)",
            ),
            Who::New => (
                &self.new,
                "there are no AWS credentials here; run it where the role can be assumed",
            ),
        };
        account
            .as_ref()
            .ok_or(CutoverError::NoAccount { who, hint })
    }

    /// Finds out, before anything is changed, whether somebody who logs in with IAM has credentials that can sign.
    ///
    /// # Errors
    /// [`CutoverError::NoAccount`] when none was given, [`CutoverError::Credentials`] when none can be had.
    pub async fn can_sign(&self, who: Who) -> Result<(), CutoverError> {
        if let LoginSecret::Iam(iam) = &self.account(who)?.secret {
            iam.credentials.get().await?;
        }
        Ok(())
    }

    fn connector(&self, account: &Account, database: &str) -> Result<Connector, CutoverError> {
        let mut config = self.base.clone();
        config.user.clone_from(&account.user);
        config.secret = account.secret.clone();
        database.clone_into(&mut config.database);
        config.application_name = Some(APPLICATION.to_owned());
        config.expected_current_user = None;
        config.search_path = SearchPath::Catalog;
        Ok(Connector::new(
            config,
            Arc::clone(&self.resolver),
            Arc::clone(&self.clock),
        )?)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Admin => "the administrator",
            Self::Old => "the old user",
            Self::New => "the new user",
        })
    }
}

/// What its sessions call themselves; they do not count as sessions of the deployment.
pub const APPLICATION: &str = "sal iam";
