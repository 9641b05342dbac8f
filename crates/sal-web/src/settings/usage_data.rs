//! `/settings/senddata/{enable,disable}/`: whether a Django Sal on this database sends usage data.
//!
//! This server never does. In Sal the bare link changes the setting; here it asks first, and the form's POST
//! changes it, because a link in a mail must not be able to.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes, access::GlobalAdmin, db::Db, sal_settings::SEND_DATA,
};
use sal_store::settings::set_setting;

use crate::{
    audit::{self, Object},
    page::{redirect, render},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route(
        "/settings/senddata/{choice}/",
        Access::GlobalAdmin,
        get(confirm_usage_data).post(set_usage_data),
    )
}

#[derive(Template)]
#[template(path = "settings/usage_data.html")]
struct UsageDataPage {
    shell: Shell,
    enable: bool,
}

async fn confirm_usage_data(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(choice): Path<String>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    render(&UsageDataPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Usage data", &app),
        enable: is_enable(&choice)?,
    })
}

async fn set_usage_data(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(choice): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    // Python's words, which is what Sal writes.
    let value = if is_enable(&choice)? { "True" } else { "False" };
    let tx = db.begin().await?;
    let old = SEND_DATA.stored(&tx).await?;
    set_setting(&tx, SEND_DATA.name, value).await?;
    let object = Object::new("setting", SEND_DATA.name, SEND_DATA.title);
    let old = old.as_deref().unwrap_or(SEND_DATA.default);
    let detail = format!("{old} -> {value}");
    audit::note(&viewer, "changed", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect("/settings/"))
}

fn is_enable(choice: &str) -> Result<bool, AppError> {
    match choice {
        "enable" => Ok(true),
        "disable" => Ok(false),
        _ => Err(AppError::NotFound),
    }
}
