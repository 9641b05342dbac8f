//! `/activity/check-ins/` and its file: the journal of the machines' door, and the bodies it kept.
//!
//! No body is shown: it is a whole submission. `sal checkin replay` sends one again.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    db::{Db, export_client},
};
use sal_store::journal::{FoundEvent, RejectedBody, rejected_bodies, search_events};
use serde::Deserialize;

use super::{EXPORT_SIZE, ONE_MORE, PAGE_SIZE, chosen, export, href, typed};
use crate::{
    export::Cell,
    page::render,
    shell::{Section, Shell, Theme},
    wording::{self, Moment},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::GlobalAdmin, get(show_events))
        .route(EXPORT, Access::GlobalAdmin, get(export_events))
}

#[derive(Template)]
#[template(path = "activity/checkins.html")]
struct CheckinsPage {
    shell: Shell,
    filter: Filter,
    /// Where this page is read again every now and then; only the first.
    live: Option<String>,
    first: String,
    next: Option<String>,
    csv: String,
    jsonl: String,
    is_kept: bool,
    lines: Vec<EventLine>,
    bodies: Vec<BodyLine>,
}

/// An event as a line.
struct EventLine {
    serial: String,
    href: String,
    route: String,
    outcome: String,
    tone: &'static str,
    reason: String,
    origin: String,
    client: String,
    times: String,
    first: Moment,
    last: Moment,
    size: String,
}

/// A kept body as a line.
struct BodyLine {
    id: i64,
    at: Moment,
    path: String,
    serial: String,
    reason: String,
    address: String,
    size: String,
}

#[derive(Deserialize)]
struct CheckinsQuery {
    serial: Option<String>,
    outcome: Option<String>,
    before: Option<String>,
    format: Option<String>,
}

/// Which events.
#[derive(Clone)]
struct Filter {
    serial: String,
    outcome: Option<String>,
}

/// The last event of a page.
#[derive(Clone, Debug, PartialEq)]
struct Cursor {
    last_at: Timestamp,
    fingerprint: Vec<u8>,
}

async fn show_events(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Query(query): Query<CheckinsQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let filter = Filter::of(&query);
    let before = query.before.as_deref().and_then(Cursor::parse);
    let (at, fingerprint) = Cursor::split(before.as_ref());
    let (mut rows, bodies) = tokio::try_join!(
        search_events(
            &db,
            &at,
            &fingerprint,
            filter.serial.as_str(),
            &filter.outcome,
            &ONE_MORE,
        ),
        rejected_bodies(&db),
    )?;
    let shown = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let is_more = rows.len() > shown;
    rows.truncate(shown);
    let last = rows.last().filter(|_| is_more).map(Cursor::of);
    let is_first = before.is_none();
    let bodies = bodies
        .into_iter()
        .filter(|body| is_first && filter.has(body));
    let bodies = bodies.map(|body| BodyLine::new(body, &app)).collect();
    render(&CheckinsPage {
        shell: Shell::of(&viewer, theme, Section::Activity, "Activity", &app),
        live: is_first.then(|| filter.href(PATH, &[])),
        first: filter.href(PATH, &[]),
        next: last.map(|last| filter.href(PATH, &[("before", &last.text())])),
        csv: filter.href(EXPORT, &[("format", "csv")]),
        jsonl: filter.href(EXPORT, &[("format", "jsonl")]),
        is_kept: app.config.journal_rows > 0,
        filter,
        lines: rows
            .into_iter()
            .map(|row| EventLine::new(row, &app))
            .collect(),
        bodies,
    })
}

async fn export_events(
    _admin: GlobalAdmin,
    Query(query): Query<CheckinsQuery>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let pages = pages(Filter::of(&query), app);
    export(query.format.as_deref(), "sal check-ins", COLUMNS, pages)
}

/// Pages of the file, until one is empty.
fn pages(
    filter: Filter,
    app: App,
) -> impl Stream<Item = Result<Vec<Vec<Cell<'static>>>, AppError>> {
    stream::try_unfold(None, move |before: Option<Cursor>| {
        let (filter, app) = (filter.clone(), app.clone());
        async move {
            let db = export_client(&app).await?;
            let (at, fingerprint) = Cursor::split(before.as_ref());
            let (serial, outcome) = (filter.serial.as_str(), &filter.outcome);
            let rows = search_events(&db, &at, &fingerprint, serial, outcome, &EXPORT_SIZE).await?;
            let last = rows.last().map(Cursor::of);
            let cells = rows.into_iter().map(cells).collect();
            Ok(last.map(|last| (cells, Some(last))))
        }
    })
}

