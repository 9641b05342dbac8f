//! What the statements of the last seconds said of the database: whether somebody holds a lock that everybody waits for.
//!
//! With a table locked, each request that needs it would hold its connection for the whole `lock_timeout`, and requests
//! that need no lock would wait behind them. After a few such waits the others hardly wait any more, until for some
//! seconds nobody met the lock again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The memory of one store.
pub(super) struct Trouble {
    usual: Duration,
    met: Mutex<Met>,
}

#[derive(Default)]
struct Met {
    times: u32,
    last: Option<Instant>,
}

impl Trouble {
    pub(super) fn new(usual: Duration) -> Self {
        Self {
            usual,
            met: Mutex::default(),
        }
    }

    /// A statement gave up waiting for a lock.
    pub(super) fn note_lock(&self) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if met.last.is_none_or(|last| last.elapsed() > CALM) {
            met.times = 0;
        }
        met.times = met.times.saturating_add(1);
        met.last = Some(Instant::now());
    }

    /// How long the next statements may wait for locks.
    pub(super) fn lock_timeout(&self) -> Duration {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = met.times >= FEW && met.last.is_some_and(|last| last.elapsed() <= CALM);
        match self.usual {
            // Zero means for ever, and was chosen.
            usual if locked && !usual.is_zero() => usual.min(SHORT),
            usual => usual,
        }
    }
}

/// So many waits in vain are more than two requests for one row.
const FEW: u32 = 3;
/// After so long without one, the lock is gone.
const CALM: Duration = Duration::from_secs(3);
/// Longer than transactions of ours hold a row.
const SHORT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_few_waits_nobody_waits_long_until_it_is_calm() {
        let trouble = Trouble::new(Duration::from_secs(3));
        trouble.note_lock();
        trouble.note_lock();
        assert_eq!(trouble.lock_timeout(), Duration::from_secs(3));
        trouble.note_lock();
        assert_eq!(trouble.lock_timeout(), SHORT);
        tokio::time::advance(CALM).await;
        trouble.note_lock();
        tokio::time::advance(CALM).await;
        assert_eq!(trouble.lock_timeout(), SHORT, "it was met again");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(trouble.lock_timeout(), Duration::from_secs(3));
        trouble.note_lock();
        assert_eq!(trouble.lock_timeout(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_stays_none() {
        let trouble = Trouble::new(Duration::ZERO);
        for _ in 0..9 {
            trouble.note_lock();
        }
        assert_eq!(trouble.lock_timeout(), Duration::ZERO);
    }
}
