//! On the way back: memberships that make the old user an IAM user, granted by hand or in the wrong direction.

use crate::{
    inventory::{Edge, RDS_IAM},
    plan::Extent,
    sql::identifier,
    steps::{Context, LoginEffect, Part, Step},
};

pub(super) struct FreeOldUser;

impl Part for FreeOldUser {
    fn reverse(&self, context: &Context<'_>, _extent: Extent) -> Vec<Step> {
        let old = &context.wish.old_user;
        let graph = &context.inventory.graph;
        let counts = |edge: &&Edge| edge.role == RDS_IAM || graph.iam_chain(&edge.role).is_some();
        // A membership in the new user that nobody may take out is cut off with the new user's own, in its step.
        let leads = |edge: &&Edge| {
            let is_cut_later = edge.role == context.wish.new_user && !context.can_revoke(edge);
            edge.member == *old && counts(edge) && !is_cut_later
        };
        let edges: Vec<&Edge> = graph.edges.iter().filter(leads).collect();
        if edges.is_empty() {
            return Vec::new();
        }
        let each = |verb: &str, word: &str| -> Vec<String> {
            let line = |edge: &&Edge| {
                format!(
                    "{verb} {} {word} {}",
                    identifier(&edge.role),
                    identifier(old)
                )
            };
            edges.iter().map(line).collect()
        };
        let of: Vec<&str> = edges.iter().map(|edge| edge.role.as_str()).collect();
        vec![
            Step::new(
                "free-old-user",
                format!("Take {old} out of rds_iam"),
                context.sql(each("REVOKE", "FROM")),
            )
            .because(format!(
                "{old} is a member of {}, which makes RDS refuse its password.",
                of.join(" and of ")
            ))
            .verified_by(format!("a new session of {old} with its password"))
            .undone_by(each("GRANT", "TO"))
            .removing(
                edges
                    .iter()
                    .map(|edge| (old.clone(), edge.role.clone()))
                    .collect(),
            )
            .deciding(LoginEffect::OldUserBack),
        ]
    }
}
