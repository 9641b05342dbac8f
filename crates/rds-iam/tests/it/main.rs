//! What the library does, seen from outside: tokens, and logins to a Postgres dressed as RDS.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod failover;
mod identity;
mod refusals;
mod routes;
mod sso;
mod storm;
mod support;
mod trust;
mod vectors;
