//! Who is a member of whom. Paths through it decide who logs in how.
//!
//! `pg_hba.conf`'s `+rds_iam` counts every chain of memberships, with or without `INHERIT`; from
//! Postgres 16 on that includes the membership, with `ADMIN OPTION` only, that the creator of a
//! role gets in it (Postgres manual, 21.1 and 22.3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::{RDS_IAM, RDS_SUPERUSER};
use crate::wish::Wish;

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
        let up = self.neighbours(|(member, role)| (member, role));
        while let Some(at) = queue.pop_front() {
            if at == to {
                return Some(chain(&came_from, from, to));
            }
            for role in up.get(at).into_iter().flatten() {
                if *role != from && !came_from.contains_key(role) {
                    came_from.insert(role, at);
                    queue.push_back(role);
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

    /// Roles that the old user works with, apart from those of AWS and of Postgres and those of the move.
    pub fn memberships_of<'a>(&'a self, wish: &'a Wish) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| {
            let role = edge.role.as_str();
            let is_theirs = role.starts_with("rds") || role.starts_with("pg_");
            let is_ours = role == wish.owner_role || role == wish.new_user;
            edge.member == wish.old_user && (edge.inherit || edge.set) && !is_theirs && !is_ours
        })
    }

    /// A master user, other than `but`, whose password RDS refuses; with the chain that makes it so.
    #[must_use]
    pub fn locked_out_master(&self, but: &str) -> Option<(String, Vec<String>)> {
        let members: BTreeSet<&str> = self.pairs().map(|(member, _)| member).collect();
        let mut masters = members.into_iter().filter(|member| {
            *member != but && *member != RDS_SUPERUSER && self.path(member, RDS_SUPERUSER).is_some()
        });
        masters.find_map(|member| Some((member.to_owned(), self.iam_chain(member)?)))
    }

    /// Direct members of a role.
    pub fn members<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| edge.role == role)
    }

    /// Which roles reach `rds_iam` here by a chain that was not there `before`, apart from one.
    ///
    /// A chain is new when one of its memberships is. Compared by memberships, not by whether there is any chain: a
    /// master user who was a member in a way that RDS does not count must not become one in a way that it does. Every
    /// membership is looked at twice, however many chains they make.
    #[must_use]
    pub fn newly_reaching(&self, before: &Self, but: &str) -> Vec<Reach> {
        let old: BTreeSet<(&str, &str)> = before.pairs().collect();
        let up = self.neighbours(|(member, role)| (member, role));
        let down = self.neighbours(|(member, role)| (role, member));
        let leads_on = distances(RDS_IAM, &down);
        // From each role that gains something, the next one towards it.
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (member, role) in self.pairs().filter(|pair| !old.contains(pair)) {
            if !leads_on.contains_key(role) {
                continue;
            }
            let rest = descent(role, &leads_on, &up);
            let below = distances(member, &down);
            for gains in below.keys().filter(|gains| **gains != but) {
                found.entry(gains).or_insert_with(|| {
                    let mut chain = descent(gains, &below, &up);
                    chain.extend(rest.iter().cloned());
                    chain
                });
            }
        }
        let reach = |(role, chain): (&str, Vec<String>)| Reach {
            role: role.to_owned(),
            chain,
        };
        found.into_iter().map(reach).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let edges = self.edges.iter();
        edges.map(|edge| (edge.member.as_str(), edge.role.as_str()))
    }

    fn neighbours<'a>(
        &'a self,
        turned: impl Fn((&'a str, &'a str)) -> (&'a str, &'a str),
    ) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (from, to) in self.pairs().map(turned) {
            all.entry(from).or_default().push(to);
        }
        all
    }
}

/// How far everything is that can be reached.
fn distances<'a>(
    from: &'a str,
    next: &BTreeMap<&'a str, Vec<&'a str>>,
) -> BTreeMap<&'a str, usize> {
    let mut far = BTreeMap::from([(from, 0)]);
    let mut queue = VecDeque::from([(from, 0)]);
    while let Some((at, distance)) = queue.pop_front() {
        for to in next.get(at).into_iter().flatten() {
            if !far.contains_key(to) {
                far.insert(to, distance + 1);
                queue.push_back((to, distance + 1));
            }
        }
    }
    far
}

/// The way from a role to where the distance is nothing, both included.
fn descent(from: &str, far: &BTreeMap<&str, usize>, up: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let mut way = vec![from.to_owned()];
    let mut at = from;
    while let Some(distance) = far.get(at).filter(|distance| **distance > 0) {
        let nearer = |to: &&&str| far.get(**to).is_some_and(|next| next < distance);
        let Some(to) = up.get(at).and_then(|all| all.iter().find(nearer)) else {
            break;
        };
        way.push((*to).to_owned());
        at = to;
    }
    way
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
        assert_eq!(after.newly_reaching(&before, "new"), []);
        after.edges.extend(graph(&[("postgres", "new")]).edges);
        let found = after.newly_reaching(&before, "new");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].chain, ["postgres", "new", RDS_IAM]);
    }

    #[test]
    fn everybody_below_a_new_membership_is_named_with_the_whole_chain() {
        let before = graph(&[("a", "b"), ("b", "c"), ("x", "rds_iam")]);
        let mut after = before.clone();
        after.edges.extend(graph(&[("c", "x")]).edges);
        let found = after.newly_reaching(&before, "x");
        let chains: Vec<String> = found.iter().map(|reach| reach.chain.join(">")).collect();
        assert_eq!(chains, ["a>b>c>x>rds_iam", "b>c>x>rds_iam", "c>x>rds_iam"]);
    }

    /// Layers of two, each a member of both above: a million million chains out of eighty memberships.
    #[test]
    fn the_number_of_chains_does_not_matter() {
        let mut edges = Vec::new();
        for layer in 0..40 {
            for (member, role) in [("l", "l"), ("l", "r"), ("r", "l"), ("r", "r")] {
                edges.push((format!("{member}{layer}"), format!("{role}{}", layer + 1)));
            }
        }
        let pairs: Vec<(&str, &str)> = edges
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let before = graph(&pairs);
        let mut after = before.clone();
        after.edges.extend(graph(&[("l40", "rds_iam")]).edges);
        let found = after.newly_reaching(&before, "nobody");
        assert_eq!(found.len(), 81);
        assert_eq!(found[0].chain.len(), 42);
        assert!(after.iam_chain("r0").is_some());
    }
}
