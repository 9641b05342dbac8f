//! A local Postgres port or unix socket whose clients are logged in upstream with IAM.
//!
//! For programs that cannot sign tokens: psql, `pg_dump`, Grafana, the old Django Sal. A client's
//! start-up is read, the upstream login is made by `rds-iam`, and after it bytes are copied, not
//! parsed. Start at [`Relay::run`]; one client's way is `session.rs`. Knows nothing of Sal. Reads no
//! environment, prints nothing, installs no signal handlers.

mod cancel;
mod client;
mod counters;
mod folder;
mod guesses;
mod health;
mod listen;
mod places;
mod refusal;
mod relay;
mod session;
mod splice;
mod tls;
mod upstream;

pub use self::{
    counters::Counters,
    health::{routes as health_routes, try_login},
    listen::{ListenError, Local, LocalAccess},
    relay::{Door, Ending, Relay, RelaySettings},
    tls::{LocalTls, LocalTlsError},
};
