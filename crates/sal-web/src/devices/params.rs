//! The URL of the device list: segment, search, sorting, page. Reads anything, writes only what is needed.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_query::Field;
use serde::Deserialize;

/// The query string as it came; unknown values fall back to the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ListParams {
    widget: Option<String>,
    data: Option<String>,
    unit: Option<String>,
    group: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    page: Option<String>,
    size: Option<String>,
}

impl ListParams {
    /// The widget and its segment.
    pub(crate) fn segment(&self) -> Option<(&str, &str)> {
        Some((self.widget()?, self.data.as_deref().unwrap_or_default()))
    }

    /// Whether a widget's segment, a unit or a group restricts the list.
    pub(crate) fn is_restricted(&self) -> bool {
        self.widget().is_some() || self.place().is_some()
    }

    /// The group, else the unit, whose machines are listed: `group` or `unit`, and what stands for its id.
    pub(crate) fn place(&self) -> Option<(&'static str, &str)> {
        [("group", &self.group), ("unit", &self.unit)]
            .into_iter()
            .find_map(|(name, id)| Some((name, id.as_deref().filter(|id| !id.is_empty())?)))
    }

    /// Name of the widget.
    pub(crate) fn widget(&self) -> Option<&str> {
        self.widget.as_deref().filter(|widget| !widget.is_empty())
    }

    /// Key of the segment; empty without one.
    pub(crate) fn data(&self) -> &str {
        self.data.as_deref().unwrap_or_default()
    }

    /// What is searched for.
    pub(crate) fn search(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    /// The field that sorts the list.
    pub(crate) fn sort(&self) -> Field {
        let name = self.sort_text().trim_start_matches('-');
        SORTABLE
            .into_iter()
            .find(|field| field.name() == name)
            .unwrap_or(Field::LastCheckin)
    }

    /// Whether the largest come first.
    pub(crate) fn is_descending(&self) -> bool {
        self.sort_text().starts_with('-')
    }

    /// The sorting as it stands in the URL.
    pub(crate) fn sort_text(&self) -> &str {
        self.sort
            .as_deref()
            .filter(|sort| !sort.is_empty())
            .unwrap_or(DEFAULT_SORT)
    }

    /// The page, counted from 1.
    pub(crate) fn page(&self) -> i64 {
        let page = self.page.as_deref().and_then(|page| page.parse().ok());
        page.unwrap_or(1).clamp(1, MAX_PAGE)
    }

    /// Lines per page.
    pub(crate) fn size(&self) -> i64 {
        let size = self.size.as_deref().and_then(|size| size.parse().ok());
        size.filter(|size| SIZES.contains(size))
            .unwrap_or(DEFAULT_SIZE)
    }

    /// The same list on another page.
    pub(crate) fn at_page(&self, page: i64) -> String {
        self.href(self.sort_text(), page, self.size())
    }

    /// The same list from the start, sorted by a field; by the field that sorts it already, the other way round.
    pub(crate) fn sorted_by(&self, field: Field) -> String {
        let name = field.name();
        let turn = self.sort() == field && !self.is_descending();
        let newest_first = self.sort() != field && field == Field::LastCheckin;
        let minus = if turn || newest_first { "-" } else { "" };
        self.href(&format!("{minus}{name}"), 1, self.size())
    }

    /// The same list from the start with another number of lines.
    pub(crate) fn sized(&self, size: i64) -> String {
        self.href(self.sort_text(), 1, size)
    }

    /// The list without what restricts it, its search kept.
    pub(crate) fn unrestricted(&self) -> String {
        let mut all = self.clone();
        all.widget = None;
        all.data = None;
        all.unit = None;
        all.group = None;
        all.href(self.sort_text(), 1, self.size())
    }

    /// The list without the search, its segment kept.
    pub(crate) fn without_search(&self) -> String {
        let mut all = self.clone();
        all.q = None;
        all.href(self.sort_text(), 1, self.size())
    }

    fn href(&self, sort: &str, page: i64, size: i64) -> String {
        let mut pairs = Vec::new();
        let mut push = |name: &str, value: &str| {
            pairs.push(format!(
                "{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            ));
        };
        if let Some((widget, data)) = self.segment() {
            push("widget", widget);
            push("data", data);
        }
        if let Some((name, id)) = self.place() {
            push(name, id);
        }
        if !self.search().is_empty() {
            push("q", self.search());
        }
        if sort != DEFAULT_SORT {
            push("sort", sort);
        }
        if size != DEFAULT_SIZE {
            push("size", &size.to_string());
        }
        if page > 1 {
            push("page", &page.to_string());
        }
        if pairs.is_empty() {
            return "/machines/".to_owned();
        }
        format!("/machines/?{}", pairs.join("&"))
    }
}

/// Fields by which the list can be sorted.
const SORTABLE: [Field; 7] = [
    Field::Hostname,
    Field::Serial,
    Field::ConsoleUser,
    Field::MachineModel,
    Field::OperatingSystem,
    Field::LastCheckin,
    Field::FirstCheckin,
];
/// Lines per page that may be chosen.
pub(crate) const SIZES: [i64; 4] = [DEFAULT_SIZE, 100, 200, 500];
const DEFAULT_SIZE: i64 = 50;
const DEFAULT_SORT: &str = "-last_checkin";
const MAX_PAGE: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn params(sort: &str, page: &str, size: &str) -> ListParams {
        ListParams {
            q: Some(" anna & b ".to_owned()),
            sort: Some(sort.to_owned()),
            page: Some(page.to_owned()),
            size: Some(size.to_owned()),
            ..ListParams::default()
        }
    }

    #[test]
    fn nonsense_in_the_url_falls_back_to_the_defaults() {
        for params in [params("id;--", "-3", "1000000"), params("", "x", "50.5")] {
            assert_eq!(params.sort(), Field::LastCheckin);
            assert_eq!((params.page(), params.size()), (1, 50));
        }
        assert_eq!(params("", "99999999999999999999", "").page(), 1);
        assert_eq!(params("", "99999999", "").page(), MAX_PAGE);
    }

    #[test]
    fn a_link_keeps_search_sorting_and_size() {
        let params = params("hostname", "3", "200");
        assert_eq!(
            params.at_page(4),
            "/machines/?q=anna%20%26%20b&sort=hostname&size=200&page=4"
        );
        assert_eq!(
            params.sorted_by(Field::Hostname),
            "/machines/?q=anna%20%26%20b&sort=%2Dhostname&size=200"
        );
        assert_eq!(params.without_search(), "/machines/?sort=hostname&size=200");
        assert_eq!(ListParams::default().at_page(1), "/machines/");
    }

    #[test]
    fn links_stay_in_the_group_or_unit() {
        let mut params = ListParams {
            unit: Some("7".to_owned()),
            ..ListParams::default()
        };
        assert_eq!(params.at_page(2), "/machines/?unit=7&page=2");
        params.group = Some("8".to_owned());
        assert_eq!(params.at_page(1), "/machines/?group=8");
        assert_eq!(params.unrestricted(), "/machines/");
        params.group = Some(String::new());
        assert_eq!(params.place(), Some(("unit", "7")));
    }

    #[test]
    fn the_column_that_sorts_turns_round() {
        let newest_first = ListParams::default();
        assert_eq!(
            newest_first.sorted_by(Field::LastCheckin),
            "/machines/?sort=last%5Fcheckin"
        );
        let by_name = params("hostname", "1", "50");
        assert!(
            by_name
                .sorted_by(Field::LastCheckin)
                .ends_with("q=anna%20%26%20b")
        );
    }
}
