//! `/csv/<plugin>/<data>/<place>/<id>/`: the list as the file that Sal makes of it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_query::{Condition, Field};
use sal_store::{
    Client,
    devices::{Direction, FileRows, device_ids},
    scope::Scope,
};

use super::{OldList, old_list};
use crate::{
    devices::export::{What, pages},
    export::{machine_cells, machine_heads, sals_csv},
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
    let (sort, direction) = (Field::Hostname, Direction::Ascending);
    let ids = device_ids(machines, sort, direction, app.now(), &scope, &db).await?;
    drop(db);
    let what = What {
        rows: FileRows::default().with(Field::ALL),
        values: Vec::new(),
        scope,
    };
    let rows = pages(ids, what, app, |line, cells| {
        let row = &line.row;
        machine_cells(&row.machine, &row.unit, &row.group, cells);
    });
    Ok(sals_csv(title, &machine_heads(), rows))
}
