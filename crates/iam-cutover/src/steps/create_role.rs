//! Makes the new user: a login without a password, with the old one's connection limit.

use crate::{
    inventory::Role,
    sql::{identifier, literal},
    steps::{Context, LoginEffect, Step, copy_settings, set_role},
};

pub(super) fn step(context: &Context<'_>) -> Option<Step> {
    let statements = match context.new_role() {
        Some(new) => alterations(context, new),
        None if context.needs_helper() => with_helper(context),
        None => plain(context),
    };
    if statements.is_empty() {
        return None;
    }
    let (new, exists) = (&context.wish.new_user, context.new_role().is_some());
    Some(Step {
        id: "create-role".to_owned(),
        what: if exists {
            format!("Set the existing role {new} right")
        } else {
            format!("Make the role {new}, without a password")
        },
        why: if context.needs_helper() && !exists {
            "From Postgres 16 on the maker of a role becomes its member, and whoever is a member of an IAM user must log in with IAM too. A helper role makes it and is dropped in the same transaction, so that the membership goes with it.".to_owned()
        } else {
            "A role without a password can log in with nothing but a token. It gets no attribute; the connection limit is not inherited and is copied.".to_owned()
        },
        verified_by: format!(
            "pg_roles has {new} with LOGIN and the limit; nobody became a member of it or of rds_iam"
        ),
        undo: if exists {
            restorations(context)
        } else if context.needs_helper() {
            // Nobody has ADMIN OPTION on it any more, so it cannot be dropped; it cannot log in either.
            Vec::new()
        } else {
            vec![format!("DROP ROLE IF EXISTS {}", identifier(new))]
        },
        action: context.sql(statements),
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
}

/// What an existing role lacks.
pub(super) fn alterations(context: &Context<'_>, new: &Role) -> Vec<String> {
    let limit = limit(context);
    let name = identifier(&new.name);
    let mut statements = Vec::new();
    if !new.login {
        statements.push(format!("ALTER ROLE {name} LOGIN"));
    }
    if !new.inherit {
        statements.push(format!("ALTER ROLE {name} INHERIT"));
    }
    if new.connection_limit != limit {
        statements.push(format!("ALTER ROLE {name} CONNECTION LIMIT {limit}"));
    }
    statements
}

fn restorations(context: &Context<'_>) -> Vec<String> {
    let Some(new) = context.new_role() else {
        return Vec::new();
    };
    let name = identifier(&new.name);
    let word =
        |on: bool, word: &str| format!("ALTER ROLE {name} {}{word}", if on { "" } else { "NO" });
    vec![
        word(new.login, "LOGIN"),
        word(new.inherit, "INHERIT"),
        format!(
            "ALTER ROLE {name} CONNECTION LIMIT {}",
            new.connection_limit
        ),
    ]
}

fn limit(context: &Context<'_>) -> i32 {
    context.old().map_or(-1, |old| old.connection_limit)
}

fn create(context: &Context<'_>) -> String {
    format!(
        "CREATE ROLE {} LOGIN INHERIT NOCREATEDB NOCREATEROLE PASSWORD NULL CONNECTION LIMIT {}",
        identifier(&context.wish.new_user),
        limit(context)
    )
}

fn comment(context: &Context<'_>) -> String {
    let text = format!("{COMMENT}{}", context.wish.old_user);
    format!(
        "COMMENT ON ROLE {} IS {}",
        identifier(&context.wish.new_user),
        literal(&text)
    )
}

fn plain(context: &Context<'_>) -> Vec<String> {
    vec![create(context), comment(context)]
}

/// Everything that needs ADMIN OPTION on the new role happens while the helper is there.
fn with_helper(context: &Context<'_>) -> Vec<String> {
    let helper = identifier(HELPER);
    let admin = identifier(&context.inventory.admin);
    let mut statements = vec![
        format!("CREATE ROLE {helper} NOLOGIN CREATEROLE"),
        format!("GRANT {helper} TO {admin} WITH INHERIT FALSE, SET TRUE"),
        format!("SET LOCAL ROLE {helper}"),
        create(context),
        comment(context),
    ];
    statements.extend(set_role::statements(context));
    statements.extend(copy_settings::statements(context));
    statements.push("SET LOCAL ROLE NONE".to_owned());
    statements.push(format!("DROP ROLE {helper}"));
    statements
}

/// How the comment of a role that this tool made begins.
pub(crate) const COMMENT: &str = "IAM login for ";
/// Exists within one transaction only.
const HELPER: &str = "iam_cutover_helper";
