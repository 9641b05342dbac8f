//! `/updates/` and `/updates/item/`: what waits to be installed or failed, on how many machines and on which.
//!
//! Sal shows this per machine only. `?unit=` and `?group=` narrow both pages as they narrow `/machines/`. Without them a
//! viewer of several units, whose sum nobody keeps, waits for a count at each visit.

mod item;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use jiff::{Timestamp, tz::TimeZone};
use sal_http::{
    Access, App, AppError, Routes,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_store::{
    Client,
    summaries::Summary,
    updates::{Update, UpdateQuery, list_updates},
};
use serde::Deserialize;

use crate::{
    counted::{Freshness, Wish},
    fleet_part::{FleetPart, visible_group, visible_unit},
    page::render,
    paging::{Pages, Position, address},
    shell::{Section, Shell, Theme},
    widgets::Counting,
    wording::{self, Moment},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/updates/", Access::SeesMachines, get(show_updates))
        .route("/updates/item/", Access::SeesMachines, get(item::show_item))
}

#[derive(Template)]
#[template(path = "updates/list.html")]
struct UpdatesPage {
    shell: Shell,
    heading: String,
    total: String,
    search: String,
    narrowed: Narrowed,
    lines: Vec<Line>,
    is_counting: bool,
    freshness: Option<Freshness>,
    pages: Pages,
}

struct Line {
    href: String,
    name: String,
    source: String,
    version: Option<String>,
    has_errors: bool,
    pending_count: String,
    error_count: String,
    oldest: Option<Moment>,
    pending_width: String,
    error_width: String,
}

/// The unit or group in an address, as it came.
struct Narrowed {
    unit: String,
    group: String,
}

#[derive(Deserialize)]
struct ListParams {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    group: String,
    q: Option<String>,
    #[serde(flatten)]
    position: Position,
    recount: Option<String>,
}

async fn show_updates(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(params): Query<ListParams>,
    counting: Counting,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let narrowed = params.narrowed();
    let part = narrowed.part(&viewer, &db).await?;
    let (place, scope) = (part.place(), part.scope(&viewer));
    let (counts, db) = counting
        .counts(Summary::Updates, &place, &scope, params.wish(), db, &app)
        .await?;
    let query = UpdateQuery {
        from: counts.from,
        search: params.search().to_owned(),
        start: params.position.start(ORDER, SIZE),
        limit: SIZE,
    };
    let page = list_updates(&query, &place, &scope, &db).await?;
    let most = page.rows.iter().map(|row| row.pending + row.errors).max();
    let (now, zone) = (app.now(), &app.config.time_zone);
    let again = params.href(params.position.parameter(), "1");
    render(&UpdatesPage {
        shell: Shell::of(&viewer, theme, Section::Updates, "Updates", &app),
        heading: heading(&part),
        total: counts.total(page.total, "item waits or failed", "items wait or failed"),
        is_counting: counts.are_missing(),
        search: params.search().to_owned(),
        freshness: counts.freshness(again, &app),
        pages: Pages::of(&page, ORDER, SIZE, |at| params.href(at, "")),
        lines: page
            .rows
            .into_iter()
            .map(|row| Line::new(row, most.unwrap_or(0), &narrowed, now, zone))
            .collect(),
        narrowed,
    })
}

fn heading(part: &FleetPart) -> String {
    match part.name() {
        Some(name) => format!("Updates in {name}"),
        None => "Updates".to_owned(),
    }
}

impl Line {
    fn new(row: Update, most: i64, narrowed: &Narrowed, now: Timestamp, zone: &TimeZone) -> Self {
        let parameters = narrowed.with(&[("source", &row.source), ("name", &row.name)]);
        Self {
            href: address("/updates/item/", &parameters),
            pending_count: wording::count(row.pending),
            error_count: wording::count(row.errors),
            has_errors: row.errors > 0,
            oldest: row.oldest.map(|at| Moment::new(at, now, zone)),
            pending_width: wording::percent(row.pending, most),
            error_width: wording::percent(row.errors, most),
            version: wording::filled(row.version.as_deref()),
            name: row.name,
            source: row.source,
        }
    }
}

impl Narrowed {
    async fn part(&self, viewer: &Viewer, db: &Client) -> Result<FleetPart, AppError> {
        Ok(if !self.group.is_empty() {
            FleetPart::Group(visible_group(&self.group, viewer, db).await?)
        } else if !self.unit.is_empty() {
            FleetPart::Unit(visible_unit(&self.unit, viewer, db).await?)
        } else {
            FleetPart::All
        })
    }

    /// These parameters of an address, and the unit or group.
    fn with<'a>(&'a self, parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let place = match self.group.as_str() {
            "" => ("unit", self.unit.as_str()),
            group => ("group", group),
        };
        parameters.iter().copied().chain([place]).collect()
    }
}

impl ListParams {
    fn narrowed(&self) -> Narrowed {
        Narrowed {
            unit: self.unit.clone(),
            group: self.group.clone(),
        }
    }

    fn search(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    fn wish(&self) -> Wish {
        Wish::of(self.recount.as_deref())
    }

    fn href(&self, at: (&str, &str), recount: &str) -> String {
        let own = [("q", self.search()), at, ("recount", recount)];
        address("/updates/", &self.narrowed().with(&own))
    }
}

/// The only order that there is, in the borders of pages.
const ORDER: &str = "updates";
/// Lines of a page.
const SIZE: i64 = 100;
