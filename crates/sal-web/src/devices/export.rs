//! `/machines/export/`: the list as a file. The filters, the order and the columns are those of the page, the lines are
//! all there are.
//!
//! Which machines it has is decided once, at the beginning; their rows are read a thousand at a time while the file is
//! sent, so that a slow reader holds neither memory nor a database connection. Only what the columns show is read.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures_util::{Stream, StreamExt, stream};
use sal_http::{
    App, AppError,
    access::SeesMachines,
    db::{Db, export_client},
};
use sal_query::sql::value::MachineValue;
use sal_store::{
    devices::{DeviceRow, FileRows, device_ids, devices_by_ids, machine_values},
    ids::MachineId,
    scope::Scope,
};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::{choose_columns, list::List, params::ListParams};
use crate::export::{Cell, Format, Lines, file};

#[derive(Deserialize)]
pub(crate) struct FileParams {
    format: Option<String>,
}

pub(crate) async fn export_machines(
    SeesMachines(viewer): SeesMachines,
    Query(params): Query<ListParams>,
    Query(FileParams { format }): Query<FileParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let format = Format::parse(format.as_deref().unwrap_or("csv")).ok_or(AppError::NotFound)?;
    let (columns, params) = choose_columns::as_chosen(params, &viewer, &db).await?;
    let list = List::of(params, &viewer, &app, &db).await?.valid()?;
    let (sort, direction) = (list.params.sort(), list.params.direction());
    let ids = device_ids(&list.filter, sort, direction, app.now(), &list.scope, &db).await?;
    drop(db);
    let known = columns.known.iter().map(|column| column.key().to_owned());
    let asked = columns.asked.iter().map(|asked| asked.text.clone());
    let heads: Vec<String> = known.chain(asked).collect();
    let what = What {
        rows: columns.file_rows(),
        values: columns.values(),
        scope: list.scope,
    };
    let rows = pages(ids, what, app, move |line, cells| {
        let known = columns.known.iter().map(|column| column.cell(&line.row));
        let asked = (0..columns.asked.len()).map(|place| {
            let value = line.values.get(place).and_then(Option::as_deref);
            Cell::from(value)
        });
        cells.extend(known.chain(asked));
    });
    Ok(file(format, &list.heading, &heads, rows))
}

/// What is read of each machine, and for whom.
pub(crate) struct What {
    pub(crate) rows: FileRows,
    pub(crate) values: Vec<MachineValue>,
    pub(crate) scope: Scope,
}

/// A machine of a file, and the values beside it.
pub(crate) struct Line {
    pub(crate) row: DeviceRow,
    values: Vec<Option<String>>,
}

/// The lines of these machines, page by page. Those that are deleted meanwhile are left out. While a page is written the
/// database reads the next.
pub(crate) fn pages<F>(
    ids: Vec<MachineId>,
    what: What,
    app: App,
    cells: F,
) -> impl Stream<Item = Result<Lines<Line, F>, AppError>> + Send + 'static
where
    F: for<'r> Fn(&'r Line, &mut Vec<Cell<'r>>) + Clone + Send + Sync + 'static,
{
    let count = ids.len().div_ceil(PAGE);
    let ids: Arc<[MachineId]> = ids.into();
    let what = Arc::new(what);
    let read = move |page: usize| {
        let (ids, what, app, cells) = (ids.clone(), what.clone(), app.clone(), cells.clone());
        let page = async move {
            let ids: Vec<MachineId> = ids.iter().copied().skip(page * PAGE).take(PAGE).collect();
            let rows = lines(&ids, &what, &app).await?;
            Ok(Lines { rows, cells })
        };
        // A task of its own gives its connection back however slowly the file is read.
        let mut task = JoinSet::new();
        task.spawn(page);
        async move {
            match task.join_next().await {
                Some(Ok(page)) => page,
                Some(Err(panic)) => Err(AppError::internal("a page of a file", panic)),
                None => Err(AppError::internal("a page of a file", "its task is gone")),
            }
        }
    };
    stream::iter(0..count).map(read).buffered(READ_AHEAD)
}

async fn lines(ids: &[MachineId], what: &What, app: &App) -> Result<Vec<Line>, AppError> {
    let db = export_client(app).await?;
    let rows = devices_by_ids(ids, &what.rows, &what.scope, &db).await?;
    let mut values = machine_values(ids, &what.values, &what.scope, &db).await?;
    let line = |row: DeviceRow| Line {
        values: values.remove(&row.id).unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Machines that are read at once.
const PAGE: usize = 1_000;
/// Pages that are read at once, each on a connection of its own.
const READ_AHEAD: usize = 2;
