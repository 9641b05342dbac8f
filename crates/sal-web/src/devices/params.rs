//! The URL of the list of machines: filters, sorting, columns, place. Reads anything, writes only what is needed.

use axum::{extract::Query, http::Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_store::devices::{Direction, Sort};
use serde::Deserialize;

use super::{columns::Column, cursor::Cursor, facets};

/// The query string as it came; unknown values fall back to the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ListParams {
    widget: Option<String>,
    data: Option<String>,
    unit: Option<String>,
    group: Option<String>,
    family: Option<String>,
    os: Option<String>,
    model: Option<String>,
    seen: Option<String>,
    status: Option<String>,
    serials: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    size: Option<String>,
    cols: Option<String>,
    after: Option<String>,
    before: Option<String>,
    at: Option<String>,
}

/// A filter of the list; each can be taken away alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restriction {
    /// A widget's segment.
    Segment,
    /// A unit or group.
    Place,
    OsFamily,
    OperatingSystem,
    ModelFamily,
    Seen,
    Status(&'static str),
    Names,
    Search,
}

/// Which part of the list is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Position {
    First,
    Last,
    After(Cursor),
    Before(Cursor),
}

impl ListParams {
    /// Reads a query string that a form carried.
    pub(crate) fn parse(query: &str) -> Option<Self> {
        let uri: Uri = format!("/?{query}").parse().ok()?;
        Query::try_from_uri(&uri).ok().map(|Query(params)| params)
    }

    /// The widget and its segment.
    pub(crate) fn segment(&self) -> Option<(&str, &str)> {
        Some((given(&self.widget)?, given(&self.data).unwrap_or_default()))
    }

    /// The group, else the unit, whose machines are listed: `group` or `unit`, and what stands for its id.
    pub(crate) fn place(&self) -> Option<(&'static str, &str)> {
        [("group", &self.group), ("unit", &self.unit)]
            .into_iter()
            .find_map(|(name, id)| Some((name, given(id)?)))
    }

    pub(crate) fn os_family(&self) -> Option<&str> {
        given(&self.family)
    }

    pub(crate) fn operating_system(&self) -> Option<&str> {
        given(&self.os)
    }

    pub(crate) fn model_family(&self) -> Option<&str> {
        given(&self.model)
    }

