//! Door 2: programs talk to us, by Sal's REST API v2 (sal-api).
//!
//! One handler reads the address, asks who it is and hands on to the list, the single row or the change. Answers are
//! JSON whatever happens, in the words of Django REST framework, which scripts compare. What differs on purpose has a
//! number in docs/compat/quirks.md.

mod access;
mod address;
mod answer;
mod budget;
mod changed;
mod error;
mod execute;
mod first_api;
mod list;
mod mcp;
mod metadata;
mod openapi;
mod problem;
mod query;
mod render;
mod stream;
mod walks;
mod write;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{OriginalUri, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use sal_http::{Access, App, Door, Routes, django, per_minute::Spent};
use sal_store::resources::Resource;

use access::{ApiWrite, Caller, TokenUses};
use address::{Address, Found};
use answer::Format;
use budget::Budgets;
use error::ApiError;
use query::Query;
use walks::Walks;
use write::{
    Sent,
    once::{self, Beginning},
};

pub use mcp::ForeignOrigin;
pub use openapi::document;

/// 403 with a reason, for layers around this door.
#[must_use]
pub fn refused(why: &str) -> Response {
    let body = serde_json::json!({ "detail": why });
    answer::finish(answer::json(StatusCode::FORBIDDEN, &body), None)
}

/// The routes; what is below them is told apart by [`address`].
pub fn routes(app: &App) -> Routes {
    let uses = TokenUses::default();
    app.add_late(Arc::new(uses.clone()));
    Routes::new()
        .route("/api/v2", Access::Program, any(api))
        .route("/api/v2/", Access::Program, any(api))
        .route("/api/v2/{*rest}", Access::Program, any(api))
        .route("/mcp", Access::Token, any(mcp::answer))
        .route("/mcp/", Access::Token, any(mcp::answer))
        .route("/api/", Access::Anyone, any(first_api::answer))
        .route("/api/{*rest}", Access::Anyone, any(first_api::answer))
        .layer(Extension(Arc::new(Kept {
            uses,
            ..Kept::default()
        })))
        .behind(Door::Programs)
}

/// What this door knows from one request to the next.
#[derive(Default)]
struct Kept {
    walks: Walks,
    uses: TokenUses,
    budgets: Budgets,
}

/// Every address that an access test has to ask, with `{id}` for what one of a resource is found by.
#[must_use]
pub fn addresses() -> Vec<String> {
    let mut all = vec![
        format!("{ROOT}/"),
        format!("{ROOT}/saved_searches/{{id}}/execute/"),
        format!("{ROOT}/machines/bulk/"),
    ];
    for resource in sal_store::resources::RESOURCES {
        all.push(format!("{ROOT}/{}/", resource.name));
        all.push(format!("{ROOT}/{}/{{id}}/", resource.name));
    }
    all
}

async fn api(
    State(app): State<App>,
    Extension(kept): Extension<Arc<Kept>>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let path = uri.path();
    let rest = path.strip_prefix(ROOT).unwrap_or_default();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    // Sal 4.4.0 had it without the ending.
    if matches!(rest, "/openapi.json" | "/openapi") && is_read {
        return answer::finish(openapi::show(), Some("GET, HEAD"));
    }
    let (address, format) = match address::read(rest) {
        Found::Here(address, format) => (address, format),
        Found::NeedsSlash => return django::append_slash(path, uri.query()),
        Found::Nothing => return answer::finish(ApiError::NotFound.into_response(), None),
    };
    let allow = allowed(&address);
    let asked = Addressed {
        address,
        format,
        request,
    };
    let as_problems = problem::are_wanted(asked.request.headers());
    let mut spent = None;
    let answer = respond(asked, &mut spent, &kept, &app).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if as_problems {
        response = problem::of(response).await;
    }
    budget::show(spent, &mut response);
    answer::finish(response, Some(allow))
}

/// A request at an address of ours.
struct Addressed {
    address: Address,
    format: Option<String>,
    request: Request,
}

/// `spent` becomes what the caller's budget has left.
async fn respond(
    asked: Addressed,
    spent: &mut Option<Spent>,
    kept: &Kept,
    app: &App,
) -> Result<Response, ApiError> {
    let (address, (parts, body)) = (&asked.address, asked.request.into_parts());
    let query = Query::of(&parts);
    let named = asked.format.as_deref().or(query.first("format"));
    let is_a_list = matches!(parts.method, Method::GET | Method::HEAD)
        && matches!(address, Address::List(_) | Address::Execute(_));
    let format = Format::negotiate(named, is_a_list, &parts)?;
    let caller = Caller::find(&parts, &kept.uses, app).await?;
    *spent = kept.budgets.spend(&caller, app);
    budget::refuse(*spent)?;
    match parts.method {
        Method::GET | Method::HEAD => {
            let asked = Asked {
                query: &query,
                parts: &parts,
            };
            get(address, format, &asked, &caller, &kept.walks, app).await
        }
        Method::OPTIONS => {
            let _read = caller.read(app)?;
            Ok(metadata::options(address))
        }
        _ => {
            let mut access = caller.write(app)?;
            // Its part of the budget is taken until the answer stands: what is read from it lives as long.
            let limit = app.config.body_limit_bytes;
            let read = app.memory().read(body, limit).await?;
            match once::begin(&parts, &read.bytes, &access, app).await? {
                Beginning::Done(response) => return Ok(response),
                Beginning::Go(once) => access.once = once,
            }
            let request = Sent {
                parts: &parts,
                body: read.bytes.clone(),
            };
            let answer = change(address, request, &access, app).await;
            if let Some(once) = &access.once {
                once.end(app).await;
            }
            answer
        }
    }
}

/// What somebody wants to read.
struct Asked<'a> {
    query: &'a Query,
    parts: &'a Parts,
}

