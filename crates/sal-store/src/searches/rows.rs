//! Sal's groups and rows of searches.

use std::collections::HashMap;

use sal_query::sal_search::{Joined, SalGroup, SalRow, SalSearch};

use crate::{error::StoreError, ids::SearchId, pool::Executor};

crate::queries! {
    /// Groups and rows of searches, in their order; a group without rows comes once, with nothing in it.
    rows_of_searches(ids: Vec<SearchId>) -> /// A row, or a group without rows.
    RowOfSearch {
        /// The search.
        search_id: SearchId,
        /// The group.
        group_id: i64,
        /// How the group is joined to those before it.
        group_and_or: String,
        /// How the row is joined to those before it.
        and_or: Option<String>,
        /// What is compared.
        model: Option<String>,
        /// Which of it.
        field: Option<String>,
        /// How.
        operator: Option<String>,
        /// With what.
        term: Option<String>,
    } = "SELECT g.saved_search_id AS search_id, g.id AS group_id, g.and_or AS group_and_or,
                r.and_or, r.search_models AS model, r.search_field AS field, r.operator, r.search_term AS term
         FROM search_searchgroup g LEFT JOIN search_searchrow r ON r.search_group_id = g.id
         WHERE g.saved_search_id = ANY($1)
         ORDER BY g.saved_search_id, g.position, g.id, r.position, r.id";

    /// Removes groups and rows of a search.
    delete_rows(id: SearchId) =
        "WITH lines AS (DELETE FROM search_searchrow r USING search_searchgroup g
                        WHERE g.id = r.search_group_id AND g.saved_search_id = $1)
         DELETE FROM search_searchgroup WHERE saved_search_id = $1";

    /// Adds a group to a search.
    insert_group(id: SearchId, and_or: str, position: i32) -> /// A group.
    InsertedGroup {
        /// Its id.
        id: i64,
    } = "INSERT INTO search_searchgroup (saved_search_id, and_or, position) VALUES ($1, $2, $3) RETURNING id";

    /// Adds rows to a group, in their order.
    insert_rows(group: i64, and_or: Vec<String>, models: Vec<String>, fields: Vec<String>, operators: Vec<String>, terms: Vec<String>) =
        "INSERT INTO search_searchrow (search_group_id, and_or, search_models, search_field, operator, search_term, position)
         SELECT $1, and_or, model, field, operator, term, (place - 1)::int
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
              AS given (and_or, model, field, operator, term, place)";
}

/// Groups and rows of searches.
pub(super) async fn of(
    ids: &[SearchId],
    db: &impl Executor,
) -> Result<HashMap<SearchId, SalSearch>, StoreError> {
    let mut found: HashMap<SearchId, SalSearch> = HashMap::new();
    let mut last = None;
    for line in rows_of_searches(db, &ids.to_vec()).await? {
        let search = found.entry(line.search_id).or_default();
        if last.replace(line.group_id) != Some(line.group_id) {
            search.groups.push(SalGroup {
                joined: Joined::parse(&line.group_and_or),
                rows: Vec::new(),
            });
        }
        let (Some(group), Some(row)) = (search.groups.last_mut(), line.row()) else {
            continue;
        };
        group.rows.push(row);
    }
    Ok(found)
}

impl RowOfSearch {
    fn row(self) -> Option<SalRow> {
        Some(SalRow {
            joined: Joined::parse(&self.and_or?),
            model: self.model?,
            field: self.field?,
            operator: self.operator?,
            term: self.term?,
        })
    }
}

/// Puts these groups and rows in the place of those that a search has.
pub(super) async fn replace(
    id: SearchId,
    search: &SalSearch,
    db: &impl Executor,
) -> Result<(), StoreError> {
    delete_rows(db, &id).await?;
    // A search has a handful of groups; each row of a group needs its group's new id.
    for (group, position) in search.groups.iter().zip(0..) {
        let made = insert_group(db, &id, group.joined.text(), &position).await?;
        let Some(made) = made.first() else { continue };
        let column = |of: fn(&SalRow) -> String| group.rows.iter().map(of).collect::<Vec<_>>();
        insert_rows(
            db,
            &made.id,
            &column(|row| row.joined.text().to_owned()),
            &column(|row| row.model.clone()),
            &column(|row| row.field.clone()),
            &column(|row| row.operator.clone()),
            &column(|row| row.term.clone()),
        )
        .await?;
    }
    Ok(())
}

/// A text that is another one when groups or rows are others.
pub(super) fn mirror(search: &SalSearch) -> String {
    let mut text = String::new();
    for group in &search.groups {
        text.push_str(group.joined.text());
        text.push('\n');
        for row in &group.rows {
            let parts = [
                row.joined.text(),
                &row.model,
                &row.field,
                &row.operator,
                &row.term,
            ];
            text.push('\t');
            text.push_str(&parts.join("\t"));
            text.push('\n');
        }
    }
    text
}
