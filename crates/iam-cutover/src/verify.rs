//! The proof after the move: the new user logs in by token over verified TLS, and can do what the old one can.
//!
//! Works with what is there: the new user's own session sees roles, memberships and privileges; the old user's
//! password is tried when it was given. Everything that writes is rolled back.

mod left_behind;

use rds_iam::{LoginStatus, TlsMode, guard, power};
use tokio_postgres::Client;

use crate::{
    check::Check,
    compare::{Difference, compare},
    error::CutoverError,
    inventory::{self, Graph},
    logins::{Logins, Who},
    sql::identifier,
    wish::Wish,
};

/// What was proved.
#[derive(Debug)]
pub struct Verification {
    /// Line by line.
    pub checks: Vec<Check>,
    /// Every difference between old and new, in all databases.
    pub differences: Vec<Difference>,
}

/// Proves it.
pub async fn verify(logins: &Logins, wish: &Wish) -> Verification {
    let mut result = Verification {
        checks: Vec::new(),
        differences: Vec::new(),
    };
    let home = wish
        .databases
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    match logins.attempt(Who::New, home).await {
        None => {
            let next = "run this where the deployment's role can be assumed: in the container";
            result.checks.push(Check::unknown(
                "iam-login",
                LOGIN,
                "there are no AWS credentials here",
                next,
            ));
            return result;
        }
        Some(Err(error)) => {
            let explanation = error.explain();
            result.checks.push(Check::problem(
                "iam-login",
                LOGIN,
                format!("{} {}", explanation.what, explanation.likely_cause),
                explanation.next_step,
            ));
            return result;
        }
        Some(Ok(status)) => result.checks.push(login(&status, logins.base.tls.mode)),
    }
    for database in &wish.databases {
        if let Err(error) = in_database(database, logins, wish, &mut result).await {
            result.checks.push(Check::problem(
                "session",
                format!("A session in {database}"),
                error.to_string(),
                "see `sal iam doctor`",
            ));
        }
    }
    result.checks.push(way_back(home, logins, wish).await);
    result
}

fn login(status: &LoginStatus, tls: TlsMode) -> Check {
    let certificate = status
        .certificate
        .as_ref()
        .map_or_else(String::new, |certificate| {
            format!(
                "; certificate by {} until {}",
                certificate.issuer, certificate.not_after
            )
        });
    let source = status
        .credentials
        .as_ref()
        .and_then(|credentials| credentials.source.clone());
    let evidence = format!(
        "`{}` logged in with a token for {} signed with credentials of {}{certificate}",
        status.user,
        status.sign_name.as_deref().unwrap_or(&status.host),
        source.as_deref().unwrap_or("?"),
    );
    if tls == TlsMode::VerifyFull {
        return Check::ok("iam-login", LOGIN, evidence);
    }
    Check::problem(
        "iam-login",
        LOGIN,
        format!("{evidence}; but the server's certificate is not fully verified"),
        "leave DB_SSLMODE out, or set it to verify-full",
    )
}

async fn in_database(
    database: &str,
    logins: &Logins,
    wish: &Wish,
    result: &mut Verification,
) -> Result<(), CutoverError> {
    let session = logins.open(Who::New, database).await?;
    let db = &session.client;
    let doing = |what: &str| CutoverError::postgres(format!("{what} in {database}"));
    let row = db
        .query_one(WORKS_AS, &[&wish.new_user])
        .await
        .map_err(doing("asking for roles"))?;
    let (works_as, wanted): (String, Option<String>) = (
        row.try_get(0).map_err(doing("asking for roles"))?,
        row.try_get(1).map_err(doing("asking for roles"))?,
    );
    let title = format!("Sessions in {database} work as the owner");
    result.checks.push(match &wanted {
        Some(wanted) if *wanted != wish.old_user && *wanted != wish.owner_role => Check::problem("works-as", title, format!("the role is set to `{wanted}`, which is neither the old user nor the owner role: new objects would get the wrong owner"), "run `sal iam apply`"),
        Some(wanted) if *wanted == works_as => Check::ok("works-as", title, format!("current_user is `{works_as}`, session_user `{}`", wish.new_user)),
        Some(wanted) => Check::problem("works-as", title, format!("current_user is `{works_as}`, although the role is set to `{wanted}`: the membership is gone, and Postgres only warns"), format!("as an administrator: GRANT {} TO {}; or `sal iam apply` again", identifier(wanted), identifier(&wish.new_user))),
        None => Check::problem("works-as", title, format!("current_user is `{works_as}`: no role is set for `{}` here, so that new tables would belong to it", wish.new_user), "run `sal iam apply`"),
    });
    let schemas = guard::deployments_schemas(db).await;
    let schemas = schemas.map_err(doing("asking for schemas"))?;
    let surplus = power::surplus(&schemas, db).await;
    let surplus = surplus.map_err(doing("comparing rights"))?;
    result.checks.push(match surplus {
        Some(surplus) => not_tried(database, &surplus),
        None => writes(database, &works_as, &schemas, db).await,
    });
    let graph = inventory::read_graph(db)
        .await
        .map_err(doing("reading memberships"))?;
    let found = compare(&works_as, &wish.old_user, &wish.new_user, db).await;
    let mut differences = found.map_err(doing("comparing privileges"))?;
    if works_as == wish.owner_role {
        let left = left_behind::differences(database, wish, &graph, db).await;
        let (more, stays) = left.map_err(doing("reading what the old user has"))?;
        differences.extend(more);
        result.checks.extend(stays);
    }
    result
        .checks
        .push(privileges(database, &works_as, wish, &differences));
    result.differences.extend(differences);
    result.checks.push(iam_members(database, wish, &graph));
    session.end().await;
    Ok(())
}

