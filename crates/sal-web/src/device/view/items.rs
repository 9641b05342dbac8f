//! Managed items: per source, filtered by status, with versions and details.

use jiff::{Timestamp, tz::TimeZone};
use sal_store::device::DeviceItem;
use serde_json::Value;

use super::lists::{grouped, size};
use crate::wording::{self, Moment, filled};

/// The tab of managed items.
pub(crate) struct ItemsTab {
    pub(crate) filters: Vec<FilterLink>,
    pub(crate) sources: Vec<ItemSource>,
    /// Whether there are items at all, shown or not.
    pub(crate) has_items: bool,
}

/// A choice of what is shown.
pub(crate) struct FilterLink {
    pub(crate) label: &'static str,
    pub(crate) count: Option<String>,
    pub(crate) href: String,
    pub(crate) is_chosen: bool,
}

/// The managed items of one source.
pub(crate) struct ItemSource {
    pub(crate) name: String,
    pub(crate) count: String,
    pub(crate) items: Vec<ItemLine>,
}

/// A managed item.
pub(crate) struct ItemLine {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) version: String,
    pub(crate) since: Moment,
    /// What the source tells about it.
    pub(crate) details: Details,
}

/// Names and values.
pub(crate) type Details = Vec<(String, String)>;

pub(super) fn items_tab(
    items: Vec<DeviceItem>,
    status: Option<&str>,
    now: Timestamp,
    zone: &TimeZone,
) -> ItemsTab {
    let filters = filters(&items, status);
    let has_items = !items.is_empty();
    let shown = items
        .into_iter()
        .filter(|item| status.is_none_or(|status| item.status == status))
        .collect();
    let sources = grouped(shown, |item: &DeviceItem| item.source.clone());
    ItemsTab {
        filters,
        has_items,
        sources: sources
            .into_iter()
            .map(|(name, items)| ItemSource {
                count: size(&items),
                items: items
                    .into_iter()
                    .map(|item| item_line(item, now, zone))
                    .collect(),
                name,
            })
            .collect(),
    }
}

/// All, and every status that occurs.
fn filters(items: &[DeviceItem], chosen: Option<&str>) -> Vec<FilterLink> {
    let mut filters = vec![FilterLink {
        label: "All",
        count: Some(size(items)),
        href: "?tab=items".to_owned(),
        is_chosen: chosen.is_none(),
    }];
    for status in STATUSES {
        let count = items.iter().filter(|item| item.status == status).count();
        if count == 0 && chosen != Some(status) {
            continue;
        }
        filters.push(FilterLink {
            label: status_words(status).0,
            count: Some(wording::count(i64::try_from(count).unwrap_or(i64::MAX))),
            href: format!("?tab=items&status={status}"),
            is_chosen: chosen == Some(status),
        });
    }
    filters
}

fn item_line(item: DeviceItem, now: Timestamp, zone: &TimeZone) -> ItemLine {
    let (status, tone) = status_words(&item.status);
    let details = details(item.data.as_deref());
    ItemLine {
        id: item.id.to_string(),
        version: versions(&item.status, &details),
        name: item.name,
        status,
        tone,
        since: Moment::new(item.date_managed, now, zone),
        details,
    }
}

/// The word for a status, and its tone.
pub(crate) fn status_words(status: &str) -> (&'static str, &'static str) {
    match status {
        "PRESENT" => ("Installed", "ok"),
        "PENDING" => ("Pending", "info"),
        "ERROR" => ("Error", "bad"),
        "ABSENT" => ("Absent", "plain"),
        _ => ("Unknown", "plain"),
    }
}

/// The installed version, the one to install, or both with an arrow. Sources name them differently; `version` is
/// the one that the item's status is about.
fn versions(status: &str, details: &[(String, String)]) -> String {
    let find = |wanted: &str| {
        details
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let is_pending = status == "PENDING";
    let version = find("version");
    let installed = find("installed_version").or(version.filter(|_| !is_pending));
    let wanted = find("version_to_install").or(version.filter(|_| is_pending));
    match (installed, wanted.filter(|_| status != "PRESENT")) {
        (Some(installed), Some(wanted)) if installed != wanted => {
            format!("{installed} → {wanted}")
        }
        (None, Some(wanted)) => format!("→ {wanted}"),
        (Some(installed), _) => installed.to_owned(),
        (None, None) => find("version_to_install").unwrap_or_default().to_owned(),
    }
}

/// The members of a JSON object as text; other texts are one line.
pub(crate) fn details(data: Option<&str>) -> Details {
    let Some(text) = filled(data) else {
        return Vec::new();
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => members
            .into_iter()
            .map(|(name, value)| (name, plain(&value)))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        _ => vec![("data".to_owned(), text)],
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "Yes" } else { "No" }.to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Trouble first, as the items are sorted.
const STATUSES: [&str; 5] = ["ERROR", "PENDING", "UNKNOWN", "PRESENT", "ABSENT"];

#[cfg(test)]
mod tests {
    use sal_store::ids::ItemId;

    use super::*;

    fn item(source: &str, name: &str, status: &str) -> DeviceItem {
        DeviceItem {
            id: ItemId::parse("0193a5b0-0000-7000-8000-000000000000").unwrap(),
            source: source.to_owned(),
            name: name.to_owned(),
            status: status.to_owned(),
            date_managed: now(),
            data: None,
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_data_of_an_item_is_shown_whatever_it_is() {
        let data = r#"{"version": "1.2", "size": 3, "list": ["a", true], "none": null}"#;
        let shown = details(Some(data));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            shown,
            [
                pair("version", "1.2"),
                pair("size", "3"),
                pair("list", "a, Yes")
            ]
        );
        assert_eq!(details(Some("not json")), [pair("data", "not json")]);
        assert!(details(None).is_empty());
    }

    #[test]
    fn a_pending_update_shows_both_versions() {
        let told = |status, pairs: &[(&str, &str)]| {
            let details: Details = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            versions(status, &details)
        };
        let both = [("installed_version", "1.0"), ("version_to_install", "2.0")];
        assert_eq!(told("PENDING", &both), "1.0 → 2.0");
        assert_eq!(told("PRESENT", &both), "1.0");
        assert_eq!(told("PENDING", &[("version", "2.0")]), "→ 2.0");
        assert_eq!(told("PRESENT", &[("version", "2.0")]), "2.0");
        assert_eq!(told("PRESENT", &[("version_to_install", "2.0")]), "2.0");
        assert_eq!(told("ERROR", &[]), "");
    }

    #[test]
    fn a_status_filters_and_every_filter_tells_how_many_there_are() {
        let items = vec![
            item("Apple", "macOS", "PENDING"),
            item("Munki", "Chrome", "PENDING"),
            item("Munki", "Firefox", "PRESENT"),
        ];
        let tab = items_tab(items, Some("PENDING"), now(), &TimeZone::UTC);
        let filters: Vec<_> = tab
            .filters
            .iter()
            .map(|filter| (filter.label, filter.count.as_deref(), filter.is_chosen))
            .collect();
        assert_eq!(
            filters,
            [
                ("All", Some("3"), false),
                ("Pending", Some("2"), true),
                ("Installed", Some("1"), false)
            ]
        );
        let names: Vec<_> = tab
            .sources
            .iter()
            .map(|source| (source.name.as_str(), source.items.len()))
            .collect();
        assert_eq!(names, [("Apple", 1), ("Munki", 1)]);
    }
}
