//! Why a command of the move could not do what it was asked.

use rds_iam::{CredentialError, Explanation, LoginError};
use thiserror::Error;

use crate::{
    aws::{AwsError, Unsettled},
    inventory::Reach,
    journal::JournalError,
    logins::Who,
    plan::Finding,
};

/// Why a command of the move could not do what it was asked.
#[derive(Debug, Error)]
pub enum CutoverError {
    /// Somebody could not log in.
    #[error("{who} `{user}` cannot log in to `{database}`: {explanation}")]
    Login {
        /// In which role of the play.
        who: Who,
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// What happened, likely why, and what to do.
        explanation: Box<Explanation>,
    },
    /// The administrator became a member of `rds_iam` and has no valid token either.
    #[error(
        "the administrator `{user}` is locked out. Its password: {password} RDS takes only tokens from members of rds_iam, direct or through another role. Its token: {token} Next: run `sal iam unlock`, which looks for a way back in; it needs AWS credentials that allow rds-db:connect as `{user}` (`sal iam policy --user {user}` prints the policy)"
    )]
    LockedOut {
        /// The administrator.
        user: String,
        /// How its password was refused.
        password: String,
        /// How its token was.
        token: String,
    },
    /// Nobody gets in who could free the administrator.
    #[error("`{user}` stays locked out: {}. What is left: {next}", reasons.join("; and "))]
    NoWayIn {
        /// The administrator.
        user: String,
        /// Everybody's refusal, each once.
        reasons: Vec<String>,
        /// What is left to do.
        next: String,
    },
    /// The administrator would be left with a password that nobody knows.
    #[error(
        "nothing was done: afterwards `{user}` logs in with its password and nothing else, and it is not known here. Set SAL_ADMIN_PASS so that it can be proved, or say --unproved"
    )]
    NoAdminPassword {
        /// The administrator.
        user: String,
    },
    /// No way to log in was given.
    #[error("{who} cannot log in: {hint}")]
    NoAccount {
        /// In which role of the play.
        who: Who,
        /// What to set.
        hint: &'static str,
    },
    /// There are no credentials to sign with.
    #[error("no AWS credentials to log in with as the new user: {0}")]
    Credentials(#[from] CredentialError),
    /// The login cannot be set up.
    #[error("the login cannot be set up: {0}")]
    Configuration(#[from] rds_iam::ConfigError),
    /// Somebody else holds a lock that a statement needs.
    #[error("{action} waited {seconds} s for a lock that others hold: {}; end those transactions, or wait for them, and start again", holders.join("; "))]
    Locked {
        /// What was being done.
        action: String,
        /// How long it waited.
        seconds: u32,
        /// Whose transactions, as far as this user sees.
        holders: Vec<String>,
    },
    /// Postgres refused or the connection broke.
    #[error("{action} failed{}", postgres(source))]
    Postgres {
        /// What was being done.
        action: String,
        /// What happened.
        #[source]
        source: tokio_postgres::Error,
    },
    /// Another run holds the lock.
    #[error(
        "another run is under way (session {pid}, since {since}); wait for it, or end that session if nobody is behind it: SELECT pg_catalog.pg_terminate_backend({pid})"
    )]
    AnotherRun {
        /// Its backend.
        pid: i32,
        /// When it began.
        since: String,
    },
    /// The plan says what a person has to change first.
    #[error("nothing was done: {}", list(.0))]
    Refused(Vec<Finding>),
    /// Somebody would have lost the password login.
    #[error("the lock-out guard stopped it before the commit: {}", reaches(.0))]
    LockOut(Vec<Reach>),
    /// After a step something did not work, and the step was undone.
    #[error("after `{step}`: {reason}; the step was undone")]
    Undone {
        /// The step.
        step: String,
        /// What did not work.
        reason: String,
    },
    /// After a step something did not work, and undoing failed too.
    #[error("after `{step}`: {reason}; UNDOING IT FAILED ({undo}); do it by hand: {statements}")]
    NotUndone {
        /// The step.
        step: String,
        /// What did not work.
        reason: String,
        /// Why undoing failed.
        undo: String,
        /// What would have undone it.
        statements: String,
    },
    /// After a step in AWS something did not work; the step stays.
    #[error(
        "after `{step}`: {reason}; what was done in AWS stays, and does no harm: the same command continues, `sal iam rollback --aws` takes it back"
    )]
    LeftInAws {
        /// The step.
        step: String,
        /// What did not work.
        reason: String,
    },
    /// AWS said no.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// A change in AWS is not to be seen there.
    #[error("{0}")]
    Unsettled(#[from] Unsettled),
    /// The journal cannot be read, written or trusted.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// Something is not as the command needs it.
    #[error("{0}")]
    State(String),
}

impl CutoverError {
    pub(crate) fn postgres(
        action: impl Into<String>,
    ) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let action = action.into();
        move |source| Self::Postgres { action, source }
    }

    /// Whether RDS refused a password because its user is a member of `rds_iam`.
    pub(crate) fn is_password_of_iam_user(&self) -> bool {
        matches!(self, Self::Login { explanation, .. } if explanation.code == PASSWORD_FOR_IAM_USER)
    }

    pub(crate) fn login(who: Who, error: &LoginError) -> Self {
        Self::Login {
            who,
            user: error.context.user.clone(),
            database: error.context.database.clone(),
            explanation: Box::new(error.explain()),
        }
    }
}

fn postgres(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || ": the connection broke".to_owned(),
        |refusal| format!(": {} ({})", refusal.message(), refusal.code().code()),
    )
}

fn list(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", finding.what, finding.next))
        .collect();
    texts.join(" ")
}

fn reaches(reaches: &[Reach]) -> String {
    let texts: Vec<String> = reaches
        .iter()
        .map(|reach| format!("`{}` would have become a member of rds_iam ({}), and its password would have stopped working", reach.role, reach.chain.join(" -> ")))
        .collect();
    texts.join("; ")
}

/// How `rds_iam` names the refusal of a password because the user is in `rds_iam`.
const PASSWORD_FOR_IAM_USER: &str = "password_for_iam_user";
