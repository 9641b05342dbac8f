//! `/setup/<token>/`: while there is no user, the person with the link printed at the start makes the first one.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{
    App, AppError, Routes,
    access::{LoginAttempts, password, setup},
};
use serde::Deserialize;
use tracing::info;

use crate::{
    page::{redirect, render, render_with_status},
    shell::{Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/setup/{token}/", get(show_setup).post(create_user))
        .layer(Extension(Arc::new(LoginAttempts::default())))
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
    State(app): State<App>,
    Extension(attempts): Extension<Arc<LoginAttempts>>,
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
    let encoded = password::encode(form.password, &attempts).await?;
    if !setup::use_up(&token, &form.username, &encoded, app.now(), &app.store).await? {
        return Err(AppError::NotFound);
    }
    info!("the first user was made with the set-up link");
    Ok(redirect("/login/"))
}

/// Why the form cannot be taken as it is. Names are restricted as Django restricts them.
fn problem(form: &SetupForm) -> Option<&'static str> {
    let name_is_fine = |c: char| c.is_alphanumeric() || "@.+-_".contains(c);
    if form.username.is_empty()
        || form.username.chars().count() > 150
        || !form.username.chars().all(name_is_fine)
    {
        return Some("A user name has 1 to 150 letters, digits and @ . + - _");
    }
    if form.password.chars().count() < MIN_PASSWORD_CHARACTERS {
        return Some("A password has at least 10 characters.");
    }
    (form.password != form.again).then_some("The two passwords differ.")
}

const MIN_PASSWORD_CHARACTERS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn form(username: &str, password: &str, again: &str) -> Option<&'static str> {
        problem(&SetupForm {
            username: username.to_owned(),
            password: password.to_owned(),
            again: again.to_owned(),
        })
    }

    #[test]
    fn weak_and_mistyped_passwords_are_refused() {
        assert_eq!(form("admin", "long enough", "long enough"), None);
        assert!(
            form("admin", "short", "short")
                .unwrap()
                .contains("10 characters")
        );
        assert!(
            form("admin", "long enough", "long enuogh")
                .unwrap()
                .contains("differ")
        );
        for name in ["", "a b", "a/b", &"a".repeat(151)] {
            assert!(
                form(name, "long enough", "long enough")
                    .unwrap()
                    .contains("user name"),
                "{name}"
            );
        }
    }
}
