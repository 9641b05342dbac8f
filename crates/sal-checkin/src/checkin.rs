//! `POST /checkin/`: extract, load, decide, write, answer.

use std::collections::{HashMap, HashSet};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use sal_http::checkin_key::CheckinClient;
use sal_http::metric_names::{CHECKIN_WARNINGS, CHECKINS};
use sal_http::{App, AppError, django};
use sal_store::StoreError;
use sal_store::checkin::{self, Present};
use sal_store::ids::{SourceId, time_ordered_uuid};
use sal_store::pool::Tx;
use sal_store::sources::insert_sources;
use tracing::{info, warn};

use crate::plan::{self, Rules};
use crate::python;
use crate::retry::until_undisturbed;
use crate::submission::{Context, Refusal, Submission};

/// Takes a check-in. Answers 200 only after every row is committed.
pub async fn submit_checkin(
    State(app): State<App>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    let outcome = take(&app, request).await;
    let label = match &outcome {
        Ok(_) => "stored",
        Err(AppError::Store(_) | AppError::Internal { .. }) => "failed",
        Err(_) => "rejected",
    };
    metrics::counter!(CHECKINS, "outcome" => label).increment(1);
    outcome
}

async fn take(app: &App, request: Request) -> Result<Response, AppError> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| is_json(value.as_bytes()));
    if !is_json {
        return Err(AppError::BadRequest(
            "Checkin must be content-type \"application/json\"!".to_owned(),
        ));
    }
    let body = bounded(request.into_body(), app.config.body_limit_bytes).await?;
    let text = str::from_utf8(&body).map_err(|_not_utf8| invalid_json())?;
    let value = python::parse(text).map_err(|error| {
        info!(%error, "a check-in without valid JSON");
        invalid_json()
    })?;
    let now = app.now();
    let context = Context {
        now,
        zone: &app.config.time_zone,
        ignore_facts: app.config.ignore_facts.as_ref(),
    };
    let submission = Submission::read(&value, &context).map_err(refused)?;
    until_undisturbed(|| store(app, &submission, now)).await?;
    report(&submission);
    Ok(django::answer(
        StatusCode::OK,
        format!("Sal report submitted for {}", submission.serial),
    ))
}

async fn store(app: &App, submission: &Submission, now: jiff::Timestamp) -> Result<(), AppError> {
    let (tx, present) = load(app, submission, now).await?;
    let unwanted = present.machine.is_none() && !app.config.add_new_machines;
    let group = present.group.as_ref().map(|group| group.id);
    let (Some(group), false) = (group, unwanted) else {
        tx.rollback().await?;
        return Err(AppError::NotFound);
    };
    let sources: HashMap<String, SourceId> = present
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.id))
        .collect();
    if submission
        .sections
        .iter()
        .any(|section| !sources.contains_key(&section.source))
    {
        // Maintenance of a Django Sal removed a source that nothing used yet.
        tx.rollback().await?;
        return Err(StoreError::Overtaken.into());
    }
    let rules = Rules {
        now,
        group,
        sources: &sources,
        deploy: app.config.deployed_on_checkin,
        historical_facts: &app.config.historical_facts,
    };
    let changes = plan::plan(&present, submission, &rules, &mut || {
        time_ordered_uuid(now, &mut rand::rng())
    });
    checkin::write(&changes, tx).await?;
    Ok(())
}

/// Reads what is there; sources that are new are made first and the reading begins again.
///
/// They are made outside the check-in's transaction: inside, their locks and those of the machine's row would be
/// taken in either order, and two first check-ins of one machine would deadlock.
async fn load(
    app: &App,
    submission: &Submission,
    now: jiff::Timestamp,
) -> Result<(Tx, Present), AppError> {
    let names: Vec<String> = submission
        .sections
        .iter()
        .map(|section| section.source.clone())
        .collect();
    let scripts = plan::replaced(submission);
    let (serial, key) = (&submission.serial, &submission.group_key);
    let tx = app.store.get().await?.transaction();
    let present = checkin::read(serial, key, &names, &scripts, &tx).await?;
    let missing = missing_sources(&present, &names);
    if missing.is_empty() || present.group.is_none() {
        return Ok((tx, present));
    }
    let db = tx.rollback().await?;
    let ids = missing
        .iter()
        .map(|_| time_ordered_uuid(now, &mut rand::rng()))
        .collect();
    insert_sources(&db, &ids, &missing).await?;
    let tx = db.transaction();
    let present = checkin::read(serial, key, &names, &scripts, &tx).await?;
    Ok((tx, present))
}

fn missing_sources(present: &Present, names: &[String]) -> Vec<String> {
    let known: HashSet<&str> = present
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    let mut missing: Vec<String> = names
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .cloned()
        .collect();
    missing.sort();
    missing
}

fn report(submission: &Submission) {
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
        warn!(machine.serial = %serial, warnings = all, "check-in of {serial} held values that did not fit");
    }
}

fn refused(refusal: Refusal) -> AppError {
    match refusal {
        Refusal::NoKey => AppError::NotFound,
        other => AppError::BadRequest(other.to_string()),
    }
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

/// The whole body, if it is not larger than the limit.
pub(crate) async fn bounded(body: Body, limit_bytes: usize) -> Result<axum::body::Bytes, AppError> {
    match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(AppError::BodyTooLarge { limit_bytes })
        }
        Err(_broken_off) => Err(AppError::BadRequest(
            "The request body ended early or was malformed.".to_owned(),
        )),
    }
}
