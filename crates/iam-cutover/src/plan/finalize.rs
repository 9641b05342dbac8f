//! What stands in the way of ending the move, and what to know before.

use super::{Finding, Way};
use crate::{sql::identifier, steps::Context};

pub(super) fn warnings(context: &Context<'_>) -> Vec<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    match context.way {
        Way::Member if inventory.major() < 16 => vec![Finding::new(
            "before_an_upgrade",
            format!(
                "From Postgres 16 on, `{}` can be switched on again only by who has ADMIN OPTION on it.",
                wish.old_user
            ),
            format!(
                "before an upgrade to 16 or newer: GRANT {} TO {} WITH ADMIN OPTION.",
                identifier(&wish.old_user),
                identifier(&inventory.admin)
            ),
        )],
        Way::Member => Vec::new(),
        Way::OwnerRole => vec![Finding::new(
            "master_stays",
            format!(
                "`{}` is the master user and is not switched off.",
                wish.old_user
            ),
            "give it a new password that the deployment does not know (ModifyDBInstance, or Secrets Manager).",
        )],
    }
}

pub(super) fn refusals(context: &Context<'_>) -> Vec<Finding> {
    let (wish, inventory, way) = (context.wish, context.inventory, context.way);
    let mut found = Vec::new();
    let Some(old) = inventory.role(&wish.old_user) else {
        return vec![Finding::new(
            "no_old_user",
            format!("There is no role `{}`.", wish.old_user),
            "name the old user with --old-user.",
        )];
    };
    if inventory.graph.iam_chain(&wish.new_user).is_none() {
        found.push(Finding::new(
            "not_moved",
            format!("`{}` does not log in with IAM yet.", wish.new_user),
            "run `sal iam apply` first, switch the deployment over, and finalize when the old user is idle.",
        ));
    }
    if old.sessions > 0 && way == Way::Member {
        found.push(Finding::new(
            "old_user_in_use",
            format!("`{}` still has {} sessions.", old.name, old.sessions),
            "`sal iam status` shows whose they are; switch everything over that uses this user, and wait until they are gone.",
        ));
    }
    if !old.grantable && way == Way::Member && old.login {
        found.push(Finding::new(
            "no_admin_option",
            format!(
                "`{}` may not alter `{}`: from Postgres 16 on that takes ADMIN OPTION on it.",
                inventory.admin, old.name
            ),
            format!(
                "as whoever made it: GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE.",
                identifier(&old.name),
                identifier(&inventory.admin)
            ),
        ));
    }
    found
}
