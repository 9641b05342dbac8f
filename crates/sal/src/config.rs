//! Configuration: read once, checked whole, all mistakes reported together.
//!
//! `env.rs` declares every variable and is the only file that reads the environment; the others turn the values into one struct for each library.

mod access;
pub(crate) mod aws;
pub(crate) mod aws_names;
pub(crate) mod cutover;
pub(crate) mod database;
pub(crate) mod env;
pub(crate) mod host;
pub(crate) mod jobs;
mod memory;
pub(crate) mod oidc;
pub(crate) mod relay;
pub(crate) mod role;
pub(crate) mod server;
pub(crate) mod target;

pub(crate) use env::Environment;
