//! A check-in's two halves: read what is there in one round trip, write what changed in another.
//!
//! The comparison in between is not here: it is pure and belongs to the door that understands submissions.
//! Both halves send their statements together on one connection; the machine's row is locked first, so two
//! check-ins of one machine follow each other.

pub mod changes;
pub mod read;
pub mod write;

pub use changes::Changes;
pub use read::{Present, read};
pub use write::write;