/// A user with many rights does not work in the schema of somebody with few: see `rds_iam::power`.
fn not_tried(database: &str, surplus: &power::Surplus) -> Check {
    Check::attention(
        "writes",
        format!("Reads, writes and DDL in {database}"),
        format!("not tried: {surplus}, and what others put there would run with these rights"),
        "the application needs none of them: take them from the new user, or leave --grant-rds-superuser out",
    )
}

/// Reads, writes and DDL, in a transaction that is rolled back; whose is a new object?
///
/// The table is made where the deployment would make it, and named with its schema.
async fn writes(database: &str, works_as: &str, schemas: &[String], db: &Client) -> Check {
    let title = format!("Reads, writes and DDL in {database}");
    let outcome = async {
        let row = db.query_one(WRITABLE, &[&schemas]).await?;
        let Some(schema) = row.try_get::<_, Option<String>>(0)? else {
            return Ok(None);
        };
        let table = format!("{}.iam_cutover_probe", identifier(&schema));
        db.batch_execute(&WRITES.replace("{table}", &table)).await?;
        let row = db.query_one(OWNER_OF_NEW, &[&schema]).await?;
        row.try_get::<_, String>(0).map(Some)
    }
    .await;
    let rolled_back = db.batch_execute("ROLLBACK").await;
    match (outcome, rolled_back) {
        (Ok(Some(owner)), Ok(())) if owner == works_as => Check::ok(
            "writes",
            title,
            format!(
                "a table was made, altered, indexed, filled, emptied and dropped, and rolled back; it belonged to `{owner}`"
            ),
        ),
        (Ok(Some(owner)), _) => Check::problem(
            "writes",
            title,
            format!("a new table belonged to `{owner}`, not to `{works_as}`"),
            "run `sal iam apply`",
        ),
        (Ok(None), _) => Check::problem(
            "writes",
            title,
            format!(
                "no table can be made in any schema of the search path ({})",
                schemas.join(", ")
            ),
            "run `sal iam apply`; it names what is missing",
        ),
        (Err(error), _) => Check::problem(
            "writes",
            title,
            said(&error),
            "run `sal iam apply`; it names what is missing",
        ),
    }
}

fn said(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned())
}

fn privileges(database: &str, works_as: &str, wish: &Wish, differences: &[Difference]) -> Check {
    let title = format!("Privileges in {database}");
    if works_as == wish.new_user {
        // There is nothing to be compared with.
        let evidence = format!("not compared: sessions work as `{works_as}` itself");
        let next = "run `sal iam apply`, which sets the role, and verify again";
        return Check::unknown("privileges", title, evidence, next);
    }
    if differences.is_empty() {
        return no_difference(works_as, title, wish);
    }
    let first: Vec<String> = differences
        .iter()
        .take(5)
        .map(|found| {
            format!(
                "{} {} on {}: {} / {}",
                found.kind,
                found.privilege,
                found.object,
                found.old.as_deref().unwrap_or("-"),
                found.new.as_deref().unwrap_or("-")
            )
        })
        .collect();
    let only_settings = differences.iter().all(|found| found.kind == "setting");
    let evidence = format!(
        "{} {} (old / new): {}",
        differences.len(),
        if differences.len() == 1 {
            "difference"
        } else {
            "differences"
        },
        first.join("; ")
    );
    if only_settings {
        return Check::attention(
            "privileges",
            title,
            evidence,
            "settings that only a superuser may give a role cannot be copied on RDS; the rest is copied by `sal iam apply`",
        );
    }
    let of_others = ["grant", "membership", "policy"];
    let next = match differences
        .iter()
        .all(|found| of_others.contains(&found.kind.as_str()))
    {
        true => {
            "run `sal iam plan`, which says who can pass them on; where they were left on purpose, say --leave-grants here, too"
        }
        false => "run `sal iam apply` again; it adds what is missing",
    };
    Check::problem("privileges", title, evidence, next)
}

