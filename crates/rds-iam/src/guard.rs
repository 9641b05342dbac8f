//! Sessions that lend nobody their rights.
//!
//! Who owns a database can put a function, an operator, a view or a type into it that fits a name better than
//! `pg_catalog`'s own, and can turn the search path of the database round (`ALTER DATABASE … SET`). Whoever then runs a
//! statement there with more rights runs the owner's code with these rights. So a session looks nowhere but in
//! `pg_catalog`, by its very first statement, unless it is the deployment's own.
//!
//! It is a statement and no start-up option, because RDS Proxy refuses options. Nothing that comes later undoes it:
//! `ALTER ROLE` and `ALTER DATABASE` are read before, and changing the role does not read them again.

use tokio_postgres::{Client, Error};

/// Where a session looks for names without a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchPath {
    /// In `pg_catalog` and nowhere else.
    #[default]
    Catalog,
    /// Where the server's settings for the user and the database say: for a session whose user has no more rights than
    /// the owner of the database.
    Deployment,
}

/// The first statements of a session that looks in `pg_catalog` only. `pg_temp` is named to be the last, else it is the
/// first. The other setting decides where a quoted text ends.
pub const CATALOG_ONLY: &str =
    "SET search_path = pg_catalog, pg_temp; SET standard_conforming_strings = on; ";

/// What the server says that it understood.
pub(crate) const CATALOG_PATH: &str = "pg_catalog, pg_temp";

/// Lets a session that was opened with [`SearchPath::Catalog`] look where the deployment does.
///
/// # Errors
/// Postgres's.
pub async fn use_deployments_path(db: &Client) -> Result<(), Error> {
    db.batch_execute("RESET search_path; RESET standard_conforming_strings")
        .await
}

/// The schemas that the deployment's search path leads to, in order, asked by a session that does not look there.
///
/// # Errors
/// Postgres's.
pub async fn deployments_schemas(db: &Client) -> Result<Vec<String>, Error> {
    let row = db.query_one(SETTING, &[]).await?;
    let (path, user): (Option<String>, String) = (row.try_get(0)?, row.try_get(1)?);
    let mut wanted = names(&path.unwrap_or_default());
    for name in &mut wanted {
        if name == "$user" {
            name.clone_from(&user);
        }
    }
    let rows = db.query(SCHEMAS, &[&wanted]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The names in a list such as `search_path`: separated by commas, quoted where they have to be.
#[must_use]
pub fn names(list: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut inside = false;
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = names.last_mut();
        match (letter, last) {
            ('"', Some(last)) if inside && letters.peek() == Some(&'"') => {
                letters.next();
                last.push('"');
            }
            ('"', _) => inside = !inside,
            (',', _) if !inside => names.push(String::new()),
            (' ', _) if !inside => {}
            (_, Some(last)) => last.push(letter),
            (_, None) => {}
        }
    }
    names
}

/// `reset_val` is what the session began with, before it looked away.
const SETTING: &str = "
SELECT reset_val, current_user::pg_catalog.text FROM pg_catalog.pg_settings WHERE name = 'search_path'";

const SCHEMAS: &str = "
SELECT n.nspname::pg_catalog.text
FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS wanted (name, place)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.name
WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND n.nspname <> 'pg_catalog'
ORDER BY wanted.place";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_taken_apart_as_postgres_does() {
        assert_eq!(names("\"$user\", public"), ["$user", "public"]);
        assert_eq!(names("\"a\"\"b, c\", d"), ["a\"b, c", "d"]);
        assert_eq!(names(""), [""]);
    }
}
