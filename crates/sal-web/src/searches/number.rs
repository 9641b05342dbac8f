//! A saved search for those who see numbers and no machines: how many it finds, and nothing of whom.

use askama::Template;
use axum::response::Response;
use sal_http::{App, AppError, access::Viewer};
use sal_store::{Client, searches::Search};

use super::builder::count_of_list;
use crate::{
    devices::{List, ListParams, Place, machines},
    page::render,
    shell::{Section, Shell, Theme},
};

#[derive(Template)]
#[template(path = "searches/number.html")]
struct NumberPage {
    shell: Shell,
    name: String,
    description: String,
    /// The unit or group that is counted, where it is not all.
    place: Option<String>,
    /// How many machines; none where the search cannot be used.
    count: Option<String>,
}

/// The page of a search with its number.
pub(super) async fn show_number(
    search: &Search,
    place: Place,
    viewer: &Viewer,
    theme: Theme,
    app: &App,
    db: &Client,
) -> Result<Response, AppError> {
    let name = search.title();
    let mut page = NumberPage {
        shell: Shell::of(viewer, theme, Section::Searches, &name, app),
        description: search.description.clone(),
        place: None,
        count: None,
        name,
    };
    if let Ok(text) = search.text() {
        let list = List::of(ListParams::of_text_in(&text, place), viewer, app, db).await?;
        page.place = list.place_name().map(str::to_owned);
        page.count = count_of_list(&list, app, db).await?.map(machines);
    }
    render(&page)
}
