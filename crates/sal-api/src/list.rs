//! Lists in pages, and single rows.

use axum::http::{HeaderName, StatusCode, header, request::Parts};
use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_query::Parameter;
use sal_store::{
    Client,
    pool::Executor,
    resources::{self, Conditions, Page, RESOURCES, Record, Resource},
    scope::Scope,
    searches::NamedSearches,
};
use serde_json::{Map, Value as Json, json};

use crate::{
    ROOT,
    access::ApiRead,
    answer, base,
    error::ApiError,
    query::{Context, Query, read},
    render,
    walks::Walks,
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
    walks: &Walks,
    app: &App,
) -> Result<Response, ApiError> {
    let warning = query.unknown(resource)?;
    let fields = query.fields(resource)?;
    let limit = query.page_size()?;
    let db = program_client(app).await?;
    let named = match query.has("filter") {
        true => NamedSearches::load(&read.asker(), &db).await?,
        false => NamedSearches::default(),
    };
    let conditions = conditions(resource, query, &named, app)?;
    let list = List {
        resource,
        conditions: &conditions,
        limit,
        walk: format!("{} {} {}", read.walker, resource.name, query.with_page(1)),
    };
    let part = list.read(query, read, walks, &db).await?;
    drop(db);
    let number = part.number;
    let results = part.rows.into_iter().map(|record| {
        let row = render::object(resource, record, &app.config.time_zone);
        only(row, fields.as_deref())
    });
    let body = json!({
        "count": part.count,
        "next": part.has_more.then(|| link(query, number + 1, parts, app)),
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

/// What narrows a list.
pub(crate) fn conditions(
    resource: &'static Resource,
    query: &Query,
    named: &NamedSearches,
    app: &App,
) -> Result<Conditions, ApiError> {
    let context = Context {
        named,
        zone: &app.config.time_zone,
        now: app.now(),
    };
    query.conditions(resource, &context)
}

/// A list and how it is cut.
struct List<'a> {
    resource: &'static Resource,
    conditions: &'a Conditions,
    limit: i64,
    /// What tells this walk from others.
    walk: String,
}

/// A page of a list.
struct Part {
    number: i64,
    count: i64,
    rows: Vec<Record>,
    has_more: bool,
}

impl List<'_> {
    async fn read(
        &self,
        query: &Query,
        read: &ApiRead,
        walks: &Walks,
        db: &Client,
    ) -> Result<Part, ApiError> {
        let is_by_key = self.resource.is_by_key(self.conditions);
        let asked = query.number().filter(|number| is_by_key && *number > 1);
        let start = asked.and_then(|number| Some((number, walks.start(&self.walk, number)?)));
        let (number, count, page) = match start {
            Some((number, start)) => (number, start.count, self.page(Some(start.after), 0)),
            None => {
                let (resource, conditions) = (self.resource, self.conditions);
                let count = resources::count(resource, conditions, &read.scope, db).await?;
                let pages = ((count + self.limit - 1) / self.limit).max(1);
                let number = query.page(pages)?;
                (number, count, self.page(None, (number - 1) * self.limit))
            }
        };
        let (resource, conditions) = (self.resource, self.conditions);
        let mut rows = resources::page(resource, conditions, page, &read.scope, db).await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if is_by_key && let Some(last) = rows.last().and_then(|row| resource.key_of(row)) {
            walks.end(&self.walk, number, &last, count);
        }
        Ok(Part {
            number,
            count,
            rows,
            has_more,
        })
    }

    /// One row more than is shown says whether there is another page.
    fn page(&self, after: Option<Parameter>, offset: i64) -> Page {
        Page {
            after,
            offset,
            limit: self.limit + 1,
        }
    }
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
    let db = program_client(app).await?;
    find_in(resource, id, &access.scope, app, &db).await
}

/// The same on a connection, such as a transaction's.
pub(crate) async fn find_in(
    resource: &'static Resource,
    id: &str,
    scope: &Scope,
    app: &App,
    db: &impl Executor,
) -> Result<Json, ApiError> {
    let no_match = || ApiError::NoMatch(resource.object);
    let id = read(resource.lookup.kind, id).map_err(|_unreadable| no_match())?;
    let found = resources::one(resource, id, scope, db).await?;
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
