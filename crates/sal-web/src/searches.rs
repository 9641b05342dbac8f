//! `/search/…`: saved searches and the builder. The machines behind a search are the list of `devices`; what a search
//! means is said by [`sal_store::searches`].
//!
//! `list` shows them, `builder` makes and changes them, `save` and `delete` write. Sal's addresses for single steps of
//! its own builder are in `steps`, those of results in `results`.

mod blocks;
mod builder;
mod delete;
mod list;
mod number;
mod results;
mod save;
mod steps;
mod suggest;

use axum::routing::{get, post};
use sal_http::{Access, AppError, Routes, access::Viewer};
use sal_store::{
    Client,
    ids::SearchId,
    searches::{Asker, Search, load},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/search/", Access::SeesMachines, get(results::quick_search))
        .route("/search/list/", Access::Viewer, get(list::show_list))
        .route(
            "/search/builder/",
            Access::SeesMachines,
            get(builder::show_builder),
        )
        .route("/search/count/{id}/", Access::Viewer, get(list::show_count))
        .route(
            "/search/first/{id}/",
            Access::SeesMachines,
            get(list::show_first),
        )
        .route(
            "/search/suggest/",
            Access::SeesMachines,
            get(suggest::suggest),
        )
        .route("/search/save/", Access::SeesMachines, post(save::save))
        .route(
            "/search/save_search/{id}/",
            Access::SeesMachines,
            get(results::redirect_to_builder).post(save::save_name),
        )
        .route(
            "/search/build_search/{id}/",
            Access::SeesMachines,
            get(builder::show_saved),
        )
        .route(
            "/search/run_search/{id}/",
            Access::Viewer,
            get(results::run),
        )
        .route(
            "/search/csv/{id}/",
            Access::SeesMachines,
            get(results::send_csv),
        )
        .route(
            "/search/delete_search/{id}/",
            Access::SeesMachines,
            get(delete::ask).post(delete::remove),
        )
        .route(
            "/search/get_fields/{model}/",
            Access::SeesMachines,
            get(results::show_search_fields),
        )
        .merge(steps::routes())
}

/// Who asks for searches.
pub(crate) fn asker(viewer: &Viewer) -> Asker<'_> {
    Asker {
        user: Some(viewer.id),
        scope: &viewer.scope,
        is_admin: viewer.is_global_admin(),
    }
}

/// The search with this id, as it stands in a URL.
///
/// # Errors
/// Not found when there is none that the viewer may see.
async fn visible(id: &str, viewer: &Viewer, db: &Client) -> Result<Search, AppError> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    let id = digits.then(|| id.parse().ok()).flatten();
    let id = SearchId(id.ok_or(AppError::NotFound)?);
    load(id, &asker(viewer), db)
        .await?
        .ok_or(AppError::NotFound)
}

/// A search that the viewer may change: the owner, and global admins.
///
/// # Errors
/// Not found as for [`visible`]; forbidden when it is another's.
async fn own(id: &str, viewer: &Viewer, db: &Client) -> Result<Search, AppError> {
    let search = visible(id, viewer, db).await?;
    if search.may_be_changed_by(&asker(viewer)) {
        return Ok(search);
    }
    Err(AppError::Forbidden)
}

/// What kind of thing a search is in the audit log.
const SEARCH: &str = "saved search";
