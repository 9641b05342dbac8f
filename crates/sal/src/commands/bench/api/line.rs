//! The figures of one question, as a line of a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LEAST_OF_COPY, MOST_GROWTH_KIB, ms};

/// What was measured.
pub(super) struct Line {
    name: &'static str,
    half: Duration,
    most: Option<Duration>,
    /// The same by plain SQL.
    by_hand: Option<Duration>,
    /// What it is about, in words.
    figures: String,
    /// What it aims at, and whether it got there.
    aim: Option<(String, bool)>,
}

impl Line {
    /// Of pages.
    pub(super) fn page(
        name: &'static str,
        half: Duration,
        most: Duration,
        by_hand: Option<Duration>,
        aim: Option<f64>,
    ) -> Self {
        Self {
            name,
            half,
            most: Some(most),
            by_hand,
            figures: String::new(),
            aim: aim.map(|aim| (format!("p99 < {aim:.0} ms"), ms(most) < aim)),
        }
    }

    /// Of a part of a walk.
    pub(super) fn walk(
        name: &'static str,
        half: Duration,
        most: Duration,
        figures: String,
        aim: Option<(String, bool)>,
    ) -> Self {
        Self {
            name,
            half,
            most: Some(most),
            by_hand: None,
            figures,
            aim,
        }
    }

    /// Of a stream: the times are those of the whole list.
    pub(super) fn stream(
        name: &'static str,
        rows: u64,
        ours: Duration,
        copy: Duration,
        growth_kib: Option<u64>,
    ) -> Self {
        let ratio = copy.as_secs_f64() / ours.as_secs_f64().max(1e-6);
        let rows = f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
        let growth = growth_kib.unwrap_or(0);
        Self {
            name,
            half: ours,
            most: None,
            by_hand: Some(copy),
            figures: format!(
                "{:.0} rows/s, {ratio:.2} of COPY's, {:.1} MiB more",
                rows / ours.as_secs_f64().max(1e-6),
                f64::from(u32::try_from(growth).unwrap_or(u32::MAX)) / 1024.0,
            ),
            aim: Some((
                format!(">= {LEAST_OF_COPY}, < {} MiB", MOST_GROWTH_KIB / 1024),
                ratio >= LEAST_OF_COPY && growth < MOST_GROWTH_KIB,
            )),
        }
    }

    pub(super) fn as_text(&self) -> String {
        let time =
            |time: Option<Duration>| time.map_or("-".to_owned(), |time| format!("{:.1}", ms(time)));
        let aim = match &self.aim {
            Some((aim, is_met)) => format!("{aim}: {}", if *is_met { "pass" } else { "MISS" }),
            None => String::new(),
        };
        let line = format!(
            "{:<31} {:>9} {:>9} {:>9}  {:<52} {aim}",
            self.name,
            time(Some(self.half)),
            time(self.most),
            time(self.by_hand),
            self.figures,
        );
        line.trim_end().to_owned()
    }

    pub(super) fn as_json(&self) -> Value {
        json!({
            "name": self.name, "p50_ms": ms(self.half), "p99_ms": self.most.map(ms), "sql_ms": self.by_hand.map(ms),
            "figures": self.figures, "aim": self.aim.as_ref().map(|aim| &aim.0), "is_met": self.aim.as_ref().map(|aim| aim.1),
        })
    }
}

/// What the columns of [`Line::as_text`] are.
pub(super) const HEADER: &str = "question                           p50 ms    p99 ms    SQL ms  figures                                              aim";
