//! Our start-up messages against `postgres-protocol`, and against any bytes at all.
#![expect(clippy::unwrap_used, reason = "tests")]

mod oracle;
mod round_trip;
