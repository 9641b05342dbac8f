//! What stands behind the question mark: pages, filters, and what nobody knows.

use axum::http::{HeaderValue, request::Parts};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sal_query::{Parameter, check::check};
use sal_store::{
    resources::{Conditions, Kind, Machines, Order, Resource, Start, Term},
    searches::NamedSearches,
};
use serde_json::{Map, json};

use crate::{
    changed::{self, Changes},
    error::ApiError,
    write::fields::is_in_our_era,
};

/// Names and values, in the order in which they were sent.
#[derive(Clone)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(parts: &Parts) -> Self {
        let text = parts.uri.query().unwrap_or_default();
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The value of a name; the last one counts, as in Django.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The query of another page, with sorted names, as Django REST framework writes it. The first page has no number.
    pub(crate) fn with_page(&self, page: i64) -> String {
        let number = page.to_string();
        self.with((page > 1).then_some(("page", &number)))
    }

    /// The query of the next part of a walk by keys.
    pub(crate) fn with_cursor(&self, cursor: &str) -> String {
        self.with(Some(("cursor", cursor)))
    }

    /// The filters of fields, as one text.
    pub(crate) fn narrowed(&self, resource: &Resource) -> String {
        let mut filters: Vec<String> = resource
            .filters()
            .filter_map(|filter| Some(format!("{}={:?}", filter.name, self.first(filter.name)?)))
            .collect();
        filters.sort();
        filters.join("&")
    }

    /// The query of a walk whose pages all have the first one's cursor.
    pub(crate) fn until(&self, changes: Option<&Changes>) -> Self {
        let mut query = self.clone();
        if let Some(changes) = changes {
            query.0.retain(|(name, _)| name != changed::UNTIL);
            query
                .0
                .push((changed::UNTIL.to_owned(), changes.next.clone()));
        }
        query
    }

    fn with(&self, place: Option<(&str, &str)>) -> String {
        let others = self.0.iter();
        let others = others.filter(|(name, _)| !["page", "cursor"].contains(&name.as_str()));
        let mut pairs: Vec<(&str, &str)> = others
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(place)
            .collect();
        pairs.sort_by_key(|(name, _)| *name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    /// Where a walk by keys goes on, where it is one.
    ///
    /// # Errors
    /// When it is no such place, or something else is asked for that has another order.
    pub(crate) fn cursor(&self, resource: &Resource) -> Result<Option<Start>, ApiError> {
        let Some(text) = self.first("cursor") else {
            return Ok(None);
        };
        let refuse = |message: &str| Err(ApiError::field("cursor", message));
        if self.has("page") {
            return refuse("A walk goes by `cursor` or by `page`; leave one of them out.");
        }
        if self
            .first("ordering")
            .is_some_and(|text| !text.trim().is_empty())
        {
            return refuse("A walk by `cursor` comes in the order of ids; leave `ordering` out.");
        }
        if text.is_empty() {
            return Ok(Some(Start::Key(None)));
        }
        let kind = resource.columns.first().map_or(Kind::Text, |key| key.kind);
        match read(kind, text) {
            Ok(key) => Ok(Some(Start::Key(Some(key)))),
            Err(_unreadable) => {
                refuse("Take it from `next`, or begin with an empty one: `cursor=`.")
            }
        }
    }

    /// How many rows a page has.
    pub(crate) fn page_size(&self) -> Result<i64, ApiError> {
        let Some(text) = self.first("page_size") else {
            return Ok(PAGE_SIZE);
        };
        let size = text.trim().parse().ok().filter(|size| *size >= 1);
        let size: i64 = size.ok_or_else(|| {
            ApiError::field(
                "page_size",
                format!("A whole number from 1 to {MOST_ON_A_PAGE} is needed."),
            )
        })?;
        Ok(size.min(MOST_ON_A_PAGE))
    }

    /// Refuses what cuts a list in pages, where all of it is sent.
    ///
    /// # Errors
    /// Names the parameter.
    pub(crate) fn is_whole(&self) -> Result<(), ApiError> {
        match ["page", "page_size", "cursor"]
            .into_iter()
            .find(|name| self.has(name))
        {
            Some(name) => Err(ApiError::field(
                name,
                "JSON Lines and CSV have all rows of the list; leave this parameter out.",
            )),
            None => Ok(()),
        }
    }

    /// The number of the page, where it is one.
    pub(crate) fn number(&self) -> Option<i64> {
        self.first("page")?.trim().parse().ok()
    }

    /// The number of the page, of so many pages.
    ///
    /// # Errors
    /// [`ApiError::InvalidPage`].
    pub(crate) fn page(&self, pages: i64) -> Result<i64, ApiError> {
        let Some(text) = self.first("page") else {
            return Ok(1);
        };
        if text == "last" {
            return Ok(pages);
        }
        let page = text.trim().parse().ok();
        page.filter(|page| (1..=pages).contains(page))
            .ok_or(ApiError::InvalidPage)
    }

    /// What narrows a list.
    ///
    /// # Errors
    /// Names the parameter whose value cannot be read.
    pub(crate) fn conditions(
        &self,
        resource: &Resource,
        context: &Context<'_>,
    ) -> Result<Conditions, ApiError> {
        let mut conditions = Conditions {
            words: words(self.first("search").unwrap_or_default())?,
            order: self.order(resource)?,
            ..Conditions::default()
        };
        for filter in resource.filters() {
            // An empty value filters nothing, as in django-filter.
            let text = self.first(filter.name).filter(|text| !text.is_empty());
            if let Some(text) = text {
                let value = read(filter.kind, text)
                    .map_err(|message| ApiError::field(filter.name, message))?;
                conditions.filters.push(Term { filter, value });
            }
        }
        if let Some(text) = self.first("filter").filter(|text| !text.trim().is_empty()) {
            conditions.machines = Some(machines(text, resource, context)?);
        }
        Ok(conditions)
    }

    fn order(&self, resource: &Resource) -> Result<Vec<Order>, ApiError> {
        let text = self.first("ordering").unwrap_or_default();
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names
            .map(|name| {
                let (name, descending) = match name.strip_prefix('-') {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                let column = resource.sortable(name).ok_or_else(|| {
                    let known: Vec<&str> = resource.all_sortable().collect();
                    ApiError::field(
                        "ordering",
                        format!(
                            "\"{name}\" is no field to sort by. Fields are: {}.",
                            known.join(", ")
                        ),
                    )
                })?;
                Ok(Order { column, descending })
            })
            .collect()
    }

    /// The fields that are wanted; none for all of them.
    pub(crate) fn fields(&self, resource: &Resource) -> Result<Option<Vec<&str>>, ApiError> {
        let Some(text) = self.first("fields").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let known: Vec<&str> = resource.fields().collect();
        let wanted: Vec<&str> = text.split(',').map(str::trim).collect();
        match wanted.iter().find(|name| !known.contains(name)) {
            Some(name) => Err(ApiError::field(
                "fields",
                format!("\"{name}\" is no field. Fields are: {}.", known.join(", ")),
            )),
            None => Ok(Some(wanted)),
        }
    }

    /// Parameters that mean nothing here. With `strict` they are an error, else a `Warning` names them.
    ///
    /// # Errors
    /// Names each of them.
    pub(crate) fn unknown(&self, resource: &Resource) -> Result<Option<HeaderValue>, ApiError> {
        let is_known = |name: &str| {
            OWN.contains(&name) || resource.filters().any(|filter| filter.name == name)
        };
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| !is_known(name));
        if names.is_empty() {
            return Ok(None);
        }
        if matches!(self.first("strict"), Some("1" | "true" | "True")) {
            let fields = names.iter().map(|name| {
                (
                    (*name).to_owned(),
                    json!(["This parameter is not known here."]),
                )
            });
            return Err(ApiError::Invalid(fields.collect::<Map<_, _>>()));
        }
        let shown = names
            .iter()
            .take(MOST_NAMED)
            .map(|name| utf8_percent_encode(name, NOT_PLAIN).to_string());
        let shown = shown.collect::<Vec<_>>().join(", ");
        Ok(HeaderValue::from_str(&format!("299 - \"ignored parameters: {shown}\"")).ok())
    }
}

/// What a filter in the query language is read with.
pub(crate) struct Context<'a> {
    pub(crate) named: &'a NamedSearches,
    pub(crate) zone: &'a TimeZone,
    pub(crate) now: Timestamp,
}

