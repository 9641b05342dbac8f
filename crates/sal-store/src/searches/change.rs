//! Makes, changes and deletes saved searches, in Sal's tables and ours at once.

use jiff::Timestamp;
use sal_query::{
    Expr, FilterError,
    sal_search::{self, SalSearch},
};

use super::{Overview, Sharing, rows};
use crate::{
    error::StoreError,
    ids::{SearchId, UnitId, UserId},
    pool::Executor,
};

crate::queries! {
    /// Makes Sal's row of a search.
    insert_search(name: str, owner: UserId, now: Timestamp) -> /// A new search.
    InsertedSearch {
        /// Its id.
        id: SearchId,
    } = "INSERT INTO search_savedsearch (name, created, save_search, created_by_id) VALUES ($1, $3, true, $2) RETURNING id";

    /// Locks a search until the transaction ends, and says what it is called.
    lock_search(id: SearchId) -> /// A search that is still there.
    LockedSearch {
        /// Its name.
        name: Option<String>,
    } = "SELECT name FROM search_savedsearch WHERE id = $1 FOR UPDATE";

    /// Gives a search a name; from then on it counts as saved.
    rename_search(id: SearchId, name: str) =
        "UPDATE search_savedsearch SET name = $2, save_search = true WHERE id = $1";

    /// Makes our row of a search, or changes it.
    put_search(PutSearch { id: SearchId, filter: str, description: str, sharing: str, unit: Option<UnitId>, overview: str, now: Timestamp, mirror: str }) =
        "INSERT INTO salrs_search (search_id, filter, description, sharing, unit_id, overview, updated, mirror)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (search_id) DO UPDATE SET filter = excluded.filter, description = excluded.description,
             sharing = excluded.sharing, unit_id = excluded.unit_id, overview = excluded.overview,
             updated = excluded.updated, mirror = excluded.mirror";

    /// Gives a search another owner.
    give_search(id: SearchId, owner: UserId) = "UPDATE search_savedsearch SET created_by_id = $2 WHERE id = $1";

    /// Removes a search without groups and rows, and our row.
    delete_search(id: SearchId) =
        "WITH ours AS (DELETE FROM salrs_search WHERE search_id = $1)
         DELETE FROM search_savedsearch WHERE id = $1";
}

/// A filter whose text can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    expr: Expr,
}

impl Filter {
    /// Reads a text. Whether its names and values make sense is for [`sal_query::check`] to say.
    ///
    /// # Errors
    /// Where the text cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let parsed = sal_query::parse(text)?;
        Ok(Self {
            text: text.trim().to_owned(),
            expr: parsed.expr,
        })
    }

    /// A filter that came as data.
    #[must_use]
    pub fn of(expr: Expr) -> Self {
        Self {
            text: expr.to_string(),
            expr,
        }
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}

/// What a search is to be. The name has 1 to [`MOST_NAME_CHARACTERS`] characters.
#[derive(Debug, Clone)]
pub struct NewSearch<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it means.
    pub filter: &'a Filter,
    /// What it is for; may be empty.
    pub description: &'a str,
    /// Who sees it.
    pub sharing: Sharing,
    /// How it is on the overview.
    pub overview: Overview,
}

/// What Sal's column holds.
pub const MOST_NAME_CHARACTERS: usize = 100;

/// Makes a search.
///
/// # Errors
/// When the database refuses.
pub async fn create(
    new: &NewSearch<'_>,
    owner: UserId,
    now: Timestamp,
    tx: &impl Executor,
) -> Result<SearchId, StoreError> {
    let made = insert_search(tx, new.name, &owner, &now).await?;
    let id = made
        .first()
        .map(|row| row.id)
        .ok_or(StoreError::Overtaken)?;
    write(id, new, now, tx).await?;
    Ok(id)
}

/// Changes a search, Sal's own too: from then on its filter is ours. Says whether there is such a search.
///
/// # Errors
/// When the database refuses.
pub async fn update(
    id: SearchId,
    new: &NewSearch<'_>,
    now: Timestamp,
    tx: &impl Executor,
) -> Result<bool, StoreError> {
    if lock_search(tx, &id).await?.is_empty() {
        return Ok(false);
    }
    rename_search(tx, &id, new.name).await?;
    write(id, new, now, tx).await?;
    Ok(true)
}

/// Deletes a search with its groups and rows. Says whether there was one.
///
/// # Errors
/// When the database refuses.
pub async fn delete(id: SearchId, tx: &impl Executor) -> Result<bool, StoreError> {
    if lock_search(tx, &id).await?.is_empty() {
        return Ok(false);
    }
    rows::delete_rows(tx, &id).await?;
    delete_search(tx, &id).await?;
    Ok(true)
}

async fn write(
    id: SearchId,
    new: &NewSearch<'_>,
    now: Timestamp,
    tx: &impl Executor,
) -> Result<(), StoreError> {
    let sal = rows_for(id, new.filter.expr(), tx).await?;
    put_search(
        tx,
        PutSearch {
            id: &id,
            filter: new.filter.text(),
            description: new.description,
            sharing: new.sharing.text(),
            unit: &new.sharing.unit(),
            overview: new.overview.text(),
            now: &now,
            mirror: &rows::mirror(&sal),
        },
    )
    .await?;
    Ok(())
}

/// Sal's rows for a filter, written unless those that are there mean it already: they are Sal's own then.
async fn rows_for(id: SearchId, expr: &Expr, tx: &impl Executor) -> Result<SalSearch, StoreError> {
    let there = rows::of(&[id], tx).await?.remove(&id);
    if let Some(there) = there
        && sal_search::read(&there).expr().as_ref() == Ok(expr)
    {
        return Ok(there);
    }
    // what Sal's rows cannot say finds nothing in a Django Sal; without rows it would find everything.
    let sal = sal_search::write(expr).unwrap_or_else(sal_search::nothing);
    rows::replace(id, &sal, tx).await?;
    Ok(sal)
}
