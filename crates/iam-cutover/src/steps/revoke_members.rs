//! Takes members out of an existing new user: they would have to log in with IAM, too.

use crate::{
    inventory::Edge,
    sql::identifier,
    steps::{Context, LoginEffect, Step},
};

pub(super) fn step(context: &Context<'_>) -> Option<Step> {
    let new = &context.wish.new_user;
    let members: Vec<&Edge> = context.inventory.graph.members(new).collect();
    if members.is_empty() {
        return None;
    }
    let names: Vec<&str> = members.iter().map(|edge| edge.member.as_str()).collect();
    let each = |verb: &str, word: &str| -> Vec<String> {
        names
            .iter()
            .map(|member| format!("{verb} {} {word} {}", identifier(new), identifier(member)))
            .collect()
    };
    Some(Step {
        id: "revoke-members".to_owned(),
        what: format!("Take {} out of {new}", names.join(", ")),
        why: format!(
            "Every member of {new} would have to log in with IAM as soon as {new} does: this is how administrators lock themselves out."
        ),
        action: context.sql(each("REVOKE", "FROM")),
        verified_by: format!("pg_auth_members has no member of {new}"),
        undo: each("GRANT", "TO"),
        removes: names
            .iter()
            .map(|member| ((*member).to_owned(), new.clone()))
            .collect(),
        logins: LoginEffect::None,
    })
}
