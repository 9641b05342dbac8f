//! What the original makes of a search: the tree that Django's `Q` objects become, and its SQL.
//!
//! Accidents are built in. A row with `!=` is a denied tree, and what is added to a denied tree is denied with it. All
//! conditions outside of denied trees share one join per table, so that several of them must hold of one and the same fact.
//! Inside of denied trees each condition has a subquery of its own, which looks at the joined row only when the tree has
//! joined the table before. Checked against Django 4.2.23 (`golden/saved_searches/README.md`).

mod terms;
mod tree;

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use self::tree::{Child, Leaf, Lookup, Node, Part, Table};
use super::{
    Difference, SalSearch,
    names::{Nameless, SalOp, target},
};
use crate::sql::{Fragment, Parameter, Writer, escape_like};

pub(super) use terms::{moment_text, refused};

/// The original's own meaning of a search.
#[derive(Clone, Debug)]
pub struct SalMeaning(Node);

/// A search with so many alternatives that its SQL is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the search has more than {MOST} combinations of rows", MOST = tree::MOST_ALTERNATIVES)]
pub struct TooLarge;

impl SalSearch {
    /// What the original makes of the search; dates without a zone are read in the original's.
    ///
    /// # Errors
    /// Why it answers with an error instead, or reaches into other tables.
    pub fn as_sal(&self, zone: &TimeZone) -> Result<SalMeaning, String> {
        let mut search = Node::empty();
        for (number, group) in self.groups.iter().enumerate() {
            let mut tree = Node::empty();
            for (number, row) in group.rows.iter().enumerate() {
                let op = SalOp::parse(&row.operator)?;
                let target = target(row).map_err(|nameless| match nameless {
                    Nameless::Fails(why)
                    | Nameless::Elsewhere(why)
                    | Nameless::OnlyHere(_, why) => why,
                })?;
                if let Some(why) = refused(&target, op, &row.term) {
                    return Err(why);
                }
                let leaves = terms::leaves(&target, op, &row.term, zone)?;
                let row_tree = Node::of_row(leaves, op == SalOp::NotEqual);
                if number == 0 {
                    tree = row_tree;
                } else {
                    tree.add(row_tree, row.joined);
                }
            }
            if number == 0 {
                search = tree;
            } else {
                search.add(tree, group.joined);
            }
        }
        search.note_joins(&mut BTreeSet::new(), false);
        Ok(SalMeaning(search))
    }

    /// What the original makes of several rows together that ours does not.
    pub(super) fn accidents(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        let Ok(SalMeaning(node)) = self.as_sal(&TimeZone::UTC) else {
            return found;
        };
        let is_denied = |at: usize| {
            let row = self.groups.get(at).and_then(|group| group.rows.first());
            row.is_some_and(|row| row.operator == "!=")
        };
        let rows = |at: usize| self.groups.get(at).map_or(0, |group| group.rows.len());
        let groups = 0..self.groups.len();
        let has_more = groups.clone().skip(1).any(|group| rows(group) > 0);
        if groups
            .clone()
            .any(|group| is_denied(group) && rows(group) > 1)
            || is_denied(0) && has_more
        {
            found.push(Difference::NegatesTheRest);
        }
        if node.shares_a_join() {
            found.push(Difference::OneRowForAll);
        }
        found
    }
}

impl SalMeaning {
    /// The machines that the original finds, as SQL over [`crate::sql::MACHINE`] with parameters numbered from `first`.
    ///
    /// # Errors
    /// When the search is too large.
    pub fn to_sql(&self, first: usize) -> Result<Fragment, TooLarge> {
        let mut writer = Writer::new(Timestamp::UNIX_EPOCH, first);
        let alternatives: Vec<String> = self
            .0
            .alternatives()?
            .iter()
            .map(|parts| writer.alternative(parts))
            .collect();
        let text = format!("({})", alternatives.join(" OR "));
        Ok(writer.finish(text))
    }
}

impl Writer {
    /// Conditions that all hold, over one join of the tables that they name.
    fn alternative(&mut self, parts: &[Part<'_>]) -> String {
        let mut joined: Vec<String> = Vec::new();
        let mut conditions: Vec<String> = vec!["TRUE".to_owned()];
        for table in Table::RELATED {
            let is_asked = parts
                .iter()
                .any(|part| matches!(part, Part::Leaf(leaf) if leaf.table == table));
            let is_looked_at = parts
                .iter()
                .any(|part| matches!(part, Part::Denied(node) if node.looks_at(table)));
            if is_asked || is_looked_at {
                let how = if is_asked { "" } else { "LEFT " };
                joined.push(table.joined(how));
            }
        }
        for part in parts {
            conditions.push(match part {
                Part::Leaf(leaf) => self.lookup(leaf, ""),
                Part::Denied(node) => self.denied(node, false),
            });
        }
        let conditions = conditions.join(" AND ");
        if joined.is_empty() {
            return format!("({conditions})");
        }
        format!(
            "(machine.id IN (SELECT machine.id FROM server_machine machine{} WHERE {conditions}))",
            joined.concat()
        )
    }

    /// A denied tree, with what Django adds so that a missing value is not NULL in the end.
    fn denied(&mut self, node: &Node, is_denied: bool) -> String {
        let is_denied = is_denied ^ node.is_denied;
        let parts: Vec<String> = node
            .children
            .iter()
            .filter_map(|child| match child {
                Child::Node(node) if node.children.is_empty() => None,
                Child::Node(node) => Some(self.denied(node, is_denied)),
                Child::Leaf(leaf) if leaf.table == Table::Machine => {
                    let lookup = self.lookup(leaf, "");
                    Some(if is_denied {
                        format!("({lookup} AND {} IS NOT NULL)", leaf.column(""))
                    } else {
                        lookup
                    })
                }
                Child::Leaf(leaf) => Some(self.in_subquery(leaf)),
            })
            .collect();
        let separator = format!(" {} ", node.joined.text());
        let not = if node.is_denied { "NOT " } else { "" };
        format!("({not}({}))", parts.join(&separator))
    }

    fn in_subquery(&mut self, leaf: &Leaf) -> String {
        let lookup = self.lookup(leaf, INNER);
        let (machine, from, id) = leaf.table.inner();
        let same_row = if leaf.is_of_joined_row {
            format!(" AND {INNER}{id} = {id}")
        } else {
            String::new()
        };
        format!("(machine.id IN (SELECT {machine} FROM {from} WHERE {lookup}{same_row}))")
    }

    fn lookup(&mut self, leaf: &Leaf, prefix: &str) -> String {
        let column = leaf.column(prefix);
        match &leaf.lookup {
            Lookup::Contains(text) => {
                let pattern = self.parameter(Parameter::Text(format!("%{}%", escape_like(text))));
                // Django's connection is in UTC, and so is the text of its times.
                let text = if leaf.is_time {
                    format!("({column} AT TIME ZONE 'UTC')")
                } else {
                    column
                };
                format!("(upper({text}::text) LIKE upper({pattern}))")
            }
            Lookup::Compare(operator, value) => {
                let value = self.parameter(value.clone());
                format!("({column} {operator} {value})")
            }
        }
    }
}

/// What the aliases in subqueries begin with.
const INNER: &str = "inner_";
