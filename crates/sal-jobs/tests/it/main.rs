//! The jobs on a real Postgres: rows before and after, batches, several servers, connections that die, and inventories
//! that come in meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod applications;
mod ground;
mod hand;
mod inactive;
mod leftovers;
mod machine_changes;
mod retention;
mod search;
mod sessions;
mod snapshots;
mod time;
mod worker;
