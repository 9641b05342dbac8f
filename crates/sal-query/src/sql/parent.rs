//! Conditions on rows that share a row of another table: the items of an inventory and their application.
//!
//! Joined, Postgres expects one application of two hundred to fit and plans for half a million items. Asked beforehand,
//! the few ids are a condition on the index over them, and each version that those items have is compared once.

use super::{Writer, joined};
use crate::{
    catalogue::{Column, Meaning, Parent},
    condition::{Operator, RowNode},
    related::{Cast, Check, Test},
};

impl Writer {
    /// A condition on one row of a kind whose rows have a parent.
    pub(super) fn row_with(&mut self, parent: &'static Parent, row: &RowNode) -> String {
        self.row_within(parent, row, None)
    }

    /// `narrow` is a condition on the parent that holds all around, if it leaves few parents.
    fn row_within(
        &mut self,
        parent: &'static Parent,
        row: &RowNode,
        narrow: Option<&RowNode>,
    ) -> String {
        if is_of(parent, row) {
            return self.parents(parent, row);
        }
        match row {
            RowNode::All(parts) => {
                let (parents, own): (Vec<_>, Vec<_>) =
                    parts.iter().cloned().partition(|part| is_of(parent, part));
                let mut written = Vec::new();
                let parents = (!parents.is_empty()).then(|| RowNode::all(parents));
                if let Some(parents) = &parents {
                    written.push(self.parents(parent, parents));
                }
                let narrow = parents.as_ref().filter(|row| is_narrow(row)).or(narrow);
                for part in &own {
                    written.push(self.row_within(parent, part, narrow));
                }
                joined(&written, " AND ", "TRUE")
            }
            RowNode::Any(parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|part| self.row_within(parent, part, narrow))
                    .collect();
                joined(&parts, " OR ", "FALSE")
            }
            RowNode::Not(part) => {
                format!("({} IS NOT TRUE)", self.row_within(parent, part, narrow))
            }
            RowNode::Test(column, test) if column.meaning == Meaning::Version => match narrow {
                Some(narrow) => self.known(parent, narrow, column, test),
                None => self.row(row),
            },
            _ => self.row(row),
        }
    }

    fn parents(&mut self, parent: &Parent, row: &RowNode) -> String {
        let Parent {
            table, alias, key, ..
        } = parent;
        let fulfilled = self.row(row);
        let ids = format!("SELECT {alias}.id FROM {table} {alias} WHERE {fulfilled}");
        // An array of many would be searched from its beginning for each row.
        if is_narrow(row) {
            format!("({key} = ANY(ARRAY({ids})))")
        } else {
            format!("({key} IN ({ids}))")
        }
    }

    fn known(&mut self, parent: &Parent, narrow: &RowNode, column: &Column, test: &Test) -> String {
        let found = self.parents(parent, narrow);
        let fulfilled = self.test(test, "known.value");
        // OFFSET keeps the test out of the inner query, where it would be made for each row; CASE keeps the list of values
        // from becoming a join.
        format!(
            "(CASE WHEN {column} IN (SELECT known.value FROM (SELECT DISTINCT {column} AS value FROM {rows} \
             WHERE {found} OFFSET 0) known WHERE {fulfilled}) THEN TRUE END)",
            column = column.sql,
            rows = parent.rows,
        )
    }
}

/// Whether all that is asked stands in the parent.
fn is_of(parent: &Parent, row: &RowNode) -> bool {
    match row {
        RowNode::All(parts) | RowNode::Any(parts) => {
            !parts.is_empty() && parts.iter().all(|part| is_of(parent, part))
        }
        RowNode::Not(part) => is_of(parent, part),
        RowNode::Test(column, _) => column
            .sql
            .strip_prefix(parent.alias)
            .is_some_and(|rest| rest.starts_with('.')),
        RowNode::Named(..) | RowNode::OfSource(_) => false,
    }
}

/// Whether few parents fit: those of a name.
pub(super) fn is_narrow(row: &RowNode) -> bool {
    match row {
        RowNode::All(parts) => parts.iter().any(is_narrow),
        RowNode::Any(parts) => parts.iter().all(is_narrow),
        RowNode::Test(_, test) => {
            *test.cast() == Cast::Text
                && match test.check() {
                    Check::Compare(Operator::Equal | Operator::Same, _) => true,
                    Check::OneOf(texts) | Check::SameAsOne(texts) => texts.len() <= FEW,
                    _ => false,
                }
        }
        RowNode::Not(_) | RowNode::Named(..) | RowNode::OfSource(_) => false,
    }
}

const FEW: usize = 8;
