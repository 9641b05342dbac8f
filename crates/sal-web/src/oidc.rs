//! `/oidc/login/` and `/oidc/callback/`: single sign-on. Without a configured provider there is nothing here.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::oidc::{Answer, Oidc, OidcError},
    origin::Origin,
};
use serde::Deserialize;
use tracing::{error, info, warn};

use crate::{
    login_notes,
    page::{redirect, render_with_status, safe_next},
    shell::{Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/oidc/login/", Access::Anyone, get(begin_login))
        .route("/oidc/callback/", Access::Anyone, get(finish_login))
}

#[derive(Template)]
#[template(path = "access/refused.html")]
struct RefusedPage {
    shell: Shell,
    heading: &'static str,
    sentence: String,
}

#[derive(Deserialize)]
struct LoginQuery {
    next: Option<String>,
}

#[derive(Deserialize)]
struct CallbackQuery {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

async fn begin_login(
    Query(query): Query<LoginQuery>,
    request: HeaderMap,
    origin: Origin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let oidc = configured(&app)?;
    let next = safe_next(query.next.as_deref());
    let next = if next.len() > MAX_NEXT { "/" } else { next };
    let begun = match oidc.begin(next, &request, origin.is_https, &app).await {
        Ok(begun) => begun,
        Err(error) => return refuse(error, &oidc, theme, &app),
    };
    let mut response = redirect("/");
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, begun.location);
    for cookie in begun.cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, NEVER);
    Ok(response)
}

async fn finish_login(
    Query(query): Query<CallbackQuery>,
    headers: HeaderMap,
    origin: Origin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let oidc = configured(&app)?;
    let answer = Answer {
        state: query.state,
        code: query.code,
        error: query.error,
        error_description: query.error_description,
        issuer: query.iss,
    };
    let mut response = match oidc.finish(&answer, &headers, origin.is_https, &app).await {
        Ok(finished) => {
            info!(viewer = %finished.user, "user {} logged in by single sign-on", finished.user);
            let mut response = redirect(safe_next(Some(&finished.next)));
            response
                .headers_mut()
                .append(header::SET_COOKIE, finished.session);
            response
        }
        Err(error) => {
            warn!(client.address = %origin.address, "a login by single sign-on was refused");
            if error.is_refusal() {
                login_notes::refused_by_provider(&origin.network, &app).await;
            }
            refuse(error, &oidc, theme, &app)?
        }
    };
    if let Some(gone) = Oidc::forget(&answer, origin.is_https) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, NEVER);
    Ok(response)
}

fn configured(app: &App) -> Result<Arc<Oidc>, AppError> {
    app.oidc.clone().ok_or(AppError::NotFound)
}

/// A page that says why, and a line of log that says more. Neither holds a code or a token.
fn refuse(failure: OidcError, oidc: &Oidc, theme: Theme, app: &App) -> Result<Response, AppError> {
    if let OidcError::App(error) = failure {
        return Err(error);
    }
    let issuer = oidc.config.issuer.as_str();
    let causes = causes(&failure);
    let status = failure.status();
    if status.is_server_error() {
        error!(issuer, causes, "single sign-on does not work: {failure}");
    } else {
        warn!(issuer, causes, "nobody was logged in: {failure}");
    }
    let heading = if status == StatusCode::SERVICE_UNAVAILABLE {
        "Single sign-on is not available"
    } else {
        "Nobody was logged in"
    };
    let page = RefusedPage {
        shell: Shell::anonymous(theme, heading, app),
        heading,
        sentence: failure.sentence(issuer),
    };
    let mut response = render_with_status(status, &page)?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("10");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    Ok(response)
}

fn causes(failure: &OidcError) -> String {
    let mut chain = Vec::new();
    let mut source = std::error::Error::source(failure);
    while let Some(inner) = source {
        chain.push(inner.to_string());
        source = inner.source();
    }
    chain.join(": ")
}

const NEVER: HeaderValue = HeaderValue::from_static("no-store");
/// Longer ones lead to the overview.
const MAX_NEXT: usize = 1500;
