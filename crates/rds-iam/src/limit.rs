//! How fast new logins may be made.
//!
//! RDS answers new IAM logins with 429 above 200 per second, and small instances much earlier.
//! The bucket is shared by all logins of a connector, retries included, and serves in the order
//! of arrival. Back-off draws its whole pause by lot (full jitter), so that servers that lost
//! their database together do not come back together.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota};
use rand::RngExt;
use tokio::sync::Mutex;

/// Logins that may be made at once after a quiet time.
pub const BURST: u32 = 20;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A bucket of logins.
pub struct LoginLimiter {
    bucket: DefaultDirectRateLimiter,
    turn: Mutex<()>,
}

impl std::fmt::Debug for LoginLimiter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LoginLimiter")
    }
}

impl LoginLimiter {
    /// So many logins a second.
    #[must_use]
    pub fn new(per_second: NonZeroU32) -> Self {
        let burst = NonZeroU32::new(BURST).unwrap_or(per_second).min(per_second);
        Self {
            bucket: DefaultDirectRateLimiter::direct(
                Quota::per_second(per_second).allow_burst(burst),
            ),
            turn: Mutex::new(()),
        }
    }

    /// Waits for a place, at most `longest`; `false` when none came free.
    pub(crate) async fn admit(&self, longest: Duration) -> bool {
        let wait = async {
            // tokio's mutex is fair: first come, first served, and one waiter on the timer.
            let _turn = self.turn.lock().await;
            self.bucket.until_ready().await;
        };
        tokio::time::timeout(longest, wait).await.is_ok()
    }
}

/// The pause before attempt `retry` (1 for the first): anything from nothing to the doubled step.
pub(crate) fn full_jitter(retry: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1).min(16)));
    doubled
        .min(LONGEST_PAUSE)
        .mul_f64(rand::rng().random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_storm_is_spread_over_the_seconds_it_needs() {
        let limiter = LoginLimiter::new(NonZeroU32::new(100).unwrap());
        let start = tokio::time::Instant::now();
        let longest = Duration::from_secs(30);
        let admitted = join_all((0..120).map(|_| limiter.admit(longest))).await;
        let took = start.elapsed();
        assert!(admitted.into_iter().all(|admitted| admitted));
        // 20 at once, 100 more at 100 per second.
        assert!(took >= Duration::from_millis(950), "{took:?}");
    }

    #[tokio::test]
    async fn waiting_is_bounded() {
        // The second would have to wait for an hour, however slow this machine is.
        let limiter = LoginLimiter {
            bucket: DefaultDirectRateLimiter::direct(Quota::per_hour(NonZeroU32::MIN)),
            turn: Mutex::new(()),
        };
        assert!(limiter.admit(Duration::from_millis(10)).await);
        assert!(!limiter.admit(Duration::from_millis(10)).await);
    }

    #[test]
    fn pauses_grow_but_never_beyond_two_seconds() {
        for retry in 1..40 {
            assert!(full_jitter(retry) <= LONGEST_PAUSE);
        }
        assert!(full_jitter(1) <= FIRST_PAUSE);
    }
}
