//! What the relay has done so far, for health and metrics.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    guesses::Guesses,
    places::{Room, RoomStatus},
};

/// Counters of one relay; all of its doors share them.
#[derive(Default)]
pub struct Counters {
    counts: [AtomicU64; COUNTED.len()],
    open: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    listening: AtomicBool,
    draining: AtomicBool,
    rooms: Mutex<Vec<(String, Arc<Room>)>>,
    guesses: OnceLock<Arc<Guesses>>,
}

/// Name, kind, meaning and value of a metric.
pub(crate) type Metric = (&'static str, &'static str, &'static str, u64);

impl Counters {
    /// Clients that have been accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.of(Count::Accepted)
    }

    /// Sessions that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Clients that have connected and not said yet who they are, at all doors.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rooms()
            .iter()
            .map(|(_, room)| room.status().waiting)
            .sum()
    }

    /// Clients that this relay turned away itself, with an answer.
    #[must_use]
    pub fn refused_here(&self) -> u64 {
        self.of(Count::RefusedHere)
    }

    /// Clients that were closed before they said who they are: no place, sent away for others, or too slow.
    #[must_use]
    pub fn closed_unheard(&self) -> u64 {
        self.of(Count::RefusedFull) + self.of(Count::SentAway) + self.of(Count::TooSlow)
    }

    /// Wrong local passwords.
    #[must_use]
    pub fn wrong_passwords(&self) -> u64 {
        self.of(Count::WrongPassword)
    }

    /// Clients whose upstream login failed.
    #[must_use]
    pub fn refused_upstream(&self) -> u64 {
        self.of(Count::RefusedUpstream)
    }

    /// Cancel requests that were passed on.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.of(Count::Cancelled)
    }

    /// Sessions that were closed because nothing moved in them.
    #[must_use]
    pub fn idle_closed(&self) -> u64 {
        self.of(Count::IdleClosed)
    }

    /// Whether new clients are taken.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed) && !self.draining.load(Ordering::Relaxed)
    }

    /// The names and meanings of the metrics, in the order in which they are printed.
    #[must_use]
    pub fn metric_names() -> Vec<(&'static str, &'static str)> {
        let metrics = Self::default().metrics();
        metrics
            .iter()
            .map(|(name, _, help, _)| (*name, *help))
            .collect()
    }

    pub(crate) fn count(&self, what: Count) {
        if let Some(counter) = self.counts.get(what.place()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
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

    /// A door whose waiting room counts from now on.
    pub(crate) fn watch(&self, place: String, room: Arc<Room>) {
        self.rooms().push((place, room));
    }

    pub(crate) fn watch_guesses(&self, guesses: Arc<Guesses>) {
        // There is one relay for each of these counters.
        let _first = self.guesses.set(guesses);
    }

    /// How each door is.
    pub(crate) fn doors(&self) -> Vec<(String, RoomStatus)> {
        let rooms = self.rooms();
        rooms
            .iter()
            .map(|(place, room)| (place.clone(), room.status()))
            .collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut metrics: Vec<Metric> = COUNTED
            .iter()
            .map(|(what, name, help)| (*name, "counter", *help, self.of(*what)))
            .collect();
        let held = self.guesses.get().map_or(0, |guesses| guesses.held());
        metrics.extend([
            (
                "sal_relay_sessions",
                "gauge",
                "Sessions open now.",
                of(&self.open),
            ),
            (
                "sal_relay_waiting",
                "gauge",
                "Clients that have connected and not said yet who they are.",
                number(self.waiting()),
            ),
            (
                "sal_relay_wrong_password_answers",
                "gauge",
                "Answers to wrong local passwords that wait now.",
                number(held),
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
        ]);
        metrics
    }

    fn of(&self, what: Count) -> u64 {
        let counter = self.counts.get(what.place());
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<(String, Arc<Room>)>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Accepted,
    RefusedHere,
    RefusedFull,
    SentAway,
    TooSlow,
    WrongPassword,
    NotLookedAt,
    AcceptError,
    RefusedUpstream,
    Cancelled,
    IdleClosed,
}

impl Count {
    fn place(self) -> usize {
        let place = COUNTED.iter().position(|(what, ..)| *what == self);
        place.unwrap_or(usize::MAX)
    }
}

/// What is counted, by which name, and what it means.
const COUNTED: [(Count, &str, &str); 11] = [
    (
        Count::Accepted,
        "sal_relay_clients_total",
        "Clients accepted.",
    ),
    (
        Count::RefusedHere,
        "sal_relay_refused_total",
        "Clients turned away by the relay, with an answer.",
    ),
    (
        Count::RefusedFull,
        "sal_relay_no_place_total",
        "Connections closed at once, because the door or the address had its share of clients that say nothing.",
    ),
    (
        Count::SentAway,
        "sal_relay_sent_away_total",
        "Connections closed because they said nothing and somebody else came.",
    ),
    (
        Count::TooSlow,
        "sal_relay_too_slow_total",
        "Connections closed because they did not say in time who they are.",
    ),
    (
        Count::WrongPassword,
        "sal_relay_wrong_passwords_total",
        "Wrong local passwords; each answer waits longer.",
    ),
    (
        Count::NotLookedAt,
        "sal_relay_passwords_not_looked_at_total",
        "Local passwords that were refused unseen, because too many wrong ones came from the address.",
    ),
    (
        Count::AcceptError,
        "sal_relay_accept_errors_total",
        "Times that no client could be accepted, such as for want of file descriptors.",
    ),
    (
        Count::RefusedUpstream,
        "sal_relay_login_failures_total",
        "Clients whose upstream login failed.",
    ),
    (
        Count::Cancelled,
        "sal_relay_cancels_total",
        "Cancel requests passed on.",
    ),
    (
        Count::IdleClosed,
        "sal_relay_idle_closed_total",
        "Sessions closed for idleness.",
    ),
];

/// Ends the counting of an open session.
pub(crate) struct Opened<'a>(&'a Counters);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
