//! Starts a private Postgres from the server binaries on the machine.
//!
//! For the demo, the lab and the tests: own data folder, unix socket, unprivileged user, removed
//! afterwards unless kept, and never left running when the process that started it dies.
//! Not for production, and it installs nothing: [`find_server_binaries`] says what to install.
//! Start at [`LocalPostgres::start`]; how the server is kept on a leash is in `postmaster.rs`.

mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod options;
mod postmaster;
mod readiness;
mod server;
mod standby;

pub use account::RunAs;
pub use binaries::{OLDEST_MAJOR, ServerBinaries, find_server_binaries};
pub use error::{NotFound, StartError};
pub use options::{Listen, Options};
pub use server::LocalPostgres;