    /// When the machines were last seen: a key of [`facets::SEEN`].
    pub(crate) fn seen(&self) -> Option<&'static str> {
        let seen = given(&self.seen)?;
        facets::SEEN
            .iter()
            .map(|(key, _)| *key)
            .find(|key| *key == seen)
    }

    /// What is the matter with the machines: keys of [`facets::STATUS`], all of which hold.
    pub(crate) fn statuses(&self) -> Vec<&'static str> {
        let given = given(&self.status).unwrap_or_default();
        let known = facets::STATUS.iter().map(|(key, _)| *key);
        known
            .filter(|key| given.split(',').any(|part| part == *key))
            .collect()
    }

    /// The serial numbers and host names that were pasted, at most [`MOST_NAMES`], each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.pasted().take(MOST_NAMES) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// How many pasted names are more than can be looked for.
    pub(crate) fn names_left_out(&self) -> usize {
        self.pasted().skip(MOST_NAMES).count()
    }

    fn pasted(&self) -> impl Iterator<Item = &str> {
        let is_border = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        given(&self.serials)
            .unwrap_or_default()
            .split(is_border)
            .filter(|name| !name.is_empty())
    }

    /// What is searched for.
    pub(crate) fn search(&self) -> &str {
        given(&self.q).unwrap_or_default().trim()
    }

    /// The column that sorts the list.
    pub(crate) fn sorting_column(&self) -> Column {
        self.sort_and_column().1
    }

    /// By what the list is sorted.
    pub(crate) fn sort(&self) -> Sort {
        self.sort_and_column().0
    }

    fn sort_and_column(&self) -> (Sort, Column) {
        let name = self.sort_text().trim_start_matches('-');
        Column::parse(name)
            .and_then(|column| Some((column.sort()?, column)))
            .unwrap_or((Sort::LastCheckin, Column::LastCheckin))
    }

    /// Which come first.
    pub(crate) fn direction(&self) -> Direction {
        if self.sort_text().starts_with('-') {
            Direction::Descending
        } else {
            Direction::Ascending
        }
    }

    /// The sorting as it stands in the URL.
    pub(crate) fn sort_text(&self) -> &str {
        given(&self.sort).unwrap_or(DEFAULT_SORT)
    }

    /// Lines per page.
    pub(crate) fn size(&self) -> usize {
        let size = given(&self.size).and_then(|size| size.parse().ok());
        size.filter(|size| SIZES.contains(size))
            .unwrap_or(DEFAULT_SIZE)
    }

    /// The columns, when the URL says which.
    pub(crate) fn columns(&self) -> Option<Vec<Column>> {
        given(&self.cols).map(Column::parse_list)
    }

    /// Which part of the list is shown; the beginning when a cursor is none of this list.
    pub(crate) fn position(&self) -> Position {
        let cursor = |text| Cursor::parse(text, self.sort());
        if let Some(cursor) = given(&self.after).and_then(cursor) {
            return Position::After(cursor);
        }
        if let Some(cursor) = given(&self.before).and_then(cursor) {
            return Position::Before(cursor);
        }
        match given(&self.at) {
            Some("end") => Position::Last,
            _ => Position::First,
        }
    }

    /// The filters in the order in which they are shown.
    pub(crate) fn restrictions(&self) -> Vec<Restriction> {
        let mut found = Vec::new();
        let mut add = |is_there: bool, restriction| {
            if is_there {
                found.push(restriction);
            }
        };
        add(self.segment().is_some(), Restriction::Segment);
        add(self.place().is_some(), Restriction::Place);
        add(self.os_family().is_some(), Restriction::OsFamily);
        add(
            self.operating_system().is_some(),
            Restriction::OperatingSystem,
        );
        add(self.model_family().is_some(), Restriction::ModelFamily);
        add(self.seen().is_some(), Restriction::Seen);
        for status in self.statuses() {
            add(true, Restriction::Status(status));
        }
        add(!self.names().is_empty(), Restriction::Names);
        add(!self.search().is_empty(), Restriction::Search);
        found
    }

    /// The list from its beginning without one of its filters.
    pub(crate) fn without(&self, restriction: Restriction) -> Self {
        let mut all = self.at_start();
        match restriction {
            Restriction::Segment => (all.widget, all.data) = (None, None),
            Restriction::Place => (all.unit, all.group) = (None, None),
            Restriction::OsFamily => all.family = None,
            Restriction::OperatingSystem => all.os = None,
            Restriction::ModelFamily => all.model = None,
            Restriction::Seen => all.seen = None,
            Restriction::Status(status) => {
                let rest: Vec<_> = self
                    .statuses()
                    .into_iter()
                    .filter(|s| *s != status)
                    .collect();
                all.status = Some(rest.join(","));
            }
            Restriction::Names => all.serials = None,
            Restriction::Search => all.q = None,
        }
        all
    }

    /// The list from its beginning with one more filter, instead of another of the same kind.
    pub(crate) fn with(&self, restriction: Restriction, value: &str) -> Self {
        let mut all = self.at_start();
        let value = Some(value.to_owned());
        match restriction {
            Restriction::OsFamily => all.family = value,
            Restriction::OperatingSystem => all.os = value,
            Restriction::ModelFamily => all.model = value,
            Restriction::Seen => all.seen = value,
            Restriction::Status(status) => {
                let mut statuses = self.statuses();
                statuses.push(status);
                all.status = Some(statuses.join(","));
            }
            Restriction::Names => all.serials = value,
            Restriction::Search => all.q = value,
            Restriction::Segment | Restriction::Place => {}
        }
        all
    }

    /// The list of a unit.
    pub(crate) fn in_unit(&self, id: &str) -> Self {
        let mut all = self.without(Restriction::Place);
        all.unit = Some(id.to_owned());
        all
    }

    /// The list of a group.
    pub(crate) fn in_group(&self, id: &str) -> Self {
        let mut all = self.without(Restriction::Place);
        all.group = Some(id.to_owned());
        all
    }

    /// The list without any filter, sorted and shown the same way.
    pub(crate) fn unfiltered(&self) -> Self {
        Self {
            sort: self.sort.clone(),
            size: self.size.clone(),
            cols: self.cols.clone(),
            ..Self::default()
        }
    }

    /// The list from its beginning, sorted by a column; by the one that sorts it already, the other way round.
    pub(crate) fn sorted_by(&self, column: Column) -> Self {
        let is_current = self.sorting_column() == column;
        let turns = is_current && self.direction() == Direction::Ascending;
        let minus = if turns || (!is_current && column.begins_with_the_largest()) {
            "-"
        } else {
            ""
        };
        let mut all = self.at_start();
        all.sort = Some(format!("{minus}{}", column.key()));
        all
    }

    /// The list from its beginning with another number of lines.
    pub(crate) fn sized(&self, size: usize) -> Self {
        let mut all = self.at_start();
        all.size = Some(size.to_string());
        all
    }

    /// The list from its beginning with other columns; with those that were chosen before for none.
    pub(crate) fn with_columns(&self, columns: Option<&[Column]>) -> Self {
        let mut all = self.at_start();
        all.cols = columns.map(Column::write_list);
        all
    }

    /// Another part of the same list.
    pub(crate) fn at(&self, position: &Position) -> Self {
        let mut there = self.at_start();
        match position {
            Position::First => {}
            Position::Last => there.at = Some("end".to_owned()),
            Position::After(cursor) => there.after = Some(cursor.write()),
            Position::Before(cursor) => there.before = Some(cursor.write()),
        }
        there
    }

    /// The list from its beginning.
    pub(crate) fn at_start(&self) -> Self {
        Self {
            after: None,
            before: None,
            at: None,
            ..self.clone()
        }
    }

    /// What stands in the URL, by name.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        let mut push = |name, value: &str| pairs.push((name, value.to_owned()));
        if let Some((widget, data)) = self.segment() {
            push("widget", widget);
            push("data", data);
        }
        if let Some((name, id)) = self.place() {
            push(name, id);
        }
        let mut push_given = |name, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                push(name, value);
            }
        };
        push_given("family", self.os_family());
        push_given("os", self.operating_system());
        push_given("model", self.model_family());
        push_given("seen", self.seen());
        push_given("status", Some(&self.statuses().join(",")));
        push_given("serials", given(&self.serials));
        push_given("q", Some(self.search()));
        push_given(
            "sort",
            Some(self.sort_text()).filter(|sort| *sort != DEFAULT_SORT),
        );
        let size = self.size();
        push_given(
            "size",
            (size != DEFAULT_SIZE).then(|| size.to_string()).as_deref(),
        );
        push_given("cols", given(&self.cols));
        push_given("after", given(&self.after));
        push_given("before", given(&self.before));
        push_given("at", given(&self.at));
        pairs
    }

    /// What stands in the URL, but for one name: for the hidden fields of a form that asks for it.
    pub(crate) fn pairs_without(&self, name: &str) -> Vec<(&'static str, String)> {
        let mut pairs = self.at_start().pairs();
        pairs.retain(|(other, _)| *other != name);
        pairs
    }

    /// The query string.
    pub(crate) fn query(&self) -> String {
        let pairs: Vec<String> = self
            .pairs()
            .into_iter()
            .map(|(name, value)| {
                format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
            })
            .collect();
        pairs.join("&")
    }

    /// The address of the list.
    pub(crate) fn href(&self) -> String {
        let query = self.query();
        if query.is_empty() {
            return "/machines/".to_owned();
        }
        format!("/machines/?{query}")
    }
}

