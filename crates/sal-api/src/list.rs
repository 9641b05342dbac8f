//! Lists in pages, and single rows.

use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_store::{
    Client,
    pool::Executor,
    resources::{self, Conditions, Page, RESOURCES, Record, Resource, Start, Value},
    scope::Scope,
    searches::NamedSearches,
};
use serde_json::{Map, Value as Json, json};

use crate::{
    Asked, ROOT,
    access::ApiRead,
    answer, base, changed,
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
    asked: &Asked<'_>,
    read: &ApiRead,
    walks: &Walks,
    app: &App,
) -> Result<Response, ApiError> {
    let (query, parts) = (asked.query, asked.parts);
    let warning = query.unknown(resource)?;
    let fields = query.fields(resource)?;
    let limit = query.page_size()?;
    let cursor = query.cursor(resource)?;
    let db = program_client(app).await?;
    let mut conditions = conditions(resource, query, read, app, &db).await?;
    let changes = changed::find(resource, query, read, app, &db).await?;
    conditions.only = changes
        .as_ref()
        .and_then(|changes| changes.machines.clone());
    let query = &query.until(changes.as_ref());
    let list = List {
        resource,
        conditions: &conditions,
        limit,
        walk: format!("{} {} {}", read.walker, resource.name, query.with_page(1)),
    };
    let cursor = cursor.or_else(|| changes.as_ref().map(|_| Start::Key(None)));
    let (rows, place) = match cursor {
        Some(start) => list.read_on(start, read, &db).await?,
        None => list.read(query, read, walks, &db).await?,
    };
    drop(db);
    let ways = Ways::of(&place, query, parts, app);
    let results = rows.into_iter().map(|record| {
        let row = render::object(resource, record, &app.config.time_zone);
        only(row, fields.as_deref())
    });
    let results = results.collect::<Vec<_>>();
    let mut body = match place {
        Place::Page { count, .. } => json!({
            "count": count,
            "next": ways.next,
            "previous": ways.previous,
            "results": results,
        }),
        Place::Cursor { .. } => json!({ "next": ways.next, "previous": null, "results": results }),
    };
    if let Some(changes) = &changes {
        changes.add_to(&mut body, changed::is_first(query));
    }
    let mut response = answer::tagged(&body, parts);
    let headers = response.headers_mut();
    if let Some(warning) = warning {
        headers.insert(HeaderName::from_static("warning"), warning);
    }
    if let Some(links) = ways.links() {
        headers.insert(header::LINK, links);
    }
    Ok(response)
}

/// What narrows a list.
pub(crate) async fn conditions(
    resource: &'static Resource,
    query: &Query,
    read: &ApiRead,
    app: &App,
    db: &Client,
) -> Result<Conditions, ApiError> {
    let named = match query.has("filter") {
        true => NamedSearches::load(&read.asker(), db).await?,
        false => NamedSearches::default(),
    };
    let context = Context {
        named: &named,
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

/// Where a part of a list is in it.
enum Place {
    /// A page with a number.
    Page { number: i64, count: i64, pages: i64 },
    /// A part of a walk by keys; the key of its last row, where there are more.
    Cursor { next: Option<String> },
}

impl List<'_> {
    /// A page by its number.
    async fn read(
        &self,
        query: &Query,
        read: &ApiRead,
        walks: &Walks,
        db: &Client,
    ) -> Result<(Vec<Record>, Place), ApiError> {
        let (resource, conditions) = (self.resource, self.conditions);
        let is_by_key = resource.is_by_key(conditions);
        let asked = query.number().filter(|number| is_by_key && *number > 1);
        let start = asked.and_then(|number| Some((number, walks.start(&self.walk, number)?)));
        let (number, count, start) = match start {
            Some((number, start)) => (number, start.count, Start::Key(Some(start.after))),
            None => {
                let count = resources::count(resource, conditions, &read.scope, db).await?;
                let number = query.page(self.pages(count))?;
                (number, count, Start::Offset((number - 1) * self.limit))
            }
        };
        let (rows, has_more) = self.rows(start, read, db).await?;
        if is_by_key && let Some(last) = rows.last().and_then(|row| resource.key_of(row)) {
            walks.end(&self.walk, number, &last, count);
        }
        // A list that grows meanwhile has more pages than were counted.
        let least = number + i64::from(has_more);
        let pages = self.pages(count).max(least);
        let pages = if has_more { pages } else { number };
        Ok((
            rows,
            Place::Page {
                number,
                count,
                pages,
            },
        ))
    }

    /// The rows behind a key.
    async fn read_on(
        &self,
        start: Start,
        read: &ApiRead,
        db: &Client,
    ) -> Result<(Vec<Record>, Place), ApiError> {
        let (rows, has_more) = self.rows(start, read, db).await?;
        let last = rows.last().filter(|_| has_more);
        let next = last.and_then(|row| match row.first()? {
            Value::Integer(key) => Some(key.to_string()),
            Value::Text(key) => Some(key.clone()),
            _ => None,
        });
        Ok((rows, Place::Cursor { next }))
    }

    /// Rows, and whether there are more: one more than is shown is asked for.
    async fn rows(
        &self,
        start: Start,
        read: &ApiRead,
        db: &Client,
    ) -> Result<(Vec<Record>, bool), ApiError> {
        let page = Page {
            start,
            limit: self.limit + 1,
        };
        let (resource, conditions) = (self.resource, self.conditions);
        let mut rows = resources::page(resource, conditions, page, &read.scope, db).await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows, has_more))
    }

    fn pages(&self, count: i64) -> i64 {
        ((count + self.limit - 1) / self.limit).max(1)
    }
}

/// The absolute addresses of other parts of a list: programs follow them with their keys.
struct Ways {
    first: String,
    previous: Option<String>,
    next: Option<String>,
    last: Option<String>,
}

impl Ways {
    fn of(place: &Place, query: &Query, parts: &Parts, app: &App) -> Self {
        let (base, path) = (base(parts, app), parts.uri.path());
        let to = |query: String| match query.is_empty() {
            true => format!("{base}{path}"),
            false => format!("{base}{path}?{query}"),
        };
        let page = |number: i64| to(query.with_page(number));
        match place {
            Place::Page { number, pages, .. } => Self {
                first: page(1),
                previous: (*number > 1).then(|| page(number - 1)),
                next: (number < pages).then(|| page(number + 1)),
                last: Some(page(*pages)),
            },
            Place::Cursor { next } => Self {
                first: to(query.with_cursor("")),
                previous: None,
                next: next.as_deref().map(|key| to(query.with_cursor(key))),
                last: None,
            },
        }
    }

    /// As RFC 8288 has them.
    fn links(&self) -> Option<HeaderValue> {
        let links = [
            (Some(&self.first), "first"),
            (self.previous.as_ref(), "prev"),
            (self.next.as_ref(), "next"),
            (self.last.as_ref(), "last"),
        ];
        let links = links
            .into_iter()
            .filter_map(|(url, rel)| Some(format!("<{}>; rel=\"{rel}\"", url?)));
        HeaderValue::from_str(&links.collect::<Vec<_>>().join(", ")).ok()
    }
}

/// One of a resource.
pub(crate) async fn one(
    resource: &'static Resource,
    id: &str,
    parts: &Parts,
    access: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let row = find(resource, id, access, app).await?;
    Ok(answer::tagged(&row, parts))
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
