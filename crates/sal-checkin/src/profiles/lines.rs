//! What became of a machine's profiles, for its history.

use std::collections::{BTreeMap, HashSet};

use sal_store::machine_changes::{ChangeKind, ChangeLine};
use sal_store::profiles::{Changes, ProfileRow};

/// A line for each profile that came, went, or was replaced by one with the same identifier.
pub(super) fn lines(before: &[ProfileRow], changes: &Changes) -> Vec<ChangeLine> {
    let gone: HashSet<i64> = changes.profiles_gone.iter().copied().collect();
    // Name, whether it went, whether it came.
    let mut profiles: BTreeMap<&str, (&str, bool, bool)> = BTreeMap::new();
    for row in before.iter().filter(|row| gone.contains(&row.id)) {
        let profile = profiles.entry(&row.identifier).or_default();
        (profile.0, profile.1) = (&row.display_name, true);
    }
    for new in &changes.profiles_new {
        let profile = profiles.entry(&new.identifier).or_default();
        (profile.0, profile.2) = (&new.details.display_name, true);
    }
    profiles
        .iter()
        .map(|(identifier, (name, went, came))| {
            let name = if name.is_empty() { identifier } else { name };
            let (was, became) = (went.then_some(*identifier), came.then_some(*identifier));
            ChangeLine::new(ChangeKind::Profile, name, was, became)
        })
        .take(MOST)
        .collect()
}

/// The most lines of one submission.
const MOST: usize = 200;
