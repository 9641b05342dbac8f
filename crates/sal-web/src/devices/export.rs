//! `/machines/export/`: the list as a file. The filters, the order and the columns are those of the page, the lines are
//! all there are.
//!
//! Which machines it has is decided once, at the beginning; their rows are read a thousand at a time while the file is
//! sent, so that a slow reader holds neither memory nor a database connection.

use axum::{
    extract::{Query, State},
    response::Response,
};
use futures_util::{Stream, stream};
use sal_http::{
    App, AppError,
    access::SeesMachines,
    db::{Db, export_client},
};
use sal_query::sql::value::MachineValue;
use sal_store::{
    devices::{DeviceRow, device_ids, devices_by_ids, machine_values},
    ids::MachineId,
    scope::Scope,
};
use serde::Deserialize;

use super::{choose_columns, list::List, params::ListParams};
use crate::export::{Cell, Format, file};

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
    let heads = known.chain(asked).collect();
    let values = columns.values();
    let rows = pages(ids, values, list.scope, app, move |row, values| {
        let known = columns.known.iter().map(|column| column.cell(row));
        let asked = (0..columns.asked.len()).map(|place| {
            let value = values.get(place).cloned().flatten();
            value.map_or(Cell::Empty, Cell::Text)
        });
        known.chain(asked).collect()
    });
    Ok(file(format, &list.heading, heads, rows))
}

/// The rows of these machines and the values beside them, page by page. Those that are deleted meanwhile are left out.
pub(crate) fn pages(
    ids: Vec<MachineId>,
    values: Vec<MachineValue>,
    scope: Scope,
    app: App,
    cells: impl Fn(&DeviceRow, &[Option<String>]) -> Vec<Cell> + Clone + Send + Sync + 'static,
) -> impl Stream<Item = Result<Vec<Vec<Cell>>, AppError>> + Send + 'static {
    let start = (ids, 0_usize);
    stream::try_unfold(start, move |(ids, done)| {
        let (scope, app, cells) = (scope.clone(), app.clone(), cells.clone());
        let values = values.clone();
        async move {
            let page: Vec<MachineId> = ids.iter().copied().skip(done).take(PAGE).collect();
            if page.is_empty() {
                return Ok(None);
            }
            let db = export_client(&app).await?;
            let rows = devices_by_ids(&page, &scope, &db).await?;
            let asked = machine_values(&page, &values, &scope, &db).await?;
            let line = |row: &DeviceRow| {
                let own = asked.get(&row.id).map(Vec::as_slice).unwrap_or_default();
                cells(row, own)
            };
            let lines: Vec<Vec<Cell>> = rows.iter().map(line).collect();
            Ok(Some((lines, (ids, done + page.len()))))
        }
    })
}

/// Machines that are read at once.
const PAGE: usize = 1_000;
