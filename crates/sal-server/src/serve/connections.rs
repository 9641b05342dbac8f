//! The connections that are open, what each is doing, and which one goes when there are too many.
//!
//! A newcomer is always let in as long as somebody does nothing: first the connection that has waited longest without
//! a request, then the one that has been sending or reading longest. A request that is worked on is never cut.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use sal_http::metric_names::{CONNECTIONS, CONNECTIONS_CLOSED};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::warn;

/// All connections of a listener.
pub(super) struct Connections {
    most: usize,
    places: Arc<Semaphore>,
    open: Arc<Mutex<HashMap<u64, Arc<State>>>>,
    next: AtomicU64,
    full: Seldom,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It waits for a request.
    Idle,
    /// A request's body or an answer is on its way.
    Moving,
    /// A handler has the request.
    Working,
}

/// A connection as the others see it.
pub(super) struct State {
    now: Mutex<(Phase, Instant)>,
    evicted: Notify,
}

/// The place of one connection; free again when dropped.
pub(super) struct Place {
    id: u64,
    state: Arc<State>,
    open: Arc<Mutex<HashMap<u64, Arc<State>>>>,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            most,
            places: Arc::new(Semaphore::new(most)),
            open: Arc::default(),
            next: AtomicU64::new(0),
            full: Seldom::default(),
        }
    }

    /// A place for a new connection; `None` when all others are being worked on.
    pub(super) async fn admit(&self) -> Option<Place> {
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_full) => {
                if self.full.is_due() {
                    warn!(
                        "{} connections are open, the most there may be (SAL_MAX_CONNECTIONS and the limit on open files): \
                         those that do nothing are closed for new ones",
                        self.most
                    );
                }
                if !self.make_room() {
                    metrics::counter!(CONNECTIONS_CLOSED, "why" => "refused").increment(1);
                }
                let place = Arc::clone(&self.places).acquire_owned();
                let place = tokio::time::timeout(PATIENCE, place).await;
                // Never closed.
                place.ok()?.ok()?
            }
        };
        let state = Arc::new(State {
            now: Mutex::new((Phase::Idle, Instant::now())),
            evicted: Notify::new(),
        });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        held(&self.open).insert(id, Arc::clone(&state));
        metrics::gauge!(CONNECTIONS).increment(1.0);
        Some(Place {
            id,
            state,
            open: Arc::clone(&self.open),
            _permit: permit,
        })
    }

    /// Closes the connection that can best be spared; false when there is none.
    pub(super) fn make_room(&self) -> bool {
        let mut open = held(&self.open);
        let spared = open
            .iter()
            .map(|(id, state)| (state.now(), *id))
            .filter(|((phase, since), _)| match phase {
                Phase::Idle => true,
                Phase::Moving => since.elapsed() >= GRACE,
                Phase::Working => false,
            })
            .min();
        let Some(((phase, _), id)) = spared else {
            return false;
        };
        let why = if phase == Phase::Idle { "idle" } else { "slow" };
        metrics::counter!(CONNECTIONS_CLOSED, "why" => why).increment(1);
        // Out of the list at once: it cannot be chosen twice.
        if let Some(state) = open.remove(&id) {
            state.evicted.notify_one();
        }
        true
    }
}

impl Place {
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Ends when the connection has to make room.
    pub(super) async fn evicted(&self) {
        self.state.evicted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        held(&self.open).remove(&self.id);
        metrics::gauge!(CONNECTIONS).decrement(1.0);
    }
}

impl State {
    /// A request has come; its body tells when it is complete.
    pub(super) fn reading(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> Request<Watched<Incoming>> {
        let phase = if request.body().is_end_stream() {
            Phase::Working
        } else {
            Phase::Moving
        };
        self.enter(phase);
        request.map(|inner| Watched {
            inner,
            state: Arc::clone(self),
            after: Phase::Working,
        })
    }

    /// An answer goes out.
    pub(super) fn sending(self: &Arc<Self>, response: Response<Body>) -> Response<Watched<Body>> {
        self.enter(Phase::Moving);
        response.map(|inner| Watched {
            inner,
            state: Arc::clone(self),
            after: Phase::Idle,
        })
    }

    fn enter(&self, phase: Phase) {
        *held(&self.now) = (phase, Instant::now());
    }

    fn now(&self) -> (Phase, Instant) {
        *held(&self.now)
    }
}

/// A body whose end changes what its connection is doing.
pub(super) struct Watched<B> {
    inner: B,
    state: Arc<State>,
    after: Phase,
}

impl<B> HttpBody for Watched<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        let ended = matches!(polled, Poll::Ready(None)) || this.inner.is_end_stream();
        if ended && this.after == Phase::Working && this.state.now().0 == Phase::Moving {
            this.state.enter(Phase::Working);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        // An answer that has been sent is dropped.
        if self.after == Phase::Idle {
            self.state.enter(Phase::Idle);
        }
    }
}

/// Something that is logged at most every ten seconds.
#[derive(Default)]
pub(super) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    pub(super) fn is_due(&self) -> bool {
        let mut last = held(&self.0);
        let due = last.is_none_or(|at| at.elapsed() >= BETWEEN_LINES);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What moves for less long is an ordinary request.
const GRACE: Duration = Duration::from_secs(3);
/// How long the next newcomer waits for a place when every request is worked on.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN_LINES: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    async fn admitted(connections: &Connections) -> Place {
        let place = connections.admit().await;
        tokio::time::advance(Duration::from_secs(1)).await;
        place.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_first_then_the_slowest_and_a_worked_on_request_never() {
        let connections = Connections::new(4);
        let working = admitted(&connections).await;
        let slow = admitted(&connections).await;
        let idle = admitted(&connections).await;
        let just_now = admitted(&connections).await;
        working.state.enter(Phase::Working);
        slow.state.enter(Phase::Moving);
        tokio::time::advance(GRACE).await;
        for expected in [&idle, &just_now, &slow] {
            assert!(connections.make_room());
            expected.evicted().await;
        }
        assert!(!connections.make_room());
        assert!(connections.admit().await.is_none(), "nobody left a place");
        drop(idle);
        assert!(connections.admit().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_ordinary_request_on_its_way_is_not_cut() {
        let connections = Connections::new(1);
        let moving = admitted(&connections).await;
        moving.state.enter(Phase::Moving);
        assert!(!connections.make_room());
        tokio::time::advance(GRACE).await;
        assert!(connections.make_room());
    }
}
