//! Managed items with their counts, as a table. Pure.

use sal_plugins::{Plugin, panel::Items};
use sal_store::reports::ItemCount;
use serde_json::Value;

use super::draw::Links;
use crate::wording;

/// The table.
pub(crate) struct ItemTable {
    /// Headings of the counts.
    pub(crate) columns: Vec<String>,
    pub(crate) items: Vec<ItemRow>,
    /// What was searched for.
    pub(crate) search: String,
    /// How many items there are without the search.
    pub(crate) all: String,
}

/// An item.
pub(crate) struct ItemRow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) counts: Vec<ItemNumber>,
}

/// How many machines have it in one status.
pub(crate) struct ItemNumber {
    pub(crate) label: String,
    pub(crate) count: String,
    pub(crate) href: Option<String>,
    /// In percent of the largest of the column.
    pub(crate) width: String,
}

pub(super) fn table(
    plugin: &Plugin,
    items: &Items,
    counts: &[ItemCount],
    links: &Links,
    search: &str,
) -> ItemTable {
    let largest: Vec<i64> = (0..items.columns.len())
        .map(|place| {
            let column = counts.iter().filter_map(|item| item.counts.get(place));
            column.copied().max().unwrap_or(0)
        })
        .collect();
    let wanted = search.to_lowercase();
    let row = |item: &ItemCount| {
        let (version, description) = told(item.data.as_deref());
        let numbers = items.columns.iter().zip(&item.counts).zip(&largest);
        ItemRow {
            counts: numbers
                .map(|((column, count), largest)| ItemNumber {
                    label: column.label.clone(),
                    count: wording::count(*count),
                    href: (*count > 0)
                        .then(|| links.list(plugin, &format!("{}{}", column.key, item.name)))
                        .flatten(),
                    width: wording::percent(*count, *largest),
                })
                .collect(),
            name: item.name.clone(),
            version,
            description,
        }
    };
    ItemTable {
        columns: items
            .columns
            .iter()
            .map(|column| column.label.clone())
            .collect(),
        items: counts
            .iter()
            .map(row)
            .filter(|row| {
                wanted.is_empty()
                    || row.name.to_lowercase().contains(&wanted)
                    || row.description.to_lowercase().contains(&wanted)
            })
            .collect(),
        search: search.to_owned(),
        all: wording::count(wording::size(counts.len())),
    }
}

/// Version and description that a machine told of an item.
fn told(data: Option<&str>) -> (String, String) {
    let data: Option<Value> = data.and_then(|text| serde_json::from_str(text).ok());
    let text = |names: [&str; 3]| {
        names
            .iter()
            .find_map(|name| data.as_ref()?.get(name)?.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (
        text(["version", "installed_version", "version_to_install"]),
        text(["description", "display_name", "note"]),
    )
}
