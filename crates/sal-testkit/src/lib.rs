//! Database per test, app with typed clients, golden replay, fixed clock.
pub mod golden;
