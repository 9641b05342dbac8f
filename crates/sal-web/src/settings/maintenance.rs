//! `/settings/maintenance/`: what the servers do by themselves, how it went, and a button to have it now.
//!
//! The rows are written by whichever server works (`sal-jobs`); pages only read them, and say that a job is due.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use jiff::Timestamp;
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    Client, StoreError,
    jobs::{JobRow, LockHolder, WORKER, list_jobs, lock_holder, make_due},
};

use crate::{
    audit::{self, Object},
    page::{redirect, render},
    shell::{Section, Shell, Theme},
    wording::{self, Moment},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::GlobalAdmin, get(show_maintenance))
        .route(
            "/settings/maintenance/run/{name}/",
            Access::GlobalAdmin,
            post(run_now),
        )
}

#[derive(Template)]
#[template(path = "settings/maintenance.html")]
struct MaintenancePage {
    shell: Shell,
    jobs: Vec<JobLine>,
    worker: Option<WorkerLine>,
    /// Why there is no table to read.
    lacks_table: bool,
}

/// The server that works.
struct WorkerLine {
    name: String,
    since: Option<Moment>,
}

/// A job as a line of the table.
struct JobLine {
    name: String,
    what: String,
    every: String,
    tone: &'static str,
    result: &'static str,
    last: Option<Moment>,
    server: String,
    rows: String,
    duration: String,
    detail: String,
    error: String,
    /// Nothing when it is due.
    next: Option<Moment>,
    runs: String,
    failures: Option<String>,
}

async fn show_maintenance(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (jobs, holders) = tokio::try_join!(jobs(&db), lock_holder(&db, &WORKER))?;
    let worker = holders.into_iter().next();
    let is_worked = worker.is_some();
    let (now, zone) = (app.now(), &app.config.time_zone);
    let moment = |at: Timestamp| Moment::new(at, now, zone);
    render(&MaintenancePage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Maintenance", &app),
        lacks_table: jobs.is_none(),
        jobs: jobs
            .unwrap_or_default()
            .into_iter()
            .map(|job| line(job, is_worked, now, &moment))
            .collect(),
        worker: worker.map(|holder: LockHolder| WorkerLine {
            since: holder.since.map(moment),
            name: server_of(&holder.name).to_owned(),
        }),
    })
}

/// `None` where our own tables are missing.
async fn jobs(db: &Client) -> Result<Option<Vec<JobRow>>, StoreError> {
    match list_jobs(db).await {
        Ok(jobs) => Ok(Some(jobs)),
        Err(error) if error.lacks_a_table() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The worker's connection calls itself `sal maintenance on <server>`.
fn server_of(application: &str) -> &str {
    application
        .strip_prefix("sal maintenance on ")
        .unwrap_or(application)
}

fn line(
    job: JobRow,
    is_worked: bool,
    now: Timestamp,
    moment: &impl Fn(Timestamp) -> Moment,
) -> JobLine {
    let (tone, result) = match job.last_result.as_deref() {
        Some("done") => ("ok", "Done"),
        Some("failed") => ("bad", "Failed"),
        Some("stopped") => ("warn", "Stopped"),
        Some("running") if is_worked => ("info", "Running"),
        Some("running") => ("warn", "Its server is gone"),
        _ => ("plain", "Not yet"),
    };
    JobLine {
        tone,
        result,
        every: wording::period(job.every_seconds),
        last: job.last_finished.or(job.last_started).map(moment),
        server: job.last_server.unwrap_or_default(),
        rows: wording::count(job.rows),
        duration: wording::milliseconds(job.duration_ms),
        detail: job.last_detail,
        error: job.last_error,
        next: (job.next_due > now).then(|| moment(job.next_due)),
        runs: wording::count_of(job.runs, "run", "runs"),
        failures: (job.failures > 0).then(|| wording::count(job.failures)),
        name: job.name,
        what: job.what,
    }
}

async fn run_now(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(name): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    if name.contains('\0') {
        return Err(AppError::NotFound);
    }
    let tx = db.begin().await?;
    if make_due(&tx, name.as_str(), &app.now()).await? == 0 {
        return Err(AppError::NotFound);
    }
    let object = Object::new("job", &name, &name);
    audit::note(&viewer, "asked for", &object, "", &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(PATH))
}

const PATH: &str = "/settings/maintenance/";
