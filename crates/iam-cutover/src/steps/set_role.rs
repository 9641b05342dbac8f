//! Lets sessions of the new user work as the old one, so that what they make belongs to the old one.

use crate::{
    sql::{identifier, literal},
    steps::{Context, Part, Step},
};

pub(super) struct SetRole;

impl Part for SetRole {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let statements = self.alterations(context);
        if statements.is_empty() || context.is_made_by_helper() {
            return Vec::new();
        }
        let (new, role) = (&context.wish.new_user, context.works_as);
        let undo = missing(context)
            .map(|database| reset(new, database))
            .collect();
        vec![
            Step::new(
                "set-role",
                format!("Let sessions of {new} work as {role}"),
                context.alter_new_user(statements),
            )
            .because(format!(
                "Membership alone would let new tables belong to {new}: {role} could not use them, default privileges would not fire, and there would be no way back. current_user becomes {role}; session_user stays {new}, so that logs show who logged in."
            ))
            .verified_by(format!(
                "a session of {new} has current_user = {role}, and what it makes belongs to {role}"
            ))
            .undone_by(undo)
            .deciding(context.effect_of_alteration()),
        ]
    }

    fn alterations(&self, context: &Context<'_>) -> Vec<String> {
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
}

/// Databases in which the new user does not work as it should.
pub(super) fn missing<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a String> {
    context.wish.databases.iter().filter(|database| {
        let role = context.new_role();
        role.and_then(|role| role.setting(database, "role")) != Some(context.works_as)
    })
}

fn reset(user: &str, database: &str) -> String {
    format!(
        "ALTER ROLE {} IN DATABASE {} RESET role",
        identifier(user),
        identifier(database)
    )
}
