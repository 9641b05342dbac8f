//! Sal's saved searches as its builder makes them: one step, one row. For Sal's own addresses; the searches of this
//! server are written as a whole by [`crate::searches`].

use jiff::Timestamp;

use crate::ids::{SearchGroupId, SearchId, SearchRowId, UserId};

crate::queries! {
    /// Makes a search that nobody saved yet.
    begin_search(owner: UserId, now: Timestamp) -> /// The new search.
    BegunSearch {
        /// Its id.
        id: SearchId,
    } = "INSERT INTO search_savedsearch (created, save_search, created_by_id) VALUES ($2, false, $1) RETURNING id";

    /// Gives a search a name; from then on it counts as saved. An empty one leaves it nameless.
    name_search(search: SearchId, name: str) =
        "UPDATE search_savedsearch SET name = nullif($2, ''), save_search = true WHERE id = $1";

    /// Adds a group at the end.
    add_group(search: SearchId) = "INSERT INTO search_searchgroup (and_or, position, saved_search_id)
         SELECT 'AND', coalesce(max(position) + 1, 0), $1 FROM search_searchgroup WHERE saved_search_id = $1";

    /// Adds a row at the end of a group.
    add_row(group: SearchGroupId, model: str, field: str, and_or: str, operator: str, term: str) =
        "INSERT INTO search_searchrow (search_models, search_field, and_or, operator, search_term, position, search_group_id)
         SELECT $2, $3, $4, $5, $6, coalesce(max(position) + 1, 0), $1 FROM search_searchrow WHERE search_group_id = $1";

    /// Changes a row.
    change_row(row: SearchRowId, model: str, field: str, and_or: str, operator: str, term: str) =
        "UPDATE search_searchrow SET search_models = $2, search_field = $3, and_or = $4, operator = $5, search_term = $6
         WHERE id = $1";

    /// Removes a row.
    remove_row(row: SearchRowId) = "DELETE FROM search_searchrow WHERE id = $1";

    /// Removes a group with its rows.
    remove_group(group: SearchGroupId) = "WITH rows AS (DELETE FROM search_searchrow WHERE search_group_id = $1)
         DELETE FROM search_searchgroup WHERE id = $1";

    /// Turns a group's AND into OR and back.
    turn_group(group: SearchGroupId) =
        "UPDATE search_searchgroup SET and_or = CASE and_or WHEN 'AND' THEN 'OR' ELSE 'AND' END WHERE id = $1";

    /// The search that a group is of.
    search_of_group(group: SearchGroupId) -> /// A search.
    SearchOfGroup {
        /// Its id.
        search: SearchId,
    } = "SELECT saved_search_id AS search FROM search_searchgroup WHERE id = $1";

    /// The search that a row is of.
    search_of_row(row: SearchRowId) -> /// A search.
    SearchOfRow {
        /// Its id.
        search: SearchId,
    } = "SELECT g.saved_search_id AS search FROM search_searchrow r JOIN search_searchgroup g ON g.id = r.search_group_id
         WHERE r.id = $1";
}
