//! Places for clients that have not said yet who they are: so many at each door, and so many for each address.
//!
//! Whoever is silent holds no place that somebody else needs. When all are taken, the one that has waited longest goes,
//! if it had a moment to speak: of the newcomer's own address when that has its share, else of the address with the
//! most. While nobody can go, newcomers stand in a short queue, since good clients need milliseconds each, however many
//! come at once. Of an address the newest is let in first: in a flood the old ones are those that have nothing to say.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// Where a client comes from, as far as places go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// An address; of IPv6, the network that one customer has.
    Address(IpAddr),
    /// A user of this machine.
    User(u32),
}

/// The waiting room of one door.
pub(crate) struct Room {
    most: usize,
    most_per_origin: usize,
    guests: Mutex<Guests>,
    changed: Notify,
}

#[derive(Default)]
struct Guests {
    next: u64,
    /// Those with a place, the longest waiting first.
    inside: Vec<Guest>,
    /// Those without, the longest waiting first.
    queue: Vec<Guest>,
    /// When somebody was last turned away because the whole door was full.
    turned_away: Option<Instant>,
}

#[derive(Clone)]
struct Guest {
    number: u64,
    origin: Origin,
    since: Instant,
    leave: CancellationToken,
}

/// A place inside or in the queue, until it is dropped.
pub(crate) struct Place {
    room: Arc<Room>,
    guest: Guest,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The address has its share, and all of it has just come.
    Origin,
    /// All of the door's places are taken, and all of those have just come.
    Door,
}

/// What a room looks like, for health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomStatus {
    /// Clients that have not said yet who they are.
    pub(crate) waiting: usize,
    /// The most of them.
    pub(crate) most: usize,
    /// Addresses that have their share.
    pub(crate) full_addresses: usize,
    /// Whether newcomers were turned away just now, because all places were taken.
    pub(crate) is_full: bool,
}

