//! What stands in the way of going back, and what to know before.

use super::Finding;
use crate::{inventory::RDS_IAM, sql::identifier, steps::Context};

pub(super) fn refusals(context: &Context<'_>) -> Vec<Finding> {
    let Some(old) = context.inventory.role(&context.wish.old_user) else {
        return vec![Finding::new(
            "no_old_user",
            format!(
                "There is no role `{}`: there is nothing to go back to.",
                context.wish.old_user
            ),
            "name the old user with --old-user; if it was dropped, restore it from a snapshot.",
        )];
    };
    if !old.login && !old.grantable {
        let (name, admin) = (identifier(&old.name), identifier(&context.inventory.admin));
        return vec![Finding::new(
            "no_admin_option",
            format!(
                "`{}` may not alter `{}`.",
                context.inventory.admin, old.name
            ),
            format!("as a superuser or whoever made it: GRANT {name} TO {admin} WITH ADMIN TRUE."),
        )];
    }
    Vec::new()
}

/// Sessions outlive the right to log in (AWS: a token counts at the login alone).
pub(super) fn warnings(context: &Context<'_>) -> Vec<Finding> {
    let Some(new) = context.new_role().filter(|new| new.sessions > 0) else {
        return Vec::new();
    };
    vec![Finding::new(
        "new_user_in_use",
        format!(
            "`{}` has {} sessions, which go on without {RDS_IAM}; new ones are refused.",
            new.name, new.sessions
        ),
        "`sal iam status` shows whose they are: switch those deployments back to the old user and its password first.",
    )]
}
