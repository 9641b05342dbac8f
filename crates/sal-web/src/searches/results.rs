//! What Sal's addresses of results lead to, and the CSV of a search.

use axum::{
    Json,
    extract::{Path, Query, State},
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    App, AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_store::{search_caches::search_fields, searches::Search};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{number::show_number, visible};
use crate::{
    devices::{List, ListParams, Place, sals_csv_of},
    page::redirect,
    shell::Theme,
};

#[derive(Deserialize)]
pub(super) struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// the list of machines is the result of a quick search.
pub(super) async fn quick_search(
    _viewer: SeesMachines,
    Query(query): Query<SearchQuery>,
) -> Response {
    let words = query.q.trim();
    if words.is_empty() {
        return redirect("/search/list/");
    }
    let words = utf8_percent_encode(words, NON_ALPHANUMERIC);
    redirect(&format!("/machines/?q={words}"))
}

/// The machines of a search: the list with its filter. Who sees numbers only is told their number.
pub(super) async fn run(
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    if !viewer.sees_machines() {
        return show_number(&search, place, &viewer, theme, &app, &db).await;
    }
    Ok(redirect(
        &ListParams::of_text_in(&text(&search)?, place).href(),
    ))
}

/// Where a search is changed.
pub(super) async fn redirect_to_builder(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    Ok(redirect(&builder_path(&search)))
}

/// Where a search is changed.
pub(super) fn builder_path(search: &Search) -> String {
    format!("/search/build_search/{}/", search.id)
}

/// The machines of a search with Sal's columns, under the name of the search.
pub(super) async fn send_csv(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = visible(&id, &viewer, &db).await?;
    let list = List::of(ListParams::of_text(&text(&search)?), &viewer, &app, &db)
        .await?
        .valid()?;
    sals_csv_of(&list.filter, &search.title(), list.scope, app, db).await
}

/// The filter of a search.
///
/// # Errors
/// A bad request that says why Sal's rows cannot be read.
pub(super) fn text(search: &Search) -> Result<String, AppError> {
    search.text().map_err(|reasons| {
        AppError::BadRequest(format!(
            "The search {} cannot be run: {}. Edit it to say what it should find.",
            search.title(),
            reasons.join("; ")
        ))
    })
}

/// What the drop-down of Sal's search builder offers for a kind of condition, as JSON; nothing for a kind it does not
/// know.
pub(super) async fn show_search_fields(
    _viewer: SeesMachines,
    Path(model): Path<String>,
    Db(db): Db,
) -> Result<Json<Value>, AppError> {
    if model.contains('\0') {
        return Err(AppError::NotFound);
    }
    let mut fields: Vec<String> = search_fields(&db, &model.to_lowercase())
        .await?
        .into_iter()
        .map(|row| row.field)
        .collect();
    // By code point, as Python sorts.
    fields.sort_unstable();
    Ok(Json(json!({ "fields": fields })))
}
