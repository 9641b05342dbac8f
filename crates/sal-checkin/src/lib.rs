//! Door 1: Macs (and other machines) talk to us.
//!
//! Bytes become a [`submission::Submission`] that cannot be wrong, a pure function compares it with what the store
//! holds and plans the writes, and one transaction writes them. Start reading in [`routes`].

mod broken_client;
pub mod bulk;
mod catalog;
mod checkin;
mod date;
mod digest;
mod filing;
mod form;
pub mod fuzzed;
mod inventory;
mod journal;
mod licences;
mod limits;
mod moves;
mod payload;
mod plan;
mod preflight;
mod profiles;
pub mod python;
mod rehearsal;
mod retry;
mod routes;
mod serial;
pub mod submission;
mod warnings;

pub use rehearsal::{NotRehearsed, Rehearsed, rehearse};
pub use routes::routes;
