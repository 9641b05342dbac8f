//! `/inventory/…`: which applications the fleet has, in which versions, and on which machines.
//!
//! Every page is about a place, as in Sal: `all/0`, `business_unit/<id>`, `machine_group/<id>` or `machine/<id>`.

mod application;
mod data_table;
mod export;
mod installs;
mod list;
mod options;
mod place;

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, SeesMachines, Viewer},
    db::Db,
};
use sal_store::{
    Client, StoreError,
    applications::{Application, find_application},
    ids::ApplicationId,
    units::list_units,
};

use crate::{
    page::{redirect, render},
    shell::{Section, Shell, Theme},
};
use place::{Neighbour, Shown};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/inventory/", Access::SeesMachines, get(choose_place))
        .route(
            "/inventory/{kind}/{id}/",
            Access::SeesMachines,
            get(list::show_applications),
        )
        .route(
            "/inventory/application/{kind}/{id}/{application}/",
            Access::SeesMachines,
            get(application::show_application),
        )
        .route(
            "/inventory/list/{kind}/{id}/{application}/",
            Access::SeesMachines,
            get(installs::show_installs),
        )
        .route(
            "/inventory/csv_export/{kind}/{id}/",
            Access::SeesMachines,
            get(export::export_inventory),
        )
}

#[derive(Template)]
#[template(path = "inventory/choose.html")]
struct ChoosePage {
    shell: Shell,
    units: Vec<Neighbour>,
}

/// Leads to all applications, to those of the only unit, or lets the viewer choose a unit.
async fn choose_place(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    if viewer.level == Level::GlobalAdmin {
        return Ok(redirect(ALL));
    }
    let units = units_of(&viewer, &db).await?;
    if let [only] = units.as_slice() {
        return Ok(redirect(&only.href));
    }
    render(&ChoosePage {
        shell: Shell::of(&viewer, theme, Section::Software, "Software", &app),
        units,
    })
}

async fn units_of(viewer: &Viewer, db: &Client) -> Result<Vec<Neighbour>, StoreError> {
    let units = list_units(db, &viewer.scope).await?;
    let line = |unit: sal_store::units::ListedUnit| {
        Neighbour::new(
            unit.name,
            format!("/inventory/business_unit/{}/", unit.id),
            unit.deployed,
        )
    };
    Ok(units.into_iter().map(line).collect())
}

/// The application of an address, if the viewer may see a machine that has it.
async fn application(id: &str, shown: &Shown, db: &Client) -> Result<Application, AppError> {
    let id = ApplicationId(place::row_id(id)?);
    let found = find_application(db, &id, &shown.scope)
        .await?
        .into_iter()
        .next();
    found.ok_or(AppError::NotFound)
}

/// The name of an application where it has one, else its bundle's.
fn name_of(application: &Application) -> String {
    [
        &application.name,
        &application.bundlename,
        &application.bundleid,
    ]
    .into_iter()
    .find(|name| !name.trim().is_empty())
    .map_or_else(|| "(without a name)".to_owned(), String::clone)
}

const ALL: &str = "/inventory/all/0/";
