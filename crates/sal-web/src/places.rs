//! `/new-bu/` and `/new-machine-group/<unit>/`: making business units and machine groups.
//!
//! Global admins make units; members with read and write, and global admins, make groups. A group gets its key here.
//! Changing them is in `unit` and `group`, deleting in `deletion`, the list of all in `list`. The pages of units and
//! groups are overviews, in `overview`.

mod deletion;
mod group;
mod group_key;
mod list;
mod unit;

use unit::UnitForm;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::random_key::{GROUP_KEY, random_key};
use sal_http::{
    Access, App, AppError, Routes,
    access::{GlobalAdmin, ReadWrite},
    db::Db,
};
use sal_store::{
    groups::{insert_group, insert_unit},
    ids::{UnitId, UserId},
    units::{FoundUnit, UnitPerson, insert_members, list_unit_people},
};
use serde::Deserialize;

use crate::{
    audit::{Object, note},
    fleet_part::{group_path, unit_path, visible_unit},
    given_name::{PLACE_NAME, given_name},
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

/// The id of the unit that is made just now, to which nobody belongs: no row has it.
const NO_UNIT: UnitId = UnitId(0);

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(
            "/new-bu/",
            Access::GlobalAdmin,
            get(show_new_unit).post(create_unit),
        )
        .route(
            "/new-machine-group/{unit}/",
            Access::ReadWrite,
            get(show_new_group).post(create_group),
        )
        .merge(list::routes())
        .merge(unit::routes())
        .merge(group::routes())
        .merge(group_key::routes())
        .merge(deletion::routes())
}

/// A form that asks for a name.
#[derive(Template)]
#[template(path = "places/new.html")]
struct NewPlacePage {
    shell: Shell,
    heading: &'static str,
    explanation: String,
    name: String,
    problem: Option<String>,
    /// Who can be chosen; nobody for a group.
    people: Vec<UnitPerson>,
    back: String,
}

#[derive(Default, Deserialize)]
struct NameForm {
    #[serde(default)]
    name: String,
}

async fn show_new_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shell = Shell::of(&viewer, theme, Section::Overview, NEW_UNIT, &app);
    new_unit_page(shell, list_unit_people(&db, &NO_UNIT).await?).answer(StatusCode::OK)
}

async fn create_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = UnitForm::from(pairs);
    let mut people = list_unit_people(&db, &NO_UNIT).await?;
    for person in &mut people {
        person.is_member = form.has(person);
    }
    let name = given_name(&form.name, PLACE_NAME);
    let name = match (name, form.problem_of_people(&people)) {
        (Ok(name), None) => name,
        (Err(problem), _) | (_, Some(problem)) => {
            let shell = Shell::of(&viewer, theme, Section::Overview, NEW_UNIT, &app);
            return new_unit_page(shell, people).again(form.name.clone(), problem);
        }
    };
    people.retain(|person| person.is_member);
    let tx = db.begin().await?;
    let made = insert_unit(&tx, name).await?;
    let unit = made.first().ok_or(AppError::NotFound)?.id;
    let members: Vec<UserId> = people.iter().map(|person| person.id).collect();
    insert_members(&tx, &unit, &members).await?;
    let object = Object::new(UNIT, unit, name);
    let names: Vec<&str> = people
        .iter()
        .map(|person| person.username.as_str())
        .collect();
    let detail = match names.as_slice() {
        [] => String::new(),
        names => format!("members: {}", names.join(", ")),
    };
    note(&viewer, "made", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&unit_path(unit)))
}

async fn show_new_group(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(unit): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let unit = visible_unit(&unit, &viewer, &db).await?;
    let shell = Shell::of(&viewer, theme, Section::Overview, NEW_GROUP, &app);
    new_group_page(shell, &unit).answer(StatusCode::OK)
}

async fn create_group(
    ReadWrite(viewer): ReadWrite,
    theme: Theme,
    Path(unit): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<NameForm>,
) -> Result<Response, AppError> {
    let unit = visible_unit(&unit, &viewer, &db).await?;
    let name = match given_name(&form.name, PLACE_NAME) {
        Ok(name) => name,
        Err(problem) => {
            let shell = Shell::of(&viewer, theme, Section::Overview, NEW_GROUP, &app);
            return new_group_page(shell, &unit).again(form.name.clone(), problem);
        }
    };
    let tx = db.begin().await?;
    let made = insert_group(&tx, &unit.id, name, random_key(GROUP_KEY).as_str()).await?;
    let group = made.first().ok_or(AppError::NotFound)?.id;
    let object = Object::new(GROUP, group, name);
    let detail = format!("in {}", unit.name);
    note(&viewer, "made", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&group_path(group)))
}

fn new_unit_page(shell: Shell, people: Vec<UnitPerson>) -> NewPlacePage {
    NewPlacePage {
        shell,
        heading: NEW_UNIT,
        explanation: "A business unit holds machine groups. People see the machines of the units they belong to."
            .to_owned(),
        name: String::new(),
        problem: None,
        people,
        back: "/".to_owned(),
    }
}

fn new_group_page(shell: Shell, unit: &FoundUnit) -> NewPlacePage {
    NewPlacePage {
        shell,
        heading: NEW_GROUP,
        explanation: format!(
            "In business unit {}. The key that its machines show when they check in is made for you.",
            unit.name
        ),
        name: String::new(),
        problem: None,
        people: Vec::new(),
        back: unit_path(unit.id),
    }
}

impl NewPlacePage {
    fn answer(&self, status: StatusCode) -> Result<Response, AppError> {
        render_with_status(status, self)
    }

    /// The form with what was typed and what is wrong with it.
    fn again(mut self, name: String, problem: String) -> Result<Response, AppError> {
        self.name = name;
        self.problem = Some(problem);
        self.answer(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

const NEW_UNIT: &str = "New business unit";
const NEW_GROUP: &str = "New machine group";
/// What the audit log calls them.
const UNIT: &str = "business unit";
const GROUP: &str = "machine group";
