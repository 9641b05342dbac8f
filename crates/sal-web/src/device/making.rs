//! `/machine/new/<group>/`: a machine that is known before it checks in for the first time.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::ReadWrite, db::Db, serial};
use sal_store::{checkin::write::insert_machine, units::FoundGroup};
use serde::Deserialize;

use super::{first, path_of};
use crate::{
    audit::{Object, note},
    fleet_part::{group_path, visible_group},
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/machine/new/{group}/",
        Access::ReadWrite,
        get(show_new_machine).post(create_machine),
    )
}

#[derive(Template)]
#[template(path = "device/new.html")]
struct NewMachinePage {
    shell: Shell,
    group: String,
    unit: String,
    serial: String,
    problem: Option<&'static str>,
    back: String,
}

#[derive(Deserialize)]
struct NewMachineForm {
    #[serde(default)]
    serial: String,
}

async fn show_new_machine(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(group): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&group, &viewer, &db).await?;
    let shell = Shell::of(&viewer, theme, Section::Devices, TITLE, &app);
    render_with_status(StatusCode::OK, &NewMachinePage::new(shell, group))
}

async fn create_machine(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(group): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<NewMachineForm>,
) -> Result<Response, AppError> {
    let group = visible_group(&group, &viewer, &db).await?;
    let again = |group, problem| {
        let page = NewMachinePage {
            serial: form.serial.clone(),
            problem: Some(problem),
            ..NewMachinePage::new(
                Shell::of(&viewer, theme, Section::Devices, TITLE, &app),
                group,
            )
        };
        render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    // as a check-in would clean it, so that the machine's first check-in finds it.
    let serial = serial::clean(form.serial.trim());
    if serial.is_empty() || serial.chars().count() > LONGEST_SERIAL || serial.contains('\0') {
        return again(group, "A serial number has 1 to 100 characters.");
    }
    let tx = db.begin().await?;
    let made = insert_machine(&tx, &serial, &group.id, &app.now(), &true).await?;
    let Some(machine) = first(made) else {
        return again(group, "There is a machine with this serial number.");
    };
    let place = format!("in {} / {}", group.unit, group.name);
    let object = Object::new("machine", machine.id, &serial);
    note(&viewer, "made", &object, &place, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&path_of(machine.id)))
}

impl NewMachinePage {
    fn new(shell: Shell, group: FoundGroup) -> Self {
        Self {
            shell,
            serial: String::new(),
            problem: None,
            back: group_path(group.id),
            group: group.name,
            unit: group.unit,
        }
    }
}

const TITLE: &str = "New machine";
/// The width of Sal's column, in characters.
const LONGEST_SERIAL: usize = 100;
