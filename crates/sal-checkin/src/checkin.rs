//! `POST /checkin/`: extract, load, decide, write, answer.

use std::collections::HashMap;

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
    store_with_retries(app, &submission, now).await?;
    report(&submission);
    Ok(django::answer(
        StatusCode::OK,
        format!("Sal report submitted for {}", submission.serial),
    ))
}

/// Runs the transaction, again when another writer got in between.
async fn store_with_retries(
    app: &App,
    submission: &Submission,
    now: jiff::Timestamp,
) -> Result<(), AppError> {
    let mut tries = 0;
    loop {
        match store(app, submission, now).await {
            Err(AppError::Store(error)) if error.is_worth_a_retry() && tries < RETRIES => {
                tries += 1;
                info!(machine.serial = %submission.serial, tries, "another writer changed the same rows, trying again");
            }
            other => return other,
        }
    }
}

async fn store(app: &App, submission: &Submission, now: jiff::Timestamp) -> Result<(), AppError> {
    let names: Vec<String> = submission
        .sections
        .iter()
        .map(|section| section.source.clone())
        .collect();
    let scripts = plan::replaced(submission);
    let tx = app.store.get().await?.transaction();
    let present = checkin::read(
        &submission.serial,
        &submission.group_key,
        &names,
        &scripts,
        &tx,
    )
    .await?;
    let unwanted = present.machine.is_none() && !app.config.add_new_machines;
    let group = present.group.as_ref().map(|group| group.id);
    let (Some(group), false) = (group, unwanted) else {
        tx.rollback().await?;
        return Err(AppError::NotFound);
    };
    let sources = all_sources(&present, &names, now, &tx).await?;
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

/// The id of every source, making those that are new.
async fn all_sources(
    present: &Present,
    names: &[String],
    now: jiff::Timestamp,
    tx: &Tx,
) -> Result<HashMap<String, SourceId>, StoreError> {
    let mut ids: HashMap<String, SourceId> = present
        .sources
        .iter()
        .map(|source| (source.name.clone(), source.id))
        .collect();
    let mut missing: Vec<String> = names
        .iter()
        .filter(|name| !ids.contains_key(*name))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(ids);
    }
    missing.sort();
    let new_ids = missing
        .iter()
        .map(|_| time_ordered_uuid(now, &mut rand::rng()))
        .collect();
    let made = insert_sources(tx, &new_ids, &missing).await?;
    ids.extend(made.into_iter().map(|source| (source.name, source.id)));
    Ok(ids)
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

/// How often a check-in is tried again when another writer was in the way.
const RETRIES: u32 = 4;
