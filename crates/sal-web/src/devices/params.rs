//! The URL of the list of machines: filter, sorting, columns, place. Reads anything, writes only what is needed.
//!
//! `q` is the filter, in the language of [`sal_query::parse`]. Other names that older links have (`widget`, `unit`,
//! `os`, …) are read as parts of it and written as `q`.

use axum::{extract::Query, http::Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_query::{
    Expr, Field, FilterError,
    expr::{Compare, Op},
    parse::{Parsed, parse},
};
use sal_store::devices::{Direction, SortBy};
use serde::Deserialize;

use super::{
    columns::{Chosen, Column, SortColumn},
    cursor::Cursor,
    facets,
};

/// The query string as it came.
#[derive(Default, Deserialize)]
struct FromUrl {
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

/// What a list shows; unknown values fall back to the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "FromUrl")]
pub(crate) struct ListParams {
    /// What all machines of the list have in common, as parts that can be taken away alone.
    parts: Vec<Expr>,
    /// The filter as it was typed, where there is nothing beside it.
    typed: Option<(String, Parsed)>,
    /// A filter that cannot be read, and why; the list is empty then.
    unreadable: Option<(String, FilterError)>,
    /// Whether the URL names a widget as older links do.
    is_of_old_widget: bool,
    /// Pasted names beyond those that are looked for.
    names_left_out: usize,
    sort: Option<String>,
    /// The order that the viewer chose before, for a URL without one.
    chosen_sort: Option<String>,
    size: Option<String>,
    cols: Option<String>,
    after: Option<String>,
    before: Option<String>,
    at: Option<String>,
}

/// A unit or group in a URL.
#[derive(Default, Deserialize)]
pub(crate) struct Place {
    unit: Option<String>,
    group: Option<String>,
}

impl From<FromUrl> for ListParams {
    fn from(query: FromUrl) -> Self {
        let mut parts = Vec::new();
        let mut one = |field: &str, op: Op, value: &Option<String>| {
            if let Some(value) = given(value) {
                parts.push(Expr::compare(field, op, value));
            }
        };
        match given(&query.group) {
            Some(_) => one("group_id", Op::Equal, &query.group),
            None => one("unit_id", Op::Equal, &query.unit),
        }
        one("os_family", Op::Exactly, &query.family);
        one("operating_system", Op::Exactly, &query.os);
        one("model_family", Op::Exactly, &query.model);
        if let Some(widget) = given(&query.widget) {
            let data = given(&query.data).unwrap_or_default();
            parts.insert(0, segment(widget, data));
        }
        parts.extend(facets::of_old_keys(
            given(&query.seen),
            given(&query.status),
        ));
        let (names, names_left_out) = names(given(&query.serials).unwrap_or_default());
        if !names.is_empty() {
            let names = Compare::new("machine", Op::In).values(names);
            parts.push(Expr::Compare(names));
        }
        let mut typed = None;
        let mut unreadable = None;
        if let Some(text) = given(&query.q).map(str::trim) {
            match parse(text) {
                Ok(parsed) => {
                    typed = parts.is_empty().then(|| (text.to_owned(), parsed.clone()));
                    parts.extend(parsed.expr.parts().into_iter().cloned());
                }
                Err(error) => unreadable = Some((text.to_owned(), error)),
            }
        }
        Self {
            parts,
            typed,
            unreadable,
            is_of_old_widget: given(&query.widget).is_some(),
            names_left_out,
            sort: query.sort,
            chosen_sort: None,
            size: query.size,
            cols: query.cols,
            after: query.after,
            before: query.before,
            at: query.at,
        }
    }
}

/// The machines of a widget's segment.
pub(crate) fn segment(widget: &str, data: &str) -> Expr {
    Expr::Compare(Compare::new("widget", Op::Equal).of(widget).value(data))
}

/// The serial numbers and host names that were pasted, each once, and how many are more than can be looked for.
fn names(pasted: &str) -> (Vec<String>, usize) {
    let is_border = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let all = || pasted.split(is_border).filter(|name| !name.is_empty());
    let mut names: Vec<String> = Vec::new();
    for name in all().take(MOST_NAMES) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    (names, all().skip(MOST_NAMES).count())
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

    /// The list of a filter.
    pub(crate) fn of_text(filter: &str) -> Self {
        FromUrl {
            q: Some(filter.to_owned()),
            ..FromUrl::default()
        }
        .into()
    }

    /// The list of a filter in a unit or group, which a URL names as older links do.
    pub(crate) fn of_text_in(filter: &str, place: Place) -> Self {
        FromUrl {
            q: Some(filter.to_owned()),
            unit: place.unit,
            group: place.group,
            ..FromUrl::default()
        }
        .into()
    }

    /// The parts of the filter, in the order in which they are shown.
    pub(crate) fn parts(&self) -> &[Expr] {
        &self.parts
    }

    /// The filter.
    pub(crate) fn filter(&self) -> Expr {
        Expr::all(self.parts.clone())
    }

    /// The filter as it was typed, with the places of its parts.
    pub(crate) fn typed(&self) -> Option<&(String, Parsed)> {
        self.typed.as_ref()
    }

    /// The filter that cannot be read.
    pub(crate) fn unreadable(&self) -> Option<&(String, FilterError)> {
        self.unreadable.as_ref()
    }

    /// The filter as text: as it was typed, where it was.
    pub(crate) fn text(&self) -> String {
        match (&self.typed, &self.unreadable) {
            (Some((typed, _)), _) | (None, Some((typed, _))) => typed.clone(),
            (None, None) if self.parts.is_empty() => String::new(),
            (None, None) => self.filter().to_string(),
        }
    }

    /// Whether the URL names a widget as older links do: one that does not exist is not found then.
    pub(crate) fn is_of_old_widget(&self) -> bool {
        self.is_of_old_widget
    }

    /// The filter as text, ready for more behind it.
    pub(crate) fn text_to_go_on(&self) -> String {
        let text = self.text();
        if text.is_empty() {
            return text;
        }
        format!("{text} ")
    }

    /// The filter alone, as a query string.
    pub(crate) fn filter_query(&self) -> String {
        format!("q={}", utf8_percent_encode(&self.text(), NON_ALPHANUMERIC))
    }

    /// The names that were pasted.
    pub(crate) fn names(&self) -> Vec<String> {
        let lists = self.parts.iter().filter_map(|part| match part {
            Expr::Compare(compare) if is_pasted(compare) => compare.values.clone(),
            _ => None,
        });
        lists.flatten().collect()
    }

    /// How many pasted names are more than can be looked for.
    pub(crate) fn names_left_out(&self) -> usize {
        self.names_left_out
    }

    /// The filter without pasted names.
    pub(crate) fn without_names(&self) -> Self {
        self.keeping(|part| !matches!(part, Expr::Compare(compare) if is_pasted(compare)))
    }

    /// Whether words are searched for.
    pub(crate) fn has_words(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Expr::Words { .. }))
    }

    /// Whether this is a part of the filter.
    pub(crate) fn has(&self, part: &Expr) -> bool {
        self.parts.contains(part)
    }

    /// The list from its beginning without a part of its filter.
    pub(crate) fn without(&self, part: &Expr) -> Self {
        self.keeping(|other| other != part)
    }

    /// The list from its beginning with one more part, in the place of those that `instead` names.
    pub(crate) fn with(&self, part: Expr, instead: impl Fn(&Expr) -> bool) -> Self {
        let mut all = self.keeping(|other| !instead(other));
        if !all.parts.contains(&part) {
            all.parts.push(part);
            all.typed = None;
        }
        all
    }

    /// The list from its beginning with some parts of its filter.
    pub(crate) fn keeping(&self, keep: impl Fn(&Expr) -> bool) -> Self {
        let mut all = self.at_start();
        all.parts.retain(|part| keep(part));
        if all.parts.len() != self.parts.len() {
            all.typed = None;
        }
        all
    }

    /// The column that sorts the list.
    pub(crate) fn sorting_column(&self) -> SortColumn {
        let text = self.sort_text();
        SortColumn::parse(text.strip_prefix('-').unwrap_or(text))
            .unwrap_or(SortColumn::Known(Column::Field(Field::LastCheckin)))
    }

    /// By what the list is sorted.
    pub(crate) fn sort(&self) -> SortBy {
        self.sorting_column().sort()
    }

    /// Which come first.
    pub(crate) fn direction(&self) -> Direction {
        if self.sort_text().starts_with('-') {
            Direction::Descending
        } else {
            Direction::Ascending
        }
    }

    /// The sorting as it stands in the URL, else as it was chosen before.
    pub(crate) fn sort_text(&self) -> &str {
        given(&self.sort)
            .or(given(&self.chosen_sort))
            .unwrap_or(DEFAULT_SORT)
    }

    /// The list in the order that somebody chose before, where its URL has none. Links from it name the order.
    pub(crate) fn in_chosen_order(mut self, sort: Option<String>) -> Self {
        self.chosen_sort = sort;
        self
    }

    /// The list in the usual order, whatever its URL or its viewer chose.
    pub(crate) fn in_usual_order(mut self) -> Self {
        self.sort = None;
        self.in_chosen_order(None)
    }

    /// The order, where it is not the usual one.
    pub(crate) fn unusual_sort(&self) -> Option<&str> {
        Some(self.sort_text()).filter(|sort| *sort != DEFAULT_SORT)
    }

    /// Lines per page.
    pub(crate) fn size(&self) -> usize {
        let size = given(&self.size).and_then(|size| size.parse().ok());
        size.filter(|size| SIZES.contains(size))
            .unwrap_or(DEFAULT_SIZE)
    }

    /// The columns, when the URL says which.
    pub(crate) fn columns(&self) -> Option<Chosen> {
        given(&self.cols).map(Chosen::parse)
    }

    /// Which part of the list is shown; the beginning when a cursor is none of this list.
    pub(crate) fn position(&self) -> Position {
        let sort = self.sort();
        let cursor = |text| Cursor::parse(text, &sort);
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

    /// The list without any filter, sorted and shown the same way.
    pub(crate) fn unfiltered(&self) -> Self {
        Self {
            sort: self.sort.clone(),
            chosen_sort: self.chosen_sort.clone(),
            size: self.size.clone(),
            cols: self.cols.clone(),
            ..Self::default()
        }
    }

    /// The list from its beginning, sorted by a column; by the one that sorts it already, the other way round.
    pub(crate) fn sorted_by(&self, column: &SortColumn) -> Self {
        let is_current = self.sorting_column() == *column;
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
    pub(crate) fn with_columns(&self, columns: Option<&Chosen>) -> Self {
        let mut all = self.at_start();
        all.cols = columns.map(Chosen::write);
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
        let mut push_given = |name, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                pairs.push((name, value.to_owned()));
            }
        };
        push_given("q", Some(&self.text()));
        let sort = match given(&self.chosen_sort) {
            Some(_) => Some(self.sort_text()),
            None => self.unusual_sort(),
        };
        push_given("sort", sort);
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

/// Whether a part is a list of pasted names.
fn is_pasted(compare: &Compare) -> bool {
    compare.field == "machine" && compare.op == Op::In
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

    fn part(text: &str) -> Expr {
        parse(text).unwrap().expr
    }

    #[test]
    fn nonsense_in_the_url_falls_back_to_the_defaults() {
        for query in [
            "sort=id;--&size=1000000&after=x&seen=9h&status=fine&cols=,x,",
            "sort=&size=50.5&before=%00&os=%00&family=",
        ] {
            let params = params(query);
            assert_eq!(params.sort(), Field::LastCheckin.into());
            assert_eq!((params.position(), params.size()), (Position::First, 50));
            assert_eq!(params.parts(), []);
        }
    }

    #[test]
    fn older_links_are_read_as_a_filter() {
        for (query, filter) in [
            (
                "widget=Activity&data=hour&unit=7",
                r#"widget "Activity" = "hour" and unit_id = 7"#,
            ),
            ("unit=7&group=8", "group_id = 8"),
            (
                "family=Darwin&os=15.1&model=Mac",
                r#"os_family == "Darwin" and operating_system == 15.1 and model_family == "Mac""#,
            ),
            ("seen=24h", "last_checkin within 24h"),
            ("seen=missing", "last_checkin older than 30d"),
            ("seen=never", "last_checkin is empty"),
            ("status=errors,undeployed", "has error and deployed = no"),
            ("serials=a+b", r#"machine in ("a", "b")"#),
            ("q=anna&family=Darwin", r#"os_family == "Darwin" and anna"#),
        ] {
            let read = params(query);
            assert_eq!(read.filter(), part(filter), "{query}");
            // What it writes is read as the same.
            assert_eq!(params(&read.query()).filter(), read.filter(), "{query}");
        }
    }

    #[test]
    fn a_link_keeps_what_it_does_not_change() {
        let list = params("q=+anna+%26+b+&sort=hostname&size=200&at=end");
        assert_eq!(
            list.sorted_by(&SortColumn::Known(Column::Field(Field::Hostname)))
                .href(),
            "/machines/?q=anna%20%26%20b&sort=%2Dhostname&size=200"
        );
        let seen = list.with(part("last_checkin within 24h"), |_| false);
        assert_eq!(seen.text(), "anna & b and last_checkin within 24h");
        assert_eq!(
            seen.without(&part("last_checkin within 24h")).parts().len(),
            1
        );
        assert_eq!(
            list.unfiltered().href(),
            "/machines/?sort=hostname&size=200"
        );
        assert_eq!(ListParams::default().href(), "/machines/");
    }

    #[test]
    fn a_part_takes_the_place_of_another() {
        let list = params("q=os_family+==+Darwin+and+anna");
        let is_family =
            |part: &Expr| matches!(part, Expr::Compare(compare) if compare.field == "os_family");
        let other = list.with(part("os_family == Linux"), is_family);
        assert_eq!(other.text(), "anna and os_family == \"Linux\"");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_kept_as_it_was_typed() {
        let list = params("q=os_version+%3C&unit=7");
        assert_eq!(list.unreadable().unwrap().0, "os_version <");
        assert_eq!(list.text(), "os_version <");
        assert_eq!(list.parts().len(), 1);
    }

    #[test]
    fn the_column_that_sorts_turns_round() {
        let newest_first = ListParams::default();
        assert_eq!(
            newest_first
                .sorted_by(&SortColumn::Known(Column::Field(Field::LastCheckin)))
                .href(),
            "/machines/?sort=last%5Fcheckin"
        );
        let by_name = params("sort=hostname");
        assert_eq!(
            by_name
                .sorted_by(&SortColumn::Known(Column::Field(Field::LastCheckin)))
                .href(),
            "/machines/"
        );
        assert_eq!(
            by_name.sorted_by(&SortColumn::Known(Column::Errors)).href(),
            "/machines/?sort=%2Derrors"
        );
    }

    #[test]
    fn an_order_that_was_chosen_before_is_named_in_links() {
        let chosen = || Some("fact \"x\"".to_owned());
        let list = params("q=anna").in_chosen_order(chosen());
        assert_eq!(list.href(), "/machines/?q=anna&sort=fact%20%22x%22");
        // Also the usual order, which else goes without saying.
        let by_time = list.sorted_by(&SortColumn::Known(Column::Field(Field::LastCheckin)));
        assert_eq!(by_time.href(), "/machines/?q=anna&sort=%2Dlast%5Fcheckin");
        let said = params("sort=-fact+%22y%22").in_chosen_order(chosen());
        assert_eq!(said.sort_text(), "-fact \"y\"");
        assert_eq!(said.direction(), Direction::Descending);
        assert!(matches!(said.sort(), SortBy::Value(_)));
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
