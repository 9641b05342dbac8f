//! Why nobody was logged in.

use std::error::Error;

use crate::token::TokenFault;

/// A login did not end well. Holds no code, no token and no secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
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
    /// What the provider says of somebody cannot be believed.
    #[error("the provider's token is refused")]
    Token(#[from] TokenFault),
    /// A cookie could not be sealed.
    #[error("the login cannot be sealed")]
    Sealing,
}

impl LoginError {
    pub(crate) fn provider(what: impl Into<String>) -> Self {
        Self::Provider {
            what: what.into(),
            source: None,
        }
    }
}
