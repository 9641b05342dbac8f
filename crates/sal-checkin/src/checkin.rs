//! `POST /checkin/`: read, file, answer.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use sal_http::checkin_key::ShownKey;
use sal_http::db::BULKY_BYTES;
use sal_http::memory::Memory;
use sal_http::metric_names::{CHECKIN_WARNINGS, CHECKINS};
use sal_http::origin::Origin;
use sal_http::{App, AppError, django};
use sal_store::checkin::changes::Trace;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::digest::Digests;
use crate::filing::Filing;
use crate::journal::Note;
use crate::limits::Limits;
use crate::python;
use crate::retry::until_undisturbed;
use crate::submission::{Context, Refusal, Submission};

/// Takes a check-in. Answers 200 only after every row is committed.
pub(crate) async fn submit_checkin(
    State(app): State<App>,
    key: ShownKey,
    Extension(note): Extension<Note>,
    Extension(limits): Extension<Limits>,
    request: Request,
) -> Result<Response, AppError> {
    let arrival = Arrival {
        key,
        note,
        limits,
        started: Instant::now(),
    };
    let mut outcome = take(&app, &arrival, request).await;
    // What the caller hears about the body, only a caller with a key hears.
    if let Err(AppError::BadRequest(_) | AppError::BodyTooLarge { .. } | AppError::Unknown(_)) =
        &outcome
    {
        match arrival.key.verify(&app).await {
            Ok(()) => arrival.note.has_key(),
            Err(error) => outcome = Err(error),
        }
    }
    let label = match &outcome {
        Ok(_) => "stored",
        Err(AppError::Store(_) | AppError::Internal { .. }) => "failed",
        Err(_) => "rejected",
    };
    metrics::counter!(CHECKINS, "outcome" => label).increment(1);
    outcome
}

/// A request at the door.
struct Arrival {
    key: ShownKey,
    note: Note,
    limits: Limits,
    started: Instant,
}

async fn take(app: &App, arrival: &Arrival, request: Request) -> Result<Response, AppError> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| is_json(value.as_bytes()));
    if !is_json {
        return Err(AppError::BadRequest(
            "Checkin must be content-type \"application/json\"!".to_owned(),
        ));
    }
    let (parts, body) = request.into_parts();
    let origin = Origin::of(&parts, app);
    // who would wait too long hears so before anything is spent on the body, and after it when many sent theirs
    // meanwhile.
    app.crowd().look()?;
    let body = app.memory().read(body, app.config.body_limit_bytes).await?;
    let weight = weight(body.bytes.len());
    // The large ones wait for one another, not for these.
    let inside = match Memory::is_ordinary(weight) {
        true => Some(app.crowd().enter()?),
        false => None,
    };
    let room = app.memory().reserve(weight).await?;
    let body = body.bytes;
    let now = app.now();
    let (submission, _room) = if body.len() > BULKY_BYTES {
        // So long a calculation would keep others from being answered. The room moves along: the thread goes on when
        // the request is gone.
        let (app, body) = (app.clone(), body.clone());
        let reading = tokio::task::spawn_blocking(move || (read(&body, now, &app), room)).await;
        let (read, room) =
            reading.map_err(|error| AppError::internal("reading a check-in", error))?;
        (read?, room)
    } else {
        (read(&body, now, app)?, room)
    };
    arrival.note.serial(&submission.serial);
    arrival.limits.machine(&submission.serial, app)?;
    let trace = Trace {
        body_bytes: i32::try_from(body.len()).unwrap_or(i32::MAX),
        milliseconds: i32::try_from(arrival.started.elapsed().as_millis()).unwrap_or(i32::MAX),
        address: origin.address,
        client: origin.client,
    };
    let filing = Filing {
        app,
        key: &arrival.key,
        note: &arrival.note,
        digests: Digests::of(&submission, now, &app.config.historical_facts),
        submission: &submission,
        now,
        trace,
        body_bytes: body.len(),
    };
    until_undisturbed(|| filing.file()).await?;
    if let Some(inside) = inside {
        inside.answered();
    }
    report(&submission, &arrival.note);
    Ok(django::answer(
        StatusCode::OK,
        format!("Sal report submitted for {}", submission.serial),
    ))
}

fn read(body: &[u8], now: Timestamp, app: &App) -> Result<Submission, AppError> {
    let text = str::from_utf8(body).map_err(|_not_utf8| invalid_json())?;
    let value = python::parse(text).map_err(|error| {
        info!(%error, "a check-in without valid JSON");
        if error.what == python::TOO_MANY {
            return too_many_values();
        }
        invalid_json()
    })?;
    let context = Context {
        now,
        zone: &app.config.time_zone,
        ignore_facts: app.config.ignore_facts.as_ref(),
    };
    Submission::read(&value, &context).map_err(refused)
}

fn report(submission: &Submission, note: &Note) {
    let facts: usize = submission
        .sections
        .iter()
        .map(|section| section.facts.len())
        .sum();
    let items: usize = submission
        .sections
        .iter()
        .map(|section| section.items.len())
        .sum();
    let serial = &submission.serial;
    info!(machine.serial = %serial, facts, items, scripts = submission.scripts.len(), "check-in of {serial} stored");
    if !submission.warnings.is_empty() {
        let count = submission.warnings.len();
        metrics::counter!(CHECKIN_WARNINGS).increment(u64::try_from(count).unwrap_or(u64::MAX));
        let all = submission
            .warnings
            .iter()
            .map(|warning| warning.0.as_str())
            .collect::<Vec<_>>()
            .join("; ");
        note.remark(&format!("values that did not fit: {all}"));
        warn!(machine.serial = %serial, warnings = all, "check-in of {serial} held values that did not fit");
    }
}

fn refused(refusal: Refusal) -> AppError {
    match refusal {
        Refusal::NoKey => AppError::Unknown("no machine group's key in the body"),
        other => AppError::BadRequest(other.to_string()),
    }
}

/// each value costs some hundred bytes on its way into the tables.
fn too_many_values() -> AppError {
    let most = python::MOST_VALUES;
    AppError::BadRequest(format!("Checkin holds more than {most} values!"))
}

fn invalid_json() -> AppError {
    AppError::BadRequest("Checkin has invalid JSON!".to_owned())
}

/// The media type alone counts, in any case.
fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    media_type
        .trim_ascii()
        .eq_ignore_ascii_case(b"application/json")
}

/// What a check-in of this size makes, in bytes: its texts some times over, and its values with everything around them.
fn weight(body_bytes: usize) -> usize {
    let values = (body_bytes / 4).min(python::MOST_VALUES);
    body_bytes * 8 + values * 200
}