fn cells(row: FoundEvent) -> Vec<Cell<'static>> {
    vec![
        Cell::Time(row.last_at),
        Cell::Time(row.first_at),
        Cell::Number(row.times),
        Cell::from(row.serial),
        Cell::from(row.route),
        Cell::from(row.outcome),
        Cell::from(row.reason),
        Cell::from(row.address),
        Cell::from(row.client),
        Cell::Number(row.body_bytes),
        Cell::Number(row.milliseconds),
    ]
}

impl Filter {
    fn of(query: &CheckinsQuery) -> Self {
        Self {
            serial: typed(query.serial.as_deref()),
            outcome: chosen(query.outcome.as_deref()),
        }
    }

    fn is_outcome(&self, outcome: &str) -> bool {
        self.outcome.as_deref() == Some(outcome)
    }

    fn is_empty(&self) -> bool {
        self.serial.is_empty() && self.outcome.is_none()
    }

    /// Whether a kept body belongs to what is shown; all of them were refused.
    fn has(&self, body: &RejectedBody) -> bool {
        let serial = body.serial.to_uppercase();
        serial.contains(&self.serial.to_uppercase())
            && self
                .outcome
                .as_deref()
                .is_none_or(|outcome| outcome == REFUSED)
    }

    fn href(&self, path: &str, more: &[(&str, &str)]) -> String {
        let outcome = self.outcome.as_deref().unwrap_or_default();
        let mut pairs = vec![("serial", self.serial.as_str()), ("outcome", outcome)];
        pairs.extend_from_slice(more);
        href(path, &pairs)
    }
}

impl Cursor {
    fn of(row: &FoundEvent) -> Self {
        Self {
            last_at: row.last_at,
            fingerprint: row.fingerprint.clone(),
        }
    }

    fn split(cursor: Option<&Self>) -> (Option<Timestamp>, Option<Vec<u8>>) {
        let fingerprint = cursor.map(|cursor| cursor.fingerprint.clone());
        (cursor.map(|cursor| cursor.last_at), fingerprint)
    }

    /// `<microseconds>-<fingerprint as a number>`; Postgres keeps microseconds.
    fn text(&self) -> String {
        let bytes = self.fingerprint.as_slice().try_into().unwrap_or_default();
        let number = u128::from_be_bytes(bytes);
        format!("{}-{number:032x}", self.last_at.as_microsecond())
    }

    fn parse(text: &str) -> Option<Self> {
        let (at, fingerprint) = text.rsplit_once('-')?;
        let number = u128::from_str_radix(fingerprint, 16).ok()?;
        Some(Self {
            last_at: Timestamp::from_microsecond(at.parse().ok()?).ok()?,
            fingerprint: number.to_be_bytes().to_vec(),
        })
    }
}

impl EventLine {
    fn new(row: FoundEvent, app: &App) -> Self {
        let moment = |at| Moment::new(at, app.now(), &app.config.time_zone);
        Self {
            href: href("/machines/", &[("q", &row.serial)]),
            serial: row.serial,
            route: row.route,
            tone: match row.outcome.as_str() {
                REFUSED => "warn",
                "failed" => "bad",
                _ => "info",
            },
            outcome: row.outcome,
            reason: row.reason,
            origin: row.address,
            client: row.client,
            times: wording::count_of(row.times, "time", "times"),
            first: moment(row.first_at),
            last: moment(row.last_at),
            size: format!(
                "{}, {} ms",
                wording::bytes(row.body_bytes),
                wording::count(row.milliseconds)
            ),
        }
    }
}

impl BodyLine {
    fn new(body: RejectedBody, app: &App) -> Self {
        Self {
            id: body.id,
            at: Moment::new(body.at, app.now(), &app.config.time_zone),
            path: body.path,
            serial: body.serial,
            reason: body.reason,
            address: body.address,
            size: wording::bytes(i64::from(body.bytes.unwrap_or(0))),
        }
    }
}

const PATH: &str = "/activity/check-ins/";
const EXPORT: &str = "/activity/check-ins/export/";
const REFUSED: &str = "refused";
const COLUMNS: &[&str] = &[
    "last",
    "first",
    "times",
    "serial",
    "route",
    "outcome",
    "reason",
    "address",
    "client",
    "body_bytes",
    "milliseconds",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_url_and_nonsense_is_the_first_page() {
        let cursor = Cursor {
            last_at: "2026-11-22T14:52:46.890191Z".parse().unwrap(),
            fingerprint: (0..16).collect(),
        };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        let early = Cursor {
            last_at: "1969-01-01T00:00:00Z".parse().unwrap(),
            fingerprint: vec![255; 16],
        };
        assert_eq!(Cursor::parse(&early.text()), Some(early));
        for text in [
            "",
            "-",
            "1-",
            "x-1",
            "99999999999999999999-1",
            "9223372036854775807-1",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
