//! `/inventory/csv_export/<kind>/<id>/?pk=&field_type=&field_value=`: the list of applications, or the machines of one
//! application, as a file with Sal's columns.

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use futures_util::{Stream, stream};
use sal_http::{
    App, AppError,
    access::SeesMachines,
    db::{Db, export_client},
};
use sal_store::{
    Client,
    applications::{
        Application, ApplicationOrder, ApplicationQuery, InstallRow, Which, export_machines,
        list_applications,
    },
    devices::Direction,
    ids::MachineId,
    keyset::Start,
    summaries::Summary,
};
use serde::Deserialize;

use super::{Shown, application, installs::which};
use crate::{
    counted::Wish,
    export::{Cell, Format, Lines, Rows, file, machine_cells, machine_heads, sals_csv},
    widgets::Counting,
};

#[derive(Deserialize)]
pub(super) struct ExportParams {
    pk: Option<String>,
    field_type: Option<String>,
    field_value: Option<String>,
    /// `csv`, as Sal's, or `jsonl`.
    format: Option<String>,
}

pub(super) async fn export_inventory(
    SeesMachines(viewer): SeesMachines,
    Path((kind, id)): Path<(String, String)>,
    Query(params): Query<ExportParams>,
    counting: Counting,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shown = Shown::find((&kind, &id), &viewer, &db).await?;
    let format = Format::parse(params.format.as_deref().unwrap_or("csv"));
    let format = format.ok_or(AppError::NotFound)?;
    let number = params.pk.as_deref().filter(|pk| !pk.is_empty());
    let Some(number) = number.filter(|pk| *pk != "0") else {
        return export_applications(format, shown, &counting, db, &app).await;
    };
    let application = application(number, &shown, &db).await?;
    let which = which(params.field_type.as_deref(), params.field_value.as_deref())?;
    Ok(export_installs(
        format,
        (application, which),
        shown,
        app.clone(),
    ))
}

/// All applications of the place, those too that the page does not list, as Sal does.
async fn export_applications(
    format: Format,
    shown: Shown,
    counting: &Counting,
    db: Client,
    app: &App,
) -> Result<Response, AppError> {
    let (place, scope) = (&shown.place, &shown.scope);
    let (counts, db) = counting
        .counts(Summary::Applications, place, scope, Wish::Wait, db, app)
        .await?;
    let query = ApplicationQuery {
        from: counts.from,
        search: String::new(),
        without: String::new(),
        without_guests: false,
        order: ApplicationOrder::Name,
        direction: Direction::Ascending,
        case_matters: false,
        start: Start::First,
        limit: None,
    };
    let page = list_applications(&query, place, scope, &db).await?;
    let cells = page.rows.into_iter().map(|row| {
        [
            row.application.name,
            row.application.bundleid,
            row.application.bundlename,
        ]
        .map(Cell::from)
        .into_iter()
        .chain([Cell::Number(row.installs)])
        .collect()
    });
    let columns = ["name", "bundleid", "bundlename", "install_count"].map(str::to_owned);
    let name = format!("sal_inventory_application_list_for_{}", tail(&shown));
    let pages = stream::iter([Ok(cells.collect::<Vec<Vec<Cell<'static>>>>())]);
    Ok(named_as_sals(format, &name, &columns, pages))
}

/// A line for each install, read from the database while the file is sent.
fn export_installs(
    format: Format,
    (application, which): (Application, Which),
    shown: Shown,
    app: App,
) -> Response {
    let mut name = format!(
        "sal_inventory_application_{}_for_{}",
        application.name,
        tail(&shown)
    );
    match &which {
        Which::All => {}
        Which::Version(version) => name.push_str(&format!("_where_version_is_{version}")),
        Which::Path(path) => name.push_str(&format!("_where_path_is_{path}")),
    }
    let start = Some((MachineId(0), 0));
    let rows = stream::try_unfold(start, move |after| {
        let (app, which, shown) = (
            app.clone(),
            which.clone(),
            (shown.place, shown.scope.clone()),
        );
        async move {
            let Some(after) = after else {
                return Ok(None);
            };
            let db = export_client(&app).await?;
            let what = (application.id, &which);
            let rows = export_machines(what, after, BATCH, &shown.0, &shown.1, &db).await?;
            let next = rows.last().map(|last| (last.id, last.item));
            let is_last = i64::try_from(rows.len()).unwrap_or(BATCH) < BATCH;
            let lines = Lines {
                rows,
                cells: install_cells,
            };
            Ok::<_, AppError>(Some((lines, next.filter(|_| !is_last))))
        }
    });
    named_as_sals(format, &name, &machine_heads(), rows)
}

fn install_cells<'r>(row: &'r InstallRow, cells: &mut Vec<Cell<'r>>) {
    machine_cells(&row.machine, &row.unit, &row.group, cells);
}

/// Sal puts `.csv` behind names that end so already, and scripts know the file by that name.
fn named_as_sals<S, R>(format: Format, name: &str, columns: &[String], pages: S) -> Response
where
    S: Stream<Item = Result<R, AppError>> + Send + 'static,
    R: Rows,
{
    match format {
        Format::Csv => sals_csv(&format!("{name}.csv"), columns, pages),
        _ => file(format, name, columns, pages),
    }
}

/// How Sal names the place in the name of a file.
fn tail(shown: &Shown) -> String {
    match shown.segments.as_str() {
        "all/0" => "all".to_owned(),
        segments => segments.replace('/', "_"),
    }
}

/// Rows that are in memory at a time.
const BATCH: i64 = 2_000;
