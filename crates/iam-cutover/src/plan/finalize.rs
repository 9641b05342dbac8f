//! The end of the move: the old user stays as the owner and can no longer log in.

use super::{Finding, Plan, Purpose, Way, event_triggers, way};
use crate::{
    inventory::Inventory,
    sql::identifier,
    steps::{Action, LoginEffect, Step},
    wish::Wish,
};

impl Plan {
    pub(super) fn finalize(wish: &Wish, inventory: &Inventory) -> Self {
        let (way, works_as) = way(wish, inventory);
        let mut refusals = refusals(wish, inventory, way);
        refusals.extend(event_triggers::refusals(inventory));
        let done = !inventory.role(&wish.old_user).is_some_and(|old| old.login);
        let steps = match way {
            Way::Member if !done && refusals.is_empty() => vec![step(wish)],
            _ => Vec::new(),
        };
        let mut warnings: Vec<Finding> = event_triggers::warnings(inventory).into_iter().collect();
        if way == Way::Member && inventory.major() < 16 {
            warnings.push(Finding::new(
                "before_an_upgrade",
                format!("From Postgres 16 on, `{}` can be switched on again only by who has ADMIN OPTION on it.", wish.old_user),
                format!("before an upgrade to 16 or newer: GRANT {} TO {} WITH ADMIN OPTION.", identifier(&wish.old_user), identifier(&inventory.admin)),
            ));
        }
        if way == Way::OwnerRole {
            warnings.push(Finding::new(
                "master_stays",
                format!("`{}` is the master user and is not switched off.", wish.old_user),
                "give it a new password that the deployment does not know (ModifyDBInstance, or Secrets Manager).",
            ));
        }
        Self {
            purpose: Purpose::Finalize,
            wish: wish.clone(),
            way,
            works_as,
            major: inventory.major(),
            steps,
            refusals,
            warnings,
        }
    }
}

fn refusals(wish: &Wish, inventory: &Inventory, way: Way) -> Vec<Finding> {
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

fn step(wish: &Wish) -> Step {
    let old = identifier(&wish.old_user);
    Step {
        id: "old-user-nologin".to_owned(),
        what: format!("Switch the login of {} off", wish.old_user),
        why: "It stays as the owner of everything and is never dropped, so that one statement brings it back.".to_owned(),
        action: Action::Sql {
            database: wish.databases.first().cloned().unwrap_or_default(),
            statements: vec![format!("ALTER ROLE {old} NOLOGIN")],
        },
        verified_by: format!("{} has no session, and {} logs in", wish.old_user, wish.new_user),
        undo: vec![format!("ALTER ROLE {old} LOGIN")],
        removes: Vec::new(),
        logins: LoginEffect::OldUserOff,
    }
}
