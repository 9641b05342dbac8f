//! Lines, columns and pages of the device list as text.

use jiff::{Timestamp, tz::TimeZone};
use sal_plugins::OsFamily;
use sal_query::Field;
use sal_store::devices::DeviceRow;

use super::params::{ListParams, SIZES};
use crate::wording::{self, Moment, filled};

/// A line.
pub(crate) struct DeviceLine {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) serial: String,
    pub(crate) user: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) system: String,
    pub(crate) group: String,
    pub(crate) seen: Option<Moment>,
    pub(crate) tags: Vec<Tag>,
}

/// A short mark with a meaning.
pub(crate) struct Tag {
    pub(crate) text: String,
    /// `ok`, `warn`, `bad` or `plain`.
    pub(crate) tone: &'static str,
}

impl DeviceLine {
    pub(crate) fn new(row: DeviceRow, now: Timestamp, zone: &TimeZone) -> Self {
        let tags = tags(&row);
        let family = OsFamily::title_of(&row.os_family);
        Self {
            href: format!("/machine_detail/{}/", row.id),
            name: filled(row.hostname.as_deref()).unwrap_or_else(|| row.serial.clone()),
            user: filled(row.console_user.as_deref()),
            model: filled(row.model.as_deref()),
            system: format!(
                "{family} {}",
                row.operating_system.as_deref().unwrap_or_default()
            ),
            group: row.group,
            seen: row.last_checkin.map(|at| Moment::new(at, now, zone)),
            serial: row.serial,
            tags,
        }
    }
}

fn tags(row: &DeviceRow) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut push = |shown: bool, tone, text: String| {
        if shown {
            tags.push(Tag { text, tone });
        }
    };
    push(row.broken_client, "bad", "Broken client".to_owned());
    push(
        row.errors > 0,
        "bad",
        wording::count_of(row.errors, "error", "errors"),
    );
    push(
        row.warnings > 0,
        "warn",
        wording::count_of(row.warnings, "warning", "warnings"),
    );
    push(!row.deployed, "plain", "Undeployed".to_owned());
    tags
}

/// The head of a column.
pub(crate) struct Column {
    pub(crate) label: &'static str,
    pub(crate) href: Option<String>,
    /// `ascending`, `descending` or `none`, for screen readers and the arrow.
    pub(crate) sorted: &'static str,
}

impl Column {
    pub(crate) fn all(params: &ListParams) -> Vec<Self> {
        [
            ("Machine", Some(Field::Hostname)),
            ("User", Some(Field::ConsoleUser)),
            ("Model", Some(Field::MachineModel)),
            ("System", Some(Field::OperatingSystem)),
            ("Group", None),
            ("Last check-in", Some(Field::LastCheckin)),
            ("Status", None),
        ]
        .into_iter()
        .map(|(label, field)| Self {
            label,
            href: field.map(|field| params.sorted_by(field)),
            sorted: match (field == Some(params.sort()), params.is_descending()) {
                (false, _) => "none",
                (true, true) => "descending",
                (true, false) => "ascending",
            },
        })
        .collect()
    }
}

/// Which part of the list is shown, and the way to the other parts.
pub(crate) struct Pager {
    pub(crate) offset: i64,
    /// `51–100 of 1,234`
    pub(crate) shown: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    /// Lines per page, the link, and whether it is chosen.
    pub(crate) sizes: Vec<(i64, String, bool)>,
}

impl Pager {
    pub(crate) fn new(params: &ListParams, total: i64) -> Self {
        let size = params.size();
        let last_page = (total.max(1) + size - 1) / size;
        let page = params.page().min(last_page);
        let offset = (page - 1) * size;
        let last = (offset + size).min(total);
        let shown = match total {
            0 => "0 of 0".to_owned(),
            _ => format!(
                "{}–{} of {}",
                wording::count(offset + 1),
                wording::count(last),
                wording::count(total)
            ),
        };
        Self {
            offset,
            shown,
            previous: (page > 1).then(|| params.at_page(page - 1)),
            next: (page < last_page).then(|| params.at_page(page + 1)),
            sizes: SIZES
                .into_iter()
                .map(|choice| (choice, params.sized(choice), choice == size))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(page: &str, total: i64) -> Pager {
        let params = serde_json::from_value(serde_json::json!({ "page": page })).unwrap();
        Pager::new(&params, total)
    }

    #[test]
    fn the_pager_knows_where_the_list_ends() {
        let first = at("1", 10_000);
        assert_eq!((first.offset, first.shown.as_str()), (0, "1–50 of 10,000"));
        assert_eq!(
            (first.previous, first.next.as_deref()),
            (None, Some("/machines/?page=2"))
        );
        let last = at("200", 10_000);
        assert_eq!(
            (last.shown.as_str(), last.next),
            ("9,951–10,000 of 10,000", None)
        );
        assert_eq!(last.previous.as_deref(), Some("/machines/?page=199"));
    }

    #[test]
    fn a_page_beyond_the_end_is_the_last_page() {
        assert_eq!(at("77", 51).shown, "51–51 of 51");
        assert_eq!(at("1", 0).shown, "0 of 0");
        let empty = at("9", 0);
        assert_eq!((empty.offset, empty.previous, empty.next), (0, None, None));
    }
}
