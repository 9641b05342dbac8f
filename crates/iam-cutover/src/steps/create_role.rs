//! Makes the new user: a login without a password, with the old one's connection limit.

use crate::{
    inventory::{CLUSTER, Database, Edge, Inventory, Role},
    plan::Finding,
    sql::{identifier, literal},
    steps::{Context, MOVE, Part, Step},
    wish::Wish,
};

pub(super) struct CreateRole;

impl Part for CreateRole {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        match context.new_role() {
            Some(new) => alter(context, new).into_iter().collect(),
            None => vec![create(context)],
        }
    }

    /// Only a role that this tool made, that the administrator may drop, and that nobody uses.
    fn dispose(&self, context: &Context<'_>, warnings: &mut Vec<Finding>) -> Vec<Step> {
        let Some(new) = context.new_role() else {
            return Vec::new();
        };
        if let Some(why_not) = keeps(new, &context.inventory.mentions_of_new) {
            warnings.push(Finding::new(
                "role_stays",
                format!("`{}` is not dropped: {why_not}.", new.name),
                "it cannot log in and does no harm.",
            ));
            return Vec::new();
        }
        vec![
            Step::new(
                "drop-role",
                format!("Drop {}", new.name),
                context.sql(vec![format!("DROP ROLE {}", identifier(&new.name))]),
            )
            .because("The move made it, and it owns nothing.")
            .verified_by(format!("pg_roles has no {}", new.name)),
        ]
    }
}

/// What keeps the role from being dropped.
fn keeps(new: &Role, mentions: &[String]) -> Option<String> {
    let ours = new.comment.as_deref();
    if !ours.is_some_and(|comment| comment.starts_with(COMMENT)) {
        return Some("it was there before".to_owned());
    }
    if !new.grantable {
        return Some("nobody but a superuser may".to_owned());
    }
    in_use(new, mentions)
}

fn in_use(new: &Role, mentions: &[String]) -> Option<String> {
    if new.sessions > 0 {
        return Some("it still has sessions".to_owned());
    }
    let place = mentions.first()?;
    Some(format!("something in {place} belongs or was granted to it"))
}

/// The inventory without a new user that has to be made once more: from Postgres 16 on, whoever made it the wiki page's
/// way is its member for good, and would have to log in with IAM, too. Only one that nobody uses yet, and that the
/// administrator may drop.
pub(crate) fn remade(wish: &Wish, inventory: &Inventory) -> Option<Inventory> {
    let new = inventory.role(&wish.new_user)?;
    let of_the_maker = |edge: &Edge| edge.admin && edge.grantor != inventory.admin;
    let mut members = inventory.graph.members(&wish.new_user);
    if inventory.major() < 16
        || !members.any(of_the_maker)
        || !new.grantable
        || in_use(new, &unremovable(inventory)).is_some()
    {
        return None;
    }
    let mut without = inventory.clone();
    without.roles.remove(&wish.new_user);
    let is_about = |edge: &Edge| edge.member == wish.new_user || edge.role == wish.new_user;
    without.graph.edges.retain(|edge| !is_about(edge));
    without.replaces_new = true;
    Some(without)
}

/// Where something belongs to the new user, or was granted to it that the administrator cannot take away: `GRANT ALL ON
/// DATABASE`, as on the wiki page, can be taken away by the database's owner.
fn unremovable(inventory: &Inventory) -> Vec<String> {
    let owns = |database: &Database| database.owner == inventory.admin;
    let may = inventory.databases.iter().all(owns);
    let places = inventory.mentions_of_new.iter();
    places
        .filter(|place| !(may && *place == CLUSTER))
        .cloned()
        .collect()
}

fn create(context: &Context<'_>) -> Step {
    let new = &context.wish.new_user;
    let (helped, again) = (context.needs_helper(), context.inventory.replaces_new);
    let name = identifier(new);
    let mut statements = Vec::new();
    if again {
        let databases = context.inventory.databases.iter();
        let owned = databases.filter(|database| database.owner == context.inventory.admin);
        statements.extend(owned.map(|database| {
            let database = identifier(&database.name);
            format!("REVOKE ALL ON DATABASE {database} FROM {name}")
        }));
        statements.push(format!("DROP ROLE {name}"));
    }
    statements.extend(match helped {
        true => with_helper(context),
        false => plain(context),
    });
    let what = match again {
        true => format!("Drop the role {new} and make it once more, so that nobody is its member"),
        false => format!("Make the role {new}, without a password"),
    };
    let why = match helped {
        true => {
            "From Postgres 16 on the maker of a role becomes its member, and whoever is a member of an IAM user must log in with IAM too. A helper role makes it and is dropped in the same transaction, so that the membership goes with it."
        }
        false => {
            "A role without a password can log in with nothing but a token. It gets no attribute; the connection limit is not inherited and is copied."
        }
    };
    Step::new("create-role", what, context.sql(statements))
        .because(why)
        .verified_by(format!(
            "pg_roles has {new} with LOGIN and the limit; nobody became a member of it or of rds_iam"
        ))
        .undone_by(match helped {
            // Nobody has ADMIN OPTION on it any more, so it cannot be dropped; it cannot log in either.
            true => Vec::new(),
            false => vec![format!("DROP ROLE IF EXISTS {name}")],
        })
}

