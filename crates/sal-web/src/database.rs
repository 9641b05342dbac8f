//! `/database/`: how this server is logged in to its database. For global admins.
//!
//! Shows what the program knows of its own login; but for the viewer's session, the database is asked nothing.

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use jiff::{SignedDuration, Timestamp};
use sal_http::{
    App, AppError, Routes,
    access::GlobalAdmin,
    database_status::{DatabaseStatus, LoginMode},
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
    wording::{self, Moment},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route("/database/", get(show_database))
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
        mode: match status.mode {
            LoginMode::Iam => "IAM token",
            LoginMode::Password => "Password",
        },
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
        status,
    })
}

fn last_login_worked(status: &DatabaseStatus) -> bool {
    let failed = status.last_failure.as_ref().map(|failure| failure.at);
    status
        .last_success
        .is_some_and(|worked| failed.is_none_or(|failed| worked >= failed))
}