async fn get(
    address: &Address,
    format: Format,
    asked: &Asked<'_>,
    caller: &Caller,
    walks: &Walks,
    app: &App,
) -> Result<Response, ApiError> {
    let read = caller.read(app)?;
    let parts = asked.parts;
    match address {
        Address::Root => Ok(list::root(parts, app)),
        Address::List(resource) if format != Format::Json => {
            stream::list(read.shown(resource), format, asked, &read, app).await
        }
        Address::List(resource) => list::page(read.shown(resource), asked, &read, walks, app).await,
        Address::One(resource, id) => list::one(read.shown(resource), id, parts, &read, app).await,
        Address::Execute(id) => execute::run(id, format, asked, &read, app).await,
    }
}

async fn change(
    address: &Address,
    sent: Sent<'_>,
    access: &ApiWrite,
    app: &App,
) -> Result<Response, ApiError> {
    let method = &sent.parts.method;
    match address {
        Address::One(resource, id)
            if write::bulk::is_here(resource, id) && *method == Method::POST =>
        {
            write::bulk::run(sent, access, app).await
        }
        Address::List(resource) if resource.is_writable && *method == Method::POST => {
            write::create(resource, sent, access, app).await
        }
        Address::One(resource, id) if resource.is_writable => match *method {
            Method::PUT => write::update(resource, id, false, sent, access, app).await,
            Method::PATCH => write::update(resource, id, true, sent, access, app).await,
            Method::DELETE => write::delete(resource, id, access, app).await,
            _ => Err(ApiError::MethodNotAllowed(method.clone())),
        },
        _ => Err(ApiError::MethodNotAllowed(method.clone())),
    }
}

/// The methods that an address takes, as `Allow` says it.
fn allowed(address: &Address) -> &'static str {
    let is_writable = |resource: &Resource| resource.is_writable;
    match address {
        Address::List(resource) if is_writable(resource) => "GET, POST, HEAD, OPTIONS",
        Address::One(resource, id) if write::bulk::is_here(resource, id) => {
            "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
        }
        Address::One(resource, _) if is_writable(resource) => {
            "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
        }
        _ => "GET, HEAD, OPTIONS",
    }
}

/// The scheme and host under which a program reached this server, for absolute addresses.
fn base(parts: &Parts, app: &App) -> String {
    if let Some(url) = &app.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if sal_http::origin::Origin::of(parts, app).is_https {
        "https"
    } else {
        "http"
    };
    let host = parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let host = host.or_else(|| {
        parts
            .uri
            .authority()
            .map(axum::http::uri::Authority::as_str)
    });
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

const ROOT: &str = "/api/v2";
