//! The URLs of this door. Order of checks as in the original: method, key, then the body (sal-protocol §0).

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use sal_http::Access::GroupKey;
use sal_http::{App, Door, Routes, django};

use crate::journal::Journal;
use crate::limits::Limits;
use crate::{
    broken_client, catalog, checkin, inventory, journal, licences, limits, preflight, profiles,
};

/// The routes of clients. All need the trailing slash; the assembly redirects paths without it.
pub fn routes(app: &App) -> Routes {
    let limits = from_fn_with_state((app.clone(), Limits::default()), limits::guard);
    let waiting = Journal::default();
    app.add_late(Arc::new(waiting.clone()));
    let journal = from_fn_with_state((app.clone(), waiting), journal::keep);
    Routes::new()
        .route("/checkin/", GroupKey, only_post(checkin::submit_checkin))
        .route(
            "/report_broken_client/",
            GroupKey,
            only_post(broken_client::report),
        )
        .route("/preflight-v2/", GroupKey, any(preflight::list_scripts))
        .route(
            "/preflight-v2/get-script/{plugin}/{script}/",
            GroupKey,
            any(preflight::send_script),
        )
        .route(
            "/inventory/submit/",
            GroupKey,
            only_post(inventory::submit_inventory),
        )
        // A serial number may hold slashes, and the handler also answers where the last slash is missing.
        .route(
            "/inventory/hash/{*serial}",
            GroupKey,
            any(inventory::send_hash),
        )
        .route(
            "/catalog/submit/",
            GroupKey,
            only_post(catalog::submit_catalog),
        )
        .route("/catalog/hash/", GroupKey, only_post(catalog::send_hashes))
        .route(
            "/profiles/submit/",
            GroupKey,
            only_post(profiles::submit_profiles),
        )
        .merge(licences())
        .layer(DefaultBodyLimit::max(app.config.body_limit_bytes))
        .layer(map_response(nothing_runs))
        // The journal sees what the limits refuse.
        .layer(limits)
        .layer(journal)
        .behind(Door::Machines)
}

/// Munki can add no header: the key is in the path.
fn licences() -> Routes {
    Routes::new()
        .route(
            "/licenses/available/{key}/",
            GroupKey,
            get(licences::available),
        )
        .route(
            "/licenses/available/{key}/{item}/",
            GroupKey,
            get(licences::available),
        )
        .route("/licenses/usage/{key}/", GroupKey, get(licences::usage))
        .route(
            "/licenses/usage/{key}/{item}/",
            GroupKey,
            get(licences::usage),
        )
        .secret_after("available")
        .secret_after("usage")
}

/// Every other method is told so before anything is looked at.
fn only_post<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    post(handler).fallback(async || django::only_post())
}

/// Answers are `text/html`, as in the original, and some repeat what the client sent: a browser shall run none of it.
async fn nothing_runs(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