/// A value that says something. One with a NUL character says nothing: no machine has one.
fn given(value: &Option<String>) -> Option<&str> {
    value
        .as_deref()
        .filter(|value| !value.is_empty() && !value.contains('\0'))
}

/// Lines per page that may be chosen.
pub(crate) const SIZES: [usize; 4] = [DEFAULT_SIZE, 100, 200, 500];
const DEFAULT_SIZE: usize = 50;
const DEFAULT_SORT: &str = "-last_checkin";
/// So many names may be pasted.
pub(crate) const MOST_NAMES: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> ListParams {
        ListParams::parse(query).unwrap()
    }

    #[test]
    fn nonsense_in_the_url_falls_back_to_the_defaults() {
        for query in [
            "sort=id;--&size=1000000&after=x&seen=9h&status=fine&cols=,x,",
            "sort=&size=50.5&before=%00&os=%00&family=",
        ] {
            let params = params(query);
            assert_eq!(params.sort(), Sort::LastCheckin);
            assert_eq!((params.position(), params.size()), (Position::First, 50));
            assert_eq!(params.restrictions(), []);
        }
    }

    #[test]
    fn a_link_keeps_what_it_does_not_change() {
        let list = params("q=+anna+%26+b+&sort=hostname&size=200&os=15.1&at=end");
        assert_eq!(
            list.with(Restriction::Seen, "24h").href(),
            "/machines/?os=15%2E1&seen=24h&q=anna%20%26%20b&sort=hostname&size=200"
        );
        assert_eq!(
            list.sorted_by(Column::Hostname).href(),
            "/machines/?os=15%2E1&q=anna%20%26%20b&sort=%2Dhostname&size=200"
        );
        assert_eq!(
            list.without(Restriction::Search).href(),
            "/machines/?os=15%2E1&sort=hostname&size=200"
        );
        assert_eq!(
            list.unfiltered().href(),
            "/machines/?sort=hostname&size=200"
        );
        assert_eq!(ListParams::default().href(), "/machines/");
    }

    #[test]
    fn links_stay_in_the_group_or_unit() {
        let unit = params("unit=7");
        assert_eq!(unit.at(&Position::Last).href(), "/machines/?unit=7&at=end");
        assert_eq!(params("unit=7&group=8").href(), "/machines/?group=8");
        assert_eq!(params("unit=7&group=").place(), Some(("unit", "7")));
        assert_eq!(unit.in_group("9").href(), "/machines/?group=9");
        assert_eq!(unit.without(Restriction::Place).href(), "/machines/");
    }

    #[test]
    fn statuses_add_up_and_are_taken_away_one_by_one() {
        let errors = ListParams::default().with(Restriction::Status("errors"), "");
        let both = errors.with(Restriction::Status("undeployed"), "");
        assert_eq!(both.statuses(), ["errors", "undeployed"]);
        let rest = both.without(Restriction::Status("errors"));
        assert_eq!(rest.href(), "/machines/?status=undeployed");
        assert_eq!(
            rest.without(Restriction::Status("undeployed")).href(),
            "/machines/"
        );
    }

    #[test]
    fn the_column_that_sorts_turns_round() {
        let newest_first = ListParams::default();
        assert_eq!(
            newest_first.sorted_by(Column::LastCheckin).href(),
            "/machines/?sort=last%5Fcheckin"
        );
        let by_name = params("sort=hostname");
        assert_eq!(by_name.sorted_by(Column::LastCheckin).href(), "/machines/");
        assert_eq!(
            by_name.sorted_by(Column::Errors).href(),
            "/machines/?sort=%2Derrors"
        );
    }

    #[test]
    fn a_pasted_list_is_cut_at_any_border_and_at_five_hundred() {
        let names = params("serials=A1,b2%0D%0A+A1%09c3;;").names();
        assert_eq!(names, ["A1", "b2", "c3"]);
        let many: Vec<String> = (0..600).map(|number| number.to_string()).collect();
        let many = params(&format!("serials={}", many.join(",")));
        assert_eq!((many.names().len(), many.names_left_out()), (500, 100));
    }
}
