//! Whose the objects are that the application works with.

use tokio_postgres::{Client, Error, Row};

use super::{Facts, database::works_as_role};
use crate::{check::Check, inventory::Inventory, sql::identifier};

/// A table of the application that belongs to somebody else than who works with it.
#[derive(Clone, Debug)]
pub struct OwnedByOthers {
    /// In which database.
    pub database: String,
    /// Its name, qualified.
    pub table: String,
    /// Its owner.
    pub owner: String,
    /// Who works with it.
    pub works_as: String,
}

pub(super) fn check(facts: &Facts, inventory: &Inventory) -> Check {
    of_the_new_user(facts, inventory)
        .or_else(|| of_others(facts))
        .unwrap_or_else(|| as_it_should_be(facts, inventory))
}

fn of_the_new_user(facts: &Facts, inventory: &Inventory) -> Option<Check> {
    let stray: Vec<String> = inventory
        .databases
        .iter()
        .filter_map(|database| {
            let first = database.owned_by_new.first()?;
            Some(format!(
                "{} objects in {} belong to {}, such as {}",
                database.owned_by_new.len(),
                database.name,
                facts.wish.new_user,
                first.name
            ))
        })
        .collect();
    if stray.is_empty() {
        return None;
    }
    let new = &facts.wish.new_user;
    Some(Check::problem(
        "ownership",
        "Objects belong to the new user",
        stray.join("; "),
        format!(
            "the old user cannot use them: as {new} itself, with a token: SET ROLE NONE; REASSIGN OWNED BY {} TO {} (`sal iam psql`)",
            identifier(new),
            identifier(works_as_role(facts).as_str())
        ),
    ))
}

fn of_others(facts: &Facts) -> Option<Check> {
    let first = facts.owned_by_others.first()?;
    let count = facts.owned_by_others.len();
    Some(Check::problem(
        "ownership",
        "Tables of the application belong to somebody else",
        format!(
            "{count} of them, such as {} in {} of `{}`: sessions work as `{}`, and the next migration fails with \"must be owner\"",
            first.table, first.database, first.owner, first.works_as
        ),
        format!(
            "ALTER TABLE {} OWNER TO {}, and so on, as a role that may act as both owners",
            first.table,
            identifier(&first.works_as)
        ),
    ))
}

fn as_it_should_be(facts: &Facts, inventory: &Inventory) -> Check {
    let title = "Ownership, sequences, default privileges";
    let counts: Vec<String> = inventory
        .databases
        .iter()
        .map(|database| {
            let sequences = database
                .owned_by_old
                .iter()
                .filter(|owned| owned.kind == "SEQUENCE")
                .count();
            format!(
                "{}: {} objects of {}, {} of them sequences of their own, {} default privileges",
                database.name,
                database.owned_by_old.len(),
                facts.wish.old_user,
                sequences,
                database.default_privileges.len()
            )
        })
        .collect();
    Check::ok("ownership", title, counts.join("; "))
}

/// The application's tables whose owner the session's role is not, and cannot act as.
pub(super) async fn owned_by_others(
    works_as: &str,
    database: &str,
    tables: &[String],
    db: &Client,
) -> Result<Vec<OwnedByOthers>, Error> {
    let rows = db.query(OWNED_BY_OTHERS, &[&works_as, &tables]).await?;
    let one = |row: &Row| {
        Ok(OwnedByOthers {
            database: database.to_owned(),
            table: row.try_get(0)?,
            owner: row.try_get(1)?,
            works_as: works_as.to_owned(),
        })
    };
    rows.iter().map(one).collect()
}

const OWNED_BY_OTHERS: &str = "
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_get_userbyid(c.relowner)::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.rolname = $1::text
WHERE c.relname = ANY($2::text[]) AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')
ORDER BY 1 LIMIT 1000";
