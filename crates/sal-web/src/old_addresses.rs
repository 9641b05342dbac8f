//! Addresses of Sal whose pages are elsewhere here: bookmarks go on working.
//!
//! `/admin/…` (Django's own pages) are the settings.

use axum::{
    extract::{OriginalUri, Path, Query},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    Access, AppError, Routes,
    access::{GlobalAdmin, Level, Viewer},
};
use serde::Deserialize;

use crate::page::{redirect, safe_next};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/admin/", Access::GlobalAdmin, get(administer))
        .route("/admin/login/", Access::Anyone, get(log_in))
        .route(
            "/admin/logout/",
            Access::Anyone,
            get(|| async { redirect("/logout/") }),
        )
        .route(
            "/admin/password_change/",
            Access::Anyone,
            get(|| async { redirect("/changepassword/") }),
        )
        .route("/admin/{*rest}", Access::GlobalAdmin, get(administer_part))
        .route("/new_version/{when}/", Access::GlobalAdmin, get(put_off))
}

async fn administer(viewer: Result<Viewer, AppError>) -> Response {
    redirect(if is_admin(&viewer) {
        "/settings/"
    } else {
        "/admin/login/?next=/admin/"
    })
}

fn is_admin(viewer: &Result<Viewer, AppError>) -> bool {
    viewer
        .as_ref()
        .is_ok_and(|viewer| viewer.level == Level::GlobalAdmin)
}

/// The page that does the work of one of Django's: the list of a kind of things, or a machine.
async fn administer_part(
    viewer: Result<Viewer, AppError>,
    OriginalUri(uri): OriginalUri,
    Path(rest): Path<String>,
) -> Response {
    if !is_admin(&viewer) {
        return redirect(&format!("/admin/login/?next={}", uri.path()));
    }
    let mut parts = rest.split('/');
    let (app, model, id) = (parts.next(), parts.next(), parts.next());
    let machine = id.filter(|id| id.bytes().all(|digit| digit.is_ascii_digit()) && !id.is_empty());
    if let (Some("server"), Some("machine"), Some(id)) = (app, model, machine) {
        return redirect(&format!("/machine_detail/{id}/"));
    }
    redirect(match (app.unwrap_or_default(), model.unwrap_or_default()) {
        ("auth", _) | ("server", "userprofile") => "/settings/users/",
        ("server", "machine") => "/machines/",
        ("server", "businessunit" | "machinegroup") => "/units/",
        ("server", "apikey") => "/settings/api-keys/",
        ("server", "plugin") => "/settings/plugins/",
        ("server", "report") => "/settings/plugins/reports/",
        ("server", "machinedetailplugin") => "/settings/plugins/machinedetail/",
        ("server", "salsetting") => "/settings/all/",
        ("inventory", _) => "/inventory/",
        ("licenses", _) => "/licenses/",
        _ => "/settings/",
    })
}

#[derive(Deserialize)]
struct LoginQuery {
    next: Option<String>,
}

/// Django's own login; whoever is logged in and no administrator would be sent here again by what they asked for.
async fn log_in(viewer: Result<Viewer, AppError>, Query(query): Query<LoginQuery>) -> Response {
    if viewer.is_ok() && !is_admin(&viewer) {
        return redirect("/");
    }
    let next = utf8_percent_encode(safe_next(query.next.as_deref()), NON_ALPHANUMERIC);
    redirect(&format!("/login/?next={next}"))
}

/// Sal's home page asks to be reminded of a new version; here nothing looks for one.
async fn put_off(_admin: GlobalAdmin, Path(when): Path<String>) -> Result<Response, AppError> {
    match when.as_str() {
        "never" | "week" | "day" => Ok(redirect("/")),
        _ => Err(AppError::NotFound),
    }
}
