//! `/machines/`: the list behind every number, searched, filtered, sorted and paged by the database.
//!
//! What the list shows is in its URL (`params`), and what that means is in `list`. The rail of filters is in `facets`,
//! the columns are in `columns` and `choose_columns`, files in `export`, changes to many machines in `bulk`. Sal's old
//! addresses of lists are in `old_lists`.

mod bulk;
mod choose_columns;
mod columns;
mod cursor;
mod export;
mod facets;
mod in_time;
mod list;
mod old_lists;
mod params;
mod view;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use jiff::Timestamp;
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, SeesMachines},
    db::Db,
};
use sal_store::{
    Client,
    devices::{
        DevicePage, PageQuery, Start,
        bulk::{ScopeGroup, groups_in_scope},
        count_up_to, machine_values, read_page,
    },
    ids::MachineId,
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};
use columns::Content;
use facets::Facet;
use list::names_note;
use params::Position;
use view::{ColumnChoice, Head, Pager};

pub(crate) use columns::Chosen;
pub(crate) use in_time::in_time;
pub(crate) use list::{Chip, FilterProblem, List};
pub(crate) use old_lists::sals_csv_of;
pub(crate) use params::{ListParams, Place};
pub(crate) use view::{Line, machines};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/machines/", Access::SeesMachines, get(list_machines))
        .route("/machines/facets/", Access::SeesMachines, get(show_facets))
        .route(
            "/machines/columns/",
            Access::SeesMachines,
            post(choose_columns::choose_columns),
        )
        .route(
            "/machines/export/",
            Access::SeesMachines,
            get(export::export_machines),
        )
        .route(
            "/machines/bulk/",
            Access::ReadWrite,
            post(bulk::change_machines),
        )
        .merge(old_lists::routes())
}

#[derive(Template)]
#[template(path = "devices/list.html")]
struct DeviceListPage {
    shell: Shell,
    heading: String,
    total: String,
    params: ListParams,
    chips: Vec<Chip>,
    notes: Vec<String>,
    rail: Rail,
    heads: Vec<Head>,
    choices: Vec<ColumnChoice>,
    lines: Vec<Line>,
    pager: Pager,
    /// Set when there is nothing to show: which part of the filter is to blame, if one alone is.
    cause: Option<Chip>,
    /// What is wrong with the filter.
    problem: Option<FilterProblem>,
    /// Set for those who may change machines.
    bulk: Option<BulkTools>,
}

impl DeviceListPage {
    /// This list as a file.
    fn export_href(&self, format: &str) -> String {
        let list = self.params.at_start().query();
        let mark = if list.is_empty() { "" } else { "&" };
        format!("/machines/export/?{list}{mark}format={format}")
    }
}

/// The rail, or where it is counted.
enum Rail {
    Counted(Vec<Facet>),
    /// Counting would hold up the list: this address does it.
    Later(String),
}

/// What the viewer may do with many machines.
struct BulkTools {
    groups: Vec<ScopeGroup>,
}

async fn list_machines(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(params): Query<ListParams>,
    headers: HeaderMap,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let now = app.now();
    let (columns, params) = choose_columns::as_chosen(params, &viewer, &db).await?;
    let list = List::of(params, &viewer, &app, &db).await?;
    let (groups, total, (page, position)) = in_time(async {
        tokio::try_join!(
            async { Ok(groups_in_scope(&db, &viewer.scope).await?) },
            async { Ok(count_up_to(MOST_COUNTED, &list.filter, now, &list.scope, &db).await?) },
            read(&list, now, &db),
        )
    })
    .await?;
    let rail = if total.number() > MOST_BESIDE {
        Rail::Later(facets_href(&list.params))
    } else {
        Rail::Counted(facets::rail(&list, &groups, now, &db).await?)
    };
    let unknown = list.unknown_names(&viewer, &db).await?;
    let cause = if page.rows.is_empty() && list.error.is_none() {
        list.cause_of_emptiness(&viewer, &db).await?
    } else {
        None
    };
    let ids: Vec<MachineId> = page.rows.iter().map(|row| row.id).collect();
    let values = machine_values(&ids, &columns.values(), &list.scope, &db).await?;
    let zone = &app.config.time_zone;
    let is_refused = list.error.is_some() && !is_partial(&headers);
    let mut response = render(&DeviceListPage {
        shell: Shell::of(&viewer, theme, Section::Devices, &list.heading, &app),
        total: view::machines(total),
        notes: names_note(&unknown, list.params.names_left_out()),
        rail,
        heads: Head::all(&columns, &list.params),
        choices: ColumnChoice::all(&columns),
        lines: page
            .rows
            .iter()
            .map(|row| Line::new(row, &columns, &values, now, zone))
            .collect(),
        pager: Pager::new(&page, &position, total, &list.params),
        cause,
        bulk: (viewer.level >= Level::ReadWrite).then_some(BulkTools { groups }),
        heading: list.heading,
        chips: list.chips,
        problem: list.error,
        params: list.params,
    })?;
    if is_refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Whether the page asks for a part of itself while somebody types: an error of the filter is a part like any other.
fn is_partial(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

/// Reads the page of the URL. Where it would be empty, or cut short at the beginning of the list, the first one.
async fn read(
    list: &List,
    now: Timestamp,
    db: &Client,
) -> Result<(DevicePage, Position), AppError> {
    let position = list.params.position();
    let page = read_at(&position, list, now, db).await?;
    let is_cut_short = match &position {
        Position::First => false,
        Position::Before(_) => page.rows.len() < list.params.size(),
        Position::After(_) | Position::Last => page.rows.is_empty(),
    };
    if is_cut_short {
        let page = read_at(&Position::First, list, now, db).await?;
        return Ok((page, Position::First));
    }
    Ok((page, position))
}

async fn read_at(
    position: &Position,
    list: &List,
    now: Timestamp,
    db: &Client,
) -> Result<DevicePage, AppError> {
    let query = PageQuery {
        filter: list.filter.clone(),
        sort: list.params.sort(),
        direction: list.params.direction(),
        start: match position {
            Position::First => Start::First,
            Position::Last => Start::Last,
            Position::After(cursor) => Start::After(cursor.key()),
            Position::Before(cursor) => Start::Before(cursor.key()),
        },
        limit: list.params.size(),
    };
    Ok(read_page(&query, now, &list.scope, db).await?)
}

#[derive(Template)]
#[template(path = "devices/facets.html")]
struct FacetsPage {
    shell: Shell,
    heading: String,
    back: String,
    rail: Rail,
}

/// The rail alone: for lists that are too long to count it beside them.
async fn show_facets(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(params): Query<ListParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let list = List::of(params, &viewer, &app, &db).await?;
    let groups = groups_in_scope(&db, &viewer.scope).await?;
    render(&FacetsPage {
        shell: Shell::of(&viewer, theme, Section::Devices, &list.heading, &app),
        back: list.params.at_start().href(),
        rail: Rail::Counted(in_time(facets::rail(&list, &groups, app.now(), &db)).await?),
        heading: list.heading,
    })
}

fn facets_href(params: &ListParams) -> String {
    format!("/machines/facets/?{}", params.at_start().query())
}

/// Lists are counted to the last machine up to here; beyond, Postgres's statistics say how many there are.
const MOST_COUNTED: i64 = 50_000;
/// The rail is counted beside lists of up to so many machines (measured: 13 ms for 10,000, 180 ms for 100,000; a list
/// alone 4 ms); for longer ones the browser asks for it afterwards.
const MOST_BESIDE: i64 = 5_000;
