//! `/machine_detail/<id or serial>/item/<id of the item>/`: one managed item of a machine with the history of its status.
//! The machine's page takes the history out of it when an item is opened there.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::SeesMachines, db::Db};
use sal_store::{
    device::tabs::{device_item, device_item_history},
    ids::ItemId,
};

use super::{
    find, first, path_of,
    view::{Details, details, status_words},
};
use crate::{
    machine,
    page::render,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/machine_detail/{key}/item/{item}/",
        Access::SeesMachines,
        get(show_item),
    )
}

#[derive(Template)]
#[template(path = "device/item.html")]
struct ItemPage {
    shell: Shell,
    machine: String,
    machine_href: String,
    name: String,
    source: String,
    status: &'static str,
    tone: &'static str,
    since: Moment,
    details: Details,
    history: Vec<StatusLine>,
}

/// A status that began.
struct StatusLine {
    status: &'static str,
    tone: &'static str,
    at: Moment,
}

async fn show_item(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path((key, item)): Path<(String, String)>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let item = ItemId::parse(&item).ok_or(AppError::NotFound)?;
    let device = find(&key, &viewer, &db).await?;
    let (found, history) = tokio::try_join!(
        device_item(&db, &device.id, &item, &viewer.scope),
        device_item_history(&db, &device.id, &item, &viewer.scope),
    )?;
    let item = first(found).ok_or(AppError::NotFound)?;
    let (now, zone) = (app.now(), &app.config.time_zone);
    let (status, tone) = status_words(&item.status);
    render(&ItemPage {
        shell: Shell::of(&viewer, theme, Section::Devices, &item.name, &app),
        machine: machine::name(&device.machine),
        machine_href: path_of(device.id),
        source: item.source,
        status,
        tone,
        since: Moment::new(item.date_managed, now, zone),
        details: details(item.data.as_deref()),
        name: item.name,
        history: history
            .into_iter()
            .map(|row| {
                let (status, tone) = status_words(&row.status);
                StatusLine {
                    status,
                    tone,
                    at: Moment::new(row.recorded, now, zone),
                }
            })
            .collect(),
    })
}
