//! What the database has to be like: roles, memberships, privileges, settings, room for connections.

use super::{Facts, Server, diagnosis, ownership};
use crate::{
    check::Check,
    compare::Difference,
    inventory::{Inventory, Policy, RDS_SUPERUSER, Role},
    sql::{identifier, setting_value},
};

const NOBODY: &str = "nobody could log in to look";

pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let Some(inventory) = &facts.inventory else {
        return vec![Check::unknown(
            "roles",
            "Roles in the database",
            NOBODY,
            "set SAL_ADMIN_USER and SAL_ADMIN_PASS (the master user), or fix the login above",
        )];
    };
    let mut checks = vec![new_user(facts, inventory)];
    checks.extend(others_in_rds_iam(facts, inventory));
    checks.push(works_as(facts, inventory));
    checks.push(privileges(facts));
    checks.push(ownership::check(facts, inventory));
    checks.extend(old_user(facts, inventory));
    checks.extend(row_level_security(facts, inventory));
    checks.extend(event_triggers(inventory));
    if !facts.unread.is_empty() {
        checks.push(Check::unknown(
            "databases",
            "Every database of the deployment",
            format!(
                "these could not be looked at, and no line speaks for them: {}",
                facts.unread.join("; ")
            ),
            "give the administrator access to them",
        ));
    }
    checks
}

fn new_user(facts: &Facts, inventory: &Inventory) -> Check {
    let name = &facts.wish.new_user;
    let title = format!("The role {name}");
    let Some(role) = inventory.role(name) else {
        let folded = inventory
            .roles
            .keys()
            .find(|found| found.eq_ignore_ascii_case(name));
        let evidence = folded.map_or_else(
            || "it does not exist".to_owned(),
            |found| {
                format!(
                    "it does not exist; there is `{found}`, and names are case-sensitive for IAM"
                )
            },
        );
        return Check::problem(
            "new-role",
            title,
            evidence,
            "`sal iam plan` shows what makes it; `sal iam apply` does it",
        );
    };
    let strong = inventory.graph.path(name, RDS_SUPERUSER);
    match (role.login, inventory.graph.iam_chain(name)) {
        (false, _) => Check::problem(
            "new-role",
            title,
            "it has NOLOGIN",
            opened_by(role, "LOGIN"),
        ),
        (true, None) => Check::problem(
            "new-role",
            title,
            "it is not a member of rds_iam: RDS takes a token for a password",
            "`sal iam apply`, which grants it last",
        ),
        (true, Some(_)) if strong.is_some() => Check::attention(
            "new-role",
            title,
            format!(
                "it is a member of rds_superuser ({}), as the wiki page says: far too strong, and of no use for reading tables",
                strong.unwrap_or_default().join(" -> ")
            ),
            format!("REVOKE rds_superuser FROM {}", identifier(name)),
        ),
        (true, Some(chain)) => {
            Check::ok("new-role", title, format!("LOGIN, {}", chain.join(" -> ")))
        }
    }
}

