//! Lists in pages, and single rows.

use axum::http::{HeaderName, StatusCode, header, request::Parts};
use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_store::{
    resources::{self, Page, RESOURCES, Resource},
    searches::{Asker, NamedSearches},
};
use serde_json::{Map, Value as Json, json};

use crate::{
    ROOT,
    access::ApiRead,
    answer, base,
    error::ApiError,
    query::{Context, Query, read},
    render,
};

/// The addresses of all resources.
pub(crate) fn root(parts: &Parts, app: &App) -> Response {
    let base = base(parts, app);
    let addresses = RESOURCES.into_iter().map(|resource| {
        let address = format!("{base}{ROOT}/{}/", resource.name);
        (resource.name.to_owned(), Json::String(address))
    });
    answer::json(StatusCode::OK, &Json::Object(addresses.collect()))
}

/// A page of a resource.
pub(crate) async fn page(
    resource: &'static Resource,
    query: &Query,
    parts: &Parts,
    read: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let warning = query.unknown(resource)?;
    let fields = query.fields(resource)?;
    let limit = query.page_size()?;
    let db = program_client(app).await?;
    let named = match query.has("filter") {
        true => NamedSearches::load(&Asker::BY_HAND, &db).await?,
        false => NamedSearches::default(),
    };
    let context = Context {
        named: &named,
        zone: &app.config.time_zone,
        now: app.now(),
    };
    let conditions = query.conditions(resource, &context)?;
    let count = resources::count(resource, &conditions, &read.scope, &db).await?;
    let pages = ((count + limit - 1) / limit).max(1);
    let number = query.page(pages)?;
    let offset = (number - 1) * limit;
    let rows = Page { offset, limit };
    let rows = resources::page(resource, &conditions, rows, &read.scope, &db).await?;
    drop(db);
    let results = rows.into_iter().map(|record| {
        let row = render::object(resource, record, &app.config.time_zone);
        only(row, fields.as_deref())
    });
    let body = json!({
        "count": count,
        "next": (number < pages).then(|| link(query, number + 1, parts, app)),
        "previous": (number > 1).then(|| link(query, number - 1, parts, app)),
        "results": results.collect::<Vec<_>>(),
    });
    let mut response = answer::json(StatusCode::OK, &body);
    if let Some(warning) = warning {
        response
            .headers_mut()
            .insert(HeaderName::from_static("warning"), warning);
    }
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        axum::http::HeaderValue::from_static("no-store"),
    );
    Ok(response)
}

/// One of a resource.
pub(crate) async fn one(
    resource: &'static Resource,
    id: &str,
    access: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let row = find(resource, id, access, app).await?;
    Ok(answer::json(StatusCode::OK, &row))
}

/// One of a resource as JSON.
pub(crate) async fn find(
    resource: &'static Resource,
    id: &str,
    access: &ApiRead,
    app: &App,
) -> Result<Json, ApiError> {
    let no_match = || ApiError::NoMatch(resource.object);
    let id = read(resource.lookup.kind, id).map_err(|_unreadable| no_match())?;
    let db = program_client(app).await?;
    let found = resources::one(resource, id, &access.scope, &db).await?;
    let record = found.ok_or_else(no_match)?;
    Ok(render::object(resource, record, &app.config.time_zone))
}

fn only(row: Json, fields: Option<&[&str]>) -> Json {
    let (Json::Object(row), Some(fields)) = (&row, fields) else {
        return row;
    };
    let wanted = row
        .iter()
        .filter(|(name, _)| fields.contains(&name.as_str()));
    Json::Object(
        wanted
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>(),
    )
}

/// The absolute address of another page: programs follow it with their keys.
fn link(query: &Query, page: i64, parts: &Parts, app: &App) -> String {
    let (base, path) = (base(parts, app), parts.uri.path());
    match query.with_page(page) {
        query if query.is_empty() => format!("{base}{path}"),
        query => format!("{base}{path}?{query}"),
    }
}
