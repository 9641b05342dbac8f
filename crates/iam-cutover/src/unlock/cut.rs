//! Which memberships to take out so that somebody is in `rds_iam` no more. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    inventory::{Edge, Graph, RDS_IAM, RDS_SUPERUSER},
    sql::identifier,
};

/// A membership, and whether this session may take it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// Who is a member.
    pub member: String,
    /// Of which role.
    pub role: String,
    /// Who granted it.
    pub grantor: String,
    /// What follows a GRANT that makes it once more.
    pub options: String,
    /// Whether the grantor has to be named: from Postgres 16 on the same membership can be granted several times.
    pub names_grantor: bool,
    /// Whether this session may take it out.
    pub removable: bool,
}

/// What is taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// The memberships, with the chains that they made.
    pub removals: Vec<Removal>,
}

/// One membership that is taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Every grant of it.
    pub grants: Vec<Membership>,
    /// The chain that it is a part of.
    pub chain: Vec<String>,
}

impl Cut {
    /// What takes them out.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        self.grants()
            .map(|grant| {
                format!(
                    "REVOKE {} FROM {}{}",
                    identifier(&grant.role),
                    identifier(&grant.member),
                    by(grant)
                )
            })
            .collect()
    }

    /// What puts them back.
    #[must_use]
    pub fn undo(&self) -> Vec<String> {
        self.grants()
            .map(|grant| {
                format!(
                    "GRANT {} TO {}{}{}",
                    identifier(&grant.role),
                    identifier(&grant.member),
                    grant.options,
                    by(grant)
                )
            })
            .collect()
    }

    /// Who else is in `rds_iam` no more: their tokens are refused from then on.
    #[must_use]
    pub fn switches_off(&self, admin: &str, all: &[Membership]) -> Vec<String> {
        let before = graph_of(all);
        let mut after = before.clone();
        let gone = |edge: &Edge| {
            let mut grants = self.grants();
            grants.any(|grant| grant.member == edge.member && grant.role == edge.role)
        };
        after.edges.retain(|edge| !gone(edge));
        let members: BTreeSet<&str> = all.iter().map(|one| one.member.as_str()).collect();
        members
            .into_iter()
            .filter(|member| *member != admin)
            .filter(|member| before.iam_chain(member).is_some())
            .filter(|member| after.iam_chain(member).is_none())
            .map(str::to_owned)
            .collect()
    }

    fn grants(&self) -> impl Iterator<Item = &Membership> {
        self.removals.iter().flat_map(|removal| &removal.grants)
    }
}

fn by(grant: &Membership) -> String {
    match grant.names_grantor {
        true => format!(" GRANTED BY {}", identifier(&grant.grantor)),
        false => String::new(),
    }
}

/// Finds memberships that this session may take out and after which `admin` is in `rds_iam` no more.
///
/// A member of the deployment's IAM user is never right, so that goes first; then the administrator's own memberships,
/// which change nothing for others; and an IAM user's own login last.
///
/// # Errors
/// A chain in which nothing can be taken out, in words.
pub fn cut(admin: &str, new_user: &str, all: &[Membership]) -> Result<Cut, String> {
    let mut graph = graph_of(all);
    let mut cut = Cut::default();
    while let Some(chain) = graph.iam_chain(admin) {
        let links = chain.windows(2).filter_map(|pair| match pair {
            [member, role] => Some((member.as_str(), role.as_str())),
            _ => None,
        });
        let mut links: Vec<(&str, &str)> = links.collect();
        links.sort_by_key(|(member, role)| {
            (*role != new_user, *role == RDS_IAM && *member != admin)
        });
        let found = links.into_iter().find_map(|(member, role)| {
            let grants = grants_of(member, role, all);
            let may = role != RDS_SUPERUSER && grants.iter().all(|grant| grant.removable);
            may.then_some(grants)
        });
        let Some(grants) = found else {
            return Err(stuck(&chain, all));
        };
        let gone = |edge: &Edge| {
            grants
                .iter()
                .any(|grant| grant.member == edge.member && grant.role == edge.role)
        };
        graph.edges.retain(|edge| !gone(edge));
        cut.removals.push(Removal { grants, chain });
    }
    Ok(cut)
}

fn grants_of(member: &str, role: &str, all: &[Membership]) -> Vec<Membership> {
    let of = |grant: &&Membership| grant.member == member && grant.role == role;
    all.iter().filter(of).cloned().collect()
}

