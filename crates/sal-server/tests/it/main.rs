//! The assembled server against a real Postgres; folders mirror URLs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod api;
mod assistants;
mod browser;
mod catalogs;
mod checkin;
mod client_scripts;
mod files;
mod filters;
mod former_keys;
mod golden;
mod hostile;
mod inventory;
mod journal;
mod licences;
mod machine_changes;
mod memory;
mod months;
mod odd_clients;
mod oidc;
mod packed;
mod pages;
mod plugins;
mod profiles;
mod quirks;
mod schema;
mod searches;
mod siege;
mod storm;
mod unbounded;
