//! The pages against a real Postgres: what is seen, by whom, and what changes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod activity;
mod belongings;
mod database;
mod device;
mod device_editing;
mod devices;
mod inventory;
mod kept_counts;
mod licences;
mod lists;
mod login;
mod machine_changes;
mod old_addresses;
mod overview;
mod password;
mod places;
mod searches;
mod settings;
mod setup;
mod site;
mod trends;
mod units;
mod updates;
mod users;
