//! The few Postgres start-up messages as values.
//!
//! For a program that stands between a client and a server until the login is done: it reads the
//! client's first packets, asks for a password, refuses with an error. What clients send is what
//! `postgres-protocol` has no decoder for; everything after the login is copied, not read.
//! No IO: callers read as many bytes as [`FirstPacket::body_length`] and [`Header::parse`] say.

mod error_response;
mod first;
mod frame;
mod password;
mod startup;

pub use error_response::ErrorResponse;
pub use first::{CancelKey, FirstPacket};
pub use frame::{FrameError, Header};
pub use password::{CLEARTEXT_PASSWORD_REQUEST, Password};
pub use startup::{ProtocolVersion, Startup};
