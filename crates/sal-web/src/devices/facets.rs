//! The filter rail: by what the machines of the list differ, how many there are of each kind, and the way to them.

use jiff::{Timestamp, tz::TimeZone};
use sal_http::AppError;
use sal_plugins::OsFamily;
use sal_query::{
    Condition, Expr,
    check::{NothingNamed, check_expr},
    expr::Op,
    parse,
};
use sal_store::{
    Client,
    devices::{FacetCount, Facets, Grouped, bulk::ScopeGroup, facets as count_facets},
};

use super::{
    list::{List, is_place},
    params::ListParams,
};
use crate::wording;

/// A block of the rail.
pub(crate) struct Facet {
    pub(crate) title: &'static str,
    pub(crate) choices: Vec<Choice>,
}

/// A kind of machine.
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) count: String,
    /// The list of these, or without this filter when it is on.
    pub(crate) href: String,
    pub(crate) chosen: bool,
}

/// When machines were last seen: key in older links, filter and label.
const SEEN: [(&str, &str, &str); 5] = [
    ("1h", "last_checkin within 1h", "Seen in the last hour"),
    ("24h", "last_checkin within 24h", "Seen in 24 hours"),
    ("7d", "last_checkin within 7d", "Seen in 7 days"),
    (
        "missing",
        "last_checkin older than 30d",
        "Missing for over 30 days",
    ),
    ("never", "last_checkin is empty", "Never seen"),
];

/// What is the matter with machines: key in older links, filter and label.
const STATUS: [(&str, &str, &str); 4] = [
    ("errors", "has error", "With errors"),
    ("warnings", "has warning", "With warnings"),
    ("broken", "broken_client = yes", "Broken client"),
    ("undeployed", "deployed = no", "Not deployed"),
];

/// How many of [`STATUS`] need the machine's messages; the others are columns.
const STATUS_OF_MESSAGES: usize = 2;

/// The label of a part of a filter, where it is one of the rail's.
pub(crate) fn label(part: &Expr) -> Option<&'static str> {
    let mut all = SEEN.iter().chain(&STATUS);
    all.find(|(_, filter, _)| expr(filter) == *part)
        .map(|(.., label)| *label)
}

/// The parts of a filter that older links write as `seen=` and `status=`.
pub(crate) fn of_old_keys(seen: Option<&str>, status: Option<&str>) -> Vec<Expr> {
    let seen = SEEN.iter().find(|(key, ..)| Some(*key) == seen);
    let status = STATUS.iter().filter(|(key, ..)| {
        status.is_some_and(|status| status.split(',').any(|part| part == *key))
    });
    seen.into_iter()
        .chain(status)
        .map(|(_, filter, _)| expr(filter))
        .collect()
}

/// One of our own filters.
fn expr(filter: &str) -> Expr {
    parse(filter).map_or_else(|_unreadable| Expr::any(Vec::new()), |parsed| parsed.expr)
}

fn condition(filter: &str) -> Option<Condition> {
    check_expr(&expr(filter), &TimeZone::UTC, &NothingNamed).ok()
}

/// Counts the machines of the list. `groups` are those in the viewer's scope.
pub(crate) async fn rail(
    list: &List,
    groups: &[ScopeGroup],
    now: Timestamp,
    db: &Client,
) -> Result<Vec<Facet>, AppError> {
    let columns_of_status = STATUS.iter().skip(STATUS_OF_MESSAGES);
    let conditions: Vec<Condition> = SEEN
        .iter()
        .chain(columns_of_status)
        .filter_map(|(_, filter, _)| condition(filter))
        .collect();
    let counted = count_facets(&list.filter, &conditions, groups, now, &list.scope, db).await?;
    Ok(blocks(&list.params, &counted))
}

/// A rail of blocks that say something: one with a single kind that is not chosen does not.
fn blocks(params: &ListParams, counted: &Facets) -> Vec<Facet> {
    let under = |place: usize| counted.conditions.get(place).copied().unwrap_or_default();
    let with_status = |place: usize| match place {
        0 => counted.errors,
        1 => counted.warnings,
        column => under(SEEN.len() + column - STATUS_OF_MESSAGES),
    };
    let mut all = vec![
        by_values("System", Grouped::OsFamily, params, counted),
        by_values("Version", Grouped::OperatingSystem, params, counted),
        by_conditions("Last seen", &SEEN, params, &under),
        by_conditions("Status", &STATUS, params, &with_status),
        by_values("Business unit", Grouped::Unit, params, counted),
        by_values("Machine group", Grouped::Group, params, counted),
        by_values("Model", Grouped::ModelFamily, params, counted),
    ];
    all.retain(|facet| facet.choices.len() > 1 || facet.choices.iter().any(|choice| choice.chosen));
    all
}

fn by_conditions(
    title: &'static str,
    known: &[(&'static str, &'static str, &'static str)],
    params: &ListParams,
    under: &dyn Fn(usize) -> i64,
) -> Facet {
    let choices = known.iter().enumerate().map(|(place, (_, filter, label))| {
        // Of the times only one can be chosen; what is the matter adds up.
        let instead = |part: &Expr| is_of_field(part, "last_checkin");
        choice(label, under(place), expr(filter), &instead, params)
    });
    Facet {
        title,
        choices: choices.collect(),
    }
}

fn by_values(
    title: &'static str,
    grouped: Grouped,
    params: &ListParams,
    counted: &Facets,
) -> Facet {
    let values = counted
        .values
        .iter()
        .filter(|value| value.grouped == grouped);
    Facet {
        title,
        choices: values.map(|value| by_value(value, params)).collect(),
    }
}

fn by_value(value: &FacetCount, params: &ListParams) -> Choice {
    let id = value.value.as_str();
    let exactly = |field: &'static str, label: &str| {
        let instead = move |part: &Expr| is_of_field(part, field);
        let part = Expr::compare(field, Op::Exactly, id);
        choice(label, value.count, part, &instead, params)
    };
    let place = |field: &'static str| {
        let part = Expr::compare(field, Op::Equal, id);
        choice(&value.name, value.count, part, &is_place, params)
    };
    match value.grouped {
        Grouped::OsFamily => exactly("os_family", OsFamily::title_of(id)),
        Grouped::OperatingSystem => exactly("operating_system", id),
        Grouped::ModelFamily => exactly("model_family", id),
        Grouped::Unit => place("unit_id"),
        Grouped::Group => place("group_id"),
    }
}

/// Whether a part of a filter compares this field and nothing else.
fn is_of_field(part: &Expr, field: &str) -> bool {
    matches!(part, Expr::Compare(compare) if compare.field == field)
}

fn choice(
    label: &str,
    count: i64,
    part: Expr,
    instead: &dyn Fn(&Expr) -> bool,
    params: &ListParams,
) -> Choice {
    let chosen = params.has(&part);
    let there = if chosen {
        params.without(&part)
    } else if instead(&part) {
        params.with(part, instead)
    } else {
        params.with(part, |_| false)
    };
    Choice {
        label: label.to_owned(),
        count: wording::count(count),
        href: there.href(),
        chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_of_the_rail_can_be_read_and_checked() {
        for (_, filter, label_of_it) in SEEN.iter().chain(&STATUS) {
            assert!(condition(filter).is_some(), "{filter}");
            assert_eq!(label(&expr(filter)), Some(*label_of_it));
        }
        assert_eq!(of_old_keys(Some("x"), Some("y,z")), []);
    }
}
