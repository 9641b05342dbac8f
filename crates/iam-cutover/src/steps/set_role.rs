//! Lets sessions of the new user work as the old one, so that what they make belongs to the old one.

use crate::{
    sql::{identifier, literal},
    steps::{Context, LoginEffect, Step},
};

pub(super) fn steps(context: &Context<'_>) -> Option<Step> {
    if context.new_role().is_none() && context.needs_helper() {
        return None; // The helper does it.
    }
    let statements = statements(context);
    if statements.is_empty() {
        return None;
    }
    let (new, role) = (&context.wish.new_user, context.works_as);
    let undo = missing(context)
        .map(|database| reset(new, database))
        .collect();
    Some(Step {
        id: "set-role".to_owned(),
        what: format!("Let sessions of {new} work as {role}"),
        why: format!(
            "Membership alone would let new tables belong to {new}: {role} could not use them, default privileges would not fire, and there would be no way back. current_user becomes {role}; session_user stays {new}, so that logs show who logged in."
        ),
        action: context.sql(statements),
        verified_by: format!(
            "a session of {new} has current_user = {role}, and what it makes belongs to {role}"
        ),
        undo,
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
}

/// Databases in which the new user does not work as it should.
pub(super) fn missing<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a String> {
    context.wish.databases.iter().filter(|database| {
        let role = context.new_role();
        role.and_then(|role| role.setting(database, "role")) != Some(context.works_as)
    })
}

pub(super) fn statements(context: &Context<'_>) -> Vec<String> {
    let user = identifier(&context.wish.new_user);
    missing(context)
        .map(|database| {
            format!(
                "ALTER ROLE {user} IN DATABASE {} SET role = {}",
                identifier(database),
                literal(context.works_as)
            )
        })
        .collect()
}

fn reset(user: &str, database: &str) -> String {
    format!(
        "ALTER ROLE {} IN DATABASE {} RESET role",
        identifier(user),
        identifier(database)
    )
}
