//! Tries of programs: wrong tokens are counted per address, like wrong passwords.
//!
//! A token has 190 random bits, so nobody guesses one; the limit keeps a program that goes on with a token that ended from
//! asking the database each time. Whoever shows a token that was right before is let through: nobody locks out the others
//! at his address. Counts live in this process and are bounded.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::windows::Windows;

/// The wrong tokens of the last quarter of an hour, and which were right.
#[derive(Default)]
pub struct ProgramAttempts(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    addresses: Windows<String>,
    /// Hashes of tokens that were right. Only a hint: it decides who is asked for, not who is let in.
    right: HashSet<Vec<u8>>,
}

impl ProgramAttempts {
    /// Whether the database is asked for a token, by its hash where it can be one at all.
    ///
    /// # Errors
    /// How many seconds to wait when there were 100 wrong ones from this address within 15 minutes.
    pub fn may_ask(
        &self,
        network: &str,
        hash: Option<&Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), u64> {
        let mut counts = self.counts();
        if hash.is_some_and(|hash| counts.right.contains(hash)) {
            return Ok(());
        }
        let address = counts.addresses.at(network.to_owned(), now);
        match address.tries >= WRONG_PER_ADDRESS {
            true => Err(address.rest(now)),
            false => Ok(()),
        }
    }

    /// Notes that a token was right.
    pub fn was_right(&self, hash: Vec<u8>) {
        let mut counts = self.counts();
        if counts.right.len() >= MOST_RIGHT {
            counts.right.clear();
        }
        counts.right.insert(hash);
    }

    /// Counts a wrong one.
    pub fn was_wrong(&self, network: &str, hash: Option<&Vec<u8>>, now: Timestamp) {
        let mut counts = self.counts();
        if let Some(hash) = hash {
            counts.right.remove(hash);
        }
        let address = counts.addresses.at(network.to_owned(), now);
        address.tries = address.tries.saturating_add(1);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many as wrong passwords.
const WRONG_PER_ADDRESS: u32 = super::TRIES_PER_ADDRESS;
const MOST_RIGHT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_many_wrong_tokens_waits_and_a_right_one_does_not() {
        let attempts = ProgramAttempts::default();
        let now = Timestamp::UNIX_EPOCH;
        let (right, wrong) = (vec![1], vec![2]);
        attempts.was_right(right.clone());
        for _ in 0..WRONG_PER_ADDRESS {
            assert_eq!(attempts.may_ask("a", Some(&wrong), now), Ok(()));
            attempts.was_wrong("a", Some(&wrong), now);
        }
        assert_eq!(attempts.may_ask("a", Some(&wrong), now), Err(900));
        assert_eq!(attempts.may_ask("a", None, now), Err(900));
        assert_eq!(attempts.may_ask("a", Some(&right), now), Ok(()));
        assert_eq!(attempts.may_ask("b", Some(&wrong), now), Ok(()));
        // One that was right and is no more.
        attempts.was_wrong("a", Some(&right), now);
        assert_eq!(attempts.may_ask("a", Some(&right), now), Err(900));
        let later = now + jiff::SignedDuration::from_mins(15);
        assert_eq!(attempts.may_ask("a", Some(&wrong), later), Ok(()));
    }
}
