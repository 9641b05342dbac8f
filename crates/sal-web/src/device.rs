//! `/machine_detail/<id or serial>/`: one machine, what is wrong with it first.
//!
//! The page has tabs, each with an address (`?tab=facts`); only what the open tab shows is read, together with what all
//! of them share. What is read becomes text in `view`. A number is taken for an id first, as in Sal, and for a serial
//! number when no machine has that id. Beside the page: facts of one source (`facts`), one managed item (`item`),
//! making, changing and deleting machines (`making`, `editing`).

mod editing;
mod facts;
mod item;
mod making;
mod params;
mod view;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, SeesMachines, Viewer},
    db::Db,
};
use sal_plugins::Plugin;
use sal_store::{
    Client, StoreError,
    device::{
        Device, device_by_id, device_counts, device_freshness, device_id_by_serial, device_items,
        device_messages, device_plugin_rows,
        tabs::{device_applications, device_facts, device_payloads, device_profiles},
        timeline::device_timeline,
    },
    ids::MachineId,
    plugins::enabled_details,
    pool::Executor,
    scope::Scope,
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
    widgets::{
        self,
        details::{self, DetailCard, Subject},
    },
};
use params::{Tab, TabParams};
use view::{DeviceView, Parts, TabRows};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(
            "/machine_detail/{key}/",
            Access::SeesMachines,
            get(show_machine),
        )
        .merge(facts::routes())
        .merge(item::routes())
        .merge(making::routes())
        .merge(editing::routes())
}

#[derive(Template)]
#[template(path = "device/page.html")]
struct DevicePage {
    shell: Shell,
    device: DeviceView,
    /// Whether the viewer may move, undeploy and delete it.
    may_edit: bool,
}

async fn show_machine(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path(key): Path<String>,
    Query(params): Query<TabParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let device = find(&key, &viewer, &db).await?;
    let (id, scope) = (device.id, &viewer.scope);
    let (counts, freshness, messages, plugin_rows, tab) = tokio::try_join!(
        device_counts(&db, &id, scope),
        device_freshness(&db, &id, scope),
        device_messages(&db, &id, scope),
        device_plugin_rows(&db, &id, scope),
        read_tab(&params, id, scope, &db),
    )?;
    let subject = Subject {
        id,
        serial: &device.machine.serial,
        os_family: &device.machine.os_family,
        rows: &plugin_rows,
    };
    let detail_cards = detail_cards(&subject, &viewer, &app, db).await?;
    let parts = Parts {
        // The machine may have been deleted since it was found.
        counts: counts.into_iter().next().ok_or(AppError::NotFound)?,
        freshness,
        messages,
        plugin_rows,
        tab,
        detail_cards,
        sees_all_units: viewer.level == Level::GlobalAdmin,
    };
    let device = DeviceView::new(device, parts, &params, app.now(), &app.config.time_zone);
    render(&DevicePage {
        shell: Shell::of(&viewer, theme, Section::Devices, &device.name, &app),
        device,
        may_edit: viewer.level >= Level::ReadWrite,
    })
}

/// The cards of the detail plugins that are enabled, in their order.
async fn detail_cards(
    subject: &Subject<'_>,
    viewer: &Viewer,
    app: &App,
    db: Client,
) -> Result<Vec<DetailCard>, AppError> {
    let enabled = enabled_details(&db).await?;
    let registry = app.registry();
    let plugins: Vec<&Plugin> = enabled
        .iter()
        .filter_map(|row| registry.get(&row.name))
        .collect();
    if plugins.is_empty() {
        return Ok(Vec::new());
    }
    let settings = widgets::settings(&db).await?;
    details::cards(&plugins, subject, &settings, viewer, db, app).await
}

/// Reads what the open tab shows.
async fn read_tab(
    params: &TabParams,
    id: MachineId,
    scope: &Scope,
    db: &impl Executor,
) -> Result<TabRows, StoreError> {
    Ok(match params.tab() {
        Tab::Items => TabRows::Items(device_items(db, &id, scope).await?),
        Tab::Applications => TabRows::Applications(device_applications(db, &id, scope).await?),
        Tab::Facts => TabRows::Facts(device_facts(db, &id, scope).await?),
        Tab::Profiles => {
            let (profiles, payloads) = tokio::try_join!(
                device_profiles(db, &id, scope),
                device_payloads(db, &id, scope),
            )?;
            TabRows::Profiles(profiles, payloads)
        }
        Tab::Timeline => {
            let (before, kind) = (params.before(), params.kind().map(str::to_owned));
            let limit = params::EVENTS_PER_PAGE;
            TabRows::Timeline(device_timeline(db, &id, scope, &before, &kind, &limit).await?)
        }
    })
}

/// The machine with this id, else this serial number.
///
/// # Errors
/// Not found when there is none, or it is in another unit.
async fn find(key: &str, viewer: &Viewer, db: &impl Executor) -> Result<Device, AppError> {
    if key.contains('\0') {
        return Err(AppError::NotFound);
    }
    let number = key.parse().ok().map(MachineId);
    if let Some(id) = number
        && let Some(device) = device_by_id(db, id, &viewer.scope).await?
    {
        return Ok(device);
    }
    if let Some(found) = first(device_id_by_serial(db, &key, &viewer.scope).await?)
        && let Some(device) = device_by_id(db, found.id, &viewer.scope).await?
    {
        return Ok(device);
    }
    Err(AppError::NotFound)
}

/// The machine with this id, as it stands in the URLs that change one.
///
/// # Errors
/// As for any key.
async fn find_by_id(id: &str, viewer: &Viewer, db: &impl Executor) -> Result<Device, AppError> {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| id.parse().ok()).flatten().map(MachineId);
    let number = number.ok_or(AppError::NotFound)?;
    device_by_id(db, number, &viewer.scope)
        .await?
        .ok_or(AppError::NotFound)
}

fn first<T>(rows: Vec<T>) -> Option<T> {
    rows.into_iter().next()
}

/// Where the page of a machine is.
fn path_of(id: MachineId) -> String {
    format!("/machine_detail/{id}/")
}
