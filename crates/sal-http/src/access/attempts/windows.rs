//! Counts in windows of a quarter of an hour, of so many keys at a time. Pure.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use jiff::{SignedDuration, Timestamp};

/// Windows by key. Where there is no room for another, the one that began first goes.
pub(super) struct Windows<K> {
    windows: HashMap<K, Window>,
    /// Keys in the order in which their windows began.
    order: VecDeque<K>,
}

/// The tries since the first.
pub(super) struct Window {
    ends: Timestamp,
    pub(super) tries: u32,
    pub(super) exists: bool,
}

impl Window {
    /// Seconds until its end, at least one.
    pub(super) fn rest(&self, now: Timestamp) -> u64 {
        let rest = self.ends.duration_since(now).as_secs();
        u64::try_from(rest).unwrap_or(0).max(1)
    }
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self {
            windows: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Windows<K> {
    /// The window of a key that is open now.
    pub(super) fn at(&mut self, key: K, now: Timestamp) -> &mut Window {
        self.forget_over(now);
        if !self.windows.contains_key(&key) {
            self.make_room();
            self.order.push_back(key.clone());
        }
        self.windows.entry(key).or_insert(Window {
            ends: now.saturating_add(LENGTH).unwrap_or(Timestamp::MAX),
            tries: 0,
            exists: false,
        })
    }

    /// Forgets those that are over. All last as long, so the oldest end first.
    fn forget_over(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let window = self.windows.get(oldest);
            if window.is_some_and(|window| window.ends > now) {
                return;
            }
            self.windows.remove(oldest);
            self.order.pop_front();
        }
    }

    fn make_room(&mut self) {
        while self.windows.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.windows.remove(&oldest);
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        assert_eq!(self.order.len(), self.windows.len());
        self.windows.len()
    }
}

const LENGTH: SignedDuration = SignedDuration::from_mins(15);
/// Windows at a time: about 4 MB.
pub(super) const MOST: usize = 20_000;
