//! `/settings/`: what an administrator can look up and change about this server. For global admins.
//!
//! One file per page below it; this one is the way in.

mod all;
mod api_keys;
mod api_tokens;
mod maintenance;
mod plugin_folder;
mod plugins;
mod retention;
mod usage_data;

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    db::Db,
    sal_settings::{HISTORICAL_RETENTION, SEND_DATA},
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/settings/", Access::GlobalAdmin, get(show_settings))
        .merge(all::routes())
        .merge(retention::routes())
        .merge(maintenance::routes())
        .merge(plugins::routes())
        .merge(plugin_folder::routes())
        .merge(api_keys::routes())
        .merge(api_tokens::routes())
        .merge(usage_data::routes())
}

#[derive(Template)]
#[template(path = "settings/page.html")]
struct SettingsPage {
    shell: Shell,
    retention_days: i64,
    /// Why the stored number of days does not count.
    retention_warning: Option<String>,
    /// Whether a Django Sal on this database would send.
    others_send: bool,
}

async fn show_settings(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (retention, send_data) =
        tokio::try_join!(HISTORICAL_RETENTION.stored(&db), SEND_DATA.stored(&db))?;
    let retention = HISTORICAL_RETENTION.number(retention.as_deref());
    render(&SettingsPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Settings", &app),
        retention_days: retention.value,
        retention_warning: retention.warning,
        others_send: SEND_DATA.flag(send_data.as_deref()),
    })
}
