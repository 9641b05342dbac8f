//! The URLs of this door. Order of checks as in the original: method, key, then the body (sal-protocol §0).

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, post};
use sal_http::{App, django};

use crate::{broken_client, checkin, preflight};

/// The routes of clients. All need the trailing slash; the assembly redirects paths without it.
pub fn routes(body_limit_bytes: usize) -> Router<App> {
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
        .layer(DefaultBodyLimit::max(body_limit_bytes))
}
