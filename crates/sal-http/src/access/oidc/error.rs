//! Why a single sign-on did not end well: what the person reads, and what the log says.

use http::StatusCode;
use oidc_login::LoginError;
use sal_store::StoreError;

use crate::error::AppError;

/// A login by single sign-on failed.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The protocol says so.
    #[error(transparent)]
    Login(#[from] LoginError),
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
    /// The provider says nothing that could be a user name.
    NoName,
    /// The user name comes from an e-mail address of which the provider does not say that it is verified.
    UnverifiedEmail,
    /// No group of the account gives a level.
    NoLevel {
        /// Whether the provider left the groups out of the token because there are too many.
        groups_left_out: bool,
    },
    /// The groups are not known, and with those that are the user would have less than before.
    GroupsUnknown {
        /// Whether the provider says that it left them out.
        left_out: bool,
    },
    /// There is no such user, and none is made without a mapping of levels.
    Unknown {
        /// The account's id at the provider.
        account: Account,
    },
    /// A user has this name, or one that looks like it.
    NameTaken {
        /// The user's name.
        name: String,
        /// The account's id at the provider.
        account: Account,
    },
    /// Another account of the provider is the user of this name, or of one that looks like it.
    AnothersName {
        /// The user's name.
        name: String,
    },
    /// The user is not active.
    Inactive,
}

/// The id of an account at the provider: for the eyes of its owner, not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Account(pub String);

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<StoreError> for OidcError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

impl OidcError {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Login(LoginError::Stale) => StatusCode::BAD_REQUEST,
            Self::Login(LoginError::Provider { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Login(LoginError::Denied { .. } | LoginError::Token(_)) | Self::Refused(_) => {
                StatusCode::FORBIDDEN
            }
            Self::Login(LoginError::Sealing) | Self::App(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether somebody was turned away, as by a wrong password.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.status() == StatusCode::FORBIDDEN
    }

    /// What the person can know and do. Plain text; it may hold what the provider sent.
    #[must_use]
    pub fn sentence(&self, issuer: &str) -> String {
        match self {
            Self::Login(LoginError::Stale) => {
                "This login took too long, was used already, or began in another browser. Begin again.".to_owned()
            }
            Self::Login(LoginError::Denied { code, description }) => match description {
                Some(description) => format!("The provider {issuer} refused the login: {description} ({code})"),
                None => format!("The provider {issuer} refused the login ({code})."),
            },
            Self::Login(LoginError::Provider { .. }) => format!(
                "The provider {issuer} cannot be used now. Try again in a moment. If it goes on, an administrator of \
                 this server finds the cause in its log; local accounts can log in meanwhile."
            ),
            Self::Login(LoginError::Token(_)) => format!(
                "What the provider {issuer} said about you cannot be believed, so nobody was logged in. An \
                 administrator of this server finds the cause in its log."
            ),
            Self::Refused(refusal) => refusal.sentence(issuer),
            Self::Login(LoginError::Sealing) | Self::App(_) => {
                "The request failed here, not at your side.".to_owned()
            }
        }
    }
}

impl Refusal {
    fn sentence(&self, issuer: &str) -> String {
        match self {
            Self::NoName => "The provider sent no user name. An administrator can choose another claim with \
                             SAL_OIDC_USERNAME_CLAIM."
                .to_owned(),
            Self::UnverifiedEmail => "The provider does not say that your e-mail address is verified. Verify it \
                                      there, then log in again, or ask an administrator to choose another claim with \
                                      SAL_OIDC_USERNAME_CLAIM."
                .to_owned(),
            Self::NoLevel { groups_left_out: false } => "Your account is in no group that may use this server. An \
                administrator can add you to one, or add a group to SAL_OIDC_LEVELS."
                .to_owned(),
            Self::NoLevel { groups_left_out: true } => "Your account is in so many groups that the provider left \
                them out. An administrator can have it send only the groups that are assigned to this application."
                .to_owned(),
            Self::GroupsUnknown { left_out: true } => "Your account is in so many groups that the provider left them \
                out, so it is not known what you may do here, and nothing was changed. An administrator can have it \
                send only the groups that are assigned to this application."
                .to_owned(),
            Self::GroupsUnknown { left_out: false } => "The provider did not say which groups your account is in, so \
                it is not known what you may do here, and nothing was changed. An administrator can have it send the \
                groups (SAL_OIDC_GROUPS_CLAIM names their claim) or, if you are in none any more, change your user \
                here."
                .to_owned(),
            Self::Unknown { account } => format!(
                "No user here belongs to your account, and SAL_OIDC_LEVELS does not say who may become one. {}",
                account.how_to_link("NAME", issuer)
            ),
            Self::NameTaken { name, account } => format!(
                "There is a local user `{name}` already, whose name is yours or looks like it, and it is not taken over. {}",
                account.how_to_link(name, issuer)
            ),
            Self::AnothersName { name } => format!(
                "The user `{name}`, whose name is yours or looks like it, belongs to another account of the provider. \
                 An administrator can delete or rename the user, or give your account another name."
            ),
            Self::Inactive => "Your user is not active here. An administrator can activate it.".to_owned(),
        }
    }
}

impl Account {
    fn how_to_link(&self, name: &str, issuer: &str) -> String {
        format!(
            "An administrator can link the two on the user's page, or with `sal user link {name} --issuer {issuer} \
             --subject {}`.",
            self.0
        )
    }
}
