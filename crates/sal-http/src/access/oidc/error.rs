//! Why a single sign-on did not end well: what the person reads, and what the log says.

use std::error::Error;

use http::StatusCode;
use sal_store::StoreError;

use super::token::TokenFault;
use crate::error::AppError;

/// A login by single sign-on failed.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No such login is under way in this browser.
    #[error(
        "no such login is under way: it took too long, was used already, or began in another browser"
    )]
    Stale,
    /// The provider sent the browser back without a login.
    #[error("the provider refused: {code}")]
    Denied {
        /// The provider's error code.
        code: String,
        /// The provider's words for the person.
        description: Option<String>,
    },
    /// The provider cannot be reached, or is not what the configuration says.
    #[error("the provider failed: {what}")]
    Provider {
        /// What failed.
        what: String,
        /// Why.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The provider's token cannot be believed.
    #[error("the provider's token is refused")]
    Token(#[from] TokenFault),
    /// The account may not come in.
    #[error("the account is refused: {0:?}")]
    Refused(Refusal),
    /// Something here failed.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Why an account of the provider may not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The token holds nothing that could be a user name.
    NoName,
    /// The user name comes from an e-mail address that the provider did not verify.
    UnverifiedEmail,
    /// No group of the account gives a level.
    NoLevel {
        /// Whether the provider left the groups out of the token because there are too many.
        groups_left_out: bool,
    },
    /// There is no such user, and none is made without a mapping of levels.
    Unknown,
    /// A local user has this name.
    NameTaken {
        /// The name.
        name: String,
    },
    /// Another account of the provider is the user of this name.
    AnothersName {
        /// The name.
        name: String,
    },
    /// The user is not active.
    Inactive,
}

impl From<StoreError> for OidcError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

impl OidcError {
    pub(super) fn provider(what: impl Into<String>) -> Self {
        Self::Provider {
            what: what.into(),
            source: None,
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Stale => StatusCode::BAD_REQUEST,
            Self::Denied { .. } | Self::Token(_) | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::Provider { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::App(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the person can know and do. Plain text; it may hold what the provider sent.
    #[must_use]
    pub fn sentence(&self, issuer: &str) -> String {
        match self {
            Self::Stale => "This login took too long, was used already, or began in another browser. Begin again."
                .to_owned(),
            Self::Denied { code, description } => match description {
                Some(description) => format!("The provider {issuer} refused the login: {description} ({code})"),
                None => format!("The provider {issuer} refused the login ({code})."),
            },
            Self::Provider { .. } => format!(
                "The provider {issuer} cannot be used now. Try again in a moment. If it goes on, an administrator of \
                 this server finds the cause in its log; local accounts can log in meanwhile."
            ),
            Self::Token(_) => format!(
                "What the provider {issuer} said about you cannot be believed, so nobody was logged in. An \
                 administrator of this server finds the cause in its log."
            ),
            Self::Refused(refusal) => refusal.sentence(),
            Self::App(_) => "The request failed here, not at your side.".to_owned(),
        }
    }
}

impl Refusal {
    fn sentence(&self) -> String {
        match self {
            Self::NoName => "The provider sent no user name. An administrator can choose another claim with \
                             SAL_OIDC_USERNAME_CLAIM."
                .to_owned(),
            Self::UnverifiedEmail => "Your e-mail address is not verified at the provider. Verify it there, then \
                                      log in again."
                .to_owned(),
            Self::NoLevel { groups_left_out: false } => "Your account is in no group that may use this server. An \
                administrator can add you to one, or add a group to SAL_OIDC_LEVELS."
                .to_owned(),
            Self::NoLevel { groups_left_out: true } => "Your account is in so many groups that the provider left \
                them out. An administrator can have it send only the groups that are assigned to this application."
                .to_owned(),
            Self::Unknown => "There is no user of your name here, and SAL_OIDC_LEVELS does not say who may become \
                              one. An administrator can set it."
                .to_owned(),
            Self::NameTaken { name } => format!(
                "There is a local user `{name}` already, and it is not taken over. An administrator can join the two \
                 with SAL_OIDC_LINK_EXISTING=true, or rename the local user."
            ),
            Self::AnothersName { name } => format!(
                "The user `{name}` belongs to another account of the provider. An administrator can delete or rename \
                 the user; your next login makes a new one."
            ),
            Self::Inactive => "Your user is not active here. An administrator can activate it.".to_owned(),
        }
    }
}
