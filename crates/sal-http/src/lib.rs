//! What the doors share: the App, who is asking, how errors become answers, what every answer carries.
//!
//! Knows HTTP and the store. Knows no page, no submission and no AWS. Compatibility with Django that more than
//! one door needs is in [`django`], each with its quirk number.

pub mod access;
pub mod api_token;
pub mod app;
pub mod checkin_key;
pub mod crowd;
pub mod csv;
pub mod database_status;
pub mod db;
pub mod django;
mod enabled_plugins;
pub mod error;
pub mod late;
pub mod layers;
pub mod memory;
pub mod metric_names;
pub mod multipart;
pub mod origin;
pub mod outbound;
pub mod per_minute;
pub mod proxies;
pub mod random_key;
pub mod recent_outcomes;
pub mod routes;
pub mod sal_settings;
pub mod seldom;
pub mod serial;
pub mod skew;
pub mod turns;

pub use app::{App, Clock, HttpConfig};
pub use enabled_plugins::enabled_plugins;
pub use error::AppError;
pub use routes::{Access, Door, Doors, Routes};