fn machines(text: &str, resource: &Resource, context: &Context<'_>) -> Result<Machines, ApiError> {
    if !resource.is_of_machines() {
        let message = format!(
            "{} do not belong to machines; leave `filter` out.",
            resource.name
        );
        return Err(ApiError::field("filter", message));
    }
    let parsed = sal_query::parse(text);
    let condition = parsed.and_then(|parsed| check(&parsed, context.zone, context.named));
    let condition = condition.map_err(|error| ApiError::field("filter", error.to_string()))?;
    Ok(Machines {
        condition,
        now: context.now,
    })
}

/// The words between blanks and commas. Each is looked for in every text of every row, so they are few.
fn words(text: &str) -> Result<Vec<String>, ApiError> {
    let words = text
        .split([' ', ',', '\t', '\n'])
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    if text.contains('\0') {
        return Err(ApiError::field(
            "search",
            "Null characters are not allowed.",
        ));
    }
    if words.len() > MOST_WORDS || text.len() > LONGEST_SEARCH {
        let message =
            format!("At most {MOST_WORDS} words and {LONGEST_SEARCH} bytes are searched for.");
        return Err(ApiError::field("search", message));
    }
    Ok(words)
}

/// Reads a text as what a column holds.
pub(crate) fn read(kind: Kind, text: &str) -> Result<Parameter, &'static str> {
    match kind {
        Kind::Integer => {
            let number = text.trim().parse().map(Parameter::Integer);
            number.map_err(|_not_a_number| "Enter a whole number.")
        }
        Kind::Text | Kind::Json if text.contains('\0') => Err("Null characters are not allowed."),
        Kind::Text | Kind::Json => Ok(Parameter::Text(text.to_owned())),
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "t" | "yes" | "y" | "on" => Ok(Parameter::Boolean(true)),
            "false" | "0" | "f" | "no" | "n" | "off" => Ok(Parameter::Boolean(false)),
            _ => Err("Enter true or false."),
        },
        Kind::Time => {
            let at = text.parse().ok().filter(|at| is_in_our_era(*at));
            at.map(Parameter::Time)
                .ok_or("Enter a date and time such as 2026-01-31T09:30:00Z.")
        }
        Kind::Uuid => {
            let uuid = uuid::Uuid::try_parse(text.trim());
            uuid.map(|uuid| Parameter::Text(uuid.to_string()))
                .map_err(|_no_uuid| "Enter a valid UUID.")
        }
    }
}

