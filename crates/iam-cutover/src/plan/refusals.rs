//! What stands in the way: each with its reason and what a person has to do first.

use crate::{
    aws::AwsSide,
    inventory::{Edge, Inventory, RDS_IAM, RDS_SUPERUSER, Role},
    plan::{Finding, Way},
    sql::identifier,
    steps::{Context, OWNER_COMMENT, shut},
    wish::{LostGrants, RdsSuperuser},
};

/// Everything that must be changed first.
pub(super) fn find(context: &Context<'_>) -> Vec<Finding> {
    let rules: [fn(&Context<'_>) -> Vec<Finding>; 7] = [
        names,
        server,
        old_user,
        owner_role,
        administrator,
        new_user,
        members_of_the_new_user,
    ];
    let found = rules.iter().find_map(|rule| {
        let found = rule(context);
        (!found.is_empty()).then_some(found)
    });
    found.unwrap_or_default()
}

fn names(context: &Context<'_>) -> Vec<Finding> {
    let wish = context.wish;
    let mut found = Vec::new();
    if wish.old_user == wish.new_user {
        found.push(Finding::new(
            "same_user",
            format!("The old and the new user are both `{}`.", wish.new_user),
            "choose another name for the new user: without two users there is no way back while the move is under way.",
        ));
    }
    for name in [&wish.new_user, &wish.owner_role] {
        if name.starts_with("pg_") || name.starts_with("rds") || name == "public" || name == "none"
        {
            found.push(Finding::new(
                "reserved_name",
                format!("`{name}` is a reserved name."),
                "names beginning with pg_ and rds belong to Postgres and AWS; choose another.",
            ));
        }
        if name.len() > 63 || name.is_empty() {
            found.push(Finding::new(
                "name_length",
                format!("`{name}` has {} bytes.", name.len()),
                "Postgres keeps 63 bytes of a name; choose a shorter one that is not empty.",
            ));
        }
    }
    found
}

fn server(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    if inventory.major() < 12 {
        return vec![Finding::new(
            "server_too_old",
            format!("The server is Postgres {}.", inventory.major()),
            "upgrade it first: this tool knows 12 to 18, and Sal's wiki page was tested from 15.5 on.",
        )];
    }
    if inventory.role(RDS_IAM).is_none() {
        return vec![Finding::new(
            "no_rds_iam",
            format!("There is no role `{RDS_IAM}`."),
            "this is no RDS or Aurora Postgres, or its engine version has no IAM authentication; check DB_HOST.",
        )];
    }
    Vec::new()
}

fn old_user(context: &Context<'_>) -> Vec<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    if inventory.role(&wish.old_user).is_none() {
        return vec![Finding::new(
            "no_old_user",
            format!("There is no role `{}`.", wish.old_user),
            "name the user of the present deployment, DB_USER, with --old-user.",
        )];
    }
    // The chain through the new user is dealt with by its own rule.
    let chain = inventory.graph.iam_chain(&wish.old_user);
    if let Some(chain) = chain.filter(|chain| !chain.contains(&wish.new_user)) {
        return vec![Finding::new(
            "old_user_uses_iam",
            format!(
                "`{}` is in {RDS_IAM} already ({}): it cannot log in with a password.",
                wish.old_user,
                chain.join(" -> ")
            ),
            format!(
                "if it has moved already, there is nothing to do; to go back: REVOKE {} FROM {}.",
                chain
                    .get(1)
                    .map_or_else(String::new, |role| identifier(role)),
                identifier(&wish.old_user)
            ),
        )];
    }
    Vec::new()
}

/// Moving the objects takes whoever owns them, and a role that is nobody else's.
fn owner_role(context: &Context<'_>) -> Vec<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    if context.way != Way::OwnerRole {
        return Vec::new();
    }
    let is_superuser = inventory
        .role(&inventory.admin)
        .is_some_and(|admin| admin.superuser);
    if wish.old_user != inventory.admin && !is_superuser {
        return vec![Finding::new(
            "old_user_is_rds_superuser",
            format!(
                "`{}` is a member of {RDS_SUPERUSER}, but not the administrator `{}`, who cannot move its objects.",
                wish.old_user, inventory.admin
            ),
            format!(
                "REVOKE {RDS_SUPERUSER} FROM {}, which the deployment does not need; or run this as that user (SAL_ADMIN_USER).",
                identifier(&wish.old_user)
            ),
        )];
    }
    let role = inventory.role(&wish.owner_role);
    let ours = |role: &Role| {
        role.comment
            .as_deref()
            .is_some_and(|comment| comment.starts_with(OWNER_COMMENT))
    };
    match role.filter(|role| !ours(role)) {
        None if wish.lost_grants == LostGrants::Refuse => {
            super::owner_role::lost(context).into_iter().collect()
        }
        Some(role) => vec![Finding::new(
            "owner_role_exists",
            format!(
                "There is a role `{}` already, and this tool did not make it.",
                role.name
            ),
            "choose another name with --owner-role.",
        )],
        None => Vec::new(),
    }
}

