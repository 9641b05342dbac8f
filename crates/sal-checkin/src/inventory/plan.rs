//! Items before + listing = changes. Pure.

use std::collections::{BTreeSet, HashMap};

use sal_store::inventory::{ApplicationName, Changes, ItemRow, ItemUpdate, NewItem};

use super::listing::Listing;

/// Compares, and plans only what differs. Items that are the same in all parts stay; of the others, one of the same
/// application gets the new version and path, so that an update of an application is one row written.
pub(super) fn plan(present: &[ItemRow], listing: &Listing) -> Changes {
    let mut there: HashMap<(Name<'_>, &str, Option<&str>), Vec<&ItemRow>> = HashMap::new();
    for row in present.iter().rev() {
        let key = (name_of_row(row), row.version.as_str(), row.path.as_deref());
        there.entry(key).or_default().push(row);
    }
    let mut new: Vec<&NewItem> = Vec::new();
    for item in &listing.items {
        let name = name_of(&item.application);
        let key = (name, item.version.as_str(), Some(item.path.as_str()));
        if there.get_mut(&key).and_then(Vec::pop).is_none() {
            new.push(item);
        }
    }
    let mut spare: HashMap<Name<'_>, Vec<i64>> = HashMap::new();
    let mut left: Vec<&ItemRow> = there.into_values().flatten().collect();
    left.sort_by_key(|row| std::cmp::Reverse(row.id));
    for row in left {
        spare.entry(name_of_row(row)).or_default().push(row.id);
    }
    let mut changes = Changes::default();
    let mut applications: BTreeSet<&ApplicationName> = listing.unlisted.iter().collect();
    for item in new {
        match spare
            .get_mut(&name_of(&item.application))
            .and_then(Vec::pop)
        {
            Some(id) => changes.items_changed.push(ItemUpdate {
                id,
                version: item.version.clone(),
                path: item.path.clone(),
            }),
            None => {
                applications.insert(&item.application);
                changes.items_new.push(item.clone());
            }
        }
    }
    changes.applications = applications.into_iter().cloned().collect();
    changes.items_gone = spare.into_values().flatten().collect();
    changes
}

type Name<'a> = (&'a str, &'a str, &'a str);

fn name_of(application: &ApplicationName) -> Name<'_> {
    (
        &application.name,
        &application.bundleid,
        &application.bundlename,
    )
}

fn name_of_row(row: &ItemRow) -> Name<'_> {
    (&row.name, &row.bundleid, &row.bundlename)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(name: &str) -> ApplicationName {
        ApplicationName {
            name: name.to_owned(),
            ..ApplicationName::default()
        }
    }

    fn listing(items: &[(&str, &str, &str)]) -> Listing {
        let item = |(name, version, path): &(&str, &str, &str)| NewItem {
            application: application(name),
            version: (*version).to_owned(),
            path: (*path).to_owned(),
        };
        Listing {
            sha256hash: String::new(),
            items: items.iter().map(item).collect(),
            unlisted: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn rows(items: &[(i64, &str, &str, &str)]) -> Vec<ItemRow> {
        let row = |(id, name, version, path): &(i64, &str, &str, &str)| ItemRow {
            id: *id,
            name: (*name).to_owned(),
            bundleid: String::new(),
            bundlename: String::new(),
            version: (*version).to_owned(),
            path: Some((*path).to_owned()),
        };
        items.iter().map(row).collect()
    }

    #[test]
    fn equal_items_stay_in_any_order_and_twins_are_counted() {
        let present = rows(&[(1, "A", "1", "/a"), (2, "A", "1", "/a"), (3, "B", "1", "")]);
        let same = listing(&[("B", "1", ""), ("A", "1", "/a"), ("A", "1", "/a")]);
        assert_eq!(plan(&present, &same), Changes::default());
        let third = listing(&[
            ("B", "1", ""),
            ("A", "1", "/a"),
            ("A", "1", "/a"),
            ("A", "1", "/a"),
        ]);
        let changes = plan(&present, &third);
        assert_eq!(changes.items_new.len(), 1);
        assert_eq!(changes.applications, [application("A")]);
        let one = listing(&[("B", "1", ""), ("A", "1", "/a")]);
        assert_eq!(plan(&present, &one).items_gone, [2]);
    }

    #[test]
    fn an_update_writes_one_row_and_looks_nothing_up() {
        let present = rows(&[(1, "A", "1", "/a"), (2, "A", "1", "/b")]);
        let changes = plan(&present, &listing(&[("A", "1", "/b"), ("A", "2", "/a")]));
        let update = ItemUpdate {
            id: 1,
            version: "2".to_owned(),
            path: "/a".to_owned(),
        };
        let wanted = Changes {
            items_changed: vec![update],
            ..Changes::default()
        };
        assert_eq!(changes, wanted);
    }

    #[test]
    fn a_path_that_was_never_stored_becomes_the_empty_one() {
        let mut present = rows(&[(1, "A", "1", "")]);
        present[0].path = None;
        let changes = plan(&present, &listing(&[("A", "1", "")]));
        assert_eq!(changes.items_changed.len(), 1);
        assert_eq!(changes.items_gone, [0_i64; 0]);
    }

    #[test]
    fn applications_are_sorted_and_named_once_also_those_that_are_not_listed() {
        let mut listing = listing(&[("b", "1", ""), ("a", "1", ""), ("b", "2", "")]);
        listing.unlisted = vec![application("c"), application("c")];
        let changes = plan(&[], &listing);
        assert_eq!(
            changes.applications,
            [application("a"), application("b"), application("c")]
        );
        assert_eq!(changes.items_new, listing.items);
    }
}
