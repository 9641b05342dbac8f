//! The assembled server against a real Postgres; folders mirror URLs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod browser;
mod checkin;
mod golden;
mod quirks;
mod schema;
