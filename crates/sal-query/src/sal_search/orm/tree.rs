//! The tree of lookups, built as Django 4.2 builds it.

use std::collections::BTreeSet;

use super::TooLarge;
use crate::{sal_search::Joined, sql::Parameter};

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) joined: Joined,
    pub(super) is_denied: bool,
    pub(super) children: Vec<Child>,
}

#[derive(Clone, Debug)]
pub(super) enum Child {
    Node(Node),
    Leaf(Leaf),
}

/// A column of a table and what it is compared with.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) table: Table,
    /// The table's alias and the column.
    pub(super) place: (&'static str, &'static str),
    pub(super) lookup: Lookup,
    pub(super) is_time: bool,
    /// Only tells which fact, script row or application the value belongs to.
    pub(super) is_key: bool,
    /// In a subquery: it looks at the row that is joined outside.
    pub(super) is_of_joined_row: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Lookup {
    Contains(String),
    Compare(&'static str, Parameter),
}

/// What a machine is joined with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Machine,
    Facts,
    Scripts,
    Applications,
    Profiles,
}

/// What must hold in an alternative.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    Leaf(&'a Leaf),
    Denied(&'a Node),
}

/// More alternatives than this are not written down.
pub(super) const MOST_ALTERNATIVES: usize = 1_000;

impl Table {
    pub(super) const RELATED: [Self; 4] = [
        Self::Facts,
        Self::Scripts,
        Self::Applications,
        Self::Profiles,
    ];

    /// The join to a machine.
    pub(super) fn joined(self, how: &str) -> String {
        let joins: &[&str] = match self {
            Self::Machine => &[],
            Self::Facts => &["server_fact fact ON fact.machine_id = machine.id"],
            Self::Scripts => &[
                "server_pluginscriptsubmission submission ON submission.machine_id = machine.id",
                "server_pluginscriptrow script ON script.submission_id = submission.id",
            ],
            Self::Applications => &[
                "inventory_inventoryitem item ON item.machine_id = machine.id",
                "inventory_application application ON application.id = item.application_id",
            ],
            Self::Profiles => &["profiles_profile profile ON profile.machine_id = machine.id"],
        };
        let mut text: String = joins
            .iter()
            .map(|join| format!(" {how}JOIN {join}"))
            .collect();
        if self == Self::Profiles {
            text.push_str(" LEFT JOIN profiles_payload payload ON payload.profile_id = profile.id");
        }
        text
    }

    /// In a subquery: the column that tells the machine, the tables, and the id of the row next to the machine.
    pub(super) fn inner(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Machine => (
                "inner_machine.id",
                "server_machine inner_machine",
                "machine.id",
            ),
            Self::Facts => ("inner_fact.machine_id", "server_fact inner_fact", "fact.id"),
            Self::Scripts => (
                "inner_submission.machine_id",
                "server_pluginscriptsubmission inner_submission \
                 JOIN server_pluginscriptrow inner_script ON inner_script.submission_id = inner_submission.id",
                "submission.id",
            ),
            Self::Applications => (
                "inner_item.machine_id",
                "inventory_inventoryitem inner_item \
                 JOIN inventory_application inner_application ON inner_application.id = inner_item.application_id",
                "item.id",
            ),
            Self::Profiles => (
                "inner_profile.machine_id",
                "profiles_profile inner_profile \
                 LEFT JOIN profiles_payload inner_payload ON inner_payload.profile_id = inner_profile.id",
                "profile.id",
            ),
        }
    }
}

impl Leaf {
    pub(super) fn column(&self, prefix: &str) -> String {
        let (alias, column) = self.place;
        format!("{prefix}{alias}.{column}")
    }
}

impl Node {
    pub(super) fn empty() -> Self {
        Self::of_row(Vec::new(), false)
    }

    pub(super) fn of_row(leaves: Vec<Leaf>, is_denied: bool) -> Self {
        Self {
            joined: Joined::And,
            is_denied,
            children: leaves.into_iter().map(Child::Leaf).collect(),
        }
    }

    /// What is denied stays so, and what is added to it is denied with it.
    pub(super) fn add(&mut self, other: Self, joined: Joined) {
        if self.joined != joined {
            let before = self.clone();
            self.joined = joined;
            self.children = vec![Child::Node(before), Child::Node(other)];
        } else if !other.is_denied && (other.joined == joined || other.children.len() == 1) {
            self.children.extend(other.children);
        } else {
            self.children.push(Child::Node(other));
        }
    }

    /// Notes for each leaf of a denied tree whether its table is joined already, in the order in which Django reads.
    pub(super) fn note_joins(&mut self, joined: &mut BTreeSet<Table>, is_denied: bool) {
        let is_denied = is_denied || self.is_denied;
        for child in &mut self.children {
            match child {
                Child::Node(node) => node.note_joins(joined, is_denied),
                Child::Leaf(leaf) if is_denied => {
                    leaf.is_of_joined_row = joined.contains(&leaf.table);
                }
                Child::Leaf(leaf) if leaf.table != Table::Machine => {
                    joined.insert(leaf.table);
                }
                Child::Leaf(_) => {}
            }
        }
    }

    /// Whether a leaf of this denied tree looks at a joined row of the table.
    pub(super) fn looks_at(&self, table: Table) -> bool {
        self.children.iter().any(|child| match child {
            Child::Node(node) => node.looks_at(table),
            Child::Leaf(leaf) => leaf.is_of_joined_row && leaf.table == table,
        })
    }

    /// The ways in which the tree can be true: in each, all parts hold.
    pub(super) fn alternatives(&self) -> Result<Vec<Vec<Part<'_>>>, TooLarge> {
        if self.is_denied {
            return Ok(vec![vec![Part::Denied(self)]]);
        }
        let mut children = Vec::new();
        for child in &self.children {
            match child {
                Child::Leaf(leaf) => children.push(vec![vec![Part::Leaf(leaf)]]),
                // A group without rows adds nothing.
                Child::Node(node) if node.children.is_empty() => {}
                Child::Node(node) => children.push(node.alternatives()?),
            }
        }
        let mut found = match self.joined {
            Joined::Or => children.concat(),
            Joined::And => Vec::new(),
        };
        if self.joined == Joined::And {
            found.push(Vec::new());
            for alternatives in children {
                if found.len() * alternatives.len() > MOST_ALTERNATIVES {
                    return Err(TooLarge);
                }
                let both = found.iter().flat_map(|before: &Vec<Part<'_>>| {
                    let after = alternatives.iter();
                    after.map(move |after| [before.as_slice(), after.as_slice()].concat())
                });
                found = both.collect();
            }
        }
        if found.is_empty() {
            found.push(Vec::new());
        }
        Ok(found)
    }

    /// Whether several rows ask about one and the same row of a table.
    pub(super) fn shares_a_join(&self) -> bool {
        let Ok(alternatives) = self.alternatives() else {
            return true;
        };
        alternatives.iter().any(|parts| {
            Table::RELATED.iter().any(|table| {
                let asked = parts.iter().filter(|part| match part {
                    Part::Leaf(leaf) => leaf.table == *table && !leaf.is_key,
                    Part::Denied(node) => node.looks_at(*table),
                });
                asked.count() > 1
            })
        })
    }
}
