//! `/csv/<plugin>/<data>/<place>/<id>/`: the list as the file that Sal makes of it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_query::Condition;
use sal_store::{
    Client,
    devices::{DeviceRow, Direction, Sort, device_ids},
    scope::Scope,
};

use super::{OldList, old_list};
use crate::{
    devices::export::pages,
    export::{Cell, MACHINE_COLUMNS, sals_csv},
};

pub(crate) async fn send_csv(
    SeesMachines(viewer): SeesMachines,
    Path(list): Path<OldList>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (filter, part) = old_list(&list, &viewer, &app, &db).await?;
    let scope = part.scope(&viewer);
    let machines = filter.condition.and(part.condition()?);
    sals_csv_of(&machines, &filter.title, scope, app, db).await
}

/// Machines with Sal's columns, by name, as a file with this title.
pub(crate) async fn sals_csv_of(
    machines: &Condition,
    title: &str,
    scope: Scope,
    app: App,
    db: Client,
) -> Result<Response, AppError> {
    let (sort, direction) = (Sort::Hostname, Direction::Ascending);
    let ids = device_ids(machines, sort, direction, app.now(), &scope, &db).await?;
    drop(db);
    let heads = MACHINE_COLUMNS.map(str::to_owned).to_vec();
    let rows = pages(ids, Vec::new(), scope, app, |row, _| cells(row));
    Ok(sals_csv(title, heads, rows))
}

fn cells(row: &DeviceRow) -> Vec<Cell> {
    let text = |value: &Option<String>| value.clone().map_or(Cell::Empty, Cell::Text);
    let number = |value: Option<i64>| value.map_or(Cell::Empty, Cell::Number);
    vec![
        text(&row.sal_version),
        Cell::Flag(row.deployed),
        Cell::Flag(row.broken_client),
        row.last_checkin.map_or(Cell::Empty, Cell::Time),
        row.first_checkin.map_or(Cell::Empty, Cell::Time),
        Cell::Text(row.serial.clone()),
        text(&row.hostname),
        text(&row.operating_system),
        text(&row.memory),
        Cell::Number(row.memory_kb.into()),
        number(row.hd_space),
        number(row.hd_total),
        text(&row.hd_percent),
        text(&row.console_user),
        text(&row.machine_model),
        text(&row.machine_model_friendly),
        text(&row.cpu_type),
        text(&row.cpu_speed),
        Cell::Text(row.os_family.clone()),
        text(&row.munki_version),
        text(&row.manifest),
        Cell::Text(row.unit.clone()),
        Cell::Text(row.group.clone()),
    ]
}
