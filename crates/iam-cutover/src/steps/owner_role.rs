//! For a deployment that uses the master user: its objects move to a role of their own first.

use crate::{
    inventory::{Database, DefaultPrivilege},
    plan::Way,
    sql::{identifier, literal},
    steps::{Action, Context, LoginEffect, Step},
};

pub(super) fn steps(context: &Context<'_>) -> Vec<Step> {
    if context.way != Way::OwnerRole {
        return Vec::new();
    }
    let mut steps = Vec::new();
    steps.extend(create(context));
    for database in &context.inventory.databases {
        steps.extend(move_objects(context, database));
    }
    steps.extend(work_as_owner(context));
    steps
}

fn create(context: &Context<'_>) -> Option<Step> {
    let (owner, old) = (&context.wish.owner_role, &context.wish.old_user);
    let (role, user) = (identifier(owner), identifier(old));
    let exists = context.inventory.role(owner).is_some();
    let member = context.is_member(old, owner);
    if exists && member {
        return None;
    }
    let mut statements = Vec::new();
    if !exists {
        statements.push(format!("CREATE ROLE {role} NOLOGIN"));
        statements.push(format!(
            "COMMENT ON ROLE {role} IS {}",
            literal(&format!("{COMMENT}{old}"))
        ));
    }
    let options = if context.inventory.major() >= 16 {
        " WITH INHERIT TRUE, SET TRUE"
    } else {
        ""
    };
    statements.push(format!("GRANT {role} TO {user}{options}"));
    Some(Step {
        id: "create-owner-role".to_owned(),
        what: format!("Make the role {owner}, which cannot log in, and {old} a member of it"),
        why: format!(
            "{old} is the master user. Were {new} a member of it, the application would have rds_superuser; a role that only owns the deployment's objects gives it what it needs.",
            new = context.wish.new_user
        ),
        action: context.sql(statements),
        verified_by: format!("pg_roles has {owner} without LOGIN"),
        undo: if exists {
            vec![format!("REVOKE {role} FROM {user}")]
        } else {
            vec![format!("DROP ROLE IF EXISTS {role}")]
        },
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
}

fn move_objects(context: &Context<'_>, database: &Database) -> Option<Step> {
    let owner = &context.wish.owner_role;
    let (to, from) = (identifier(owner), identifier(&context.wish.old_user));
    let name = identifier(&database.name);
    if database.owned_by_old.is_empty() && context.inventory.role(owner).is_some() {
        return None;
    }
    let mut given = vec![
        (
            "CONNECT, TEMPORARY, CREATE".to_owned(),
            format!("DATABASE {name}"),
        ),
        ("USAGE, CREATE".to_owned(), "SCHEMA public".to_owned()),
    ];
    let passable = database.grants_to_old.iter().filter(|grant| grant.passable);
    given.extend(passable.map(|grant| (grant.privilege.clone(), grant.on.clone())));
    let mut statements: Vec<String> = given
        .iter()
        .map(|(privilege, on)| format!("GRANT {privilege} ON {on} TO {to}"))
        .collect();
    let alter = |role: &str| -> Vec<String> {
        let owned = database.owned_by_old.iter();
        owned
            .map(|owned| format!("ALTER {} {} OWNER TO {role}", owned.kind, owned.name))
            .collect()
    };
    statements.extend(alter(&to));
    let defaults = database.default_privileges.iter();
    statements.extend(defaults.map(|default| default_privilege(owner, default, "GRANT", "TO")));
    let mut undo = alter(&from);
    // What the role had from an earlier run, it keeps: undoing this one must not touch it.
    if context.inventory.role(owner).is_none() {
        let defaults = database.default_privileges.iter();
        undo.extend(defaults.map(|default| default_privilege(owner, default, "REVOKE", "FROM")));
        undo.extend(
            given
                .iter()
                .map(|(privilege, on)| format!("REVOKE {privilege} ON {on} FROM {to}")),
        );
    }
    Some(Step {
        id: format!("move-objects@{}", database.name),
        what: format!("Give {} objects of {} in {} to {owner}", database.owned_by_old.len(), context.wish.old_user, database.name),
        why: "Altering a table, which a server's upgrade does, takes its owner. What belongs to another object (sequences of columns, members of extensions) follows it or stays.".to_owned(),
        action: Action::Sql {
            database: database.name.clone(),
            statements,
        },
        verified_by: format!("{} owns nothing in {} any more", context.wish.old_user, database.name),
        undo,
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
}

fn default_privilege(owner: &str, default: &DefaultPrivilege, verb: &str, word: &str) -> String {
    let schema = default.schema.as_ref().map_or_else(String::new, |schema| {
        format!(" IN SCHEMA {}", identifier(schema))
    });
    format!(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {}{schema} {verb} {} ON {} {word} {}{}",
        identifier(owner),
        default.privilege,
        default.objects,
        default
            .grantee
            .as_ref()
            .map_or("PUBLIC".to_owned(), |grantee| identifier(grantee)),
        if default.grantable && verb == "GRANT" {
            " WITH GRANT OPTION"
        } else {
            ""
        }
    )
}

/// Until the switch, the deployment still logs in as the master user and must make objects with the same owner.
fn work_as_owner(context: &Context<'_>) -> Option<Step> {
    let (owner, old) = (&context.wish.owner_role, &context.wish.old_user);
    let role = context.old()?;
    let missing: Vec<&String> = context
        .wish
        .databases
        .iter()
        .filter(|database| role.setting(database, "role") != Some(owner))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let user = identifier(old);
    let each = |end: &str| -> Vec<String> {
        let line = |database: &&String| {
            format!(
                "ALTER ROLE {user} IN DATABASE {} {end}",
                identifier(database)
            )
        };
        missing.iter().map(line).collect()
    };
    Some(Step {
        id: "old-user-works-as-owner".to_owned(),
        what: format!("Let sessions of {old} in {} work as {owner}", context.wish.databases.join(", ")),
        why: "Until the switch the deployment still logs in as the master user; what it makes meanwhile must have the same owner. An administrator's session begins with SET ROLE NONE there.".to_owned(),
        action: context.sql(each(&format!("SET role = {}", literal(owner)))),
        verified_by: format!("a new session of {old} has current_user = {owner}"),
        undo: each("RESET role"),
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
}

/// How the comment of an owner role that this tool made begins.
pub(crate) const COMMENT: &str = "Owner of what belonged to ";
