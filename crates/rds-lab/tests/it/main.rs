//! The lab against real clients: psql, tokio-postgres, an HTTP client, and the token vectors.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod client;
mod faults;
mod login;
mod membership;
mod pam;
mod passwords;
mod protocol;
mod services;
mod shapes;
mod signer;
mod site;
mod standby;
mod vectors;
