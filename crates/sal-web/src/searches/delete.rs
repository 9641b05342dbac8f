//! `/search/delete_search/<id>/`: asks, and says who uses the search; the POST deletes it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_store::searches::{self, named::usage};

use super::{SEARCH, asker, own};
use crate::{
    audit::{Object, note},
    confirm::Confirm,
    page::redirect,
    shell::{Section, Shell, Theme},
    wording::count_of,
};

pub(super) async fn ask(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = own(&id, &viewer, &db).await?;
    let used = usage(&search, &asker(&viewer), &db).await?;
    let mut sentences = vec!["No machine is changed; only the search is gone.".to_owned()];
    for (_, name, owner) in &used.visible {
        sentences.push(format!(
            "The search {name} of {owner} uses it and will no longer work."
        ));
    }
    if used.hidden > 0 {
        let hidden = i64::try_from(used.hidden).unwrap_or_default();
        let hidden = count_of(hidden, "search", "searches");
        sentences.push(format!(
            "{hidden} of others use it and will no longer work."
        ));
    }
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Searches, "Delete a search", &app),
        heading: format!("Delete the search {}?", search.title()),
        sentences,
        button: "Delete it",
        is_final: true,
        back: "/search/list/".to_owned(),
    }
    .answer()
}

pub(super) async fn remove(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = own(&id, &viewer, &db).await?;
    let tx = db.begin().await?;
    searches::delete(search.id, &tx).await?;
    let title = search.title();
    let object = Object::new(SEARCH, search.id, &title);
    note(&viewer, "deleted", &object, "", &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect("/search/list/"))
}
