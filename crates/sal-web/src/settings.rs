//! `/settings/`: what an administrator can look up and change about this server. For global admins.
//!
//! One file per page below it. Sal's further pages (users, licences, retention as a form) are not here yet.

mod api_keys;
mod plugin_folder;
pub(crate) mod plugins;
mod usage_data;

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{App, AppError, Routes, access::GlobalAdmin};
use sal_store::{
    Client,
    settings::{DEFAULT_RETENTION_DAYS, HISTORICAL_RETENTION, SEND_DATA, setting},
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/settings/", get(show_settings))
        .merge(plugins::routes())
        .merge(plugin_folder::routes())
        .merge(api_keys::routes())
        .merge(usage_data::routes())
}

#[derive(Template)]
#[template(path = "settings/page.html")]
struct SettingsPage {
    shell: Shell,
    retention_days: String,
    /// Whether a Django Sal on this database would send.
    others_send: bool,
}

async fn show_settings(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let db = app.store.get().await?;
    let retention = value(HISTORICAL_RETENTION, &db).await?;
    let send_data = value(SEND_DATA, &db).await?;
    render(&SettingsPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Settings", &app),
        retention_days: retention.unwrap_or_else(|| DEFAULT_RETENTION_DAYS.to_owned()),
        others_send: send_data.is_none_or(|value| is_true(&value)),
    })
}

async fn value(name: &str, db: &Client) -> Result<Option<String>, AppError> {
    let rows = setting(db, name).await?;
    Ok(rows.into_iter().next().map(|row| row.value))
}

/// As Sal reads its settings: only the word counts, not its case.
fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}
