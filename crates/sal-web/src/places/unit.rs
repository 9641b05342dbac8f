//! `/business_unit/edit/<id>/`: the name of a business unit, and the people who belong to it.
//!
//! Global admins are no choice: they see every unit. A membership that one of them has from before stays as it is.

use std::collections::HashSet;

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
    access::{GlobalAdmin, Viewer},
    db::Db,
};
use sal_store::{
    Tx,
    ids::UserId,
    units::{FoundUnit, UnitPerson, delete_members, insert_members, list_unit_people, rename_unit},
};

use super::UNIT;
use crate::{
    audit::{Object, note},
    fleet_part::{unit_path, visible_unit},
    given_name::{PLACE_NAME, given_name},
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/business_unit/edit/{id}/",
        Access::GlobalAdmin,
        get(show_unit).post(save_unit),
    )
}

#[derive(Template)]
#[template(path = "places/unit.html")]
struct EditUnitPage {
    shell: Shell,
    id: i32,
    name: String,
    people: Vec<UnitPerson>,
    problem: Option<String>,
    back: String,
}

/// The form: a name, and a `users` for each ticked box.
pub(super) struct UnitForm {
    pub(super) name: String,
    people: HashSet<String>,
}

impl UnitForm {
    /// Whether this person's box was ticked.
    pub(super) fn has(&self, person: &UnitPerson) -> bool {
        self.people.contains(&person.id.to_string())
    }

    /// What is wrong with the boxes: one of them is nobody's who can be chosen.
    pub(super) fn problem_of_people(&self, people: &[UnitPerson]) -> Option<String> {
        let known: HashSet<String> = people.iter().map(|person| person.id.to_string()).collect();
        (!self.people.is_subset(&known))
            .then(|| "Choose the members from the list: one of them is not in it.".to_owned())
    }
}

impl From<Vec<(String, String)>> for UnitForm {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self {
            name: String::new(),
            people: HashSet::new(),
        };
        for (field, value) in pairs {
            match field.as_str() {
                "name" => form.name = value,
                "users" => {
                    form.people.insert(value);
                }
                _ => {}
            }
        }
        form
    }
}

async fn show_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let unit = visible_unit(&id, &viewer, &db).await?;
    let page = EditUnitPage {
        shell: Shell::of(&viewer, theme, Section::Overview, TITLE, &app),
        id: unit.id.0,
        people: list_unit_people(&db, &unit.id).await?,
        problem: None,
        back: unit_path(unit.id),
        name: unit.name,
    };
    render_with_status(StatusCode::OK, &page)
}

async fn save_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = UnitForm::from(pairs);
    let unit = visible_unit(&id, &viewer, &db).await?;
    let mut people = list_unit_people(&db, &unit.id).await?;
    match given_name(&form.name, PLACE_NAME) {
        Ok(name) => {
            let changes = Changes::of(&unit, name, &people, &form.people);
            let tx = db.begin().await?;
            changes.write(&unit, &viewer, &app, &tx).await?;
            tx.commit().await?;
            Ok(redirect(&unit_path(unit.id)))
        }
        Err(problem) => {
            for person in &mut people {
                person.is_member = form.has(person);
            }
            let page = EditUnitPage {
                shell: Shell::of(&viewer, theme, Section::Overview, TITLE, &app),
                id: unit.id.0,
                name: form.name,
                people,
                problem: Some(problem),
                back: unit_path(unit.id),
            };
            render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What is different.
struct Changes<'a> {
    name: &'a str,
    joined: Vec<UserId>,
    left: Vec<UserId>,
    /// In words.
    sentences: Vec<String>,
}

impl<'a> Changes<'a> {
    /// Compares; ids that are nobody's are left out.
    fn of(
        unit: &FoundUnit,
        name: &'a str,
        people: &[UnitPerson],
        wanted: &HashSet<String>,
    ) -> Self {
        let differing = |joins: bool| {
            people.iter().filter(move |person| {
                let is_wanted = wanted.contains(&person.id.to_string());
                is_wanted == joins && person.is_member != is_wanted
            })
        };
        let ids = |joins| differing(joins).map(|person| person.id).collect();
        let names = |joins| {
            let names: Vec<&str> = differing(joins)
                .map(|person| person.username.as_str())
                .collect();
            names.join(", ")
        };
        let mut changes = Self {
            name,
            joined: ids(true),
            left: ids(false),
            sentences: Vec::new(),
        };
        if name != unit.name {
            changes.sentences.push(format!("was called {}", unit.name));
        }
        if !changes.joined.is_empty() {
            changes.sentences.push(format!("joined: {}", names(true)));
        }
        if !changes.left.is_empty() {
            changes.sentences.push(format!("left: {}", names(false)));
        }
        changes
    }

    async fn write(
        &self,
        unit: &FoundUnit,
        viewer: &Viewer,
        app: &App,
        tx: &Tx,
    ) -> Result<(), AppError> {
        if self.sentences.is_empty() {
            return Ok(());
        }
        if rename_unit(tx, &unit.id, self.name).await? == 0 {
            return Err(AppError::NotFound);
        }
        insert_members(tx, &unit.id, &self.joined).await?;
        delete_members(tx, &unit.id, &self.left).await?;
        let object = Object::new(UNIT, unit.id, self.name);
        note(
            viewer,
            "changed",
            &object,
            &self.sentences.join("; "),
            app,
            tx,
        )
        .await
    }
}

const TITLE: &str = "Edit business unit";
