//! The journal of the machines' door: refusals, failures and the unusual, so that a missing Mac can be found.
//!
//! Every request passes [`keep`]. What handlers learn about it they write on its [`Note`]. Events wait in memory for a
//! moment, equal ones as one that counts. The next request that finds them waiting writes them, or the program, which
//! asks once a second and at its end: an ordinary check-in costs nothing, and a flood costs a statement a second at most.
//! A server that is killed loses what waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sal_http::App;
use sal_http::db::machine_client;
use sal_http::error::{Crowded, Reason, TurnedAway};
use sal_http::late::Late;
use sal_http::origin::Origin;
use sal_store::StoreError;
use sal_store::journal::{KeepBody, NoteEvents, keep_body, note_events, trim_bodies, trim_events};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::warn;

/// What is learnt about a request on its way. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note(Arc<Mutex<Learnt>>);

#[derive(Debug, Default)]
struct Learnt {
    serial: String,
    remark: Option<String>,
    has_key: bool,
}

impl Note {
    /// Whose request it is.
    pub(crate) fn serial(&self, serial: &str) {
        self.learnt().serial = serial.chars().take(100).filter(|c| *c != '\0').collect();
    }

    /// What is unusual about a request that was taken.
    pub(crate) fn remark(&self, remark: &str) {
        self.learnt().remark = Some(remark.to_owned());
    }

    /// That it came with a machine group's key, so that its body is worth keeping.
    pub(crate) fn has_key(&self) {
        self.learnt().has_key = true;
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events that wait. One for each router.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    events: HashMap<Vec<u8>, Event>,
    written: Option<Instant>,
    writes: u64,
}

/// One kind of event.
#[derive(Debug, Clone)]
struct Event {
    serial: String,
    route: String,
    outcome: &'static str,
    reason: String,
    address: String,
    client: String,
    times: i64,
    first: Timestamp,
    last: Timestamp,
    body_bytes: i64,
    milliseconds: i64,
    /// Whether the caller showed a key.
    has_key: bool,
}

/// Lets a request through and notes how it ended.
pub(crate) async fn keep(
    State((app, journal)): State<(App, Journal)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let (note, origin, copy) = (Note::default(), Origin::of(&parts, &app), Copy::default());
    parts.extensions.insert(note.clone());
    if app.config.journal_rows == 0 {
        let response = next.run(Request::from_parts(parts, body)).await;
        count(&response, &app);
        return response;
    }
    let path = parts.uri.path().to_owned();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let most = if app.config.rejected_bodies == 0 {
        0
    } else {
        app.config.body_limit_bytes
    };
    let response = next
        .run(Request::from_parts(parts, copy.watch(body, most)))
        .await;
    count(&response, &app);
    if let Some(mut event) = event(&note, &response, &path) {
        event.address = origin.address;
        event.client = origin.client;
        event.milliseconds = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        event.body_bytes = i64::try_from(copy.seen().bytes).unwrap_or(i64::MAX);
        (event.first, event.last) = (app.now(), app.now());
        if note.learnt().has_key
            && event.outcome != "stored"
            && let Some(body) = copy.taken()
        {
            keep_rejected(&app, &event, path, content_type, body).await;
        }
        journal.add(event);
    }
    if !journal.has_just_written() {
        journal.write_what_waits(&app).await;
    }
    response
}

/// Counts it for readiness. What the client did wrong, or too much of, says nothing of the server.
fn count(response: &Response, app: &App) {
    if response.extensions().get::<Crowded>().is_some() {
        return;
    }
    match response.status() {
        status if status.is_server_error() => app.outcomes().failed(),
        status if status.is_client_error() => {}
        _ => app.outcomes().answered(),
    }
}

/// The event that a response stands for, if it is one. A metric counts those whom a crowd kept out: here each address would
/// be an event of its own, and they would push out what says why a Mac is missing.
fn event(note: &Note, response: &Response, path: &str) -> Option<Event> {
    if response.extensions().get::<TurnedAway>().is_some() {
        return None;
    }
    let learnt = note.learnt();
    let status = response.status();
    let reason = response
        .extensions()
        .get::<Reason>()
        .map(|reason| reason.0.clone());
    let (outcome, reason) = match status {
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::MOVED_PERMANENTLY => return None,
        status if status.is_server_error() => ("failed", reason.unwrap_or_default()),
        status if status.is_client_error() => (
            "refused",
            reason.unwrap_or_else(|| format!("answered {}", status.as_u16())),
        ),
        _ => ("stored", learnt.remark.clone()?),
    };
    Some(Event {
        serial: learnt.serial.clone(),
        route: path.split('/').nth(1).unwrap_or_default().to_owned(),
        outcome,
        reason: reason.chars().take(300).collect(),
        address: String::new(),
        client: String::new(),
        times: 1,
        first: Timestamp::UNIX_EPOCH,
        last: Timestamp::UNIX_EPOCH,
        body_bytes: 0,
        milliseconds: 0,
        has_key: learnt.has_key,
    })
}

impl Journal {
    fn add(&self, event: Event) {
        let fingerprint = event.fingerprint(&event.address);
        let mut waiting = self.waiting();
        if let Some(known) = waiting.events.get_mut(&fingerprint) {
            known.times += 1;
            known.last = event.last;
            return;
        }
        let alike = waiting.events.values();
        let alike = alike.filter(|waits| waits.has_key == event.has_key).count();
        let most = if event.has_key {
            MOST_WAITING
        } else {
            MOST_WAITING / STRANGERS_SHARE
        };
        if alike < most {
            waiting.events.insert(fingerprint, event);
        }
    }

