//! What the doors share: the App, who is asking, how errors become answers, what every answer carries.
//!
//! Knows HTTP and the store. Knows no page, no submission and no AWS. Compatibility with Django that more than
//! one door needs is in [`django`], each with its quirk number.

pub mod access;
pub mod app;
pub mod checkin_key;
pub mod database_status;
pub mod django;
pub mod error;
pub mod layers;
pub mod metric_names;
pub mod origin;
pub mod outbound;
pub mod proxies;
pub mod routes;
pub mod sal_settings;
pub mod serial;

pub use app::{App, Clock, HttpConfig};
pub use error::AppError;
pub use routes::Routes;