fn no_difference(works_as: &str, title: String, wish: &Wish) -> Check {
    let than_before = match works_as == wish.owner_role {
        true => format!(
            ", and nothing that it could take over is left with `{}`",
            wish.old_user
        ),
        false => String::new(),
    };
    Check::ok(
        "privileges",
        title,
        format!(
            "no difference to `{works_as}` in tables, columns, sequences, functions, types, schemas, databases, ownership, limit and settings{than_before}"
        ),
    )
}

fn iam_members(database: &str, wish: &Wish, graph: &Graph) -> Check {
    let title = format!("Who has to log in with IAM ({database})");
    if graph.iam_chain(&wish.new_user).is_none() {
        return Check::problem(
            "rds-iam",
            title,
            format!("`{}` is not in rds_iam", wish.new_user),
            "run `sal iam apply`",
        );
    }
    if let Some((master, chain)) = graph.locked_out_master(&wish.new_user) {
        return Check::problem(
            "rds-iam",
            title,
            format!(
                "the master user `{master}` is in rds_iam, too ({}): its password does not work",
                chain.join(" -> ")
            ),
            "run `sal iam unlock`, unless it is meant to log in with IAM",
        );
    }
    match graph.iam_chain(&wish.old_user) {
        None => Check::ok(
            "rds-iam",
            title,
            format!(
                "`{}` is in rds_iam, `{}` is not",
                wish.new_user, wish.old_user
            ),
        ),
        Some(chain) => Check::problem(
            "rds-iam",
            title,
            format!(
                "`{}` is in rds_iam, too ({}): its password does not work, and there is no way back",
                wish.old_user,
                chain.join(" -> ")
            ),
            "run `sal iam rollback`, which takes it out",
        ),
    }
}

async fn way_back(home: &str, logins: &Logins, wish: &Wish) -> Check {
    let title = "The way back";
    if logins.old.is_none() {
        return Check::unknown(
            "way-back",
            title,
            format!(
                "the password of `{}` was not given, so it was not tried",
                wish.old_user
            ),
            "set DB_PASS beside DB_USER of the old user, or SAL_OLD_PASS, and verify again",
        );
    }
    match logins.open(Who::Old, home).await {
        Ok(session) => {
            session.end().await;
            Check::ok(
                "way-back",
                title,
                format!("`{}` logs in with its password", wish.old_user),
            )
        }
        Err(CutoverError::Login { explanation, .. }) if explanation.code == "login_forbidden" => {
            Check::ok(
                "way-back",
                title,
                format!(
                    "`{}` was switched off by finalizing; `sal iam rollback` switches it on again",
                    wish.old_user
                ),
            )
        }
        Err(error) => Check::problem(
            "way-back",
            title,
            error.to_string(),
            "fix it before finalizing: without it there is no way back",
        ),
    }
}

const LOGIN: &str = "The new user logs in with IAM";

const WORKS_AS: &str = "
SELECT current_user::text, (
    SELECT pg_catalog.substr(c, 6) FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) c
    WHERE r.rolname = $1::text AND d.datname = pg_catalog.current_database() AND c LIKE 'role=%')";

/// The first schema in which a table can be made, which is where a table without a schema would go.
const WRITABLE: &str = "
SELECT (SELECT n.nspname::text FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
        JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.name
        WHERE pg_catalog.has_schema_privilege(n.oid, 'CREATE') ORDER BY wanted.place LIMIT 1)";

const WRITES: &str = "
BEGIN;
SET LOCAL lock_timeout = '5s';
CREATE TABLE {table} (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, word text);
INSERT INTO {table} (word) VALUES ('one'), ('two');
ALTER TABLE {table} ADD COLUMN number int DEFAULT 1;
CREATE INDEX ON {table} (word);
UPDATE {table} SET number = 2 WHERE word = 'two';
DELETE FROM {table} WHERE word = 'one';
SELECT word FROM {table} FOR UPDATE;";
const OWNER_OF_NEW: &str = "
SELECT pg_catalog.pg_get_userbyid(c.relowner)::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text AND c.relname = 'iam_cutover_probe'";
