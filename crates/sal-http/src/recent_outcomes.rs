//! How the requests of machines ended within the last seconds: a server whose check-ins all fail is not ready, whatever
//! its probe of the database says.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Counts of this window and the one before it.
#[derive(Default)]
pub struct RecentOutcomes(Mutex<Windows>);

#[derive(Default)]
struct Windows {
    began: Option<Instant>,
    now: Counts,
    before: Counts,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    answered: u32,
    failed: u32,
}

impl RecentOutcomes {
    /// A request was answered as it should be.
    pub fn answered(&self) {
        let mut windows = self.turned();
        windows.now.answered = windows.now.answered.saturating_add(1);
    }

    /// A request failed at our side.
    pub fn failed(&self) {
        let mut windows = self.turned();
        windows.now.failed = windows.now.failed.saturating_add(1);
    }

    /// How many failed of how many, when that is more than half of them and not just one or two.
    pub fn mostly_failed(&self) -> Option<(u32, u32)> {
        let windows = self.turned();
        let failed = windows.now.failed.saturating_add(windows.before.failed);
        let answered = windows.now.answered.saturating_add(windows.before.answered);
        (failed >= FEW && failed > answered).then(|| (failed, failed.saturating_add(answered)))
    }

    /// The windows, moved on to the present.
    fn turned(&self) -> MutexGuard<'_, Windows> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let age = windows.began.map(|began| now.duration_since(began));
        if age.is_none_or(|age| age >= WINDOW) {
            let is_next = age.is_some_and(|age| age < WINDOW * 2);
            windows.before = if is_next {
                windows.now
            } else {
                Counts::default()
            };
            windows.now = Counts::default();
            windows.began = Some(now);
        }
        windows
    }
}

/// Two of them are looked at. Short, so that a server that recovered is ready again at once.
const WINDOW: Duration = Duration::from_secs(2);
const FEW: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_failures_among_many_answers_are_nothing_and_it_is_forgotten_in_seconds() {
        let outcomes = RecentOutcomes::default();
        outcomes.failed();
        outcomes.failed();
        assert_eq!(outcomes.mostly_failed(), None);
        outcomes.failed();
        assert_eq!(outcomes.mostly_failed(), Some((3, 3)));
        for _ in 0..3 {
            outcomes.answered();
        }
        assert_eq!(outcomes.mostly_failed(), None);
        outcomes.failed();
        assert_eq!(outcomes.mostly_failed(), Some((4, 7)));
        tokio::time::advance(WINDOW).await;
        assert_eq!(outcomes.mostly_failed(), Some((4, 7)));
        tokio::time::advance(WINDOW).await;
        assert_eq!(outcomes.mostly_failed(), None);
    }
}
