//! The URLs of this door. Order of checks as in the original: method, key, then the body (sal-protocol §0).

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, get, post};
use sal_http::{App, django};

use crate::journal::Journal;
use crate::limits::Limits;
use crate::{
    broken_client, catalog, checkin, inventory, journal, licences, limits, preflight, profiles,
};

/// The routes of clients. All need the trailing slash; the assembly redirects paths without it.
pub fn routes(app: &App) -> Router<App> {
    let limits = from_fn_with_state((app.clone(), Limits::default()), limits::guard);
    let waiting = Journal::default();
    app.add_late(Arc::new(waiting.clone()));
    let journal = from_fn_with_state((app.clone(), waiting), journal::keep);
    Router::new()
        .route(
            "/checkin/",
            post(checkin::submit_checkin).fallback(async || django::only_post()),
        )
        .route(
            "/report_broken_client/",
            post(broken_client::report).fallback(async || django::only_post()),
        )
        .route("/preflight-v2/", any(preflight::list_scripts))
        .route(
            "/preflight-v2/get-script/{plugin}/{script}/",
            any(preflight::send_script),
        )
        .route(
            "/inventory/submit/",
            post(inventory::submit_inventory).fallback(async || django::only_post()),
        )
        // A serial number may hold slashes, and the handler also answers where the last slash is missing.
        .route("/inventory/hash/{*serial}", any(inventory::send_hash))
        .route(
            "/catalog/submit/",
            post(catalog::submit_catalog).fallback(async || django::only_post()),
        )
        .route(
            "/catalog/hash/",
            post(catalog::send_hashes).fallback(async || django::only_post()),
        )
        .route(
            "/profiles/submit/",
            post(profiles::submit_profiles).fallback(async || django::only_post()),
        )
        .route("/licenses/available/{key}/", get(licences::available))
        .route(
            "/licenses/available/{key}/{item}/",
            get(licences::available),
        )
        .route("/licenses/usage/{key}/", get(licences::usage))
        .route("/licenses/usage/{key}/{item}/", get(licences::usage))
        .layer(DefaultBodyLimit::max(app.config.body_limit_bytes))
        .layer(map_response(nothing_runs))
        // The journal sees what the limits refuse.
        .layer(limits)
        .layer(journal)
}

/// Answers are `text/html`, as in the original, and some repeat what the client sent: a browser shall run none of it.
async fn nothing_runs(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
