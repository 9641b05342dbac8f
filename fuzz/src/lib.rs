//! What must hold for every input from outside, as plain functions that panic when it does not.
//!
//! Each module is one fuzz target: `check(bytes)`. The binaries in `fuzz_targets/` hand these to libFuzzer,
//! `tests/corpus.rs` runs them over the seed corpus. `docs/guides/fuzzing.md` is the manual.

pub mod checkin;
pub mod endpoint;
pub mod filter;
pub mod packed;
pub mod startup;
pub mod token;

/// What became of an input that broke no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is one of what the target is about, and everything that must then hold does.
    Accepted,
    /// It is none, and was refused as it should be.
    Refused,
}
