//! `/login/` and `/logout/`: with the users and passwords that Sal has.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    App, AppError, Routes,
    access::{LoginAttempts, Viewer, oidc::Oidc, password, session::SessionCookie},
    origin::Origin,
};
use sal_store::users::{record_login, user_by_name};
use serde::Deserialize;
use tracing::{info, warn};

use crate::{
    page::{redirect, render, safe_next},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/login/", get(show_login).post(log_in))
        .route("/logout/", get(confirm_logout).post(log_out))
        .layer(Extension(Arc::new(LoginAttempts::default())))
}

#[derive(Template)]
#[template(path = "access/login.html")]
struct LoginPage {
    shell: Shell,
    next: String,
    username: String,
    failed: bool,
    single_sign_on: Option<Button>,
    /// Whether there is a form for local passwords.
    shows_form: bool,
}

/// Leads to the provider.
struct Button {
    href: String,
    label: String,
}

#[derive(Template)]
#[template(path = "access/logout.html")]
struct LogoutPage {
    shell: Shell,
}

#[derive(Deserialize)]
struct LoginQuery {
    next: Option<String>,
    /// Anything brings the form for local passwords, whatever SAL_OIDC_ONLY says: nobody shall be locked out.
    local: Option<String>,
}

#[derive(Deserialize)]
struct LoginForm {
    username: String,
    password: String,
    next: Option<String>,
}

async fn show_login(
    viewer: Result<Viewer, AppError>,
    theme: Theme,
    Query(query): Query<LoginQuery>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let next = safe_next(query.next.as_deref());
    match viewer {
        Ok(_already) => return Ok(redirect(next)),
        Err(AppError::LoginNeeded { .. }) => {}
        Err(error) => return Err(error),
    }
    let hides_form = app.oidc.as_ref().is_some_and(|oidc| oidc.config.only);
    render(&LoginPage {
        shows_form: query.local.is_some() || !hides_form,
        ..LoginPage::new(next, theme, &app)
    })
}

impl LoginPage {
    fn new(next: &str, theme: Theme, app: &App) -> Self {
        let encoded = utf8_percent_encode(next, NON_ALPHANUMERIC);
        let button = |oidc: &Arc<Oidc>| Button {
            href: format!("/oidc/login/?next={encoded}"),
            label: oidc.config.label.clone(),
        };
        Self {
            shell: Shell::anonymous(theme, "Log in", app),
            next: next.to_owned(),
            username: String::new(),
            failed: false,
            single_sign_on: app.oidc.as_ref().map(button),
            shows_form: true,
        }
    }
}

async fn log_in(
    State(app): State<App>,
    Extension(attempts): Extension<Arc<LoginAttempts>>,
    origin: Origin,
    theme: Theme,
    Form(form): Form<LoginForm>,
) -> Result<Response, AppError> {
    // It can be forged; the limit per user holds then.
    let address = origin.address;
    attempts
        .begin(&form.username, &address, app.now())
        .map_err(|seconds| AppError::TooMany { seconds })?;
    // The connection goes back before the slow part.
    let user = {
        let db = app.store.get().await?;
        let username = form.username.replace('\0', "");
        user_by_name(&db, &username.as_str())
            .await?
            .into_iter()
            .next()
            .filter(|user| user.is_active)
    };
    let encoded = user.as_ref().map(|user| user.password.clone());
    let is_right = password::verify(form.password, encoded, &attempts).await?;
    let Some(user) = user.filter(|_| is_right) else {
        warn!(client.address = %address, "a login was refused: wrong user name or password");
        return render(&LoginPage {
            username: form.username,
            failed: true,
            ..LoginPage::new(safe_next(form.next.as_deref()), theme, &app)
        });
    };
    attempts.succeeded(&form.username, &address);
    let mut response = redirect(safe_next(form.next.as_deref()));
    if let Some(cookie) = SessionCookie::new(user.id).start(app.now(), &app).await? {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    let db = app.store.get().await?;
    record_login(&db, &user.id, &app.now()).await?;
    info!(viewer = %user.id, "user {} logged in", user.id);
    Ok(response)
}

async fn confirm_logout(
    viewer: Viewer,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    render(&LogoutPage {
        shell: Shell::of(&viewer, theme, Section::None, "Log out", &app),
    })
}

async fn log_out(headers: HeaderMap, State(app): State<App>) -> Result<Response, AppError> {
    let mut response = redirect("/login/");
    if let Some(cookie) = SessionCookie::from_headers(&headers, &app)
        && let Some(gone) = cookie.end(&app).await?
    {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}
