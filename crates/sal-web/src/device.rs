//! `/machine_detail/<id or serial>/`: one machine, what is wrong with it first.
//!
//! What is read here becomes text in `view`. A number is taken for an id first, as in Sal, and for a serial
//! number when no machine has that id.

mod view;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{App, AppError, Routes, access::Viewer};
use sal_store::{
    Client,
    device::{
        Device, device_by_id, device_exists, device_facts, device_id_by_serial, device_items,
        device_messages, device_plugin_rows,
    },
    ids::MachineId,
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};
use view::{DeviceView, Parts};

pub(crate) fn routes() -> Routes {
    Routes::new().route("/machine_detail/{key}/", get(show_machine))
}

#[derive(Template)]
#[template(path = "device/page.html")]
struct DevicePage {
    shell: Shell,
    device: DeviceView,
}

async fn show_machine(
    viewer: Viewer,
    theme: Theme,
    Path(key): Path<String>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let db = app.store.get().await?;
    let device = find(&key, &viewer, &db).await?;
    let (id, scope) = (device.id, &viewer.scope);
    let (facts, items, messages, plugin_rows) = tokio::try_join!(
        device_facts(&db, &id, scope),
        device_items(&db, &id, scope),
        device_messages(&db, &id, scope),
        device_plugin_rows(&db, &id, scope),
    )?;
    let parts = Parts {
        facts,
        items,
        messages,
        plugin_rows,
    };
    let device = DeviceView::new(device, parts, app.now(), &app.config.time_zone);
    render(&DevicePage {
        shell: Shell::of(&viewer, theme, Section::Devices, &device.name, &app),
        device,
    })
}

async fn find(key: &str, viewer: &Viewer, db: &Client) -> Result<Device, AppError> {
    if key.contains('\0') {
        return Err(AppError::NotFound);
    }
    let number = key.parse().ok().map(MachineId);
    if let Some(id) = number
        && let Some(device) = device_by_id(db, &id, &viewer.scope)
            .await?
            .into_iter()
            .next()
    {
        return Ok(device);
    }
    if let Some(found) = device_id_by_serial(db, &key, &viewer.scope)
        .await?
        .into_iter()
        .next()
        && let Some(device) = device_by_id(db, &found.id, &viewer.scope)
            .await?
            .into_iter()
            .next()
    {
        return Ok(device);
    }
    let exists = device_exists(db, &number, &key).await?;
    if exists.iter().any(|answer| answer.found) {
        return Err(AppError::Forbidden);
    }
    Err(AppError::NotFound)
}
