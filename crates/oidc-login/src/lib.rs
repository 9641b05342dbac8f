//! Logs somebody in at an OpenID Connect provider: authorization code with PKCE, for a client that is a server.
//!
//! [`RelyingParty::begin`] gives the address of the provider's page and a sealed cookie, [`RelyingParty::finish`] makes
//! a checked [`Person`] of what the browser brings back. Nothing is kept here between the two but what is known of the
//! provider: the login itself is in the browser's cookie ([`sealed`]). Knows no application, no database, no cookie's
//! name, no clock and no environment: the time and the way to the provider ([`transport`]) are handed in.
//!
//! What can be decided without asking anybody is in files of its own: `keys`, `token`, [`person`].

pub mod config;
pub mod error;
mod form;
mod keys;
mod login;
pub mod person;
mod provider;
pub mod sealed;
mod token;
pub mod transport;

pub use config::ClientConfig;
pub use error::LoginError;
pub use login::{Answer, Begun, LIFETIME, RelyingParty, Started};
pub use person::{Groups, NameFault, Person, Wish};
pub use sealed::SealingKey;
pub use token::TokenFault;
pub use transport::Transport;
