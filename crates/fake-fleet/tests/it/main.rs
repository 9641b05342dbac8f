//! Tests of the fleet through its public door.
#![expect(clippy::unwrap_used, reason = "tests")]

mod checkins;
mod server;
mod simulations;
