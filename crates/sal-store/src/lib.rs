//! The only SQL in the house: one file per table group, every statement as text beside its function.
//!
//! Knows tables, and nothing of HTTP, JSON or HTML. Reads of machine data take a [`scope::Scope`];
//! everything one request writes goes through one [`Tx`]. The database login is somebody else's:
//! a [`pool::Connector`] is handed in.

pub mod api_answers;
pub mod api_keys;
pub mod api_tokens;
pub mod applications;
pub mod attention;
pub mod audit;
pub mod bulk;
pub mod catalogs;
pub mod change_stream;
pub mod changed;
pub mod checkin;
pub mod database;
pub mod device;
pub mod devices;
pub mod error;
pub mod filter_values;
pub mod former_keys;
pub mod group_keys;
pub mod groups;
pub mod identities;
pub mod ids;
pub mod inventory;
pub mod jobs;
pub mod journal;
pub mod keyset;
pub mod licences;
pub mod machine_changes;
mod machine_query;
mod machine_row;
pub mod machines;
pub mod maintenance;
pub mod overview;
pub mod people;
pub mod places;
pub mod plugins;
pub mod pool;
pub mod preferences;
pub mod profiles;
pub mod queries;
pub mod reports;
pub mod resources;
pub mod schema;
pub mod scope;
pub mod search_caches;
pub mod search_steps;
pub mod searches;
pub mod serials;
pub mod sessions;
pub mod settings;
pub mod snapshots;
pub mod sources;
pub mod statements;
pub mod summaries;
pub mod units;
pub mod updates;
pub mod users;

pub use error::StoreError;
pub use machine_row::{FieldValue, MachineRow};
pub use pool::{Client, Store, Tx};
