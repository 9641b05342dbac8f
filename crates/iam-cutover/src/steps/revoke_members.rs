//! Takes members out of an existing new user: they would have to log in with IAM, too.

use crate::{
    inventory::Edge,
    sql::identifier,
    steps::{Context, Part, Step},
};

pub(super) struct RevokeMembers;

impl Part for RevokeMembers {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let new = &context.wish.new_user;
        let members: Vec<&Edge> = context.inventory.graph.members(new).collect();
        if members.is_empty() {
            return Vec::new();
        }
        let names: Vec<&str> = members.iter().map(|edge| edge.member.as_str()).collect();
        let each = |verb: &str, word: &str| -> Vec<String> {
            names
                .iter()
                .map(|member| format!("{verb} {} {word} {}", identifier(new), identifier(member)))
                .collect()
        };
        vec![
            Step::new(
                "revoke-members",
                format!("Take {} out of {new}", names.join(", ")),
                context.sql(each("REVOKE", "FROM")),
            )
            .because(format!(
                "Every member of {new} has to log in with IAM as soon as {new} does: this is how administrators lock themselves out."
            ))
            .verified_by(format!("pg_auth_members has no member of {new}"))
            .undone_by(each("GRANT", "TO"))
            .removing(
                names
                    .iter()
                    .map(|member| ((*member).to_owned(), new.clone()))
                    .collect(),
            ),
        ]
    }
}
