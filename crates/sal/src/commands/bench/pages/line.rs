//! The figures of one page, as a line of a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// What was measured of a page.
pub(super) struct Line {
    pub(super) machines: u32,
    pub(super) page: &'static str,
    /// The first visit after the start, when nothing is kept yet.
    pub(super) first: Duration,
    /// Medians of the rounds.
    pub(super) half: Duration,
    pub(super) most: Duration,
    /// Statements of one request.
    pub(super) statements: f64,
    pub(super) bytes: usize,
    /// Lines of text, where it is a file.
    pub(super) lines: Option<usize>,
    /// The same by plain SQL.
    pub(super) by_hand: Duration,
    /// The server's greatest memory meanwhile, where the system tells.
    pub(super) peak_kib: Option<u64>,
}

impl Line {
    pub(super) fn as_text(&self) -> String {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let mut text = format!(
            "{:>7} {:<31} {:>8.1} {:>8.1} {:>8.1} {:>6.1} {:>10} {:>8.1} {:>6}",
            self.machines,
            self.page,
            ms(self.first),
            ms(self.half),
            ms(self.most),
            self.statements,
            self.bytes,
            ms(self.by_hand),
            self.peak_kib
                .map_or_else(|| "-".to_owned(), |kib| (kib / 1024).to_string()),
        );
        if let Some((megabytes, lines)) = self.rates() {
            text.push_str(&format!("  {megabytes:.1} MB/s, {lines:.0} lines/s"));
        }
        text
    }

    pub(super) fn as_json(&self) -> Value {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        json!({
            "machines": self.machines, "page": self.page, "first_ms": ms(self.first), "p50_ms": ms(self.half), "p99_ms": ms(self.most),
            "statements": self.statements, "bytes": self.bytes, "plain_sql_p50_ms": ms(self.by_hand),
            "server_peak_kib": self.peak_kib, "megabytes_per_second": self.rates().map(|rates| rates.0),
            "lines_per_second": self.rates().map(|rates| rates.1),
        })
    }

    /// Megabytes and lines a second, of a file.
    fn rates(&self) -> Option<(f64, f64)> {
        let per_second = |count: usize| {
            let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            count / self.half.as_secs_f64()
        };
        let lines = per_second(self.lines?);
        Some((per_second(self.bytes) / 1e6, lines))
    }
}

/// What the columns of [`Line::as_text`] are.
pub(super) const HEADER: &str = "machines page                            first ms   p50 ms   p99 ms  stmts      bytes   SQL ms  peak MiB";

/// Of sorted times the one that so many in a hundred do not exceed.
pub(in crate::commands::bench) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

/// The middle one.
pub(in crate::commands::bench) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    percentile(&times, 50)
}
