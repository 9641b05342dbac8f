//! Assembly: joins the doors into one router and serves it until told to stop.
//!
//! Binds no port, reads no environment, installs no signal handler: the program hands in a listener and a
//! shutdown token. The order of the layers is in [`router`], health and metrics are in [`health`].

mod foreign_forms;
pub mod health;
pub mod router;
mod serve;
mod unread;

pub use health::status_router;
pub use router::{Options, router};
pub use sal_web::background::keep_counts;
pub use serve::{ServeError, serve};
