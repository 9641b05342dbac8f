//! Slows down guessing of passwords: counts tries per user and address, and per user.
//!
//! A try is counted before the password is looked at, so that parallel tries do not slip through; a success
//! forgets the pair's tries. Counts live in this process and are bounded; with several replicas the limits
//! apply to each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::access::refusals::Refusals;

/// The tries of the last quarter of an hour, and the right to hash.
pub struct LoginAttempts {
    windows: Mutex<HashMap<Key, Window>>,
    hashing: Semaphore,
    refusals: Refusals,
}

/// User name, and address where tries are counted per address.
type Key = (String, Option<String>);

#[derive(Clone, Copy)]
struct Window {
    ends: Timestamp,
    tries: u32,
}

impl Default for LoginAttempts {
    fn default() -> Self {
        Self {
            windows: Mutex::default(),
            hashing: Semaphore::new(PARALLEL_HASHES),
            refusals: Refusals::default(),
        }
    }
}

impl LoginAttempts {
    /// Counts a try.
    ///
    /// # Errors
    /// The number of seconds to wait when there were too many: more than 10 by this address, or more than 100
    /// by all, for this user within 15 minutes.
    pub fn begin(&self, user: &str, address: &str, now: Timestamp) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_WINDOWS {
            windows.retain(|_, window| window.ends > now);
        }
        if windows.len() >= MAX_WINDOWS {
            // Somebody tries very many names: start over rather than grow or lock everybody out.
            windows.clear();
        }
        let user = shorten(user);
        let pair = (user.clone(), Some(shorten(address)));
        for (key, limit) in [(pair, TRIES_PER_ADDRESS), ((user, None), TRIES_PER_USER)] {
            let fresh = Window {
                ends: now + WINDOW,
                tries: 0,
            };
            let window = windows.entry(key).or_insert(fresh);
            if window.ends <= now {
                *window = fresh;
            }
            if window.tries >= limit {
                let wait = window.ends.duration_since(now).as_secs();
                return Err(u64::try_from(wait).unwrap_or(0).max(1));
            }
            window.tries += 1;
        }
        Ok(())
    }

    /// Forgets the tries of this user from this address, because one was right.
    pub fn succeeded(&self, user: &str, address: &str) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.remove(&(shorten(user), Some(shorten(address))));
    }

    /// Whether a refused try is worth a line of the audit log: of the same user and address one a minute is, and few of
    /// all together, so that guessing cannot fill the log.
    pub fn is_worth_noting(&self, user: &str, address: &str, now: Timestamp) -> bool {
        let pair = (shorten(user), shorten(address));
        self.refusals.is_worth_noting(pair, now)
    }

    /// Waits for the right to hash a password; hashing takes a processor for a tenth of a second, and people at
    /// the login page must not starve check-ins.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.hashing.acquire().await.ok()
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_KEY_CHARACTERS).collect()
}

const WINDOW: SignedDuration = SignedDuration::from_mins(15);
const TRIES_PER_ADDRESS: u32 = 10;
const TRIES_PER_USER: u32 = 100;
const PARALLEL_HASHES: usize = 2;
const MAX_WINDOWS: usize = 20_000;
const MAX_KEY_CHARACTERS: usize = 150;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_eleventh_try_waits_and_another_address_does_not() {
        let attempts = LoginAttempts::default();
        for second in 0..10 {
            assert_eq!(attempts.begin("anna", "10.0.0.1", at(second)), Ok(()));
        }
        assert_eq!(attempts.begin("anna", "10.0.0.1", at(10)), Err(890));
        assert_eq!(attempts.begin("anna", "10.0.0.2", at(10)), Ok(()));
        assert_eq!(attempts.begin("anna", "10.0.0.1", at(901)), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_tries_before_it() {
        let attempts = LoginAttempts::default();
        for _ in 0..30 {
            assert_eq!(attempts.begin("anna", "10.0.0.1", at(0)), Ok(()));
            attempts.succeeded("anna", "10.0.0.1");
        }
    }

    #[test]
    fn many_addresses_together_are_limited_per_user() {
        let attempts = LoginAttempts::default();
        let refused = (0..200)
            .filter(|n| {
                attempts
                    .begin("anna", &format!("10.0.0.{n}"), at(0))
                    .is_err()
            })
            .count();
        assert_eq!(refused, 100);
    }

    #[test]
    fn memory_stays_bounded_when_every_name_is_tried() {
        let attempts = LoginAttempts::default();
        for n in 0..30_000 {
            assert_eq!(attempts.begin(&n.to_string(), "10.0.0.1", at(0)), Ok(()));
        }
        assert!(attempts.windows.lock().unwrap().len() <= MAX_WINDOWS + 2);
    }
}