    fn has_just_written(&self) -> bool {
        let written = self.waiting().written;
        written.is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Writes the events. A database that is away keeps them waiting.
    async fn write_what_waits(&self, app: &App) {
        let (events, write) = {
            let mut waiting = self.waiting();
            if waiting.events.is_empty() || !app.store.has_own_tables() {
                return;
            }
            waiting.written = Some(Instant::now());
            waiting.writes += 1;
            (std::mem::take(&mut waiting.events), waiting.writes)
        };
        let written = tokio::time::timeout(PATIENCE, write_events(app, &events)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.lacks_a_table() => app.store.note_missing_tables(),
            _ => self.waiting().events.extend(events),
        }
        if write.is_multiple_of(TRIM_EVERY) {
            let _ = tokio::time::timeout(PATIENCE, trim(app)).await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Late for Journal {
    fn write<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()> {
        Box::pin(self.write_what_waits(app))
    }
}

async fn write_events(app: &App, events: &HashMap<Vec<u8>, Event>) -> Result<(), StoreError> {
    fn column<T>(events: &HashMap<Vec<u8>, Event>, part: impl Fn(&Event) -> T) -> Vec<T> {
        events.values().map(part).collect()
    }
    let db = machine_client(0, app).await?;
    note_events(
        &db,
        NoteEvents {
            fingerprints: &events.keys().cloned().collect(),
            serials: &column(events, |event| event.serial.clone()),
            routes: &column(events, |event| event.route.clone()),
            outcomes: &column(events, |event| event.outcome.to_owned()),
            reasons: &column(events, |event| event.reason.clone()),
            addresses: &column(events, |event| event.address.clone()),
            clients: &column(events, |event| event.client.clone()),
            times: &column(events, |event| event.times),
            first: &column(events, |event| event.first),
            last: &column(events, |event| event.last),
            body_bytes: &column(events, |event| event.body_bytes),
            milliseconds: &column(events, |event| event.milliseconds),
            has_key: &column(events, |event| event.has_key),
        },
    )
    .await?;
    Ok(())
}

async fn trim(app: &App) -> Result<(), StoreError> {
    let db = machine_client(0, app).await?;
    let of_strangers = app.config.journal_rows / STRANGERS_SHARE_OF_ROWS;
    let others = app.config.journal_rows - of_strangers;
    trim_events(&db, &others, &of_strangers).await?;
    trim_bodies(&db, &app.config.rejected_bodies).await?;
    Ok(())
}

async fn keep_rejected(
    app: &App,
    event: &Event,
    path: String,
    content_type: String,
    body: Vec<u8>,
) {
    let work = async {
        let db = machine_client(0, app).await?;
        // The newest body of each machine and reason, wherever it came from.
        let fingerprint = event.fingerprint("");
        keep_body(
            &db,
            KeepBody {
                fingerprint: &fingerprint,
                at: &event.last,
                path: &path,
                content_type: &content_type,
                serial: &event.serial,
                reason: &event.reason,
                address: &event.address,
                body: &body,
            },
        )
        .await?;
        trim_bodies(&db, &app.config.rejected_bodies).await
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) if error.lacks_a_table() => app.store.note_missing_tables(),
        Ok(Err(error)) => warn!(%error, "a refused body could not be kept"),
        Err(_elapsed) => warn!("a refused body could not be kept in time"),
    }
}

impl Event {
    /// What makes events equal.
    fn fingerprint(&self, address: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        for part in [
            &self.serial,
            &self.route,
            self.outcome,
            &self.reason,
            address,
            &self.client,
        ] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().iter().copied().take(16).collect()
    }
}

/// A copy of a body, made while the handler reads it. The bytes are shared, not copied.
#[derive(Clone, Default)]
struct Copy(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    chunks: Vec<Bytes>,
    bytes: usize,
}

impl Copy {
    /// Keeps up to `most` bytes.
    fn watch(&self, body: Body, most: usize) -> Body {
        let copy = self.clone();
        Body::from_stream(body.into_data_stream().inspect(move |chunk| {
            let Ok(chunk) = chunk else { return };
            let mut seen = copy.seen();
            seen.bytes += chunk.len();
            if seen.bytes <= most {
                seen.chunks.push(chunk.clone());
            } else {
                seen.chunks.clear();
            }
        }))
    }

    /// The body, if there was one and it was not too large.
    fn taken(&self) -> Option<Vec<u8>> {
        let seen = self.seen();
        (!seen.chunks.is_empty()).then(|| seen.chunks.concat())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kinds of events that wait, at most; a flood of different ones loses some.
const MOST_WAITING: usize = 1000;
/// Those who show no key have a part of it: what the fleet left is not pushed out by whoever can reach the server.
const STRANGERS_SHARE: usize = 4;
const STRANGERS_SHARE_OF_ROWS: i64 = 4;
/// Between two statements.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest a request waits for the journal.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many writes go between two trims.
const TRIM_EVERY: u64 = 20;
