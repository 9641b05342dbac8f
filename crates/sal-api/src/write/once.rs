//! `Idempotency-Key`: a program that does not know whether its request arrived sends it again, and it is done once.
//!
//! The answer is stored in the transaction of the change, so that there is no moment at which one is there without the
//! other. Only changes are stored: a request that was refused is judged anew.

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use jiff::SignedDuration;
use rand::RngExt;
use sal_http::{App, db::program_client};
use sal_store::{
    Tx,
    api_answers::{
        BeginRequest, KnownRequest, begin_request, forget_request, known_request, note_answer,
    },
};
use serde_json::Value as Json;

use crate::{access::ApiWrite, answer, error::ApiError};

/// A try of a request that named itself.
#[derive(Clone)]
pub(crate) struct Once {
    caller: String,
    key: String,
    attempt: Vec<u8>,
}

/// What becomes of a request.
pub(crate) enum Beginning {
    /// It is carried out.
    Go(Option<Once>),
    /// It was done before, and answered so.
    Done(Response),
}

/// Whether a request is to be carried out.
///
/// # Errors
/// [`ApiError::KeyReused`] for another request of the same name, [`ApiError::UnderWay`] while the first is not answered.
pub(crate) async fn begin(
    parts: &Parts,
    body: &Bytes,
    access: &ApiWrite,
    app: &App,
) -> Result<Beginning, ApiError> {
    let Some(key) = parts.headers.get(KEY) else {
        return Ok(Beginning::Go(None));
    };
    let key = key
        .to_str()
        .ok()
        .filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| {
        ApiError::field(
            "Idempotency-Key",
            "1 to 255 printable characters of ASCII are needed.",
        )
    })?;
    let once = Once {
        caller: access.read().walker,
        key: key.to_owned(),
        attempt: rand::rng().random::<[u8; 16]>().to_vec(),
    };
    let request = digest(parts, body);
    let (db, now) = (program_client(app).await?, app.now());
    let before = |length| now.checked_sub(length).unwrap_or(now);
    let begun = begin_request(
        &db,
        BeginRequest {
            caller: &once.caller,
            key: &once.key,
            request: &request,
            attempt: &once.attempt,
            now: &now,
            answered_after: &before(KEPT),
            under_way_after: &before(ABANDONED),
        },
    )
    .await?;
    if begun == 1 {
        return Ok(Beginning::Go(Some(once)));
    }
    let known = known_request(&db, &once.caller, &once.key).await?;
    // It was forgotten this very moment, as it changed nothing.
    let known = known.into_iter().next().ok_or(ApiError::UnderWay)?;
    replayed(known, &request).map(Beginning::Done)
}

fn replayed(known: KnownRequest, request: &[u8]) -> Result<Response, ApiError> {
    if known.request != request {
        return Err(ApiError::KeyReused);
    }
    let status = known.status.ok_or(ApiError::UnderWay)?;
    let status = u16::try_from(status).ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let mut response = match known.body {
        None => Response::default(),
        Some(body) => {
            let body: Json = serde_json::from_str(&body).unwrap_or_default();
            answer::json(status, &body)
        }
    };
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

impl Once {
    /// Stores the answer together with the change.
    ///
    /// # Errors
    /// [`ApiError::UnderWay`] when another try took over: this one must change nothing.
    pub(super) async fn note(
        &self,
        status: StatusCode,
        body: Option<&Json>,
        tx: &Tx,
    ) -> Result<(), ApiError> {
        let (status, body) = (i32::from(status.as_u16()), body.map(Json::to_string));
        let noted = note_answer(tx, &self.caller, &self.key, &self.attempt, &status, &body).await?;
        match noted {
            1 => Ok(()),
            _ => Err(ApiError::UnderWay),
        }
    }

    /// Forgets a try that changed nothing, so that the next is not told to wait.
    pub(crate) async fn end(&self, app: &App) {
        let forgotten = async {
            let db = program_client(app).await?;
            forget_request(&db, &self.caller, &self.key, &self.attempt).await
        };
        if let Err(error) = forgotten.await {
            tracing::warn!("a request that changed nothing could not be forgotten: {error}");
        }
    }
}

/// Lengths stand between the parts, so that nothing of one can be taken for another.
fn digest(parts: &Parts, body: &Bytes) -> Vec<u8> {
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let mut digest = Context::new(&SHA256);
    for part in [
        parts.method.as_str().as_bytes(),
        parts.uri.path().as_bytes(),
        parts.uri.query().unwrap_or_default().as_bytes(),
        content_type.map_or(&[][..], HeaderValue::as_bytes),
        body,
    ] {
        digest.update(&part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finish().as_ref().to_vec()
}

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// A try that is not answered by then is of a server that ended, or will be refused when it wants to end.
const ABANDONED: SignedDuration = SignedDuration::from_mins(2);
