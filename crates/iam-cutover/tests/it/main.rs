//! The move on real Postgres servers behind the lab's gate: 15.5, 16, 17, 18, and the machine's own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod aws;
mod edges;
mod faults;
mod guard;
mod hostile;
mod later;
mod locked_out;
mod master;
mod matrix;
mod moto;
mod refusals;
mod resume;
mod scripts;
mod shapes;
mod stage;
