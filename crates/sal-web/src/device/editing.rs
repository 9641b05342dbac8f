//! `/machine/edit/<id>/` moves a machine to another group and says whether it is deployed; `/machine/delete/<id>/` asks,
//! and its POST deletes the machine with everything that belongs to it.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{ReadWrite, Viewer},
    db::Db,
};
use sal_store::{
    Client,
    device::{Device, edit_device},
    machines::{delete_machines, lock_machines},
    units::{ManagedGroup, list_all_groups},
};
use serde::Deserialize;

use super::{find_by_id, path_of};
use crate::{
    audit::{Object, note},
    confirm::Confirm,
    fleet_part::group_path,
    machine,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/machine/edit/{id}/",
            Access::ReadWrite,
            get(show_edit).post(save_machine),
        )
        .route(
            "/machine/delete/{id}/",
            Access::ReadWrite,
            get(ask_delete).post(delete_machine),
        )
}

#[derive(Template)]
#[template(path = "device/edit.html")]
struct EditPage {
    shell: Shell,
    machine: String,
    serial: String,
    back: String,
    units: Vec<UnitChoices>,
    is_deployed: bool,
    /// Whether the next check-in makes it deployed again.
    deployed_on_checkin: bool,
    problem: Option<&'static str>,
}

/// The groups of a unit that a machine can be moved to.
struct UnitChoices {
    unit: String,
    groups: Vec<GroupChoice>,
}

struct GroupChoice {
    id: i32,
    name: String,
    is_chosen: bool,
}

#[derive(Deserialize)]
struct EditForm {
    #[serde(default)]
    group: String,
    /// `yes` or `no`.
    #[serde(default)]
    deployed: String,
}

async fn show_edit(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let device = find_by_id(&id, &viewer, &db).await?;
    let groups = list_all_groups(&db, &viewer.scope).await?;
    let shell = Shell::of(&viewer, theme, Section::Devices, TITLE, &app);
    let page = EditPage::new(shell, &device, groups, app.config.deployed_on_checkin);
    render_with_status(StatusCode::OK, &page)
}

async fn save_machine(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<EditForm>,
) -> Result<Response, AppError> {
    let device = find_by_id(&id, &viewer, &db).await?;
    let groups = list_all_groups(&db, &viewer.scope).await?;
    let group = groups
        .iter()
        .find(|group| group.id.to_string() == form.group);
    let (Some(group), Some(deployed)) = (group, yes_or_no(&form.deployed)) else {
        let shell = Shell::of(&viewer, theme, Section::Devices, TITLE, &app);
        let page = EditPage {
            problem: Some("Choose one of the groups, and whether the machine is deployed."),
            ..EditPage::new(shell, &device, groups, app.config.deployed_on_checkin)
        };
        return render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    write_changes(&device, group, deployed, &viewer, &app, db).await?;
    Ok(redirect(&path_of(device.id)))
}

/// Writes and notes what is different.
async fn write_changes(
    device: &Device,
    group: &ManagedGroup,
    deployed: bool,
    viewer: &Viewer,
    app: &App,
    db: Client,
) -> Result<(), AppError> {
    let mut changes = Vec::new();
    if group.id != device.machine.machine_group_id {
        changes.push(format!(
            "moved from {} / {} to {} / {}",
            device.unit_name, device.group_name, group.unit, group.name
        ));
    }
    if deployed != device.machine.deployed {
        changes.push(if deployed { "deployed" } else { "undeployed" }.to_owned());
    }
    if changes.is_empty() {
        return Ok(());
    }
    let tx = db.begin().await?;
    // Whose unit it leaves is looked up before the change, so nobody else may move it in between.
    lock_machines(&tx, &[device.id]).await?;
    if edit_device(&tx, &device.id, &group.id, &deployed).await? == 0 {
        return Err(AppError::NotFound);
    }
    let name = machine::name(&device.machine);
    let object = Object::new("machine", device.id, &name);
    note(viewer, "changed", &object, &changes.join(", "), app, &tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn ask_delete(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let device = find_by_id(&id, &viewer, &db).await?;
    let name = machine::name(&device.machine);
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Devices, "Delete a machine", &app),
        heading: format!("Delete {name}?"),
        sentences: vec![
            format!(
                "Serial number {}, in machine group {} of business unit {}.",
                device.machine.serial, device.group_name, device.unit_name
            ),
            "Everything it sent goes with it: facts, managed items, applications, profiles, and their history."
                .to_owned(),
            "If its client is still installed, the machine appears again with its next check-in.".to_owned(),
        ],
        button: "Delete it",
        is_final: true,
        back: path_of(device.id),
    }
    .answer()
}

/// by POST alone.
async fn delete_machine(
    ReadWrite(viewer): ReadWrite,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let device = find_by_id(&id, &viewer, &tx).await?;
    if delete_machines(&[device.id], &tx).await? == 0 {
        return Err(AppError::NotFound);
    }
    let name = machine::name(&device.machine);
    let detail = format!(
        "serial number {}, of {} / {}",
        device.machine.serial, device.unit_name, device.group_name
    );
    let object = Object::new("machine", device.id, &name);
    note(&viewer, "deleted", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&group_path(device.machine.machine_group_id)))
}

impl EditPage {
    fn new(
        shell: Shell,
        device: &Device,
        groups: Vec<ManagedGroup>,
        deployed_on_checkin: bool,
    ) -> Self {
        let mut units: Vec<UnitChoices> = Vec::new();
        let mut last = None;
        for group in groups {
            let choice = GroupChoice {
                id: group.id.0,
                name: group.name,
                is_chosen: group.id == device.machine.machine_group_id,
            };
            match units.last_mut() {
                Some(unit) if last == Some(group.unit_id) => unit.groups.push(choice),
                _ => units.push(UnitChoices {
                    unit: group.unit,
                    groups: vec![choice],
                }),
            }
            last = Some(group.unit_id);
        }
        Self {
            shell,
            machine: machine::name(&device.machine),
            serial: device.machine.serial.clone(),
            back: path_of(device.id),
            units,
            is_deployed: device.machine.deployed,
            deployed_on_checkin,
            problem: None,
        }
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

const TITLE: &str = "Edit machine";
