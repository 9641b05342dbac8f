//! What became of a machine's applications, for its history.

use std::collections::{BTreeMap, BTreeSet};

use sal_store::inventory::{ItemRow, NewItem};
use sal_store::machine_changes::{ChangeKind, ChangeLine};

/// A line for each application of which other versions are there than before.
pub(super) fn lines(before: &[ItemRow], after: &[NewItem]) -> Vec<ChangeLine> {
    let mut versions: BTreeMap<(&str, &str), [BTreeSet<&str>; 2]> = BTreeMap::new();
    for row in before {
        let [was, _] = versions.entry((&row.name, &row.bundleid)).or_default();
        was.insert(&row.version);
    }
    for item in after {
        let application = &item.application;
        let key = (application.name.as_str(), application.bundleid.as_str());
        let [_, became] = versions.entry(key).or_default();
        became.insert(&item.version);
    }
    versions
        .iter()
        .filter(|(_, [was, became])| was != became)
        .map(|((name, bundleid), [was, became])| {
            let name = if name.is_empty() { bundleid } else { name };
            let (was, became) = (words(was), words(became));
            ChangeLine::new(
                ChangeKind::Application,
                name,
                was.as_deref(),
                became.as_deref(),
            )
        })
        .take(MOST)
        .collect()
}

/// Versions with commas between them; none when there is none.
fn words(versions: &BTreeSet<&str>) -> Option<String> {
    let versions: Vec<&str> = versions.iter().copied().collect();
    (!versions.is_empty()).then(|| versions.join(", "))
}

/// The most lines of one inventory. A new version of macOS brings about a hundred.
const MOST: usize = 500;

#[cfg(test)]
mod tests {
    use sal_store::inventory::ApplicationName;

    use super::*;

    fn row(name: &str, version: &str) -> ItemRow {
        ItemRow {
            id: 0,
            name: name.to_owned(),
            bundleid: String::new(),
            bundlename: String::new(),
            version: version.to_owned(),
            path: None,
        }
    }

    fn item(name: &str, version: &str) -> NewItem {
        NewItem {
            application: ApplicationName {
                name: name.to_owned(),
                ..ApplicationName::default()
            },
            version: version.to_owned(),
            path: String::new(),
        }
    }

    #[test]
    fn each_application_of_which_versions_differ_has_one_line() {
        let before = [
            row("A", "1"),
            row("A", "1"),
            row("B", "1"),
            row("C", "2"),
            row("D", "1"),
        ];
        let after = [
            item("A", "1"),
            item("B", "2"),
            item("B", "1"),
            item("D", "2"),
            item("E", ""),
        ];
        let line = |name, was, became| ChangeLine::new(ChangeKind::Application, name, was, became);
        let wanted = [
            line("B", Some("1"), Some("1, 2")),
            line("C", Some("2"), None),
            line("D", Some("1"), Some("2")),
            line("E", None, Some("")),
        ];
        assert_eq!(lines(&before, &after), wanted);
    }
}
