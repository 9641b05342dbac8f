//! Who may have a password hashed, and when: two at a time, the others in a short queue that is fair by caller.
//!
//! A hash takes a processor for a tenth of a second and more, and anybody may ask for one at the login page. So the
//! right to hash, a [`Turn`], goes into the thread that hashes and ends with it: whoever hangs up meanwhile frees
//! nothing. Callers take turns, however many places each has, and a caller has few: a hundred logins of a stranger cost
//! an administrator at another address one turn. Pure but for its lock: nothing here waits by the clock.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sal_store::ids::UserId;
use tokio::sync::oneshot;

use crate::error::AppError;

/// Who asks for a hash. Turns are shared out among these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Nobody knows who: everybody at this address together.
    Stranger(String),
    /// Somebody who is logged in, wherever.
    Person(UserId),
    /// This server itself.
    Server,
}

/// The queue. Cheap to clone: all clones are the same one.
#[derive(Clone, Default)]
pub struct Hashing(Arc<Mutex<Queue>>);

/// How the queue was used, and is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Hashes under way.
    pub running: usize,
    /// The most that ever were.
    pub most_running: usize,
    /// Callers who wait.
    pub waiting: usize,
    /// Turns that began since the start.
    pub turns: u64,
    /// Callers who were sent away.
    pub refused: u64,
}

#[derive(Default)]
struct Queue {
    usage: Usage,
    /// The caller whose turn is next comes first.
    lines: VecDeque<Line>,
}

/// The places of one caller, the first come first.
struct Line {
    asker: Asker,
    places: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to hash, until it is dropped.
pub(super) struct Turn(Option<Hashing>);

impl Hashing {
    /// Does work that hashes, on a thread for such work, when it is the caller's turn.
    ///
    /// # Errors
    /// [`AppError::TooMany`] when the caller has all its places taken, [`AppError::LoginsBusy`] when all have.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        asker: &Asker,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let turn = self.turn(asker).await?;
        let thread = tokio::task::spawn_blocking(move || {
            // Held by the thread, which goes on when the request is gone.
            let _turn = turn;
            work()
        });
        thread
            .await
            .map_err(|error| AppError::internal("hashing a password", error))
    }

    /// Waits for the caller's turn.
    pub(super) async fn turn(&self, asker: &Asker) -> Result<Turn, AppError> {
        let place = match self.queue().enter(asker)? {
            Entered::Runs => return Ok(Turn(Some(self.clone()))),
            Entered::Waits(place) => place,
        };
        // Somebody who has fewer places took this one.
        place.await.map_err(|_displaced| AppError::TooMany {
            seconds: SOON_SECONDS,
        })
    }

    /// How the queue is used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut queue = self.queue();
        queue.forget_gone();
        Usage {
            waiting: queue.waiting(),
            ..queue.usage
        }
    }

    /// Gives a turn that ended to the next who waits.
    fn pass_on(&self) {
        loop {
            let next = self.queue().next();
            let Some(place) = next else {
                return;
            };
            let Err(mut unwanted) = place.send(Turn(Some(self.clone()))) else {
                return;
            };
            // Its caller has just gone; the turn is not over but somebody else's.
            unwanted.0 = None;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(hashing) = self.0.take() {
            hashing.pass_on();
        }
    }
}

enum Entered {
    Runs,
    Waits(oneshot::Receiver<Turn>),
}

impl Queue {
    fn enter(&mut self, asker: &Asker) -> Result<Entered, AppError> {
        self.forget_gone();
        if self.usage.running < AT_ONCE {
            self.usage.running += 1;
            self.begin();
            return Ok(Entered::Runs);
        }
        let mine = self.lines.iter().position(|line| line.asker == *asker);
        let places = mine
            .and_then(|place| self.lines.get(place))
            .map_or(0, |line| line.places.len());
        if places >= PLACES_EACH {
            self.usage.refused += 1;
            return Err(AppError::TooMany {
                seconds: SOON_SECONDS,
            });
        }
        if self.waiting() >= PLACES && !self.displace(places) {
            self.usage.refused += 1;
            return Err(AppError::LoginsBusy {
                seconds: SOON_SECONDS,
            });
        }
        let (sender, receiver) = oneshot::channel();
        match self.lines.iter_mut().find(|line| line.asker == *asker) {
            Some(line) => line.places.push_back(sender),
            None => self.lines.push_back(Line {
                asker: asker.clone(),
                places: VecDeque::from([sender]),
            }),
        }
        Ok(Entered::Waits(receiver))
    }

    /// Takes the last place of whoever has the most, if that is more than a newcomer would have.
    fn displace(&mut self, mine: usize) -> bool {
        let greedy = self.lines.iter_mut().max_by_key(|line| line.places.len());
        let Some(greedy) = greedy.filter(|line| line.places.len() > mine + 1) else {
            return false;
        };
        greedy.places.pop_back();
        self.usage.refused += 1;
        true
    }

    /// Who goes on with a turn that ended. The caller then stands behind all others.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.forget_gone();
        let Some(mut line) = self.lines.pop_front() else {
            self.usage.running = self.usage.running.saturating_sub(1);
            return None;
        };
        let place = line.places.pop_front();
        if !line.places.is_empty() {
            self.lines.push_back(line);
        }
        self.begin();
        place
    }

    fn begin(&mut self) {
        self.usage.turns += 1;
        self.usage.most_running = self.usage.most_running.max(self.usage.running);
    }

    /// Callers who hung up while they waited have no place any more.
    fn forget_gone(&mut self) {
        for line in &mut self.lines {
            line.places.retain(|place| !place.is_closed());
        }
        let lines = mem::take(&mut self.lines);
        self.lines = lines
            .into_iter()
            .filter(|line| !line.places.is_empty())
            .collect();
    }

    fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.places.len()).sum()
    }
}

/// Hashes at a time: people at the login page must not starve check-ins.
const AT_ONCE: usize = 2;
/// Places in the queue of one caller.
const PLACES_EACH: usize = 4;
/// Places in the queue of all.
const PLACES: usize = 64;
/// When a caller who was sent away may try again.
const SOON_SECONDS: u64 = 5;

#[cfg(test)]
mod tests;
