//! `/setup/<token>/`: while there is no user, the person with the link printed at the start makes the first one.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::access::credentials::{password_problem, username_problem};
use sal_http::{
    Access, App, AppError, Routes,
    access::{hashing::Asker, password, setup},
    origin::Origin,
};
use serde::Deserialize;
use tracing::info;

use crate::{
    page::{redirect, render, render_with_status},
    shell::{Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(
            "/setup/{token}/",
            Access::Anyone,
            get(show_setup).post(create_user),
        )
        .secret_after("setup")
}

#[derive(Template)]
#[template(path = "access/setup.html")]
struct SetupPage {
    shell: Shell,
    username: String,
    problem: Option<&'static str>,
}

#[derive(Deserialize)]
struct SetupForm {
    username: String,
    password: String,
    again: String,
}

async fn show_setup(
    Path(token): Path<String>,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    if !setup::is_good(&token, app.now(), &app.store).await? {
        return Err(AppError::NotFound);
    }
    render(&SetupPage {
        shell: Shell::anonymous(theme, "Set up", &app),
        username: "admin".to_owned(),
        problem: None,
    })
}

async fn create_user(
    Path(token): Path<String>,
    theme: Theme,
    origin: Origin,
    State(app): State<App>,
    Form(form): Form<SetupForm>,
) -> Result<Response, AppError> {
    if !setup::is_good(&token, app.now(), &app.store).await? {
        return Err(AppError::NotFound);
    }
    if let Some(problem) = problem(&form) {
        let page = SetupPage {
            shell: Shell::anonymous(theme, "Set up", &app),
            username: form.username,
            problem: Some(problem),
        };
        return render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let asker = Asker::Stranger(origin.network);
    let encoded = password::encode(form.password, &asker, app.hashing()).await?;
    if !setup::use_up(&token, &form.username, &encoded, app.now(), &app.store).await? {
        return Err(AppError::NotFound);
    }
    info!("the first user was made with the set-up link");
    Ok(redirect("/login/"))
}

/// Why the form cannot be taken as it is.
fn problem(form: &SetupForm) -> Option<&'static str> {
    username_problem(&form.username)
        .or_else(|| password_problem(&form.password, &form.again, &[&form.username]))
}