/// What cannot stand between quotes in a header.
const NOT_PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'\\').add(b',').add(b'%');
/// So many are named.
const MOST_NAMED: usize = 10;
/// Parameters that every list knows.
const OWN: [&str; 11] = [
    changed::NAME,
    changed::UNTIL,
    "page",
    "cursor",
    "page_size",
    "format",
    "search",
    "ordering",
    "fields",
    "filter",
    "strict",
];
/// As many as in the original.
pub(crate) const PAGE_SIZE: i64 = 100;
const MOST_WORDS: usize = 10;
const LONGEST_SEARCH: usize = 500;
/// No page is larger.
const MOST_ON_A_PAGE: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        let (parts, ()) = axum::http::Request::get(format!("/?{text}"))
            .body(())
            .unwrap()
            .into_parts();
        Query::of(&parts)
    }

    #[test]
    fn other_pages_have_sorted_names_and_the_first_has_no_number() {
        let query = query("search=a%20b&page=2&deployed=true");
        assert_eq!(query.with_page(3), "deployed=true&page=3&search=a+b");
        assert_eq!(query.with_page(1), "deployed=true&search=a+b");
    }

    #[test]
    fn a_page_is_a_number_or_the_last_one() {
        for (text, page) in [
            ("", Some(1)),
            ("page=last", Some(4)),
            ("page=4", Some(4)),
            ("page=+2", Some(2)),
        ] {
            assert_eq!(query(text).page(4).ok(), page, "{text}");
        }
        for text in ["page=0", "page=5", "page=-1", "page=x", "page=", "page=1.0"] {
            assert!(
                matches!(query(text).page(4), Err(ApiError::InvalidPage)),
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_read_as_what_the_column_holds() {
        assert_eq!(read(Kind::Flag, "False"), Ok(Parameter::Boolean(false)));
        assert_eq!(read(Kind::Integer, "12"), Ok(Parameter::Integer(12)));
        for (kind, text) in [
            (Kind::Integer, "99999999999999999999"),
            (Kind::Flag, "maybe"),
            (Kind::Time, "soon"),
            (Kind::Uuid, "1"),
            (Kind::Text, "a\0"),
        ] {
            assert!(read(kind, text).is_err(), "{text}");
        }
    }
}
