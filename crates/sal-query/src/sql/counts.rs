//! Many conditions counted over the same machines by one statement.
//!
//! Each condition becomes a boolean expression for `count(*) FILTER (WHERE …)`. Tests on related rows are not asked
//! machine by machine: one join per table groups its rows by machine and answers all tests of all conditions at once.

use jiff::Timestamp;

use super::{Leaf, Parameter, Writer, rows};
use crate::{condition::Condition, related::Related};

/// Collects conditions for one statement.
pub struct Counts {
    writer: Writer,
}

/// What [`Counts::finish`] gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Joins {
    /// `LEFT JOIN …` for each table that conditions ask; follows the machines in `FROM`.
    pub text: String,
    /// All parameters, in the order of their numbers.
    pub parameters: Vec<Parameter>,
}

impl Counts {
    /// Begins with parameters numbered from `first`, and ages counted back from `now`.
    #[must_use]
    pub fn new(now: Timestamp, first: usize) -> Self {
        let mut writer = Writer::new(now, first);
        writer.collected = Some(Vec::new());
        Self { writer }
    }

    /// Writes a condition as an expression over the machines and the joins.
    pub fn condition(&mut self, condition: &Condition) -> String {
        self.writer.condition(condition)
    }

    /// Writes the joins. `only` is a subquery of machine ids to which related rows are restricted, where the machines
    /// are a part of all: without it, a small group would pay for the whole fleet.
    #[must_use]
    pub fn finish(mut self, only: Option<&str>) -> Joins {
        let leaves = self.writer.collected.take().unwrap_or_default();
        let mut kinds: Vec<&'static str> = Vec::new();
        for leaf in &leaves {
            let alias = alias(&leaf.related);
            if !kinds.contains(&alias) {
                kinds.push(alias);
            }
        }
        let joins: Vec<String> = kinds
            .into_iter()
            .map(|kind| self.join(kind, &leaves, only))
            .collect();
        Joins {
            text: joins.concat(),
            parameters: self.writer.parameters,
        }
    }

    fn join(&mut self, kind: &str, leaves: &[Leaf], only: Option<&str>) -> String {
        let own: Vec<(usize, &Leaf)> = leaves
            .iter()
            .enumerate()
            .filter(|(_, leaf)| alias(&leaf.related) == kind)
            .collect();
        let Some((_, first)) = own.first() else {
            return String::new();
        };
        let table = rows::Rows::of(&first.related);
        let mut columns = Vec::new();
        let mut wanted = Vec::new();
        for (number, leaf) in &own {
            let found = self.writer.matches(&leaf.related);
            let fulfilled = self.writer.tests(&leaf.tests, table.value);
            columns.push(format!("bool_or({found}{fulfilled}) AS test_{number}"));
            wanted.push(format!("({found})"));
        }
        let keys: Option<Vec<String>> = own
            .iter()
            .map(|(_, leaf)| rows::row_beginning(&leaf.related))
            .collect();
        let wanted = match (keys, key_column(&first.related)) {
            (Some(keys), Some(column)) => {
                let keys = self.writer.parameter(Parameter::Texts(keys));
                format!("{} = ANY({keys})", rows::beginning_of(column))
            }
            _ => wanted.join(" OR "),
        };
        let only = only.map_or_else(String::new, |ids| {
            format!(" AND {} IN ({ids})", table.machine)
        });
        format!(
            " LEFT JOIN (SELECT {machine} AS machine_id, {columns} FROM {from} WHERE ({wanted}){only} \
             GROUP BY {machine}) {kind} ON {kind}.machine_id = machine.id",
            machine = table.machine,
            columns = columns.join(", "),
            from = table.from,
        )
    }
}

/// The column that holds a test's result.
pub(super) fn column(related: &Related, number: usize) -> String {
    format!("{}.test_{number}", alias(related))
}

/// The alias of the join that answers tests on these rows.
fn alias(related: &Related) -> &'static str {
    match related {
        Related::Fact { .. } => "facts",
        Related::HistoricalFact { .. } => "historical_facts",
        Related::Row { .. } => "script_rows",
        Related::Item { .. } => "items",
        Related::Message { .. } => "messages",
        Related::Application { .. } => "applications",
        Related::Profile { .. } => "profiles",
    }
}

/// The column with names whose beginning is compared with [`rows::row_beginning`].
fn key_column(related: &Related) -> Option<&'static str> {
    match related {
        Related::Fact { .. } | Related::HistoricalFact { .. } => Some("related.fact_name"),
        Related::Row { .. } => Some("related.submission_and_script_name"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        condition::Operator,
        related::{Cast, Check, Test},
    };

    fn row(name: &str, value: &str) -> Condition {
        let related = Related::Row {
            plugin: "P".to_owned(),
            name: name.to_owned(),
        };
        let check = Check::Compare(Operator::Equal, value.to_owned());
        Condition::has(related, vec![Test::new(Cast::Text, check).unwrap()]).unwrap()
    }

    #[test]
    fn equal_tests_share_a_column_and_a_table_is_joined_once() {
        let mut counts = Counts::new(Timestamp::UNIX_EPOCH, 1);
        let first = counts.condition(&row("a", "x"));
        let second = counts.condition(&row("b", "x").negate());
        let again = counts.condition(&row("a", "x"));
        assert_eq!(first, "script_rows.test_0");
        assert_eq!(second, "(script_rows.test_1 IS NOT TRUE)");
        assert_eq!(again, first);
        let joins = counts.finish(Some("SELECT 1"));
        assert_eq!(joins.text.matches("LEFT JOIN").count(), 1);
        assert!(joins.text.contains("submission.machine_id IN (SELECT 1)"));
        let keys = Parameter::Texts(vec!["P: a".to_owned(), "P: b".to_owned()]);
        assert_eq!(joins.parameters.last(), Some(&keys));
        assert_eq!(joins.parameters.len(), 5);
    }
}
