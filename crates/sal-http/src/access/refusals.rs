//! Which refused logins the audit log is told of. A log that everybody on the network can fill is none.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// The refusals of the last minute that were noted, by user and address.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<(String, String), Timestamp>>);

impl Refusals {
    pub(super) fn is_worth_noting(&self, pair: (String, String), now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, at| now.duration_since(*at) < QUIET);
        if noted.len() >= MOST || noted.contains_key(&pair) {
            return false;
        }
        noted.insert(pair, now);
        true
    }
}

const QUIET: SignedDuration = SignedDuration::from_mins(1);
/// The most lines in a minute.
const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_for_each_pair_and_few_for_all() {
        let refusals = Refusals::default();
        let pair = |name: &str| (name.to_owned(), "10.0.0.1".to_owned());
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        assert!(refusals.is_worth_noting(pair("anna"), at(0)));
        assert!(!refusals.is_worth_noting(pair("anna"), at(59)));
        assert!(refusals.is_worth_noting(pair("ben"), at(59)));
        assert!(refusals.is_worth_noting(pair("anna"), at(60)));
        let noted = (0..1000).filter(|n| refusals.is_worth_noting(pair(&n.to_string()), at(61)));
        assert_eq!(noted.count(), MOST - 2);
    }
}
