//! Door 1: Macs (and other machines) talk to us.
//!
//! Bytes become a [`submission::Submission`] that cannot be wrong, a pure function compares it with what the store
//! holds and plans the writes, and one transaction writes them. Start reading in [`routes`].

pub mod broken_client;
pub mod checkin;
mod date;
mod form;
mod plan;
pub mod preflight;
pub mod python;
pub mod routes;
mod serial;
pub mod submission;

pub use routes::routes;
