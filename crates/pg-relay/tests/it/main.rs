//! The relay in front of the lab, with real clients: psql 15 and 18, `pg_dump`, tokio-postgres, raw packets.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod access;
mod clients;
mod failures;
mod life;
mod stage;
