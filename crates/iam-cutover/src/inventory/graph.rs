//! Who is a member of whom. Paths through it decide who logs in how.
//!
//! `pg_hba.conf`'s `+rds_iam` counts every chain of memberships, with or without `INHERIT`; from
//! Postgres 16 on that includes the membership, with `ADMIN OPTION` only, that the creator of a
//! role gets in it (Postgres manual, 21.1 and 22.3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::{RDS_IAM, RDS_SUPERUSER};

/// All memberships of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// Every row of `pg_auth_members`.
    pub edges: Vec<Edge>,
}

/// One membership.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// Who is a member.
    pub member: String,
    /// Of which role.
    pub role: String,
    /// Who granted it.
    pub grantor: String,
    /// `ADMIN OPTION`.
    pub admin: bool,
    /// `INHERIT`; before Postgres 16 the member's own attribute.
    pub inherit: bool,
    /// `SET`; always so before Postgres 16.
    pub set: bool,
}

/// A role that reaches `rds_iam`, and by which chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// The role.
    pub role: String,
    /// From the role to `rds_iam`, both included.
    pub chain: Vec<String>,
}

impl Graph {
    /// The shortest chain of memberships from one role to another, both included.
    #[must_use]
    pub fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                return Some(chain(&came_from, from, to));
            }
            for edge in self.edges.iter().filter(|edge| edge.member == at) {
                if edge.role != from && !came_from.contains_key(edge.role.as_str()) {
                    came_from.insert(&edge.role, at);
                    queue.push_back(&edge.role);
                }
            }
        }
        None
    }

    /// The chain by which a role has to log in with IAM; `None` when its password works.
    ///
    /// The master user's right to grant `rds_iam` is a membership from Postgres 16 on, and RDS lets
    /// it log in with its password all the same: the chain through `rds_superuser` does not count.
    #[must_use]
    pub fn iam_chain(&self, role: &str) -> Option<Vec<String>> {
        let counted = |edge: &&Edge| edge.member != RDS_SUPERUSER || edge.role != RDS_IAM;
        let edges = self.edges.iter().filter(counted).cloned().collect();
        Self { edges }.path(role, RDS_IAM)
    }

    /// Direct members of a role.
    pub fn members<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| edge.role == role)
    }

    /// Which of `roles` reach `rds_iam` here by a chain that was not there `before`.
    ///
    /// Compared by chains, not by membership alone: a master user who was a member in a way that
    /// RDS does not count must not become one in a way that it does.
    #[must_use]
    pub fn newly_reaching<'a>(
        &self,
        before: &Self,
        roles: impl Iterator<Item = &'a str>,
    ) -> Vec<Reach> {
        roles
            .filter_map(|role| {
                let old: BTreeSet<Vec<String>> = before.ways(role).into_iter().collect();
                let chain = self.ways(role).into_iter().find(|way| !old.contains(way))?;
                let role = role.to_owned();
                Some(Reach { role, chain })
            })
            .collect()
    }

    /// Every chain without a circle from a role to `rds_iam`.
    fn ways(&self, from: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut open = vec![vec![from.to_owned()]];
        while let Some(chain) = open.pop() {
            let at = chain.last().map(String::as_str).unwrap_or_default();
            if at == RDS_IAM {
                found.push(chain);
                continue;
            }
            let next: BTreeSet<&str> = self
                .edges
                .iter()
                .filter(|edge| edge.member == at && !chain.contains(&edge.role))
                .map(|edge| edge.role.as_str())
                .collect();
            for role in next {
                let mut longer = chain.clone();
                longer.push(role.to_owned());
                open.push(longer);
            }
        }
        found
    }
}

fn chain(came_from: &BTreeMap<&str, &str>, from: &str, to: &str) -> Vec<String> {
    let mut chain = vec![to.to_owned()];
    let mut at = to;
    while at != from {
        let Some(before) = came_from.get(at) else {
            break;
        };
        chain.push((*before).to_owned());
        at = before;
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let edge = |(member, role): &(&str, &str)| Edge {
            member: (*member).to_owned(),
            role: (*role).to_owned(),
            grantor: "rdsadmin".to_owned(),
            admin: false,
            inherit: true,
            set: true,
        };
        Graph {
            edges: edges.iter().map(edge).collect(),
        }
    }

    #[test]
    fn a_path_is_found_through_any_chain_and_circles_end() {
        let graph = graph(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "rds_iam")]);
        assert_eq!(graph.path("a", RDS_IAM).unwrap(), ["a", "b", "c", RDS_IAM]);
        assert_eq!(graph.path("x", RDS_IAM), None);
        assert_eq!(graph.path("a", "a").unwrap(), ["a"]);
    }

    #[test]
    fn the_guard_sees_a_new_chain_of_somebody_who_was_a_member_before() {
        let before = graph(&[("postgres", "rds_superuser"), ("rds_superuser", "rds_iam")]);
        let mut after = before.clone();
        after
            .edges
            .extend(graph(&[("new", "rds_iam"), ("old", "other")]).edges);
        let everyone = ["postgres", "old"];
        assert_eq!(after.newly_reaching(&before, everyone.into_iter()), []);
        after.edges.extend(graph(&[("postgres", "new")]).edges);
        let found = after.newly_reaching(&before, everyone.into_iter());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].chain, ["postgres", "new", RDS_IAM]);
    }
}
