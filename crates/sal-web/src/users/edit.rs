//! `/settings/users/edit/<id>/`: changes a person: level, business units, name, address, activity, password.

use axum::{
    Form,
    extract::{Path, State},
    http::header,
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{
        Level, Staff, Viewer,
        hashing::Asker,
        last_admin::{self, Step},
        password,
        session::SessionCookie,
    },
    db::{Db, page_client},
    origin::Origin,
};
use sal_store::{
    Tx,
    people::{FoundPerson, NamedUnit, UpdatePerson, unit_names, update_person},
    sessions::delete_sessions_of,
};

use super::{
    LIST,
    form::{Facts, UserForm, UserPage, unit_words},
    hold_administrators, person,
};
use crate::{
    audit::{self, Object},
    page::redirect,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/settings/users/edit/{id}/",
        Access::Staff,
        get(show_user).post(change_user),
    )
}

async fn show_user(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let person = person(&id, &db).await?;
    let units = unit_names(&db).await?;
    page(&person, units, &viewer, theme, &app).answer()
}

async fn change_user(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    origin: Origin,
    State(app): State<App>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let mut form = UserForm::read(pairs);
    let (found, units) = {
        let db = page_client(&app).await?;
        (person(&id, &db).await?, unit_names(&db).await?)
    };
    form.username.clone_from(&found.username);
    form.keep_what_sal_does_not_ask(&found);
    let mut page = page(&found, units, &viewer, theme, &app);
    page.form = form.clone();
    page.problem = form.problem_of_change();
    if page.problem.is_some() {
        return page.answer();
    }
    let encoded = match form.password.as_str() {
        "" => None,
        password => {
            let asker = Asker::Person(viewer.id);
            Some(password::encode(password.to_owned(), &asker, app.hashing()).await?)
        }
    };
    let tx = page_client(&app).await?.begin().await?;
    let administrators = hold_administrators(&viewer, &tx).await?;
    let before = person(&id, &tx).await?;
    let step = Step::Change {
        stays_admin: form.level() == Level::GlobalAdmin,
        stays_active: form.is_active,
    };
    page.problem = last_admin::problem(step, &before, Some(viewer.id), &administrators);
    if page.problem.is_some() {
        tx.rollback().await?;
        return page.answer();
    }
    store(&before, &form, encoded.as_ref(), &tx).await?;
    let user = Object::new("user", before.id, &before.username);
    let detail = changes(&before, &form, &page.units);
    audit::note(&viewer, "changed", &user, &detail, &app, &tx).await?;
    tx.commit().await?;
    after(&before, encoded.is_some(), &viewer, &origin, &app).await
}

async fn store(
    before: &FoundPerson,
    form: &UserForm,
    encoded: Option<&String>,
    tx: &Tx,
) -> Result<(), AppError> {
    update_person(
        tx,
        UpdatePerson {
            id: &before.id,
            first_name: form.first_name.as_str(),
            last_name: form.last_name.as_str(),
            email: form.email.as_str(),
            is_active: &form.is_active,
            level: form.level().code(),
            units: &form.units,
            password: &encoded.cloned(),
        },
    )
    .await?;
    // A session must not come to life again with its account.
    if encoded.is_some() || !form.is_active {
        delete_sessions_of(tx, &before.id).await?;
    }
    Ok(())
}

/// Back to the list; whoever gave the own account a password stays logged in, here and nowhere else.
async fn after(
    person: &FoundPerson,
    has_new_password: bool,
    viewer: &Viewer,
    origin: &Origin,
    app: &App,
) -> Result<Response, AppError> {
    let mut response = redirect(LIST);
    if has_new_password && person.id == viewer.id {
        let cookie = SessionCookie::new(viewer.id, origin.is_https);
        if let Some(cookie) = cookie.start(app.now(), app).await? {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

fn page(
    person: &FoundPerson,
    units: Vec<NamedUnit>,
    viewer: &Viewer,
    theme: Theme,
    app: &App,
) -> UserPage {
    let moment = |at| Moment::new(at, app.now(), &app.config.time_zone);
    UserPage {
        shell: Shell::of(viewer, theme, Section::Users, &person.username, app),
        form: UserForm::of(person),
        units,
        person: Some(Facts {
            id: person.id.0,
            is_you: person.id == viewer.id,
            is_staff: person.is_staff,
            is_superuser: person.is_superuser,
            is_admin: Level::from_code(&person.level) == Level::GlobalAdmin,
            has_password: person.has_password,
            joined: moment(person.date_joined),
            last_login: person.last_login.map(moment),
        }),
        problem: None,
    }
}

/// What was changed, in words. Names and addresses are not repeated: the log outlives the account.
fn changes(before: &FoundPerson, form: &UserForm, units: &[NamedUnit]) -> String {
    let mut words = Vec::new();
    let old = Level::from_code(&before.level);
    if old != form.level() {
        words.push(format!("level {} → {}", old.title(), form.level().title()));
    }
    if before.is_staff && form.level() != Level::GlobalAdmin {
        words.push("no longer staff".to_owned());
    }
    let (was, is) = (
        unit_words(&before.units, units),
        unit_words(&form.units, units),
    );
    if was != is {
        words.push(format!("{was} → {is}"));
    }
    if before.is_active != form.is_active {
        let word = if form.is_active {
            "activated"
        } else {
            "deactivated"
        };
        words.push(word.to_owned());
    }
    if before.first_name != form.first_name || before.last_name != form.last_name {
        words.push("another name".to_owned());
    }
    if before.email != form.email {
        words.push("another e-mail address".to_owned());
    }
    if !form.password.is_empty() {
        words.push("a new password".to_owned());
    }
    if words.is_empty() {
        words.push("nothing".to_owned());
    }
    words.join(", ")
}
