//! What the relay has done so far, for health and metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of one relay; all of its doors share them.
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    open: AtomicU64,
    refused_here: AtomicU64,
    refused_upstream: AtomicU64,
    cancelled: AtomicU64,
    idle_closed: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    listening: AtomicBool,
    draining: AtomicBool,
}

/// The names and meanings of the metrics, in the order in which they are printed.
pub(crate) type Metric = (&'static str, &'static str, &'static str, u64);

impl Counters {
    /// Clients that have been accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Sessions that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Clients that this relay turned away itself.
    #[must_use]
    pub fn refused_here(&self) -> u64 {
        self.refused_here.load(Ordering::Relaxed)
    }

    /// Clients whose upstream login failed.
    #[must_use]
    pub fn refused_upstream(&self) -> u64 {
        self.refused_upstream.load(Ordering::Relaxed)
    }

    /// Cancel requests that were passed on.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Sessions that were closed because nothing moved in them.
    #[must_use]
    pub fn idle_closed(&self) -> u64 {
        self.idle_closed.load(Ordering::Relaxed)
    }

    /// Whether new clients are taken.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed) && !self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, what: Count) {
        let counter = match what {
            Count::Accepted => &self.accepted,
            Count::RefusedHere => &self.refused_here,
            Count::RefusedUpstream => &self.refused_upstream,
            Count::Cancelled => &self.cancelled,
            Count::IdleClosed => &self.idle_closed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self, up: u64, down: u64) {
        self.bytes_up.fetch_add(up, Ordering::Relaxed);
        self.bytes_down.fetch_add(down, Ordering::Relaxed);
    }

    pub(crate) fn set_listening(&self) {
        self.listening.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Counts a session as open until the guard is dropped.
    pub(crate) fn opened(&self) -> Opened<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Opened(self)
    }

    pub(crate) fn metrics(&self) -> [Metric; 8] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            (
                "sal_relay_clients_total",
                "counter",
                "Clients accepted.",
                of(&self.accepted),
            ),
            (
                "sal_relay_sessions",
                "gauge",
                "Sessions open now.",
                of(&self.open),
            ),
            (
                "sal_relay_refused_total",
                "counter",
                "Clients turned away by the relay.",
                of(&self.refused_here),
            ),
            (
                "sal_relay_login_failures_total",
                "counter",
                "Clients whose upstream login failed.",
                of(&self.refused_upstream),
            ),
            (
                "sal_relay_cancels_total",
                "counter",
                "Cancel requests passed on.",
                of(&self.cancelled),
            ),
            (
                "sal_relay_idle_closed_total",
                "counter",
                "Sessions closed for idleness.",
                of(&self.idle_closed),
            ),
            (
                "sal_relay_bytes_up_total",
                "counter",
                "Bytes from clients, of sessions that have ended.",
                of(&self.bytes_up),
            ),
            (
                "sal_relay_bytes_down_total",
                "counter",
                "Bytes to clients, of sessions that have ended.",
                of(&self.bytes_down),
            ),
        ]
    }
}

/// An event that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Accepted,
    RefusedHere,
    RefusedUpstream,
    Cancelled,
    IdleClosed,
}

/// Ends the counting of an open session.
pub(crate) struct Opened<'a>(&'a Counters);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
