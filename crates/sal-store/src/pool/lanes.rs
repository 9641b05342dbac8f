//! Who asks for a connection, and how many each kind may hold.
//!
//! Machines and people each have connections that the other cannot take. Within a kind, the few large ones (a check-in
//! of megabytes, an export of the whole fleet) cannot keep the many small ones waiting. Places are given in the order
//! in which they were asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::PoolConfig;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A request of a client.
    Machines,
    /// A large submission of a client.
    BulkyMachines,
    /// A page, a form, a person's login.
    Pages,
    /// One step of a file that is sent while the database is read.
    Exports,
    /// A request of a program to the REST API.
    Programs,
    /// A whole list that is sent to a program: held until its end, so that all of it is of one moment.
    Streams,
}

/// The places of each lane.
pub(super) struct Lanes {
    machines: Arc<Semaphore>,
    bulky: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    programs: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    machines_wait: Duration,
    pages_wait: Duration,
    waiting: AtomicUsize,
}

/// A place in a lane; free again when dropped.
pub(super) struct Place {
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Lanes {
    pub(super) fn new(config: &PoolConfig) -> Self {
        let all = config.max_size.max(1);
        // A quarter is kept for the others; a pool of one has nothing to keep.
        let reserve = if all == 1 { 0 } else { (all / 4).max(1) };
        let places = |most: usize| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            machines: places(all - reserve),
            bulky: places(all / 4),
            pages: places(all - reserve),
            exports: places(all / 8),
            programs: places(all / 4),
            streams: places(all / 8),
            machines_wait: config.machines_wait,
            pages_wait: config.pages_wait,
            waiting: AtomicUsize::new(0),
        }
    }

    pub(super) fn wait(&self, lane: Lane) -> Duration {
        match lane {
            Lane::Machines | Lane::BulkyMachines => self.machines_wait,
            Lane::Pages | Lane::Exports | Lane::Programs | Lane::Streams => self.pages_wait,
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for a place. The narrow lane comes first, so that nobody holds a place of the wide one while waiting.
    pub(super) async fn enter(&self, lane: Lane) -> Place {
        let _waiting = Waiting::begin(&self.waiting);
        let (narrow, wide) = match lane {
            Lane::Machines => (None, &self.machines),
            Lane::BulkyMachines => (Some(&self.bulky), &self.machines),
            Lane::Pages => (None, &self.pages),
            Lane::Exports => (Some(&self.exports), &self.pages),
            Lane::Programs => (Some(&self.programs), &self.pages),
            Lane::Streams => (Some(&self.streams), &self.pages),
        };
        let narrow = match narrow {
            Some(lane) => permit(lane).await,
            None => None,
        };
        Place {
            _permits: [narrow, permit(wide).await],
        }
    }
}

/// Semaphores are never closed, so that there always is a permit.
async fn permit(lane: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(lane).acquire_owned().await.ok()
}

/// One who waits; counted until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
