//! `/changepassword/`: everybody's own password. It ends all other sessions of the account.

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{StatusCode, header},
    response::Response,
    routing::get,
};
use sal_http::access::credentials::password_problem;
use sal_http::{
    Access, App, AppError, Routes,
    access::{Viewer, hashing::Asker, password, session::SessionCookie},
    db::page_client,
    origin::Origin,
};
use sal_store::{
    people::{find_person, own_password, replace_password},
    sessions::delete_sessions_of,
};
use serde::Deserialize;

use crate::{
    audit::{self, Object},
    login_notes,
    page::{redirect, render, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(
            "/changepassword/",
            Access::Viewer,
            get(show_form).post(change_password),
        )
        .route("/changepassword/done/", Access::Viewer, get(show_done))
}

#[derive(Template)]
#[template(path = "access/password.html")]
struct PasswordPage {
    shell: Shell,
    username: String,
    /// Whether there is a password to change; who logs in elsewhere has none here.
    has_password: bool,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "access/password_done.html")]
struct DonePage {
    shell: Shell,
}

#[derive(Deserialize)]
struct PasswordForm {
    old: String,
    password: String,
    again: String,
}

async fn show_form(
    viewer: Viewer,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let stored = stored(&viewer, &app).await?;
    render(&page(&viewer, theme, &stored, None, &app))
}

async fn change_password(
    viewer: Viewer,
    theme: Theme,
    origin: Origin,
    State(app): State<App>,
    Form(form): Form<PasswordForm>,
) -> Result<Response, AppError> {
    let stored = stored(&viewer, &app).await?;
    let mut problem = problem(&form, &viewer, &app).await?;
    if problem.is_none() {
        problem = wrong_old(&form.old, &stored, &viewer, &origin, &app).await?;
    }
    if problem.is_none() {
        let asker = Asker::Person(viewer.id);
        let encoded = password::encode(form.password, &asker, app.hashing()).await?;
        if store(&stored, &encoded, &viewer, &app).await? {
            return done(&viewer, &origin, &app).await;
        }
        problem = Some("The password was changed elsewhere in this moment. Try again.");
    }
    let page = page(&viewer, theme, &stored, problem, &app);
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn show_done(
    viewer: Viewer,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    render(&DonePage {
        shell: Shell::of(&viewer, theme, Section::None, "Password changed", &app),
    })
}

/// What is wrong with the new password.
async fn problem(
    form: &PasswordForm,
    viewer: &Viewer,
    app: &App,
) -> Result<Option<&'static str>, AppError> {
    let db = page_client(app).await?;
    let found = find_person(&db, &viewer.id).await?.into_iter().next();
    let person = found.ok_or(AppError::NotFound)?;
    let about = [
        person.username.as_str(),
        &person.first_name,
        &person.last_name,
        &person.email,
    ];
    if form.old == form.password {
        return Ok(Some("The new password is the old one."));
    }
    Ok(password_problem(&form.password, &form.again, &about))
}

/// What is wrong with the old password. Tries are counted as at the login page, because this page could be used for
/// guessing by whoever finds an unlocked screen.
async fn wrong_old(
    old: &str,
    stored: &str,
    viewer: &Viewer,
    origin: &Origin,
    app: &App,
) -> Result<Option<&'static str>, AppError> {
    let address = &origin.network;
    let begun = app
        .attempts()
        .begin(&viewer.name, &origin.network, app.now());
    let tried = match begun {
        Ok(tried) => tried,
        Err(locked) => {
            return Err(login_notes::locked_out(&viewer.name, locked, address, app).await);
        }
    };
    tokio::time::sleep(tried.delay).await;
    let (asker, stored) = (Asker::Person(viewer.id), Some(stored.to_owned()));
    let checked = password::verify(old.to_owned(), stored, &asker, app.hashing()).await;
    let is_right = match checked {
        Ok(is_right) => is_right,
        Err(error) => {
            // Nobody looked at the password.
            tried.not_made(app.now());
            return Err(error);
        }
    };
    if is_right {
        tried.succeeded(app.now());
        return Ok(None);
    }
    tried.failed(true, app.now());
    login_notes::refused(Some(&viewer.name), address, app).await;
    Ok(Some("The old password is wrong."))
}

/// Stores it and ends all sessions; returns whether the password was still the one that was checked.
async fn store(old: &str, new: &str, viewer: &Viewer, app: &App) -> Result<bool, AppError> {
    let tx = page_client(app).await?.begin().await?;
    if replace_password(&tx, &viewer.id, old, new).await? == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    delete_sessions_of(&tx, &viewer.id).await?;
    let user = Object::new("user", viewer.id, &viewer.name);
    audit::note(viewer, "changed", &user, "the own password", app, &tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Goes on with a session that is new, so that a copied cookie of the old one is worth nothing.
async fn done(viewer: &Viewer, origin: &Origin, app: &App) -> Result<Response, AppError> {
    let mut response = redirect("/changepassword/done/");
    let cookie = SessionCookie::new(viewer.id, origin.is_https);
    if let Some(cookie) = cookie.start(app.now(), app).await? {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn stored(viewer: &Viewer, app: &App) -> Result<String, AppError> {
    let db = page_client(app).await?;
    let found = own_password(&db, &viewer.id).await?.into_iter().next();
    Ok(found.ok_or(AppError::NotFound)?.password)
}

fn page(
    viewer: &Viewer,
    theme: Theme,
    stored: &str,
    problem: Option<&'static str>,
    app: &App,
) -> PasswordPage {
    PasswordPage {
        shell: Shell::of(viewer, theme, Section::None, "Change password", app),
        username: viewer.name.clone(),
        has_password: !stored.starts_with('!'),
        problem,
    }
}
