//! `/activity/` and its file: the audit log, the newest first, by kind and person.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use futures_util::{Stream, stream};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    db::{export_client, page_client},
};
use sal_store::audit::{AuditKind, FoundChange, audit_kinds, search_audit};
use serde::Deserialize;

use super::{EXPORT_SIZE, ONE_MORE, PAGE_SIZE, chosen, export, href, typed};
use crate::{
    export::Cell,
    page::render,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::GlobalAdmin, get(show_changes))
        .route(EXPORT, Access::GlobalAdmin, get(export_changes))
}

#[derive(Template)]
#[template(path = "activity/changes.html")]
struct ChangesPage {
    shell: Shell,
    kinds: Vec<AuditKind>,
    filter: Filter,
    /// Where this page is read again every now and then; only the first.
    live: Option<String>,
    first: String,
    next: Option<String>,
    csv: String,
    jsonl: String,
    lines: Vec<ChangeLine>,
}

/// A change as a line.
struct ChangeLine {
    id: i64,
    at: Moment,
    username: String,
    action: String,
    kind: String,
    object: String,
    href: Option<String>,
    detail: String,
}

#[derive(Deserialize)]
struct ChangesQuery {
    kind: Option<String>,
    user: Option<String>,
    before: Option<String>,
    format: Option<String>,
}

/// Which changes.
#[derive(Clone)]
struct Filter {
    kind: Option<String>,
    user: String,
}

async fn show_changes(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Query(query): Query<ChangesQuery>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let filter = Filter::of(&query);
    let before: Option<i64> = query.before.and_then(|before| before.parse().ok());
    app.refusals().flush(app.now(), &app.store).await;
    let db = page_client(&app).await?;
    let user = filter.user.as_str();
    let (mut rows, kinds) = tokio::try_join!(
        search_audit(&db, &before, &filter.kind, user, &ONE_MORE),
        audit_kinds(&db),
    )?;
    let shown = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let is_more = rows.len() > shown;
    rows.truncate(shown);
    let last = rows
        .last()
        .filter(|_| is_more)
        .map(|row| row.id.to_string());
    render(&ChangesPage {
        shell: Shell::of(&viewer, theme, Section::Activity, "Activity", &app),
        kinds,
        live: before.is_none().then(|| filter.href(PATH, &[])),
        first: filter.href(PATH, &[]),
        next: last.map(|id| filter.href(PATH, &[("before", &id)])),
        csv: filter.href(EXPORT, &[("format", "csv")]),
        jsonl: filter.href(EXPORT, &[("format", "jsonl")]),
        filter,
        lines: rows
            .into_iter()
            .map(|row| ChangeLine::new(row, &app))
            .collect(),
    })
}

async fn export_changes(
    _admin: GlobalAdmin,
    Query(query): Query<ChangesQuery>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    app.refusals().flush(app.now(), &app.store).await;
    let pages = pages(Filter::of(&query), app);
    export(query.format.as_deref(), "sal activity", COLUMNS, pages)
}

/// Pages of the file, until one is empty.
fn pages(
    filter: Filter,
    app: App,
) -> impl Stream<Item = Result<Vec<Vec<Cell<'static>>>, AppError>> {
    stream::try_unfold(None, move |before| {
        let (filter, app) = (filter.clone(), app.clone());
        async move {
            let db = export_client(&app).await?;
            let user = filter.user.as_str();
            let rows = search_audit(&db, &before, &filter.kind, user, &EXPORT_SIZE).await?;
            let last = rows.last().map(|row| row.id);
            let cells = rows.into_iter().map(cells).collect();
            Ok(last.map(|last| (cells, Some(last))))
        }
    })
}

fn cells(row: FoundChange) -> Vec<Cell<'static>> {
    vec![
        Cell::Number(row.id),
        Cell::Time(row.at),
        Cell::from(row.username),
        Cell::from(row.action),
        Cell::from(row.kind),
        Cell::from(row.object_id),
        Cell::from(row.object_name),
        Cell::from(row.detail),
    ]
}

impl Filter {
    fn of(query: &ChangesQuery) -> Self {
        Self {
            kind: chosen(query.kind.as_deref()),
            user: typed(query.user.as_deref()),
        }
    }

    fn is_kind(&self, kind: &AuditKind) -> bool {
        self.kind.as_ref() == Some(&kind.kind)
    }

    fn is_empty(&self) -> bool {
        self.kind.is_none() && self.user.is_empty()
    }

    fn href(&self, path: &str, more: &[(&str, &str)]) -> String {
        let kind = self.kind.as_deref().unwrap_or_default();
        let mut pairs = vec![("kind", kind), ("user", self.user.as_str())];
        pairs.extend_from_slice(more);
        href(path, &pairs)
    }
}

impl ChangeLine {
    fn new(row: FoundChange, app: &App) -> Self {
        Self {
            href: object_path(&row),
            id: row.id,
            at: Moment::new(row.at, app.now(), &app.config.time_zone),
            username: row.username,
            action: row.action,
            object: match row.object_name.as_str() {
                "" => row.object_id,
                name => name.to_owned(),
            },
            kind: row.kind,
            detail: row.detail,
        }
    }
}

/// Where the thing is, if it has a page and was not deleted by this change.
fn object_path(row: &FoundChange) -> Option<String> {
    let folder = match row.kind.as_str() {
        "machine" => "machine_detail",
        "machine group" => "machinegroup",
        "business unit" => "dashboard",
        _ => return None,
    };
    let is_id = !row.object_id.is_empty() && row.object_id.bytes().all(|b| b.is_ascii_digit());
    (is_id && row.action != "deleted").then(|| format!("/{folder}/{}/", row.object_id))
}

const PATH: &str = "/activity/";
const EXPORT: &str = "/activity/export/";
const COLUMNS: &[&str] = &[
    "id",
    "at",
    "user",
    "action",
    "kind",
    "object_id",
    "object_name",
    "detail",
];
