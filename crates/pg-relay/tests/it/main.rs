//! The relay in front of the lab, with real clients: psql and `pg_dump` 15 to 18, tokio-postgres, raw packets.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod access;
mod clients;
mod failures;
mod life;
mod siege;
mod stage;
