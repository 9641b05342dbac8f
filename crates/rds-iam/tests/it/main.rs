//! What the library does, seen from outside.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod vectors;
