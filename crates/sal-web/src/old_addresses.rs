//! Addresses of Sal whose pages are elsewhere here: bookmarks go on working.
//!
//! `/search/?q=…` is the list of machines, `/admin/…` (Django's own pages) are the settings. Saved searches and
//! their builder are not built yet.

use axum::{
    Json,
    extract::{Path, Query},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    AppError, Routes,
    access::{GlobalAdmin, SeesMachines},
    db::Db,
};
use sal_store::search_caches::search_fields;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::page::redirect;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/search/", get(search))
        .route("/search/list/", get(search))
        .route("/search/get_fields/{model}/", get(show_search_fields))
        .route("/admin/", get(administer))
}

#[derive(Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
}

async fn search(_viewer: SeesMachines, Query(query): Query<SearchQuery>) -> Response {
    if query.q.trim().is_empty() {
        return redirect("/machines/");
    }
    let words = utf8_percent_encode(query.q.trim(), NON_ALPHANUMERIC);
    redirect(&format!("/machines/?q={words}"))
}

/// What the drop-down of Sal's search builder offers for a kind of condition, as JSON; nothing for a kind it does not
/// know.
async fn show_search_fields(
    _viewer: SeesMachines,
    Path(model): Path<String>,
    Db(db): Db,
) -> Result<Json<Value>, AppError> {
    let mut fields: Vec<String> = search_fields(&db, &model.to_lowercase())
        .await?
        .into_iter()
        .map(|row| row.field)
        .collect();
    // By code point, as Python sorts.
    fields.sort_unstable();
    Ok(Json(json!({ "fields": fields })))
}

async fn administer(_admin: GlobalAdmin) -> Response {
    redirect("/settings/")
}
