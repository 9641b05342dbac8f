//! The figures of one cell, as a line of a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::meter::Reading;

/// What one cell measured.
pub(super) struct Cell {
    /// Who did it: `ours` or the name of a baseline.
    pub(super) strategy: &'static str,
    /// What was sent.
    pub(super) scenario: &'static str,
    /// How many at a time.
    pub(super) concurrency: usize,
    /// How many.
    pub(super) count: u32,
    /// From the first to the last.
    pub(super) elapsed: Duration,
    /// Of each, sorted.
    pub(super) times: Vec<Duration>,
    /// Before and after.
    pub(super) readings: (Reading, Reading),
}

impl Cell {
    /// Check-ins per second.
    pub(super) fn rate(&self) -> f64 {
        f64::from(self.count) / self.elapsed.as_secs_f64()
    }

    fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.times.len() * percent).div_ceil(100).saturating_sub(1);
        self.times
            .get(rank)
            .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }

    fn each(&self, from: impl Fn(&Reading) -> Option<f64>) -> f64 {
        let (before, after) = (from(&self.readings.0), from(&self.readings.1));
        before.zip(after).map_or(f64::NAN, |(before, after)| {
            (after - before) / f64::from(self.count)
        })
    }

    /// CPU milliseconds of Postgres for each.
    pub(super) fn postgres_ms(&self) -> f64 {
        self.each(|reading| Some(reading.postgres?.as_secs_f64() * 1000.0))
    }

    /// Bytes of WAL for each.
    #[expect(
        clippy::cast_precision_loss,
        reason = "WAL of a run is far below 2^53 bytes"
    )]
    #[expect(
        clippy::as_conversions,
        reason = "there is no checked conversion to f64"
    )]
    pub(super) fn wal_bytes(&self) -> f64 {
        self.each(|reading| Some(reading.wal_bytes as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "statements of a run are far below 2^53"
    )]
    #[expect(
        clippy::as_conversions,
        reason = "there is no checked conversion to f64"
    )]
    fn statements(&self) -> f64 {
        self.each(|reading| Some(reading.statements as f64))
    }

    fn server_ms(&self) -> f64 {
        if self.strategy != "ours" {
            return f64::NAN;
        }
        self.each(|reading| Some(reading.server?.as_secs_f64() * 1000.0))
    }

    /// One line.
    pub(super) fn as_text(&self) -> String {
        let known = |value: f64, digits: usize| {
            if value.is_nan() {
                "-".to_owned()
            } else {
                format!("{value:.digits$}")
            }
        };
        format!(
            "{:<11} {:<10} {:>3} {:>8.0} {:>8.2} {:>8.2} {:>9} {:>9} {:>9.0} {:>7.1}",
            self.strategy,
            self.scenario,
            self.concurrency,
            self.rate(),
            self.percentile_ms(50),
            self.percentile_ms(99),
            known(self.server_ms(), 3),
            known(self.postgres_ms(), 3),
            self.wal_bytes(),
            self.statements(),
        )
    }

    /// All of it.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "strategy": self.strategy, "scenario": self.scenario, "concurrency": self.concurrency, "count": self.count,
            "per_second": self.rate(), "p50_ms": self.percentile_ms(50), "p99_ms": self.percentile_ms(99),
            "server_cpu_ms": self.server_ms(), "postgres_cpu_ms": self.postgres_ms(), "wal_bytes": self.wal_bytes(),
            "statements": self.statements(),
        })
    }
}

/// What the columns of [`Cell::as_text`] are.
pub(super) const HEADER: &str =
    "strategy    scenario   con    per s   p50 ms   p99 ms  server ms     PG ms     WAL B   stmts";
