//! `/settings/save_historical_days/`: Sal's own address of the form that says for how long old rows are kept.

use axum::{Form, extract::State, response::Response, routing::get};
use sal_http::{
    Access, App, AppError, Routes, access::GlobalAdmin, db::Db, sal_settings::HISTORICAL_RETENTION,
};
use serde::Deserialize;

use super::all::{Written, save};
use crate::{page::redirect, shell::Theme};

pub(crate) fn routes() -> Routes {
    Routes::new().route(
        "/settings/save_historical_days/",
        Access::GlobalAdmin,
        get(show_settings).post(save_days),
    )
}

#[derive(Deserialize)]
struct DaysForm {
    #[serde(default)]
    days: String,
}

/// As in Sal, there is nothing to see here.
async fn show_settings(_admin: GlobalAdmin) -> Response {
    redirect("/settings/")
}

async fn save_days(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<DaysForm>,
) -> Result<Response, AppError> {
    let written = Written::from([(HISTORICAL_RETENTION.name.to_owned(), form.days)]);
    save(&viewer, theme, written, "/settings/", db, &app).await
}
