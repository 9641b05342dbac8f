//! `POST /profiles/submit/`: the configuration profiles on a machine (sal-protocol §6).
//!
//! [`submission`] reads the plist that macOS's `profiles` tool prints, [`plan`] compares it with the rows.

mod lines;
mod plan;
mod submission;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_http::checkin_key::CheckinClient;
use sal_http::{App, AppError, db::machine_client, django};
use sal_store::changed::note_profiles;
use sal_store::machine_changes::write_changes;
use sal_store::profiles::{Changes, read, write};
use sal_store::serials::begin_with_machine;
use tracing::info;

use crate::journal::Note;
use crate::limits::Limits;
use crate::payload::{self, Payload, Unreadable};
use crate::{form, retry, serial, warnings};
use submission::Submission;

/// Takes all profiles of a machine. Answers 200 also when there were none, or none that can be read; then nothing
/// changes (the original removes all of them when it cannot read the new ones, Q-026).
pub(crate) async fn submit_profiles(
    State(app): State<App>,
    Extension(note): Extension<Note>,
    Extension(limits): Extension<Limits>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    note.has_key();
    let form = form::read(&app, request).await?;
    let fields = &form.fields;
    let raw = form::required(fields, "serial")?;
    note.serial(raw);
    limits.machine(raw, &app)?;
    if raw.is_empty() {
        return Ok(nothing_submitted());
    }
    let payload = Payload::of(fields, "base64bz2profiles", "base64profiles");
    let was_sent = payload.is_some();
    let zone = app.config.time_zone.clone();
    let read = move |bytes: &[u8], limit_bytes| Submission::read(bytes, limit_bytes, &zone);
    let opened = match payload {
        Some(payload) => payload::open(&app, payload, read).await?,
        None => None,
    };
    let submission = opened.as_ref().map(|opened| &opened.value);
    let serials = serial::candidates(raw);
    let found = retry::until_undisturbed(|| store(&app, &serials, submission)).await?;
    if let Found::No = found {
        return Ok(serial::not_found());
    }
    if !was_sent {
        return Ok(nothing_submitted());
    }
    if let Some(submission) = submission {
        info!(machine.serial = %raw, profiles = submission.profiles.len(), "profiles of {raw} stored");
        warnings::report(&submission.warnings, raw, "profiles");
    } else {
        note.remark("the profile list cannot be read, and nothing was changed");
    }
    Ok(django::answer(
        StatusCode::OK,
        format!("Profiles submitted for {raw}.\n"),
    ))
}

/// Identifier and UUID of each profile of a plist.
pub(crate) fn read_plist(
    bytes: &[u8],
    limit_bytes: usize,
    zone: &TimeZone,
) -> Result<Vec<[String; 2]>, Unreadable> {
    let read = Submission::read(bytes, limit_bytes, zone)?;
    let profiles = read.profiles.into_iter();
    Ok(profiles
        .map(|profile| [profile.identifier, profile.uuid])
        .collect())
}

/// What the first profiles of a machine store.
pub(crate) fn first(
    bytes: &[u8],
    limit_bytes: usize,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Changes, Unreadable> {
    let submission = Submission::read(bytes, limit_bytes, zone)?;
    Ok(plan::plan(&[], &[], &submission, now))
}

/// Whether the machine is there.
enum Found {
    Yes,
    No,
}

async fn store(
    app: &App,
    serials: &Vec<String>,
    submission: Option<&Submission>,
) -> Result<Found, AppError> {
    let tx = machine_client(0, app).await?.transaction();
    let machine = begin_with_machine(serials, &tx).await?;
    let (Some(machine), Some(submission)) = (machine, submission) else {
        tx.rollback().await?;
        return Ok(machine.map_or(Found::No, |_| Found::Yes));
    };
    let (profiles, payloads) = read(machine, &tx).await?;
    let now = app.now();
    let changes = plan::plan(&profiles, &payloads, submission, now);
    if changes != Changes::default() && app.store.has_own_tables() {
        // A first list tells what there is, not what changed.
        let lines = match profiles.is_empty() {
            true => Vec::new(),
            false => lines::lines(&profiles, &changes),
        };
        let noted = tokio::try_join!(
            biased;
            note_profiles(&tx, &machine),
            write_changes(machine, now, &lines, &tx),
        );
        retry::noted(noted.map(|(machines, _)| machines), app)?;
    }
    write(machine, &changes, tx).await?;
    Ok(Found::Yes)
}

fn nothing_submitted() -> Response {
    django::answer(StatusCode::OK, "No profiles submitted.\n")
}