fn administrator(context: &Context<'_>) -> Vec<Finding> {
    let inventory = context.inventory;
    let admin = &inventory.admin;
    let Some(role) = inventory.role(admin) else {
        return Vec::new();
    };
    if !role.createrole && !role.superuser {
        return vec![Finding::new(
            "no_createrole",
            format!("`{admin}` may not make roles."),
            "run this as the master user (SAL_ADMIN_USER, SAL_ADMIN_PASS).",
        )];
    }
    let mut wanted = vec![RDS_IAM];
    if context.way == Way::Member {
        wanted.push(&context.wish.old_user);
    }
    if context.wish.rds_superuser == RdsSuperuser::Grant {
        wanted.push(RDS_SUPERUSER);
    }
    let missing = wanted.into_iter().filter(|name| {
        let done = context.is_member(&context.wish.new_user, name);
        !done && inventory.role(name).is_some_and(|role| !role.grantable)
    });
    missing
        .map(|name| {
            Finding::new(
                "no_admin_option",
                format!("`{admin}` may not grant `{name}`: from Postgres 16 on that takes ADMIN OPTION on it."),
                format!("as whoever made `{name}`, or as a superuser: GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE. After an upgrade from 15 the master user may lack it.", identifier(name), identifier(admin)),
            )
        })
        .collect()
}

/// While IAM authentication is off, members of `rds_iam` log in with their passwords; switching it on ends that at once.
pub(super) fn flag_would_lock_out(inventory: &Inventory, aws: Option<&AwsSide>) -> Option<Finding> {
    let is_off = aws.is_some_and(|side| side.target.iam_enabled == Some(false));
    let admin = &inventory.admin;
    let chain = inventory.graph.iam_chain(admin).filter(|_| is_off)?;
    let last = chain.iter().rev().nth(1).map_or("", String::as_str);
    Some(Finding::new(
        "flag_would_lock_out",
        format!(
            "`{admin}` is in {RDS_IAM} ({}): its password works only as long as IAM authentication of the database is off, and this would switch it on.",
            chain.join(" -> ")
        ),
        format!(
            "REVOKE {RDS_IAM} FROM {}; the move grants it again so that nobody else is in it.",
            identifier(last)
        ),
    ))
}

fn new_user(context: &Context<'_>) -> Vec<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    let Some(new) = inventory.role(&wish.new_user) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let rds_superuser = inventory.graph.path(&new.name, RDS_SUPERUSER);
    if new.superuser || (rds_superuser.is_some() && wish.rds_superuser == RdsSuperuser::Leave) {
        found.push(Finding::new(
            "new_user_too_strong",
            format!(
                "`{}` has the rights of a master user{}.",
                new.name,
                rds_superuser
                    .map(|chain| format!(" ({})", chain.join(" -> ")))
                    .unwrap_or_default()
            ),
            format!(
                "REVOKE {RDS_SUPERUSER} FROM {}; or keep it with --grant-rds-superuser.",
                identifier(&new.name)
            ),
        ));
    }
    for database in &inventory.databases {
        if !database.owned_by_new.is_empty() {
            found.push(Finding::new(
                "new_user_owns_objects",
                format!(
                    "`{}` owns {} objects in `{}`, such as {}; the old user cannot use them.",
                    new.name,
                    database.owned_by_new.len(),
                    database.name,
                    database
                        .owned_by_new
                        .first()
                        .map_or("", |owned| &owned.name)
                ),
                // As a member of both, the administrator would have to log in with IAM.
                format!(
                    "as `{}` itself, logged in to `{}` with a token (`sal iam psql`): SET ROLE NONE; REASSIGN OWNED BY {} TO {}. Never make the administrator a member of it for that.",
                    new.name,
                    database.name,
                    identifier(&new.name),
                    identifier(context.works_as)
                ),
            ));
        }
    }
    found.extend(shut(context));
    found
}

/// Whoever is a member of the new user would log in with IAM only, too.
fn members_of_the_new_user(context: &Context<'_>) -> Vec<Finding> {
    let (new, inventory) = (&context.wish.new_user, context.inventory);
    let stuck = |edge: &&Edge| !context.can_revoke(edge);
    let locked = inventory.graph.members(new).filter(stuck);
    locked
        .map(|edge| {
            Finding::new(
                "would_lock_out",
                format!("`{}` is a member of `{new}` (granted by {}), so that `GRANT {RDS_IAM} TO {new}` would end its password login at once.", edge.member, edge.grantor),
                if edge.admin && inventory.major() >= 16 {
                    "this is Postgres 16's membership of whoever made the role, and it cannot be revoked. Nobody has to be its member: end its sessions and take away what it owns or was granted (`sal iam status`), and start again, which makes the role once more; or choose another name with --user.".to_owned()
                } else {
                    format!("as {}: REVOKE {} FROM {}.", edge.grantor, identifier(new), identifier(&edge.member))
                },
            )
        })
        .collect()
}
