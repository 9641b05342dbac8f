//! `/database/`: how this server is logged in to its database, what the database says to that, and where the move to
//! IAM stands. For global admins.
//!
//! What the program knows of its own login is shown whatever the database answers.

mod cutover;
mod roles;

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use jiff::{SignedDuration, Timestamp};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    database_status::{DatabaseStatus, LoginMode, LoginResult},
    db::page_client,
};
use sal_store::{
    StoreError,
    database::{roles as read_roles, session as read_session},
};

use self::{
    cutover::{Cutover, Journal},
    roles::{RoleLine, SessionView},
};
use crate::{
    page::render,
    shell::{Section, Shell, Theme},
    wording::{self, Moment},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route("/database/", Access::GlobalAdmin, get(show_database))
}

#[derive(Template)]
#[template(path = "database/page.html")]
struct DatabasePage {
    shell: Shell,
    mode: &'static str,
    /// `ok` or `bad`.
    tone: &'static str,
    verdict: &'static str,
    /// A failure that a success followed is history.
    failure_tone: &'static str,
    status: DatabaseStatus,
    last_success: Option<Moment>,
    failed_at: Option<Moment>,
    credential_expiry: Option<Expiry>,
    certificate_expiry: Option<Expiry>,
    logins: String,
    failures: String,
    recent: Vec<LoginLine>,
    /// What the database says, or why it says nothing.
    asked: Result<Asked, String>,
}

/// What the database says.
struct Asked {
    view: SessionView,
    roles: Vec<RoleLine>,
    cutover: Cutover,
}

/// How a login went, as a line of the table.
struct LoginLine {
    moment: Moment,
    mode: &'static str,
    user: String,
    /// What happened, the likely cause, what to do next.
    failure: Option<[String; 3]>,
}

/// The end of something, and whether it is near.
struct Expiry {
    moment: Moment,
    tone: &'static str,
}

async fn show_database(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let status = app.database_status();
    let asked = ask(status.mode, &app).await.map_err(in_words);
    let (now, zone) = (app.now(), &app.config.time_zone);
    let expiry = |at: Timestamp, soon: SignedDuration| Expiry {
        tone: if at.duration_since(now) < soon {
            "bad"
        } else {
            "ok"
        },
        moment: Moment::new(at, now, zone),
    };
    let works = last_login_worked(&status);
    let count = |number: u64| wording::count(i64::try_from(number).unwrap_or(i64::MAX));
    render(&DatabasePage {
        shell: Shell::of(&viewer, theme, Section::Database, "Database", &app),
        mode: mode(status.mode),
        tone: if works { "ok" } else { "bad" },
        failure_tone: if works { "plain" } else { "bad" },
        verdict: match (works, status.last_success.is_some()) {
            (true, _) => "Logged in",
            (false, true) => "The last login failed",
            (false, false) => "Not logged in yet",
        },
        last_success: status.last_success.map(|at| Moment::new(at, now, zone)),
        failed_at: status
            .last_failure
            .as_ref()
            .map(|failure| Moment::new(failure.at, now, zone)),
        credential_expiry: status
            .credential_expiry
            .map(|at| expiry(at, SignedDuration::ZERO)),
        certificate_expiry: status
            .certificate
            .as_ref()
            .map(|certificate| expiry(certificate.not_after, SignedDuration::from_hours(30 * 24))),
        logins: count(status.logins),
        failures: count(status.failures),
        recent: status
            .recent
            .iter()
            .map(|result| login_line(result, Moment::new(result.at, now, zone)))
            .collect(),
        asked,
        status,
    })
}

async fn ask(mode: LoginMode, app: &App) -> Result<Asked, StoreError> {
    let db = page_client(app).await?;
    let (sessions, journal) = tokio::try_join!(read_session(&db), Journal::read(&db))?;
    let session = sessions.into_iter().next().ok_or(StoreError::Overtaken)?;
    let names = roles::names(&session, journal.administrator());
    let found = read_roles(&db, &names.iter().map(|(name, _)| name.clone()).collect()).await?;
    let mut view = SessionView::new(session);
    let login = found
        .iter()
        .find(|role| role.name == view.session.session_user);
    view.warnings
        .extend(login.and_then(|login| roles::contradiction(mode, login)));
    let (now, zone) = (app.now(), &app.config.time_zone);
    Ok(Asked {
        view,
        roles: roles::lines(found, &names),
        cutover: journal.worded(mode, &|at| Moment::new(at, now, zone)),
    })
}

fn in_words(error: StoreError) -> String {
    match error {
        StoreError::Statement(error) => error
            .as_db_error()
            .map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned()),
        other => other.to_string(),
    }
}

fn mode(mode: LoginMode) -> &'static str {
    match mode {
        LoginMode::Iam => "IAM token",
        LoginMode::Password => "Password",
    }
}

fn login_line(result: &LoginResult, moment: Moment) -> LoginLine {
    let failure = result.failure.as_ref().map(|failure| {
        [&failure.what, &failure.likely_cause, &failure.next_step].map(String::clone)
    });
    LoginLine {
        moment,
        mode: mode(result.mode),
        user: result.user.clone(),
        failure,
    }
}

fn last_login_worked(status: &DatabaseStatus) -> bool {
    let failed = status.last_failure.as_ref().map(|failure| failure.at);
    status
        .last_success
        .is_some_and(|worked| failed.is_none_or(|failed| worked >= failed))
}
