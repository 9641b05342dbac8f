//! How often somebody asked within the present minute, for limits: one count for each name, all of them forgotten together
//! when the minute is over.
//!
//! Counted in this process. Behind several servers each counts for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Counts of the present minute.
pub struct PerMinute<K> {
    began: Instant,
    counts: HashMap<K, u32>,
}

/// What somebody has left of the present minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// How often may be asked in a minute.
    pub limit: u32,
    /// How often may be asked yet.
    pub left: u32,
    /// Seconds until the next minute.
    pub seconds: u64,
    /// Whether this was more than may be asked.
    pub is_over: bool,
}

impl<K> Default for PerMinute<K> {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            counts: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash> PerMinute<K> {
    /// Counts that `who` asked; nothing where there is no limit.
    pub fn count(&mut self, who: K, limit: u32) -> Option<Spent> {
        if limit == 0 {
            return None;
        }
        if self.began.elapsed() >= MINUTE {
            self.began = Instant::now();
            self.counts.clear();
        }
        self.make_room();
        let count = self.counts.entry(who).or_default();
        *count = count.saturating_add(1);
        let rest = MINUTE.saturating_sub(self.began.elapsed());
        Some(Spent {
            limit,
            left: limit.saturating_sub(*count),
            seconds: rest.as_secs().max(1),
            is_over: *count > limit,
        })
    }

    /// Bounds the memory: those who asked least are forgotten, so that many new names do not free who asked much.
    fn make_room(&mut self) {
        let mut least = 1;
        while self.counts.len() >= MOST_COUNTED {
            self.counts.retain(|_, count| *count > least);
            least = least.saturating_mul(2);
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// How many are counted at a time.
const MOST_COUNTED: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_later_it_begins_anew_and_zero_means_no_limit() {
        let mut window = PerMinute::default();
        let mut ask = |limit| window.count("x", limit);
        assert_eq!(
            ask(2).map(|spent| (spent.left, spent.is_over)),
            Some((1, false))
        );
        assert_eq!(
            ask(2).map(|spent| (spent.left, spent.is_over)),
            Some((0, false))
        );
        tokio::time::advance(Duration::from_secs(18)).await;
        let refused = Spent {
            limit: 2,
            left: 0,
            seconds: 42,
            is_over: true,
        };
        assert_eq!(ask(2), Some(refused));
        assert_eq!(ask(0), None);
        tokio::time::advance(Duration::from_secs(42)).await;
        assert!(ask(2).is_some_and(|spent| !spent.is_over));
    }

    #[tokio::test]
    async fn many_new_names_do_not_free_who_asked_much() {
        let mut window = PerMinute::default();
        for _ in 0..4 {
            let _counted = window.count("wild".to_owned(), 3);
        }
        for n in 0..MOST_COUNTED + 10_000 {
            assert!(
                window
                    .count(n.to_string(), 3)
                    .is_some_and(|spent| !spent.is_over)
            );
        }
        assert!(window.counts.len() <= MOST_COUNTED);
        assert!(
            window
                .count("wild".to_owned(), 3)
                .is_some_and(|spent| spent.is_over)
        );
    }
}