/// Who else has to log in with IAM: the administrator and the old user above all.
fn others_in_rds_iam(facts: &Facts, inventory: &Inventory) -> Vec<Check> {
    let (wish, title) = (&facts.wish, "Who else has to log in with IAM");
    let reaching = |role: &&Role| {
        let chain = inventory.graph.iam_chain(&role.name)?;
        (role.name != wish.new_user).then(|| (role.name.clone(), chain.join(" -> ")))
    };
    let logins: Vec<(String, String)> = inventory
        .logins()
        .filter_map(|role| reaching(&role))
        .collect();
    let important = |name: &str| {
        name == wish.old_user
            || facts
                .aws
                .flag_owner()
                .is_some_and(|target| target.master_username.as_deref() == Some(name))
            || inventory.is_master(name)
    };
    let on_purpose = |name: &str| facts.master_is_on_iam(name);
    let (locked, others): (Vec<_>, Vec<_>) = logins
        .into_iter()
        .partition(|(name, _)| important(name) && !on_purpose(name));
    let shown = |list: &[(String, String)]| {
        list.iter()
            .map(|(name, chain)| format!("{name} ({chain})"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut checks = Vec::new();
    for (name, chain) in &locked {
        let member_of = chain.split(" -> ").nth(1).unwrap_or_default().to_owned();
        checks.push(Check::problem(
            "locked-out",
            format!("`{name}` is LOCKED OUT of its password"),
            format!("`{name}` is in rds_iam ({chain}): its password does not work any more"),
            format!(
                "{}; the right direction is GRANT {} TO {}",
                diagnosis::way_out(name, &member_of, facts),
                identifier(&wish.old_user),
                identifier(&wish.new_user)
            ),
        ));
    }
    if locked.is_empty() && others.is_empty() {
        checks.push(Check::ok("rds-iam-members", title, "nobody"));
    } else if !others.is_empty() {
        checks.push(Check::ok("rds-iam-members", title, shown(&others)));
    }
    checks
}

fn works_as(facts: &Facts, inventory: &Inventory) -> Check {
    let wish = &facts.wish;
    let title = "SET role: whose the new user's objects are";
    let Some(role) = inventory.role(&wish.new_user) else {
        return Check::unknown("set-role", title, "the role does not exist yet", "");
    };
    let mut missing = Vec::new();
    for database in &wish.databases {
        match role.setting(database, "role") {
            None => missing.push(format!(
                "no role is set in {database}: new tables would belong to {}",
                wish.new_user
            )),
            Some(set) if set != wish.old_user && set != wish.owner_role => {
                missing.push(format!("the role is set to {set} in {database}, which is neither the old user nor the owner role"));
            }
            Some(set)
                if inventory
                    .graph
                    .members(set)
                    .all(|edge| edge.member != wish.new_user) =>
            {
                missing.push(format!("the role is set to {set} in {database}, but {} is no member of it: Postgres only warns, and the session goes on as {}", wish.new_user, wish.new_user));
            }
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        let works_as = wish
            .databases
            .first()
            .and_then(|database| role.setting(database, "role"))
            .unwrap_or_default();
        return Check::ok("set-role", title, format!("sessions work as {works_as}"));
    }
    let title = "SET role of the new user is missing or has no effect";
    Check::problem("set-role", title, missing.join("; "), "`sal iam apply`")
}

fn privileges(facts: &Facts) -> Check {
    let reference = works_as_role(facts);
    let title = |are: &str| format!("Privileges of {} and {reference}{are}", facts.wish.new_user);
    match &facts.differences {
        None => Check::unknown(
            "privileges",
            title(""),
            "one of the roles does not exist, or nobody could look",
            "",
        ),
        Some(found) if found.is_empty() => Check::ok(
            "privileges",
            title(" are equal"),
            "no difference in tables, columns, sequences, functions, types, schemas, databases, ownership, limit and settings",
        ),
        Some(found) => {
            let first: Vec<String> = found
                .iter()
                .take(3)
                .map(|difference| {
                    format!(
                        "{} {} on {}",
                        difference.kind, difference.privilege, difference.object
                    )
                })
                .collect();
            let evidence = format!("{} differences, such as {}", found.len(), first.join(", "));
            differ(found, title(" DIFFER"), evidence, facts)
        }
    }
}

/// A difference, with what levels the worst of its kinds.
fn differ(found: &[Difference], title: String, evidence: String, facts: &Facts) -> Check {
    const ID: &str = "privileges";
    let new = identifier(&facts.wish.new_user);
    let is_setting = |difference: &&Difference| difference.kind == "setting";
    let limit = |difference: &Difference| difference.kind == "connection limit";
    if !found.iter().all(|one| is_setting(&one) || limit(one)) {
        let next = "`sal iam apply` makes the new user a member of the old one, or says what is in the way";
        return Check::problem(ID, title, evidence, next);
    }
    let uncopyable = |name: &str| {
        let inventory = facts.inventory.as_ref();
        inventory.is_some_and(|inventory| inventory.uncopyable.contains(name))
    };
    let setting = found.iter().filter(is_setting).find_map(|difference| {
        let (name, value) = difference.privilege.split_once('=')?;
        (!uncopyable(name)).then(|| {
            let within = match difference.object.as_str() {
                "*" => String::new(),
                database => format!(" IN DATABASE {}", identifier(database)),
            };
            (name, setting_value(name, value), within)
        })
    });
    if let Some((name, value, within)) = setting {
        let why = match name {
            "search_path" => ": the new user looks for tables elsewhere",
            _ => "",
        };
        let next = format!("`sal iam apply`, or ALTER ROLE {new}{within} SET {name} = {value}");
        return Check::problem(ID, title, format!("{evidence}{why}"), next);
    }
    if found.iter().any(limit) {
        let next =
            format!("`sal iam apply`, or ALTER ROLE {new} CONNECTION LIMIT as the old user has it");
        return Check::attention(ID, title, evidence, next);
    }
    let next = "settings only a superuser may give cannot be copied on RDS";
    Check::attention(ID, title, evidence, next)
}

/// The role that the new user works as: the old user, or the owner role.
pub(super) fn works_as_role(facts: &Facts) -> String {
    let home = facts
        .wish
        .databases
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let new = facts
        .inventory
        .as_ref()
        .and_then(|inventory| inventory.role(&facts.wish.new_user));
    let set = new.and_then(|new| new.setting(home, "role"));
    set.filter(|set| *set == facts.wish.owner_role)
        .unwrap_or(&facts.wish.old_user)
        .to_owned()
}

fn old_user(facts: &Facts, inventory: &Inventory) -> Vec<Check> {
    let wish = &facts.wish;
    let title = format!("The old user {}", wish.old_user);
    let Some(role) = inventory.role(&wish.old_user) else {
        return vec![Check::problem(
            "old-user",
            title,
            "it does not exist",
            "name the deployment's user with --old-user",
        )];
    };
    let mut checks = Vec::new();
    if inventory.is_master(&role.name) {
        checks.push(Check::attention(
            "old-user",
            title.clone(),
            "it is the master user: the application has rights it should not have",
            "`sal iam plan` moves the objects to a role of their own first",
        ));
    }
    checks.push(if role.login {
        Check::ok(
            "old-user",
            title,
            format!("LOGIN, {} sessions", role.sessions),
        )
    } else {
        Check::ok(
            "old-user",
            title,
            "NOLOGIN: the move was finalized; `sal iam rollback` brings it back",
        )
    });
    if !inventory.further_databases.is_empty() {
        checks.push(Check::attention(
            "further-databases",
            "Other databases of the old user",
            inventory.further_databases.join(", "),
            "name those that the deployment uses with --database",
        ));
    }
    checks
}

/// From Postgres 16 on nobody but a superuser may alter what the move made.
pub(super) fn opened_by(role: &Role, what: &str) -> String {
    let statement = format!("ALTER ROLE {} {what}", identifier(&role.name));
    match role.grantable {
        true => format!("`sal iam apply`, or {statement}"),
        false => format!(
            "as a superuser, which RDS gives to nobody: {statement}; otherwise move to another user: `sal iam apply --user NAME`"
        ),
    }
}

fn row_level_security(facts: &Facts, inventory: &Inventory) -> Vec<Check> {
    let works_as = works_as_role(facts);
    let all = inventory.databases.iter();
    let policies: Vec<&Policy> = all
        .flat_map(|database| &database.policies_of_old)
        .filter(|policy| works_as != facts.wish.owner_role || !policy.is_for_owner_role)
        .collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = policies.iter().map(|policy| policy.shown()).collect();
    if works_as != facts.wish.old_user {
        return vec![Check::problem(
            "row-level-security",
            "Row level security",
            format!(
                "policies name {} ({}); the new user works as {works_as} and is no member of it, so that they do not hold for it",
                facts.wish.old_user,
                names.join(", ")
            ),
            format!(
                "ALTER POLICY … TO {} for each of them",
                identifier(&works_as)
            ),
        )];
    }
    vec![Check::ok(
        "row-level-security",
        "Row level security",
        format!(
            "policies name the old user ({}); they hold for the new one as its member",
            names.join(", ")
        ),
    )]
}

fn event_triggers(inventory: &Inventory) -> Vec<Check> {
    let title = "Event triggers";
    let each = inventory.databases.iter().flat_map(|database| {
        let triggers = database.event_triggers.iter();
        triggers.map(|trigger| (&database.name, trigger))
    });
    each.map(|(database, trigger)| {
        let evidence = format!(
            "`{}` in {database} runs {} of `{}` at {}, as whoever makes the change",
            trigger.name, trigger.function, trigger.owner, trigger.event
        );
        if trigger.is_administrators {
            return Check::attention("event-triggers", title, evidence, "look whether it refuses what a move changes");
        }
        Check::problem(
            "event-triggers",
            title,
            format!("{evidence}; the owner of the function may less than an administrator, and can replace it"),
            format!("as whoever made it: ALTER EVENT TRIGGER {} DISABLE", identifier(&trigger.name)),
        )
    })
    .collect()
}

/// Requirement 3, and what a busy server adds.
pub(super) fn limits(facts: &Facts) -> Vec<Check> {
    let title = "Postgres version (requirement 3: tested from 15.5 on)";
    let Some(server) = &facts.server else {
        let told = facts
            .aws
            .flag_owner()
            .map(|target| target.engine_version.clone());
        return vec![match told {
            Some(version) => Check::unknown(
                "postgres-version",
                title,
                format!("RDS says {version}; {NOBODY}"),
                "",
            ),
            None => Check::unknown("postgres-version", title, NOBODY, "fix the login first"),
        }];
    };
    let mut checks = vec![postgres_version(title, server), room(server)];
    checks.extend(force_ssl(server));
    if server.long_transactions > 0 {
        checks.push(Check::attention(
            "long-transactions",
            "Long transactions",
            format!(
                "{} sessions have been in a transaction for more than five minutes",
                server.long_transactions
            ),
            "a step that waits for a lock longer than five seconds is undone; end them first",
        ));
    }
    checks
}

fn postgres_version(title: &str, server: &Server) -> Check {
    let number = server.version_number;
    if number < 120_000 {
        return Check::problem(
            "postgres-version",
            title,
            server.version.clone(),
            "upgrade first; this tool knows 12 to 18",
        );
    }
    if number < 150_005 {
        return Check::attention(
            "postgres-version",
            title,
            format!(
                "{}: IAM works from 10 on, but Sal's page was tested from 15.5 on only",
                server.version
            ),
            "rehearse with `sal lab up` or on a snapshot; or upgrade",
        );
    }
    if number >= 160_000 {
        return Check::ok(
            "postgres-version",
            title,
            format!(
                "{}; from 16 on granting a role takes ADMIN OPTION on it, and whoever makes a role becomes its member: the plan takes care of both",
                server.version
            ),
        );
    }
    Check::ok("postgres-version", title, server.version.clone())
}

fn room(server: &Server) -> Check {
    let title = "Room for connections";
    let evidence = format!(
        "{} of {} in use",
        server.connections, server.most_connections
    );
    // During the switch old and new deployment hold their connections side by side.
    if server.connections.saturating_mul(2) > server.most_connections {
        return Check::attention(
            "connections",
            title,
            evidence,
            "while old and new deployment run side by side there are twice as many; lower the pools (SAL_DB_POOL_SIZE) or raise max_connections",
        );
    }
    Check::ok("connections", title, evidence)
}

fn force_ssl(server: &Server) -> Option<Check> {
    match server.force_ssl.as_deref()? {
        "1" | "on" => Some(Check::ok(
            "force-ssl",
            "TLS is required (rds.force_ssl)",
            "on",
        )),
        _ => Some(Check::attention(
            "force-ssl",
            "TLS is not required (rds.force_ssl)",
            "off: password users may send their password in clear",
            "set rds.force_ssl=1; IAM users need TLS anyhow",
        )),
    }
}
