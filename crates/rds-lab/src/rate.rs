//! Counts logins within a sliding second.
//!
//! RDS throttles above 200 new IAM connections per second; the peak is what tests want to see.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Logins of the last second, and the most there ever were in one.
#[derive(Debug, Default)]
pub(crate) struct Rate(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    recent: VecDeque<Instant>,
    peak: usize,
}

impl Rate {
    /// Counts a login at `now`; returns how many the last second has seen, this one included.
    pub(crate) fn count(&self, now: Instant) -> usize {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = Duration::from_secs(1);
        while window
            .recent
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= second)
        {
            window.recent.pop_front();
        }
        window.recent.push_back(now);
        window.peak = window.peak.max(window.recent.len());
        window.recent.len()
    }

    pub(crate) fn peak(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_window_slides_and_the_peak_stays() {
        let rate = Rate::default();
        let start = Instant::now();
        for expected in 1..=5 {
            assert_eq!(rate.count(start), expected);
        }
        assert_eq!(rate.count(start + Duration::from_millis(999)), 6);
        assert_eq!(rate.count(start + Duration::from_millis(1_500)), 2);
        assert_eq!(rate.peak(), 6);
    }
}
