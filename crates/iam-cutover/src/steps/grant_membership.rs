//! Lets the new user have everything the old one has: one membership instead of thousands of grants.

use crate::{
    inventory::RDS_SUPERUSER,
    plan::Extent,
    sql::identifier,
    steps::{Context, Part, Step},
    wish::RdsSuperuser,
};

pub(super) struct GrantMembership;

impl Part for GrantMembership {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let mut wanted = vec![(context.works_as, "grant-membership")];
        if context.wish.rds_superuser == RdsSuperuser::Grant {
            wanted.push((RDS_SUPERUSER, "grant-rds-superuser"));
        }
        wanted
            .into_iter()
            .filter(|(role, _)| !context.is_member(&context.wish.new_user, role))
            .map(|(role, id)| step(context, role, id))
            .collect()
    }

    fn reverse(&self, context: &Context<'_>, extent: Extent) -> Vec<Step> {
        let (new, role) = (&context.wish.new_user, context.works_as);
        let mut members = context.inventory.graph.members(role);
        if extent == Extent::Logins || !members.any(|edge| edge.member == *new) {
            return Vec::new();
        }
        let (quoted, from) = (identifier(role), identifier(new));
        vec![
            Step::new(
                "revoke-membership",
                format!("Take {new} out of {role}"),
                context.sql(vec![format!("REVOKE {quoted} FROM {from}")]),
            )
            .because("It needs nothing any more.")
            .verified_by(format!("pg_auth_members has no {new}"))
            .undone_by(vec![format!("GRANT {quoted} TO {from}")])
            .removing(vec![(new.clone(), role.to_owned())]),
        ]
    }
}

fn step(context: &Context<'_>, role: &str, id: &str) -> Step {
    let new = &context.wish.new_user;
    let (quoted, to) = (identifier(role), identifier(new));
    let options = if context.inventory.major() >= 16 {
        " WITH INHERIT TRUE, SET TRUE, ADMIN FALSE"
    } else {
        ""
    };
    Step::new(
        id,
        format!("Make {new} a member of {role}"),
        context.sql(vec![format!("GRANT {quoted} TO {to}{options}")]),
    )
    .because(if role == RDS_SUPERUSER {
        "Only because it was asked for, as the wiki page does: the application does not need it and should not have it.".to_owned()
    } else {
        format!(
            "{new} may then do exactly what {role} may, today and after the next upgrade, its row level security policies included. The other direction (GRANT {new} TO {role}) would lock {role} out."
        )
    })
    .verified_by(format!("privileges of {new} and {role} are compared, object by object"))
    .undone_by(vec![format!("REVOKE {quoted} FROM {to}")])
}
