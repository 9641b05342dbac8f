//! One router from the doors, and what every request goes through on the way in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::OriginalUri;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::{Extension, Router};
use sal_http::{App, django, layers, turns};
use sal_web::ApiDocument;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

use crate::foreign_forms::{self, OwnOrigins};
use crate::{health, slash, unread};

/// What the assembly decides, beside the App.
#[derive(Clone)]
pub struct Options {
    /// Origins beside our own that may send forms (`DOCKER_SAL_CSRF_TRUSTED_ORIGINS`), with their scheme.
    pub trusted_origins: Vec<String>,
    /// The address that browsers use (`SAL_PUBLIC_URL`): its origin is our own.
    pub public_url: Option<String>,
    /// Renders the metrics in Prometheus's text format.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// How long a client may take to send its whole body.
    pub body_deadline: Duration,
    /// How long requests may go on after the shutdown began.
    pub drain: Duration,
    /// Who shows it hears why the server is not ready, and the metrics, on the public listener too.
    pub status_token: Option<Arc<str>>,
    /// Connections held at once, at most.
    pub max_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trusted_origins: Vec::new(),
            public_url: None,
            render_metrics: Arc::new(String::new),
            body_deadline: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            status_token: None,
            max_connections: 4096,
        }
    }
}

/// An origin that cannot be trusted because it is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{origin}` is not an origin such as https://sal.example.org")]
pub struct BadOrigin {
    /// What was given.
    pub origin: String,
}

/// Builds the router.
///
/// # Errors
/// [`BadOrigin`] when a trusted origin is not a scheme and a host.
pub fn router(app: App, options: &Options) -> Result<Router, BadOrigin> {
    let own = OwnOrigins::read(options.public_url.as_deref(), &options.trusted_origins)?;
    let own = Arc::new(own);
    let pages = sal_web::routes();
    let paths: Arc<[&'static str]> = pages.paths().into();
    let pages = pages
        .into_router()
        .layer(Extension(ApiDocument(sal_api::document())))
        .layer(from_fn(turns::hold_turn))
        .layer(from_fn_with_state(app.clone(), layers::read_form))
        .layer(from_fn_with_state(Arc::clone(&own), foreign_forms::refuse))
        .layer(CompressionLayer::new().gzip(true));
    let programs = sal_api::routes(&app)
        .into_router()
        .layer(from_fn_with_state(own, foreign_forms::refuse))
        .layer(CompressionLayer::new().gzip(true));
    let router = Router::new()
        .merge(sal_checkin::routes(&app))
        .merge(programs)
        .merge(pages)
        .merge(health::routes(options))
        .fallback(move |method: Method, uri: OriginalUri| nothing_here(method, uri, paths))
        .layer(from_fn(unread::read_the_rest))
        .layer(RequestBodyDeadlineLayer::new(options.body_deadline))
        .layer(CatchPanicLayer::custom(
            |_panic: Box<dyn std::any::Any + Send>| {
                tracing::error!("a handler panicked");
                django::error_page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Page unavailable",
                    "The request failed here, not at your side.",
                )
            },
        ))
        .layer(from_fn_with_state(app.clone(), layers::standard_headers))
        .layer(from_fn(layers::observe));
    Ok(router.with_state(app))
}

/// A path that no door knows: with a slash it may be one (Django's `APPEND_SLASH`).
async fn nothing_here(
    method: Method,
    OriginalUri(uri): OriginalUri,
    pages: Arc<[&'static str]>,
) -> Response {
    let path = uri.path();
    if sal_api::is_first_api(path) {
        return sal_api::gone(path);
    }
    let is_first_api = || sal_api::is_first_api(&format!("{path}/"));
    if slash::is_missing(path, &pages) || is_first_api() {
        tracing::debug!(%method, "sent on to the path with a slash");
        return django::append_slash(path, uri.query());
    }
    django::not_found()
}
