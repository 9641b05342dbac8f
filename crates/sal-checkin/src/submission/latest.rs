//! Entries by name, of which the last one of each name counts, at its own place.
//!
//! Two names of a body can become one when NUL characters are taken out of them. A body of 5 MiB holds hundreds of
//! thousands of names, so looking through the list for each of them is out of the question.

use std::collections::HashMap;

/// A list in which a name occurs once.
#[derive(Debug)]
pub(super) struct Latest<T> {
    places: HashMap<String, usize>,
    entries: Vec<Option<T>>,
}

impl<T> Latest<T> {
    /// An empty list.
    pub(super) fn new() -> Self {
        Self {
            places: HashMap::new(),
            entries: Vec::new(),
        }
    }

    /// Puts an entry at the end and takes out an earlier one of the same name.
    pub(super) fn push(&mut self, name: String, entry: T) {
        let earlier = self.places.insert(name, self.entries.len());
        if let Some(slot) = earlier.and_then(|place| self.entries.get_mut(place)) {
            *slot = None;
        }
        self.entries.push(Some(entry));
    }

    /// The entries that are left, in order.
    pub(super) fn into_entries(self) -> Vec<T> {
        self.entries.into_iter().flatten().collect()
    }
}

/// Of entries with equal names only the last. The keys of a dict are all different, so this is for those from which
/// NUL characters were taken.
pub(super) fn last_of_equal<T>(entries: Vec<T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    let mut latest = Latest::new();
    for entry in entries {
        latest.push(name(&entry).clone(), entry);
    }
    latest.into_entries()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_names_the_last_counts_at_its_own_place() {
        let mut latest = Latest::new();
        for (name, entry) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)] {
            latest.push(name.to_owned(), entry);
        }
        assert_eq!(latest.into_entries(), [2, 4, 5]);
    }
}
