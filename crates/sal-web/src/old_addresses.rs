//! Addresses of Sal whose pages are elsewhere here: bookmarks go on working.
//!
//! `/search/?q=…` is the list of machines, `/admin/…` (Django's own pages) are the settings. Saved searches and
//! their builder are not built yet.

use axum::{extract::Query, response::Response, routing::get};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    Routes,
    access::{GlobalAdmin, SeesMachines},
};
use serde::Deserialize;

use crate::page::redirect;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/search/", get(search))
        .route("/search/list/", get(search))
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

async fn administer(_admin: GlobalAdmin) -> Response {
    redirect("/settings/")
}
