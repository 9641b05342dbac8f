//! The filter rail: by what the machines of the list differ, how many there are of each kind, and the way to them.

use jiff::Timestamp;
use sal_http::AppError;
use sal_plugins::OsFamily;
use sal_query::{Age, Condition, Field, Operator, Value};
use sal_store::{
    Client,
    devices::{FacetCount, Facets, Grouped, bulk::ScopeGroup, facets as count_facets},
};

use super::{
    list::List,
    params::{ListParams, Restriction},
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

/// When machines were last seen: key in the URL and label.
pub(crate) const SEEN: [(&str, &str); 5] = [
    ("1h", "Seen in the last hour"),
    ("24h", "Seen in 24 hours"),
    ("7d", "Seen in 7 days"),
    ("missing", "Missing for over 30 days"),
    ("never", "Never seen"),
];

/// What is the matter with machines: key in the URL and label.
pub(crate) const STATUS: [(&str, &str); 4] = [
    ("errors", "With errors"),
    ("warnings", "With warnings"),
    ("broken", "Broken client"),
    ("undeployed", "Not deployed"),
];

/// Those of [`STATUS`] that a column of the machine tells; the two before them need its messages.
const COLUMNS_OF_STATUS: [&str; 2] = ["broken", "undeployed"];

/// The label of a key.
pub(crate) fn label(known: &[(&'static str, &'static str)], key: &str) -> &'static str {
    known
        .iter()
        .find(|(known, _)| *known == key)
        .map_or("", |(_, label)| label)
}

/// The condition of a key of [`SEEN`].
pub(crate) fn seen(key: &str) -> Option<Condition> {
    let seen = Field::LastCheckin;
    match key {
        "never" => Some(Condition::missing(seen)),
        "missing" => Condition::older_than(seen, Age::parse("30d").ok()?).ok(),
        within => Condition::within(seen, Age::parse(within).ok()?).ok(),
    }
}

/// The condition of a key of [`STATUS`].
pub(crate) fn status(key: &str) -> Option<Condition> {
    let is = |field, value| Condition::compare(field, Operator::Equal, Value::Boolean(value)).ok();
    match key {
        "errors" => Some(Condition::has_message("ERROR")),
        "warnings" => Some(Condition::has_message("WARNING")),
        "broken" => is(Field::BrokenClient, true),
        "undeployed" => is(Field::Deployed, false),
        _ => None,
    }
}

/// Counts the machines of the list. `groups` are those in the viewer's scope.
pub(crate) async fn rail(
    list: &List,
    groups: &[ScopeGroup],
    now: Timestamp,
    db: &Client,
) -> Result<Vec<Facet>, AppError> {
    let conditions: Vec<Condition> = SEEN
        .iter()
        .filter_map(|(key, _)| seen(key))
        .chain(COLUMNS_OF_STATUS.iter().filter_map(|key| status(key)))
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
        column => under(SEEN.len() + column - 2),
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
    known: &[(&'static str, &'static str)],
    params: &ListParams,
    under: &dyn Fn(usize) -> i64,
) -> Facet {
    let choices = known.iter().enumerate().map(|(place, (key, label))| {
        let is_status = STATUS.iter().any(|(status, _)| status == key);
        let (restriction, chosen) = if is_status {
            (Restriction::Status(key), params.statuses().contains(key))
        } else {
            (Restriction::Seen, params.seen() == Some(*key))
        };
        choice(label, under(place), restriction, key, chosen, params)
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
    let simple = |restriction, label: &str, current: Option<&str>| {
        choice(
            label,
            value.count,
            restriction,
            id,
            current == Some(id),
            params,
        )
    };
    match value.grouped {
        Grouped::OsFamily => simple(
            Restriction::OsFamily,
            OsFamily::title_of(id),
            params.os_family(),
        ),
        Grouped::OperatingSystem => {
            simple(Restriction::OperatingSystem, id, params.operating_system())
        }
        Grouped::ModelFamily => simple(Restriction::ModelFamily, id, params.model_family()),
        Grouped::Unit | Grouped::Group => {
            let (name, there) = if value.grouped == Grouped::Unit {
                ("unit", params.in_unit(id))
            } else {
                ("group", params.in_group(id))
            };
            let chosen = params.place() == Some((name, id));
            let there = if chosen {
                params.without(Restriction::Place)
            } else {
                there
            };
            Choice {
                label: value.name.clone(),
                count: wording::count(value.count),
                href: there.href(),
                chosen,
            }
        }
    }
}

fn choice(
    label: &str,
    count: i64,
    restriction: Restriction,
    key: &str,
    chosen: bool,
    params: &ListParams,
) -> Choice {
    let there = if chosen {
        params.without(restriction)
    } else {
        params.with(restriction, key)
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
    fn every_key_has_its_condition() {
        assert!(SEEN.iter().all(|(key, _)| seen(key).is_some()));
        assert!(STATUS.iter().all(|(key, _)| status(key).is_some()));
        let last: Vec<_> = STATUS.iter().skip(2).map(|(key, _)| *key).collect();
        assert_eq!(last, COLUMNS_OF_STATUS);
        assert!(seen("x").is_none() && status("x").is_none());
    }
}
