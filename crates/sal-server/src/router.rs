//! One router from the doors, and what every request goes through on the way in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::OriginalUri;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::{Extension, Router};
use sal_http::{App, Doors, django, layers, turns};
use sal_web::ApiDocument;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

use crate::foreign_forms::{self, OwnOrigins};
use crate::{health, unread};

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
    let (machines, programs) = (sal_checkin::routes(&app), sal_api::routes(&app));
    let (pages, health) = (sal_web::routes(), health::routes(options));
    let doors = Arc::new(Doors::of(&[&machines, &programs, &pages, &health]));
    let refuse = from_fn_with_state((own, Arc::clone(&doors)), foreign_forms::refuse);
    let pages = pages
        .into_router()
        .layer(Extension(ApiDocument(sal_api::document())))
        .layer(from_fn(turns::hold_turn))
        .layer(from_fn_with_state(
            (app.clone(), Arc::clone(&doors)),
            layers::read_form,
        ))
        .layer(refuse.clone())
        .layer(CompressionLayer::new().gzip(true));
    let programs = programs
        .into_router()
        .layer(refuse)
        .layer(CompressionLayer::new().gzip(true));
    let paths = Arc::clone(&doors);
    let router = Router::new()
        .merge(machines.into_router())
        .merge(programs)
        .merge(pages)
        .merge(health.into_router())
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
        .layer(from_fn_with_state(doors, layers::observe));
    Ok(router.with_state(app))
}

/// A path that no door knows: with a slash it may be one (Django's `APPEND_SLASH`).
async fn nothing_here(
    method: Method,
    OriginalUri(uri): OriginalUri,
    doors: Arc<Doors>,
) -> Response {
    let path = uri.path();
    if doors.lacking_slash(path).is_some() {
        tracing::debug!(%method, "sent on to the path with a slash");
        return django::append_slash(path, uri.query());
    }
    django::not_found()
}
