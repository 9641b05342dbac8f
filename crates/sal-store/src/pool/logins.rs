//! Logins that go on when nobody waits for them any more.
//!
//! A request gives up waiting before a slow login ends. Were its login given up with it, then a database that logs
//! in more slowly than requests wait would never be reached, and every try would cost it another login. So a login
//! belongs to all who wait: one that ends after its request serves the next. Waiting requests, logins under way and
//! connections that wait for a request never add up to more than the pool may hold.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Connected, Connector};

/// How a login ended.
type Outcome = Result<Connected, Box<dyn Error + Send + Sync>>;

/// The logins of a pool.
pub(super) struct Logins {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

struct Shared {
    connector: Arc<dyn Connector>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Requests that wait for a connection.
    waiting: usize,
    under_way: usize,
    ended: VecDeque<Outcome>,
}

impl Logins {
    pub(super) fn new(connector: Arc<dyn Connector>) -> Self {
        let shared = Shared {
            connector,
            state: Mutex::default(),
            changed: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
            tasks: Mutex::default(),
        }
    }

    /// A connection nobody else has: of a login that is under way for nobody, or of a new one.
    pub(super) async fn next(&self) -> Outcome {
        let _place = Place::take(&self.shared);
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            if let Some(outcome) = self.shared.state().usable() {
                return outcome;
            }
            self.start_missing();
            changed.await;
        }
    }

    /// Gives up the connections and logins that nobody waits for.
    pub(super) fn abandon(&self) {
        self.tasks().abort_all();
        self.shared.state().ended.clear();
    }

    fn start_missing(&self) {
        let mut state = self.shared.state();
        while state.under_way + state.ended.len() < state.waiting {
            state.under_way += 1;
            let mut tasks = self.tasks();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(log_in(UnderWay(Arc::clone(&self.shared))));
        }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn log_in(login: UnderWay) {
    let outcome = login.0.connector.connect().await;
    let mut state = login.0.state();
    // A failure is news only for those who wait now.
    if outcome.is_ok() || state.waiting > 0 {
        state.ended.push_back(outcome);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The oldest outcome that is still worth something.
    fn usable(&mut self) -> Option<Outcome> {
        while let Some(outcome) = self.ended.pop_front() {
            let is_dead = |connected: &Connected| connected.client.is_closed();
            if !outcome.as_ref().is_ok_and(is_dead) {
                return Some(outcome);
            }
        }
        None
    }
}

/// One who waits; counted until dropped.
struct Place<'a>(&'a Shared);

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Self {
        shared.state().waiting += 1;
        Self(shared)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// A login under way; counted until dropped, even when it is aborted or panics.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
