//! Slows down guessing of passwords: tries are counted per user and address, per address, and per user.
//!
//! Nobody can lock another out: only the pair of a user and an address is locked, and an address that tried too much for
//! anybody. A user who is tried from many addresses is served later, not less. A try is counted before the password is
//! looked at, so that parallel tries do not slip through; a success forgets the pair's tries. Counts live in this process
//! and are bounded, the oldest going first; with several replicas the limits apply to each. What was typed as a name is
//! kept as a hash only: it may be a password.

mod programs;
mod windows;

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use self::windows::Windows;

pub use self::programs::ProgramAttempts;

/// The tries of the last quarter of an hour.
#[derive(Default)]
pub struct LoginAttempts {
    counts: Mutex<Counts>,
    names: [RandomState; 2],
}

#[derive(Default)]
struct Counts {
    pairs: Windows<(Name, String)>,
    addresses: Windows<String>,
    users: Windows<Name>,
    under_way: HashMap<String, u32>,
}

/// A user name, as a keyed hash.
type Name = [u64; 2];

/// A try that is under way.
pub struct Try<'a> {
    attempts: &'a LoginAttempts,
    name: Name,
    network: String,
    /// How long to wait before the password is looked at: others try this user too.
    pub delay: Duration,
}

/// A try that is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// What there was too much of.
    pub by: Lock,
    /// How long to wait.
    pub seconds: u64,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Tries of this user from this address.
    Pair {
        /// Whether there is such a user, as far as it was found out.
        exists: bool,
    },
    /// Tries from this address, of whatever users.
    Address,
    /// Tries from this address at this very moment.
    AtOnce,
}

impl LoginAttempts {
    /// Counts a try of a user from a network address.
    ///
    /// # Errors
    /// [`Locked`] when within 15 minutes there were 10 for this user from this address or 100 from this address, or when
    /// 8 from this address are under way.
    pub fn begin(&self, user: &str, network: &str, now: Timestamp) -> Result<Try<'_>, Locked> {
        let name = self.name(user);
        let mut counts = self.counts();
        let address = counts.addresses.at(network.to_owned(), now);
        if address.tries >= TRIES_PER_ADDRESS {
            let seconds = address.rest(now);
            return Err(Locked {
                by: Lock::Address,
                seconds,
            });
        }
        let under_way = counts.under_way.get(network).copied().unwrap_or(0);
        if under_way >= AT_ONCE {
            return Err(Locked {
                by: Lock::AtOnce,
                seconds: SOON_SECONDS,
            });
        }
        let pair = counts.pairs.at((name, network.to_owned()), now);
        if pair.tries >= TRIES_PER_PAIR {
            let by = Lock::Pair {
                exists: pair.exists,
            };
            let seconds = pair.rest(now);
            return Err(Locked { by, seconds });
        }
        pair.tries += 1;
        counts.addresses.at(network.to_owned(), now).tries += 1;
        counts.under_way.insert(network.to_owned(), under_way + 1);
        let user = counts.users.at(name, now);
        user.tries = user.tries.saturating_add(1);
        Ok(Try {
            attempts: self,
            name,
            network: network.to_owned(),
            delay: delay(user.tries),
        })
    }

    fn name(&self, user: &str) -> Name {
        self.names.each_ref().map(|hash| hash.hash_one(user))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try<'_> {
    /// Forgets the tries of this user from this address, because this one was right.
    pub fn succeeded(self, now: Timestamp) {
        let mut counts = self.attempts.counts();
        let pair = counts.pairs.at((self.name, self.network.clone()), now);
        let forgotten = std::mem::take(&mut pair.tries);
        let address = counts.addresses.at(self.network.clone(), now);
        address.tries = address.tries.saturating_sub(forgotten);
        let user = counts.users.at(self.name, now);
        user.tries = user.tries.saturating_sub(forgotten);
    }

    /// Forgets this try, because nobody looked at the password: too many were checked, or the database was away.
    pub fn not_made(self, now: Timestamp) {
        let mut counts = self.attempts.counts();
        let pair = (self.name, self.network.clone());
        let pair = counts.pairs.at(pair, now);
        pair.tries = pair.tries.saturating_sub(1);
        let address = counts.addresses.at(self.network.clone(), now);
        address.tries = address.tries.saturating_sub(1);
        let user = counts.users.at(self.name, now);
        user.tries = user.tries.saturating_sub(1);
    }

    /// Remembers whether there is such a user, for what is noted when the pair is locked.
    pub fn failed(self, exists: bool, now: Timestamp) {
        let mut counts = self.attempts.counts();
        let pair = (self.name, self.network.clone());
        counts.pairs.at(pair, now).exists = exists;
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let mut counts = self.attempts.counts();
        if let Some(under_way) = counts.under_way.get_mut(&self.network) {
            *under_way = under_way.saturating_sub(1);
            if *under_way == 0 {
                counts.under_way.remove(&self.network);
            }
        }
    }
}

/// How long the try of a user waits who was tried that often, from wherever. Guessing from many addresses becomes slow;
/// the person itself gets in.
fn delay(tries: u32) -> Duration {
    let seconds = match tries {
        ..=20 => 0,
        21..=50 => 1,
        51..=100 => 2,
        _ => 3,
    };
    Duration::from_secs(seconds)
}

const TRIES_PER_PAIR: u32 = 10;
const TRIES_PER_ADDRESS: u32 = 100;
/// Tries of one address under way, waiting ones too.
const AT_ONCE: u32 = 8;
const SOON_SECONDS: u64 = 5;

#[cfg(test)]
mod tests;
