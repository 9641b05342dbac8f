//! Programs that follow `next` through a long list: where each page ended, so that the next one begins there instead of
//! counting off all rows before it, and how many rows there are, so that they are not counted for each page.
//!
//! Only hints, for lists in the order of their keys: what is not known is counted and counted off. Two programs that walk
//! with one key may meet different ends of a page; such a page is counted off, and nobody misses a row.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sal_query::Parameter;
use tokio::time::Instant;

/// All walks of the last minutes.
#[derive(Default)]
pub(crate) struct Walks(Mutex<HashMap<String, Walk>>);

struct Walk {
    used: Instant,
    count: i64,
    /// The key of the last row of a page; none where two answers differ.
    ends: BTreeMap<i64, Option<Parameter>>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    /// The key of the row before it.
    pub(crate) after: Parameter,
    /// How many rows the whole list had when the walk began.
    pub(crate) count: i64,
}

impl Walks {
    /// Where a page of a list begins, if whoever walks was at the page before.
    pub(crate) fn start(&self, list: &str, page: i64) -> Option<Start> {
        let mut walks = self.walks();
        let walk = walks.get_mut(list)?;
        if walk.used.elapsed() > FORGOTTEN_AFTER {
            walks.remove(list);
            return None;
        }
        walk.used = Instant::now();
        let after = walk.ends.get(&(page - 1))?.clone()?;
        Some(Start {
            after,
            count: walk.count,
        })
    }

    /// Notes where a page ended.
    pub(crate) fn end(&self, list: &str, page: i64, last: &Parameter, count: i64) {
        let mut walks = self.walks();
        if walks.len() >= MOST_WALKS && !walks.contains_key(list) {
            walks.retain(|_, walk| walk.used.elapsed() <= FORGOTTEN_AFTER);
            if walks.len() >= MOST_WALKS {
                walks.clear();
            }
        }
        let walk = walks.entry(list.to_owned()).or_insert_with(|| Walk {
            used: Instant::now(),
            count,
            ends: BTreeMap::new(),
        });
        walk.used = Instant::now();
        if page == 1 {
            walk.count = count;
        }
        let known = walk.ends.entry(page).or_insert_with(|| Some(last.clone()));
        if known.as_ref() != Some(last) {
            *known = None;
        }
        while walk.ends.len() > MOST_PAGES {
            walk.ends.pop_first();
        }
    }

    fn walks(&self) -> MutexGuard<'_, HashMap<String, Walk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program that pauses longer begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);
/// How many lists are remembered.
const MOST_WALKS: usize = 1_000;
/// How many pages of each: who walks is at the last ones.
const MOST_PAGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: i64) -> Parameter {
        Parameter::Integer(id)
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_goes_on_where_its_page_ended_until_it_is_forgotten() {
        let walks = Walks::default();
        assert_eq!(walks.start("a", 2), None);
        walks.end("a", 1, &at(100), 250);
        assert_eq!(
            walks.start("a", 2),
            Some(Start {
                after: at(100),
                count: 250
            })
        );
        assert_eq!((walks.start("a", 3), walks.start("b", 2)), (None, None));
        tokio::time::advance(FORGOTTEN_AFTER + Duration::from_secs(1)).await;
        assert_eq!(walks.start("a", 2), None);
    }

    #[tokio::test(start_paused = true)]
    async fn where_two_walks_differ_neither_is_led_astray() {
        let walks = Walks::default();
        walks.end("a", 1, &at(100), 250);
        walks.end("a", 1, &at(105), 245);
        assert_eq!(walks.start("a", 2), None);
        walks.end("a", 1, &at(105), 245);
        assert_eq!(walks.start("a", 2), None, "not before it is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_last_pages_and_so_many_lists_are_kept() {
        let walks = Walks::default();
        for page in 1..=100 {
            walks.end("a", page, &at(page * 100), 10_000);
        }
        assert_eq!(walks.start("a", 2), None);
        assert!(walks.start("a", 101).is_some());
        for list in 0..5_000 {
            walks.end(&list.to_string(), 1, &at(1), 1);
        }
        assert!(walks.walks().len() <= MOST_WALKS);
    }
}
