//! `/edit-machine-group/<id>/`: the name of a machine group; global admins also see its key, and move it to another unit.
//!
//! [`super::group_key`] gives it another key.

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
    access::{Level, ReadWrite, Viewer},
    checkin_key::users_of_former_keys,
    db::Db,
};
use sal_store::{
    Client,
    group_keys::{Key, group_keys},
    groups::{lock_groups, update_group},
    ids::UnitId,
    units::{FoundGroup, list_units},
};
use serde::Deserialize;

use super::GROUP;
use crate::{
    audit::{Object, note},
    fleet_part::{group_path, visible_group},
    given_name::{PLACE_NAME, given_name},
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/edit-machine-group/{id}/",
        Access::ReadWrite,
        get(show_group).post(save_group),
    )
}

#[derive(Template)]
#[template(path = "places/group.html")]
struct EditGroupPage {
    shell: Shell,
    id: i32,
    name: String,
    unit: String,
    /// What only global admins get.
    admin: Option<ForAdmins>,
    problem: Option<String>,
    back: String,
}

struct ForAdmins {
    units: Vec<UnitChoice>,
    key: Option<Key>,
    /// The keys before it, as long as one works.
    former: Option<Former>,
}

struct Former {
    keys: i64,
    first_ends: Moment,
    ends: Moment,
    /// Who still has one, in words.
    users: String,
}

struct UnitChoice {
    id: UnitId,
    name: String,
    is_chosen: bool,
}

#[derive(Deserialize)]
struct GroupForm {
    #[serde(default)]
    name: String,
    /// The unit to move to; without it, the group stays.
    unit: Option<String>,
}

async fn show_group(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let admin = ForAdmins::read(&group, &viewer, &app, &db).await?;
    let shell = Shell::of(&viewer, theme, Section::Overview, TITLE, &app);
    render_with_status(StatusCode::OK, &EditGroupPage::new(shell, group, admin))
}

async fn save_group(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<GroupForm>,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let admin = ForAdmins::read(&group, &viewer, &app, &db).await?;
    match wanted(&form, &group, admin.as_ref()) {
        Ok(wanted) => {
            write_changes(&group, &wanted, &viewer, &app, db).await?;
            Ok(redirect(&group_path(group.id)))
        }
        Err(problem) => {
            let shell = Shell::of(&viewer, theme, Section::Overview, TITLE, &app);
            let page = EditGroupPage {
                name: form.name.clone(),
                problem: Some(problem),
                ..EditGroupPage::new(shell, group, admin)
            };
            render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What a group shall be.
struct Wanted<'a> {
    name: &'a str,
    unit: UnitId,
    unit_name: &'a str,
}

/// Reads the form. Only global admins choose a unit; what others send for one is not looked at.
fn wanted<'a>(
    form: &'a GroupForm,
    group: &'a FoundGroup,
    admin: Option<&'a ForAdmins>,
) -> Result<Wanted<'a>, String> {
    let name = given_name(&form.name, PLACE_NAME)?;
    let stays = Wanted {
        name,
        unit: group.unit_id,
        unit_name: &group.unit,
    };
    let (Some(admin), Some(unit)) = (admin, &form.unit) else {
        return Ok(stays);
    };
    let found = admin
        .units
        .iter()
        .find(|choice| choice.id.to_string() == *unit);
    let unit = found.ok_or("Choose one of the business units.")?;
    Ok(Wanted {
        name,
        unit: unit.id,
        unit_name: &unit.name,
    })
}

async fn write_changes(
    group: &FoundGroup,
    wanted: &Wanted<'_>,
    viewer: &Viewer,
    app: &App,
    db: Client,
) -> Result<(), AppError> {
    let mut changes = Vec::new();
    if wanted.name != group.name {
        changes.push(format!("was called {}", group.name));
    }
    if wanted.unit != group.unit_id {
        changes.push(format!("moved from {} to {}", group.unit, wanted.unit_name));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let tx = db.begin().await?;
    // No machine may come in between to whom the old unit was told.
    lock_groups(&tx, &vec![group.id]).await?;
    if update_group(&tx, &group.id, wanted.name, &wanted.unit).await? == 0 {
        return Err(AppError::NotFound);
    }
    let object = Object::new(GROUP, group.id, wanted.name);
    note(viewer, "changed", &object, &changes.join("; "), app, &tx).await?;
    tx.commit().await?;
    Ok(())
}

impl ForAdmins {
    async fn read(
        group: &FoundGroup,
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Option<Self>, AppError> {
        if viewer.level != Level::GlobalAdmin {
            return Ok(None);
        }
        let id = Some(group.id);
        let (units, keys) =
            tokio::try_join!(list_units(db, &viewer.scope), group_keys(db, &None, &id))?;
        let former = super::group_key::former(group.id, app.now(), db).await?;
        let units = units.into_iter().map(|unit| UnitChoice {
            is_chosen: unit.id == group.unit_id,
            id: unit.id,
            name: unit.name,
        });
        Ok(Some(Self {
            units: units.collect(),
            key: keys.into_iter().next().and_then(|found| found.key),
            former: former.map(|former| Former {
                keys: former.keys,
                first_ends: Moment::new(former.first_ends, app.now(), &app.config.time_zone),
                ends: Moment::new(former.ends, app.now(), &app.config.time_zone),
                users: users_of_former_keys(former.machines, former.silent),
            }),
        }))
    }
}

impl EditGroupPage {
    fn new(shell: Shell, group: FoundGroup, admin: Option<ForAdmins>) -> Self {
        Self {
            shell,
            id: group.id.0,
            back: group_path(group.id),
            name: group.name,
            unit: group.unit,
            admin,
            problem: None,
        }
    }
}

const TITLE: &str = "Edit machine group";
