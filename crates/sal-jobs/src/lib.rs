//! Door 4: the clock talks to us. What has to be done now and then, by one server of however many there are.
//!
//! Each job is a file with its `NAME`, `EVERY` and `run`, and a line in [`jobs::JOBS`]. [`run`] is the worker that a
//! server spawns; [`by_hand`] is `sal db maintain`. What a run did is written to `salrs_job`, which the page
//! `/settings/maintenance/` shows.

mod applications;
pub mod by_hand;
mod config;
mod deactivated;
mod inactive;
pub mod jobs;
mod leftovers;
mod machine_changes;
mod retention;
mod run;
mod search;
mod sessions;
mod snapshots;
mod work;
mod worker;

pub use config::JobsConfig;
pub use work::JobError;
pub use worker::run;