fn stuck(chain: &[String], all: &[Membership]) -> String {
    let links: Vec<String> = chain
        .windows(2)
        .filter_map(|pair| match pair {
            [member, role] => Some((member, role)),
            _ => None,
        })
        .flat_map(|(member, role)| grants_of(member, role, all))
        .map(|grant| {
            format!(
                "`{}` in `{}` by a grant of `{}`",
                grant.member, grant.role, grant.grantor
            )
        })
        .collect();
    format!(
        "none of these memberships can be taken out by it: {}; only whoever granted one of them, or a superuser, can",
        links.join(", ")
    )
}

fn graph_of(all: &[Membership]) -> Graph {
    Graph {
        edges: all.iter().map(edge).collect(),
    }
}

fn edge(membership: &Membership) -> Edge {
    Edge {
        member: membership.member.clone(),
        role: membership.role.clone(),
        grantor: membership.grantor.clone(),
        admin: false,
        inherit: true,
        set: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(member: &str, role: &str, removable: bool) -> Membership {
        Membership {
            member: member.to_owned(),
            role: role.to_owned(),
            grantor: "postgres".to_owned(),
            options: String::new(),
            names_grantor: true,
            removable,
        }
    }

    fn taken(all: &[Membership]) -> Result<Vec<String>, String> {
        cut("postgres", "salawsiam", all).map(|cut| cut.statements())
    }

    #[test]
    fn a_member_of_the_iam_user_goes_before_anything_else() {
        let all = [
            link("postgres", "sal", true),
            link("sal", "salawsiam", true),
            link("salawsiam", "rds_iam", true),
        ];
        let expected = "REVOKE \"salawsiam\" FROM \"sal\" GRANTED BY \"postgres\"";
        assert_eq!(taken(&all).unwrap(), [expected]);
    }

    #[test]
    fn the_administrators_own_membership_goes_before_that_of_a_team() {
        let all = [
            link("postgres", "team", true),
            link("team", "iam_users", true),
            link("iam_users", "rds_iam", true),
        ];
        let expected = "REVOKE \"team\" FROM \"postgres\" GRANTED BY \"postgres\"";
        assert_eq!(taken(&all).unwrap(), [expected]);
    }

    #[test]
    fn the_makers_membership_of_postgres_16_leaves_only_the_iam_login_to_take() {
        let all = [
            link("postgres", "salawsiam", false),
            link("salawsiam", "rds_iam", true),
        ];
        let found = cut("postgres", "salawsiam", &all).unwrap();
        assert_eq!(found.switches_off("postgres", &all), ["salawsiam"]);
        assert_eq!(
            found.undo(),
            ["GRANT \"rds_iam\" TO \"salawsiam\" GRANTED BY \"postgres\""]
        );
    }

    #[test]
    fn every_chain_is_cut_and_the_one_that_rds_does_not_count_stays() {
        let all = [
            link("postgres", "rds_superuser", true),
            link("rds_superuser", "rds_iam", true),
            link("rds_superuser", "team", true),
            link("team", "rds_iam", true),
            link("postgres", "rds_iam", true),
        ];
        let found = taken(&all).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found
                .iter()
                .all(|sql| !sql.starts_with("REVOKE \"rds_superuser\""))
        );
    }

    #[test]
    fn everybody_who_loses_the_iam_login_is_named() {
        let all = [
            link("postgres", "team", false),
            link("alice", "team", true),
            link("salawsiam", "team", true),
            link("salawsiam", "rds_iam", true),
            link("team", "rds_iam", true),
        ];
        let found = cut("postgres", "salawsiam", &all).unwrap();
        assert_eq!(found.switches_off("postgres", &all), ["alice", "team"]);
    }

    #[test]
    fn what_nobody_here_may_take_out_is_named_with_its_grantor() {
        let mut only = link("postgres", "rds_iam", false);
        only.grantor = "rdsadmin".to_owned();
        let text = taken(&[only.clone()]).unwrap_err();
        assert!(text.contains("by a grant of `rdsadmin`"), "{text}");
        // Two grants of the same membership, of which one stays.
        assert!(taken(&[only, link("postgres", "rds_iam", true)]).is_err());
        assert_eq!(taken(&[]).unwrap(), [""; 0]);
    }
}
