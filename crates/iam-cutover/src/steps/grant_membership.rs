//! Lets the new user have everything the old one has: one membership instead of thousands of grants.

use crate::{
    inventory::RDS_SUPERUSER,
    sql::identifier,
    steps::{Context, LoginEffect, Step},
    wish::RdsSuperuser,
};

pub(super) fn steps(context: &Context<'_>) -> Vec<Step> {
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

fn step(context: &Context<'_>, role: &str, id: &str) -> Step {
    let new = &context.wish.new_user;
    let (quoted, to) = (identifier(role), identifier(new));
    let options = if context.inventory.major() >= 16 {
        " WITH INHERIT TRUE, SET TRUE, ADMIN FALSE"
    } else {
        ""
    };
    Step {
        id: id.to_owned(),
        what: format!("Make {new} a member of {role}"),
        why: if role == RDS_SUPERUSER {
            "Only because it was asked for, as the wiki page does: the application does not need it and should not have it.".to_owned()
        } else {
            format!(
                "{new} may then do exactly what {role} may, today and after the next upgrade, its row level security policies included. The other direction (GRANT {new} TO {role}) would lock {role} out."
            )
        },
        action: context.sql(vec![format!("GRANT {quoted} TO {to}{options}")]),
        verified_by: format!("privileges of {new} and {role} are compared, object by object"),
        undo: vec![format!("REVOKE {quoted} FROM {to}")],
        removes: Vec::new(),
        logins: LoginEffect::None,
    }
}