/// What an existing role lacks, as far as the administrator may alter it.
fn alter(context: &Context<'_>, new: &Role) -> Option<Step> {
    let statements = alterations(context, new);
    if statements.is_empty() || context.alters_itself() {
        return None;
    }
    let step = Step::new(
        "create-role",
        format!("Set the existing role {} right", new.name),
        context.sql(statements),
    );
    Some(
        step.because(
            "It gets no attribute but LOGIN; the connection limit is not inherited and is copied.",
        )
        .verified_by(format!(
            "pg_roles has {} with LOGIN and the limit",
            new.name
        ))
        .undone_by(restorations(new)),
    )
}

fn alterations(context: &Context<'_>, new: &Role) -> Vec<String> {
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

fn restorations(new: &Role) -> Vec<String> {
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

/// What a role that nobody may alter keeps from logging in; it can give itself settings, and nothing else.
pub(crate) fn shut(context: &Context<'_>) -> Option<Finding> {
    let new = context.new_role().filter(|_| context.alters_itself())?;
    let name = identifier(&new.name);
    let (what, statement) = match (new.login, new.connection_limit) {
        (false, _) => ("has NOLOGIN", format!("ALTER ROLE {name} LOGIN")),
        (true, 0) => (
            "has CONNECTION LIMIT 0",
            format!("ALTER ROLE {name} CONNECTION LIMIT {}", limit(context)),
        ),
        _ => return None,
    };
    Some(Finding::new(
        "new_user_cannot_be_altered",
        format!(
            "`{}` {what}, and `{}` may not alter it: from Postgres 16 on that takes ADMIN OPTION, which nobody has, so that nobody is a member of an IAM user.",
            new.name, context.inventory.admin
        ),
        format!(
            "as a superuser, which RDS gives to nobody: {statement}. Otherwise choose another name with --user, and the policy for it (`sal iam policy --user NAME`); the role that is there does no harm."
        ),
    ))
}

/// A limit that differs and cannot be set.
pub(crate) fn limit_stays(context: &Context<'_>) -> Option<Finding> {
    let new = context.new_role().filter(|_| context.alters_itself())?;
    (new.connection_limit != limit(context)).then(|| {
        Finding::new(
            "connection_limit_stays",
            format!(
                "`{}` keeps CONNECTION LIMIT {} where `{}` has {}: from Postgres 16 on only a superuser can change it, because nobody may have ADMIN OPTION on an IAM user without becoming one.",
                new.name, new.connection_limit, context.wish.old_user, limit(context)
            ),
            "leave it if it suffices; or move to another user (--user), who gets the new limit.",
        )
    })
}

fn limit(context: &Context<'_>) -> i32 {
    context.old().map_or(-1, |old| old.connection_limit)
}

fn plain(context: &Context<'_>) -> Vec<String> {
    let name = identifier(&context.wish.new_user);
    let comment = literal(&format!("{COMMENT}{}", context.wish.old_user));
    vec![
        format!(
            "CREATE ROLE {name} LOGIN INHERIT NOCREATEDB NOCREATEROLE PASSWORD NULL CONNECTION LIMIT {}",
            limit(context)
        ),
        format!("COMMENT ON ROLE {name} IS {comment}"),
    ]
}

/// Everything that needs ADMIN OPTION on the new role happens while the helper is there.
fn with_helper(context: &Context<'_>) -> Vec<String> {
    let helper = identifier(HELPER);
    let admin = identifier(&context.inventory.admin);
    let mut statements = vec![
        format!("CREATE ROLE {helper} NOLOGIN CREATEROLE"),
        format!("GRANT {helper} TO {admin} WITH INHERIT FALSE, SET TRUE"),
        format!("SET LOCAL ROLE {helper}"),
    ];
    statements.extend(plain(context));
    statements.extend(MOVE.iter().flat_map(|part| part.alterations(context)));
    statements.push("SET LOCAL ROLE NONE".to_owned());
    statements.push(format!("DROP ROLE {helper}"));
    statements
}

/// How the comment of a role that this tool made begins.
pub(crate) const COMMENT: &str = "IAM login for ";
/// Exists within one transaction only.
const HELPER: &str = "iam_cutover_helper";
