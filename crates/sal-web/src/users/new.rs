//! `/settings/users/new/`: makes a person.

use axum::{Form, extract::State, response::Response, routing::get};
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, Staff, hashing::Asker, password},
    db::{Db, page_client},
};
use sal_store::people::{InsertPerson, insert_person, unit_names};

use super::{
    LIST,
    form::{UserForm, UserPage, unit_words},
    hold_administrators,
};
use crate::{
    audit::{self, Object},
    page::redirect,
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/settings/users/new/",
        Access::Staff,
        get(show_new_user).post(create_user),
    )
}

async fn show_new_user(
    Staff(viewer): Staff,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let page = UserPage {
        shell: Shell::of(&viewer, theme, Section::Users, TITLE, &app),
        form: UserForm {
            level: Level::ReadOnly.code().to_owned(),
            is_active: true,
            ..UserForm::default()
        },
        units: unit_names(&db).await?,
        person: None,
        problem: None,
    };
    page.answer()
}

async fn create_user(
    Staff(viewer): Staff,
    theme: Theme,
    State(app): State<App>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = UserForm::read(pairs);
    let units = {
        let db = page_client(&app).await?;
        unit_names(&db).await?
    };
    let mut page = UserPage {
        shell: Shell::of(&viewer, theme, Section::Users, TITLE, &app),
        problem: form.problem_of_new(),
        form: form.clone(),
        units,
        person: None,
    };
    if page.problem.is_some() {
        return page.answer();
    }
    let asker = Asker::Person(viewer.id);
    let encoded = password::encode(form.password.clone(), &asker, app.hashing()).await?;
    let tx = page_client(&app).await?.begin().await?;
    hold_administrators(&viewer, &tx).await?;
    let made = insert_person(
        &tx,
        InsertPerson {
            username: form.username.as_str(),
            password: encoded.as_str(),
            first_name: form.first_name.as_str(),
            last_name: form.last_name.as_str(),
            email: form.email.as_str(),
            is_active: &form.is_active,
            level: form.level().code(),
            units: &form.units,
            now: &app.now(),
        },
    )
    .await?;
    let Some(made) = made.first() else {
        tx.rollback().await?;
        page.problem = Some("There is a user of this name, upper or lower case.");
        return page.answer();
    };
    let user = Object::new("user", made.id, &form.username);
    audit::note(&viewer, "made", &user, &words(&page), &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

fn words(page: &UserPage) -> String {
    format!(
        "level {}, {}{}",
        page.form.level().title(),
        unit_words(&page.form.units, &page.units),
        if page.form.is_active {
            ""
        } else {
            ", not active"
        }
    )
}

const TITLE: &str = "New user";
