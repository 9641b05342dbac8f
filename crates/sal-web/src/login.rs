//! `/login/` and `/logout/`: with the users and passwords that Sal has.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    Access, App, AppError, Routes,
    access::{Viewer, hashing::Asker, oidc::Oidc, password, session::SessionCookie},
    db::page_client,
    origin::Origin,
};
use sal_store::users::{LoginUser, record_login, user_by_name};
use serde::Deserialize;
use tracing::{info, warn};

use crate::{
    login_notes,
    page::{redirect, render, safe_next},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/login/", Access::Anyone, get(show_login).post(log_in))
        .forms_up_to(MOST_BYTES)
        .route(
            "/logout/",
            Access::Anyone,
            get(confirm_logout).post(log_out),
        )
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
    headers: HeaderMap,
    origin: Origin,
    theme: Theme,
    Form(form): Form<LoginForm>,
) -> Result<Response, AppError> {
    let begun = app
        .attempts()
        .begin(&form.username, &origin.network, app.now());
    let tried = match begun {
        Ok(tried) => tried,
        Err(locked) => {
            let from = &origin.network;
            return Err(login_notes::locked_out(&form.username, locked, from, &app).await);
        }
    };
    tokio::time::sleep(tried.delay).await;
    let (user, is_right) = match check(&form.username, form.password, &origin, &app).await {
        Ok(checked) => checked,
        Err(error) => {
            // Nobody looked at the password.
            tried.not_made(app.now());
            return Err(error);
        }
    };
    let exists = user.as_ref().map(|_| form.username.as_str());
    let Some(user) = user.as_ref().filter(|_| is_right) else {
        tried.failed(exists.is_some(), app.now());
        warn!(client.address = %origin.address, "a login was refused: wrong user name or password");
        login_notes::refused(exists, &origin.network, &app).await;
        return render(&LoginPage {
            username: form.username,
            failed: true,
            ..LoginPage::new(safe_next(form.next.as_deref()), theme, &app)
        });
    };
    tried.succeeded(app.now());
    let mut response = redirect(safe_next(form.next.as_deref()));
    // A session that the browser brought, its own or one that was planted there, does not survive.
    if let Some(old) = SessionCookie::from_headers(&headers, origin.is_https) {
        old.end(&app).await?;
    }
    if let Some(cookie) = SessionCookie::new(user.id, origin.is_https)
        .start(app.now(), &app)
        .await?
    {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    let db = page_client(&app).await?;
    record_login(&db, &user.id, &app.now()).await?;
    drop(db);
    let how = login_notes::from(&origin.address);
    login_notes::logged_in(user.id, &form.username, &how, &app).await;
    info!(viewer = %user.id, "user {} logged in", user.id);
    Ok(response)
}

/// The user of this name, and whether it may log in with this password.
async fn check(
    name: &str,
    password: String,
    origin: &Origin,
    app: &App,
) -> Result<(Option<LoginUser>, bool), AppError> {
    let user = user(name, app).await?;
    // Whoever may not log in costs the same work as nobody.
    let active = user.as_ref().filter(|user| user.is_active);
    let encoded = active.map(|user| user.password.clone());
    let asker = Asker::Stranger(origin.network.clone());
    let is_right = password::verify(password, encoded, &asker, app.hashing()).await?;
    let is_right = is_right && active.is_some();
    Ok((user, is_right))
}

/// The user of this name, active or not. The connection goes back before the slow part.
async fn user(name: &str, app: &App) -> Result<Option<LoginUser>, AppError> {
    if !login_notes::is_possible(name) {
        return Ok(None);
    }
    let db = page_client(app).await?;
    Ok(user_by_name(&db, &name).await?.into_iter().next())
}

async fn confirm_logout(
    viewer: Result<Viewer, AppError>,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let viewer = match viewer {
        // Coming back here after the login would only lead out again.
        Err(AppError::LoginNeeded { .. }) => return Ok(redirect("/login")),
        other => other?,
    };
    render(&LogoutPage {
        shell: Shell::of(&viewer, theme, Section::None, "Log out", &app),
    })
}

async fn log_out(
    headers: HeaderMap,
    origin: Origin,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let mut response = redirect("/login/");
    if let Some(cookie) = SessionCookie::from_headers(&headers, origin.is_https)
        && let Some(gone) = cookie.end(&app).await?
    {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}

/// Whoever is not logged in has little to say.
const MOST_BYTES: usize = 16 * 1024;
