//! For a deployment that uses the master user: its objects move to a role of their own first.

use std::collections::BTreeSet;

use crate::{
    inventory::{Database, DefaultPrivilege, DirectGrant, Owned, Policy},
    plan::{Extent, Finding, Way},
    sql::{identifier, literal},
    steps::{Action, Context, Part, Step},
};

pub(super) struct OwnerRole;

impl Part for OwnerRole {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        if context.way != Way::OwnerRole {
            return Vec::new();
        }
        let mut steps = Vec::new();
        steps.extend(create(context));
        steps.extend(memberships(context));
        let databases = context.inventory.databases.iter();
        steps.extend(databases.filter_map(|database| move_objects(context, database)));
        steps.extend(work_as_owner(context));
        steps
    }

    /// Gives the objects back to the master user.
    fn reverse(&self, context: &Context<'_>, extent: Extent) -> Vec<Step> {
        if extent == Extent::Logins || !is_ours(context) {
            return Vec::new();
        }
        let databases = context.inventory.databases.iter();
        databases
            .filter(|database| is_left(context, database))
            .map(|database| give_back(context, database))
            .collect()
    }

    fn dispose(&self, context: &Context<'_>, warnings: &mut Vec<Finding>) -> Vec<Step> {
        let owner = &context.wish.owner_role;
        if !is_ours(context) {
            return Vec::new();
        }
        if let Some(place) = context.inventory.mentions_of_owner_role.first() {
            warnings.push(Finding::new(
                "role_stays",
                format!(
                    "`{owner}` is not dropped: something in {place} belongs or was granted to it."
                ),
                "name that database with --database, too, and roll back again.",
            ));
            return Vec::new();
        }
        vec![
            Step::new(
                "drop-owner-role",
                format!("Drop {owner}"),
                context.sql(vec![format!("DROP ROLE {}", identifier(owner))]),
            )
            .because("It owns nothing any more.")
            .verified_by(format!("pg_roles has no {owner}")),
        ]
    }
}

/// A role of that name that somebody else made is nobody's to dissolve.
fn is_ours(context: &Context<'_>) -> bool {
    let role = context.inventory.role(&context.wish.owner_role);
    let comment = role.and_then(|role| role.comment.as_deref());
    context.way == Way::OwnerRole && comment.is_some_and(|comment| comment.starts_with(COMMENT))
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
    let step = Step::new(
        "create-owner-role",
        format!("Make the role {owner}, which cannot log in, and {old} a member of it"),
        context.sql(statements),
    );
    Some(
        step.because(format!(
            "{old} is the master user. Were {new} a member of it, the application would have rds_superuser; a role that only owns the deployment's objects gives it what it needs.",
            new = context.wish.new_user
        ))
        .verified_by(format!("pg_roles has {owner} without LOGIN"))
        .undone_by(match exists {
            true => vec![format!("REVOKE {role} FROM {user}")],
            false => vec![format!("DROP ROLE IF EXISTS {role}")],
        }),
    )
}

/// What the old user has through other roles, it would lose with `SET role`.
fn memberships(context: &Context<'_>) -> Option<Step> {
    let (owner, old) = (&context.wish.owner_role, &context.wish.old_user);
    let roles: BTreeSet<&str> = context
        .inventory
        .graph
        .memberships_of(context.wish)
        .map(|edge| edge.role.as_str())
        .filter(|role| !context.is_member(owner, role) && context.may_grant(role))
        .collect();
    if roles.is_empty() {
        return None;
    }
    let options = match context.inventory.major() >= 16 {
        true => " WITH INHERIT TRUE, SET TRUE",
        false => "",
    };
    let to = identifier(owner);
    let each = |verb: &str, word: &str, end: &str| -> Vec<String> {
        let line = |role: &&str| format!("{verb} {} {word} {to}{end}", identifier(role));
        roles.iter().map(line).collect()
    };
    let names: Vec<&str> = roles.iter().copied().collect();
    let step = Step::new(
        "pass-on-memberships",
        format!("Make {owner} a member of {}, as {old} is", names.join(", ")),
        context.sql(each("GRANT", "TO", options)),
    );
    Some(
        step.because("Sessions work as the owner role from here on, and would lose what they may through these roles.")
            .verified_by(format!("memberships of {old} and {owner} are compared"))
            .undone_by(each("REVOKE", "FROM", "")),
    )
}

/// Whoever owns something has to be able to make it where it is: schemas of others in which things move.
fn places_of(movable: &[&Owned]) -> Vec<(String, String)> {
    let moves = |name: &str| {
        let is =
            |owned: &&Owned| owned.kind == "SCHEMA" && owned.in_schema.as_deref() == Some(name);
        movable.iter().any(is)
    };
    let places: BTreeSet<&str> = movable
        .iter()
        .filter_map(|owned| owned.in_schema.as_deref())
        .filter(|place| *place != "public" && !moves(place))
        .collect();
    let give = |place: &str| {
        (
            "USAGE, CREATE".to_owned(),
            format!("SCHEMA {}", identifier(place)),
        )
    };
    places.into_iter().map(give).collect()
}

/// What the new owner needs beside the objects: privileges and on what.
fn given(database: &str, movable: &[&Owned], passable: &[&DirectGrant]) -> Vec<(String, String)> {
    let mut given = vec![
        (
            "CONNECT, TEMPORARY, CREATE".to_owned(),
            format!("DATABASE {database}"),
        ),
        ("USAGE, CREATE".to_owned(), "SCHEMA public".to_owned()),
    ];
    given.extend(places_of(movable));
    given.extend(
        passable
            .iter()
            .map(|grant| (grant.privilege.clone(), grant.on.clone())),
    );
    given
}