impl Origin {
    /// One customer of a provider has a whole IPv6 network of 64 bits.
    pub(crate) fn of(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

impl Room {
    pub(crate) fn new(most: usize, most_per_origin: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            most_per_origin: most_per_origin.clamp(1, most),
            guests: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Takes a place, waiting a moment for one.
    ///
    /// # Errors
    /// [`Full`], when none became free.
    pub(crate) async fn enter(self: &Arc<Self>, origin: Origin) -> Result<Place, Full> {
        let (place, mut outcome) = self.arrive(origin);
        let end = place.guest.since + QUEUE;
        while let Err(full) = outcome {
            let changed = self.changed.notified();
            outcome = self.guests().let_in(&place.guest, self);
            if outcome.is_ok() {
                break;
            }
            let waited = tokio::select! {
                // Somebody newer needs the place in the queue.
                () = place.lost() => Err(()),
                // Time alone may make somebody go, too.
                _whichever = timeout_at(end.min(Instant::now() + LOOK_AGAIN), changed) => Ok(()),
            };
            if waited.is_err() || Instant::now() >= end {
                self.guests().note(full);
                return Err(full);
            }
        }
        self.changed.notify_waiters();
        Ok(place)
    }

    /// Sends the longest waiting away, for want of file descriptors.
    pub(crate) fn make_room(&self) {
        let guests = self.guests();
        if let Some(oldest) = guests.inside.first() {
            oldest.leave.cancel();
        }
    }

    pub(crate) fn status(&self) -> RoomStatus {
        let guests = self.guests();
        let shares = shares(&guests.inside);
        RoomStatus {
            waiting: guests.inside.len() + guests.queue.len(),
            most: self.most,
            full_addresses: shares
                .values()
                .filter(|count| **count >= self.most_per_origin)
                .count(),
            is_full: guests
                .turned_away
                .is_some_and(|at| at.elapsed() < STAYS_FULL),
        }
    }

    /// A newcomer goes inside, or at the end of the queue.
    fn arrive(self: &Arc<Self>, origin: Origin) -> (Place, Result<(), Full>) {
        let mut guests = self.guests();
        let guest = Guest {
            number: guests.next,
            origin,
            since: Instant::now(),
            leave: CancellationToken::new(),
        };
        guests.next += 1;
        guests.queue.push(guest.clone());
        let outcome = guests.let_in(&guest, self);
        if guests.queue.len() > self.most.div_ceil(2) {
            let crowd = largest(&guests.queue);
            let oldest = guests
                .queue
                .iter()
                .find(|guest| Some(guest.origin) == crowd);
            if let Some(oldest) = oldest {
                oldest.leave.cancel();
            }
        }
        let room = Arc::clone(self);
        (Place { room, guest }, outcome)
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Lets somebody from the queue in, if it is the newest of its address and there is a place, or somebody can go.
    fn let_in(&mut self, guest: &Guest, room: &Room) -> Result<(), Full> {
        let origin = guest.origin;
        let share = self
            .inside
            .iter()
            .filter(|inside| inside.origin == origin)
            .count();
        let is_share = share >= room.most_per_origin;
        let newest = self
            .queue
            .iter()
            .rev()
            .find(|queued| queued.origin == origin);
        let is_newest = newest.is_some_and(|newest| newest.number == guest.number);
        let full = if is_share { Full::Origin } else { Full::Door };
        let has_place = !is_share && self.inside.len() < room.most;
        let crowd = if is_share {
            Some(origin)
        } else {
            largest(&self.inside)
        };
        if !is_newest || !(has_place || crowd.is_some_and(|crowd| self.send_away(crowd))) {
            return Err(full);
        }
        self.queue.retain(|queued| queued.number != guest.number);
        self.inside.push(guest.clone());
        Ok(())
    }

    /// Sends the longest waiting of an origin away, unless it has only just come.
    fn send_away(&mut self, origin: Origin) -> bool {
        let Some(index) = self.inside.iter().position(|guest| guest.origin == origin) else {
            return false;
        };
        let is_due = self
            .inside
            .get(index)
            .is_some_and(|guest| guest.since.elapsed() >= TIME_TO_SPEAK);
        if is_due {
            self.inside.remove(index).leave.cancel();
        }
        is_due
    }

    fn note(&mut self, full: Full) {
        if full == Full::Door {
            self.turned_away = Some(Instant::now());
        }
    }
}

fn shares(guests: &[Guest]) -> HashMap<Origin, usize> {
    let mut shares = HashMap::new();
    for guest in guests {
        *shares.entry(guest.origin).or_default() += 1;
    }
    shares
}

/// Who has the most places.
fn largest(guests: &[Guest]) -> Option<Origin> {
    let shares = shares(guests);
    shares
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(origin, _)| origin)
}

impl Place {
    /// Ends when somebody else needs the place.
    pub(crate) async fn lost(&self) {
        self.guest.leave.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guests = self.room.guests();
        let stays = |guest: &Guest| guest.number != self.guest.number;
        guests.inside.retain(stays);
        guests.queue.retain(stays);
        drop(guests);
        self.room.changed.notify_waiters();
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::User(uid) => write!(formatter, "user {uid} of this machine"),
        }
    }
}

/// For so long nobody is sent away: a good client speaks at once, even on a busy machine.
const TIME_TO_SPEAK: Duration = Duration::from_millis(500);
/// How long a newcomer stands in the queue.
const QUEUE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long a door counts as full after somebody was turned away.
const STAYS_FULL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Origin {
        Origin::of(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_silent_make_room_for_others_and_the_longest_waiting_goes_first() {
        let room = Arc::new(Room::new(4, 2));
        let first = room.enter(from("127.0.0.1")).await.unwrap();
        let second = room.enter(from("127.0.0.1")).await.unwrap();
        // Another address has its own share, whatever the first one does.
        let other = room.enter(from("127.0.0.2")).await.unwrap();
        assert_eq!(room.status().full_addresses, 1);
        // The third of the first address waits until the first one had its second, and takes its place.
        let third = room.enter(from("127.0.0.1")).await.unwrap();
        assert!(
            first.guest.leave.is_cancelled()
                && !second.guest.leave.is_cancelled()
                && !other.guest.leave.is_cancelled()
        );
        drop(first);
        assert_eq!(
            room.status().waiting,
            3,
            "whoever was sent away is not counted twice"
        );
        drop((second, other, third));
        assert_eq!(room.status().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_door_takes_from_whoever_has_most_and_says_when_it_cannot() {
        let room = Arc::new(Room::new(3, 2));
        let crowd = [
            room.enter(from("10.0.0.1")).await.unwrap(),
            room.enter(from("10.0.0.1")).await.unwrap(),
        ];
        let single = room.enter(from("10.0.0.2")).await.unwrap();
        let newcomer = room.enter(from("10.0.0.3")).await.unwrap();
        assert!(crowd[0].guest.leave.is_cancelled() && !single.guest.leave.is_cancelled());
        assert!(!room.status().is_full);
        // More at once than places and queue: the last is turned away, and the room says so.
        let all: Vec<_> = (0..6)
            .map(|last| room.enter(from(&format!("10.0.1.{last}"))))
            .collect();
        let entered = futures_util::future::join_all(all).await;
        assert!(
            entered
                .iter()
                .any(|outcome| outcome.as_ref().err() == Some(&Full::Door))
        );
        assert!(entered.iter().any(Result::is_ok));
        assert!(room.status().is_full);
        tokio::time::advance(STAYS_FULL).await;
        assert!(!room.status().is_full);
        drop((crowd, single, newcomer));
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_good_clients_is_served_to_the_last() {
        let room = Arc::new(Room::new(8, 2));
        let each = (0..6).map(|_| async {
            let place = room.enter(from("127.0.0.1")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(!place.guest.leave.is_cancelled());
        });
        futures_util::future::join_all(each).await;
        assert_eq!(room.status().waiting, 0);
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_a_mapped_address_is_itself() {
        assert_eq!(from("2001:db8::1"), from("2001:db8::ffff:1"));
        assert_ne!(from("2001:db8:0:1::1"), from("2001:db8::1"));
        assert_eq!(from("::ffff:127.0.0.1"), from("127.0.0.1"));
    }
}
