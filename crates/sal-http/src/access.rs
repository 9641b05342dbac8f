//! Who is asking: sessions, passwords, levels and scope of the people's door.
//!
//! A handler names the right it needs in its signature ([`Viewer`], [`ReadWrite`], [`GlobalAdmin`]); nothing
//! below it asks again. Machines and programs authenticate elsewhere ([`crate::checkin_key`]).

pub mod attempts;
pub mod credentials;
pub mod hashing;
pub mod last_admin;
pub mod oidc;
pub mod password;
pub mod refusals;
pub mod session;
pub mod setup;
pub mod viewer;

pub use attempts::LoginAttempts;
pub use viewer::{GlobalAdmin, Level, ReadWrite, SeesMachines, Staff, Viewer};
