//! How many requests of one person are worked on at once.
//!
//! Whoever opens forty pages at once waits for his own pages and not the others for him. The turn is taken when the
//! person is known, before the connection, and given back when the answer stands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use sal_store::ids::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::AppError;

/// The turns of everybody who is logged in.
pub(crate) struct Turns {
    each: usize,
    people: Mutex<HashMap<UserId, Arc<Semaphore>>>,
}

/// Where a request keeps its turn until it is answered.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

/// Gives every request a place for its turn, and holds the turn until the answer stands.
pub async fn hold_turn(mut request: Request, next: Next) -> Response {
    let kept = Kept::default();
    request.extensions_mut().insert(kept.clone());
    let response = next.run(request).await;
    kept.slot().take();
    response
}

impl Turns {
    /// With `pool_size` connections in all.
    pub(crate) fn new(pool_size: usize) -> Self {
        Self {
            each: (pool_size / 4).max(1),
            people: Mutex::default(),
        }
    }

    /// Waits for the person's turn and keeps it with the request.
    ///
    /// # Errors
    /// [`AppError::OwnRequests`] when the person's other requests took too long.
    pub(crate) async fn take(&self, who: UserId, kept: &Kept) -> Result<(), AppError> {
        if kept.slot().is_some() {
            return Ok(());
        }
        let turns = self.of(who);
        let taken = tokio::time::timeout(PATIENCE, turns.acquire_owned()).await;
        // Semaphores are never closed.
        let permit = taken.map_err(|_elapsed| AppError::OwnRequests)?.ok();
        *kept.slot() = permit;
        Ok(())
    }

    fn of(&self, who: UserId) -> Arc<Semaphore> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= MOST_PEOPLE && !people.contains_key(&who) {
            people.retain(|_, turns| turns.available_permits() < self.each);
        }
        let turns = people
            .entry(who)
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Arc::clone(turns)
    }
}

impl Kept {
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as a page waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// Beyond so many, those that do nothing now are forgotten.
const MOST_PEOPLE: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_persons_requests_wait_for_each_other_and_nobody_else_for_them() {
        let turns = Turns::new(8);
        let kept: Vec<Kept> = (0..3).map(|_| Kept::default()).collect();
        turns.take(UserId(1), &kept[0]).await.unwrap();
        turns.take(UserId(1), &kept[1]).await.unwrap();
        let third = turns.take(UserId(1), &kept[2]).await;
        assert!(matches!(third, Err(AppError::OwnRequests)));
        turns.take(UserId(2), &Kept::default()).await.unwrap();
        kept[0].slot().take();
        turns.take(UserId(1), &kept[2]).await.unwrap();
        // A second extractor of the same request takes no second turn.
        turns.take(UserId(1), &kept[2]).await.unwrap();
    }
}