fn move_objects(context: &Context<'_>, database: &Database) -> Option<Step> {
    let owner = &context.wish.owner_role;
    let (to, from) = (identifier(owner), identifier(&context.wish.old_user));
    let name = identifier(&database.name);
    let movable: Vec<&Owned> = database.movable().collect();
    let passable: Vec<&DirectGrant> = database
        .not_passed_on(owner)
        .filter(|grant| grant.passable)
        .collect();
    let exists = context.inventory.role(owner).is_some();
    let policies: Vec<&Policy> = database
        .policies_to_pass_on()
        .filter(|policy| policy.alterable)
        .collect();
    if movable.is_empty() && passable.is_empty() && policies.is_empty() && exists {
        return None;
    }
    let given = given(&name, &movable, &passable);
    let mut statements: Vec<String> = given
        .iter()
        .map(|(privilege, on)| format!("GRANT {privilege} ON {on} TO {to}"))
        .collect();
    let alter = |role: &str| -> Vec<String> {
        movable
            .iter()
            .map(|owned| format!("ALTER {} {} OWNER TO {role}", owned.kind, owned.name))
            .collect()
    };
    statements.extend(policies.iter().map(|policy| for_roles(policy, Some(&to))));
    statements.extend(alter(&to));
    let defaults = database.default_privileges.iter();
    statements.extend(defaults.map(|default| default_privilege(owner, default, "GRANT", "TO")));
    let mut undo = alter(&from);
    undo.extend(policies.iter().map(|policy| for_roles(policy, None)));
    // What the role had from an earlier run, it keeps: undoing this one must not touch it.
    if !exists {
        let defaults = database.default_privileges.iter();
        undo.extend(defaults.map(|default| default_privilege(owner, default, "REVOKE", "FROM")));
        undo.extend(
            given
                .iter()
                .map(|(privilege, on)| format!("REVOKE {privilege} ON {on} FROM {to}")),
        );
    }
    let (count, old) = (movable.len(), &context.wish.old_user);
    let step = Step::new(
        format!("move-objects@{}", database.name),
        format!(
            "Give {count} objects of {old} in {} to {owner}",
            database.name
        ),
        Action::in_database(&database.name, statements),
    );
    Some(
        step.because("Altering a table, which a server's upgrade does, takes its owner. What belongs to another object (sequences of columns, members of extensions) follows it or stays.")
            .verified_by(format!("{old} owns nothing in {} any more", database.name))
            .undone_by(undo),
    )
}

/// A policy counts for who it names and for members of those; the owner role is no member of the old user.
fn for_roles(policy: &Policy, more: Option<&str>) -> String {
    let mut roles: Vec<&str> = policy.roles.iter().map(String::as_str).collect();
    roles.extend(more);
    format!(
        "ALTER POLICY {} ON {} TO {}",
        policy.name,
        policy.table,
        roles.join(", ")
    )
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
    let databases = context.wish.databases.join(", ");
    let step = Step::new(
        "old-user-works-as-owner",
        format!("Let sessions of {old} in {databases} work as {owner}"),
        context.sql(each(&format!("SET role = {}", literal(owner)))),
    );
    Some(
        step.because("Until the switch the deployment still logs in as the master user; what it makes meanwhile must have the same owner. An administrator's session begins with SET ROLE NONE there.")
            .verified_by(format!("a new session of {old} has current_user = {owner}"))
            .undone_by(each("RESET role")),
    )
}

/// Whether anything of the owner role's is left in a database.
fn is_left(context: &Context<'_>, database: &Database) -> bool {
    let owner = context.wish.owner_role.as_str();
    let works_as = context
        .old()
        .and_then(|old| old.setting(&database.name, "role"));
    database.mentions_owner_role || works_as == Some(owner)
}

fn give_back(context: &Context<'_>, database: &Database) -> Step {
    let (owner, old) = (&context.wish.owner_role, &context.wish.old_user);
    let (from, to) = (identifier(owner), identifier(old));
    let name = &database.name;
    // Everything, also what was made since this was read, and what no list of kinds names; only then the privileges.
    let mut statements = vec![
        format!("REASSIGN OWNED BY {from} TO {to}"),
        format!(
            "ALTER ROLE {to} IN DATABASE {} RESET role",
            identifier(name)
        ),
    ];
    // One by one: DROP OWNED refuses where a privilege on a sequence of somebody else was granted.
    let grants = database.grants_to_owner_role.iter();
    statements.extend(
        grants.map(|grant| format!("REVOKE {} ON {} FROM {from}", grant.privilege, grant.on)),
    );
    statements.push(format!("DROP OWNED BY {from}"));
    let owned = &database.owned_by_owner_role;
    Step::new(
        format!("give-back@{name}"),
        format!("Give {} objects in {name} back to {old}", owned.len()),
        Action::in_database(name, statements),
    )
    .because("As it was before the move.")
    .verified_by(format!("{owner} owns nothing in {name} any more"))
    .undone_by(
        owned
            .iter()
            .map(|owned| format!("ALTER {} {} OWNER TO {from}", owned.kind, owned.name))
            .collect(),
    )
}

/// How the comment of an owner role that this tool made begins.
pub(crate) const COMMENT: &str = "Owner of what belonged to ";
