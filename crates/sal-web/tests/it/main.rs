//! The pages against a real Postgres: what is seen, by whom, and what changes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod database;
mod device;
mod devices;
mod login;
mod overview;
mod places;
mod settings;
mod setup;
mod site;
