//! Wrong passwords: the answer comes later each time, and the same address has few answers under way at once.
//!
//! What is kept is bounded: so many addresses, so many answers. Right passwords are never delayed. Whether a client
//! waits for its answer makes no difference to when the address may guess again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::places::Origin;

/// Who has guessed wrong lately.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<Known>);

#[derive(Default)]
struct Known {
    origins: HashMap<Origin, Guesser>,
    held: usize,
}

struct Guesser {
    wrong: u32,
    last: Instant,
    held: usize,
}

/// An answer that is under way.
pub(crate) struct Held {
    guesses: Arc<Guesses>,
    origin: Origin,
    /// How many wrong passwords in a row came from there.
    pub(crate) wrong: u32,
    /// How long the answer takes.
    pub(crate) delay: Duration,
}

impl Guesses {
    /// Whether a password from there is looked at now.
    pub(crate) fn may_try(&self, origin: Origin) -> bool {
        let known = self.known();
        match known.origins.get(&origin) {
            Some(guesser) => guesser.held < MOST_HELD_OF_ONE && known.held < MOST_HELD,
            None => true,
        }
    }

    /// Notes a wrong one.
    pub(crate) fn wrong(self: &Arc<Self>, origin: Origin) -> Held {
        let now = Instant::now();
        let mut known = self.known();
        known.forget(now);
        let guesser = known.origins.entry(origin).or_insert(Guesser {
            wrong: 0,
            last: now,
            held: 0,
        });
        guesser.wrong = guesser.wrong.saturating_add(1);
        guesser.last = now;
        guesser.held += 1;
        let wrong = guesser.wrong;
        known.held += 1;
        Held {
            guesses: Arc::clone(self),
            origin,
            wrong,
            delay: delay(wrong),
        }
    }

    /// Answers that are under way.
    pub(crate) fn held(&self) -> usize {
        self.known().held
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Makes room: whoever has been quiet for long, and when there are too many, whoever has been quiet longest.
    fn forget(&mut self, now: Instant) {
        let fresh =
            |guesser: &Guesser| guesser.held > 0 || now.duration_since(guesser.last) < REMEMBERED;
        self.origins.retain(|_, guesser| fresh(guesser));
        while self.origins.len() >= MOST_ORIGINS {
            let free = self.origins.iter().filter(|(_, guesser)| guesser.held == 0);
            let Some(oldest) = free
                .min_by_key(|(_, guesser)| guesser.last)
                .map(|(origin, _)| *origin)
            else {
                return;
            };
            self.origins.remove(&oldest);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut known = self.guesses.known();
        known.held = known.held.saturating_sub(1);
        if let Some(guesser) = known.origins.get_mut(&self.origin) {
            guesser.held = guesser.held.saturating_sub(1);
        }
    }
}

/// A quarter of a second, twice that, and so on.
fn delay(wrong: u32) -> Duration {
    let doublings = wrong.saturating_sub(1).min(16);
    FIRST.saturating_mul(1 << doublings).min(LONGEST)
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// Answers under way to one address.
const MOST_HELD_OF_ONE: usize = 5;
/// And to all; each holds a socket.
const MOST_HELD: usize = 100;
/// Addresses that are remembered, and for how long after their last wrong password.
const MOST_ORIGINS: usize = 4096;
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u32) -> Origin {
        Origin::of(std::net::Ipv4Addr::from(0x0a00_0000 + last).into())
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_password_waits_longer_and_time_heals() {
        let guesses = Arc::new(Guesses::default());
        let delays: Vec<_> = (0..8)
            .map(|_| guesses.wrong(from(1)).delay.as_millis())
            .collect();
        assert_eq!(delays, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(
            guesses.wrong(from(2)).delay,
            FIRST,
            "another address begins anew"
        );
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(guesses.wrong(from(1)).delay, FIRST);
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_few_answers_under_way_and_memory_is_bounded() {
        let guesses = Arc::new(Guesses::default());
        let mut held: Vec<_> = (0..MOST_HELD_OF_ONE)
            .map(|_| guesses.wrong(from(1)))
            .collect();
        assert!(!guesses.may_try(from(1)) && guesses.may_try(from(2)));
        held.pop();
        assert!(guesses.may_try(from(1)));
        for address in 0..10_000 {
            drop(guesses.wrong(from(address + 10)));
        }
        assert!(guesses.known().origins.len() <= MOST_ORIGINS);
        assert!(
            guesses.known().origins.contains_key(&from(1)),
            "whoever waits is not forgotten"
        );
        // A distributed guess: addresses that have guessed wrong wait until an answer is out, others do not.
        let many: Vec<_> = (0..120)
            .map(|address| guesses.wrong(from(address + 50_000)))
            .collect();
        assert!(!guesses.may_try(from(50_000)) && guesses.may_try(from(99_999)));
        drop((many, held));
        assert_eq!(guesses.held(), 0);
        assert!(guesses.may_try(from(50_000)));
    }
}
