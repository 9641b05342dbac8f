//! The private Postgres against the real server programs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod life;
mod orphan;
