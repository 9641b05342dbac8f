//! `/inventory/<kind>/<id>/`: the applications of a place.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_store::{
    applications::{ApplicationOrder, ApplicationQuery, CountedApplication, list_applications},
    devices::Direction,
    summaries::Summary,
};
use serde::Deserialize;

use super::{Neighbour, Shown, data_table::TableRequest, name_of, options::Options};
use crate::{
    counted::{Freshness, Wish},
    page::render,
    paging::{BEGINNING, Pages, Position, address, direction},
    shell::{Section, Shell, Theme},
    widgets::Counting,
    wording,
};

#[derive(Template)]
#[template(path = "inventory/list.html")]
struct ApplicationsPage {
    shell: Shell,
    shown: Shown,
    inside: Vec<Neighbour>,
    total: String,
    search: String,
    sort: String,
    columns: Vec<Column>,
    lines: Vec<Line>,
    with_counts: bool,
    pattern_is_wrong: bool,
    is_counting: bool,
    freshness: Option<Freshness>,
    pages: Pages,
}

/// The head of a column.
struct Column {
    label: &'static str,
    href: String,
    sorted: &'static str,
}

struct Line {
    name: String,
    href: String,
    bundle_id: String,
    bundle_name: String,
    machines: String,
    installs_href: String,
    versions: String,
}

/// The query string as it came; unknown values fall back to the defaults.
#[derive(Deserialize)]
pub(super) struct ListParams {
    q: Option<String>,
    sort: Option<String>,
    #[serde(flatten)]
    position: Position,
    recount: Option<String>,
}

pub(super) async fn show_applications(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path((kind, id)): Path<(String, String)>,
    Query(params): Query<ListParams>,
    Query(pairs): Query<HashMap<String, String>>,
    headers: HeaderMap,
    counting: Counting,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shown = Shown::find((&kind, &id), &viewer, &db).await?;
    let options = Options::read(&db).await?;
    let inside = shown.inside(&viewer, &db).await?;
    let (place, scope) = (&shown.place, &shown.scope);
    let table = TableRequest::of(&pairs, &headers);
    let wish = match &table {
        Some(_) => Wish::Wait,
        None => params.wish(),
    };
    let (counts, db) = counting
        .counts(Summary::Applications, place, scope, wish, db, &app)
        .await?;
    let (order, direction) = params.order(options.with_counts);
    let query = ApplicationQuery {
        from: counts.from,
        search: params.search().to_owned(),
        without: options.without,
        without_guests: options.without_guests,
        order,
        direction,
        case_matters: false,
        start: params.position.start(params.sort(), SIZE),
        limit: Some(SIZE),
    };
    if let Some(request) = table {
        return request
            .applications(query, &shown, options.with_counts, &db)
            .await;
    }
    let page = list_applications(&query, place, scope, &db).await?;
    let path = shown.path();
    render(&ApplicationsPage {
        shell: Shell::of(&viewer, theme, Section::Software, "Software", &app),
        inside,
        total: counts.total(page.total, "application", "applications"),
        is_counting: counts.are_missing(),
        search: params.search().to_owned(),
        sort: params.sort.clone().unwrap_or_default(),
        columns: columns(&params, &path, options.with_counts),
        pages: Pages::of(&page, params.sort(), SIZE, |at| {
            params.href(&path, params.sort(), at)
        }),
        lines: page.rows.into_iter().map(|row| line(row, &shown)).collect(),
        with_counts: options.with_counts,
        pattern_is_wrong: options.pattern_is_wrong,
        freshness: counts.freshness(params.recount_href(&path), &app),
        shown,
    })
}

fn line(row: CountedApplication, shown: &Shown) -> Line {
    let application = row.application;
    Line {
        name: name_of(&application),
        href: shown.application_path(application.id),
        installs_href: shown.installs_path(application.id),
        bundle_id: application.bundleid,
        bundle_name: application.bundlename,
        machines: wording::count(row.machines),
        versions: wording::count(row.versions),
    }
}

fn columns(params: &ListParams, path: &str, with_counts: bool) -> Vec<Column> {
    let (order, direction) = params.order(with_counts);
    SORTS
        .iter()
        .filter(|(_, _, sort)| with_counts || !is_count(*sort))
        .map(|(name, label, sort)| {
            let is_current = *sort == order;
            // The most come first where numbers are sorted.
            let minus = if is_current {
                direction == Direction::Ascending
            } else {
                is_count(*sort)
            };
            let sorted = match (is_current, direction) {
                (false, _) => "none",
                (true, Direction::Descending) => "descending",
                (true, Direction::Ascending) => "ascending",
            };
            let next = format!("{}{name}", if minus { "-" } else { "" });
            Column {
                label,
                href: params.href(path, &next, BEGINNING),
                sorted,
            }
        })
        .collect()
}

fn is_count(order: ApplicationOrder) -> bool {
    matches!(
        order,
        ApplicationOrder::Machines | ApplicationOrder::Versions
    )
}

impl ListParams {
    fn search(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    fn sort(&self) -> &str {
        self.sort.as_deref().unwrap_or_default()
    }

    fn order(&self, with_counts: bool) -> (ApplicationOrder, Direction) {
        let name = self.sort().trim_start_matches('-');
        let found = SORTS.iter().find(|(known, _, _)| *known == name);
        let order = found
            .map(|(_, _, order)| *order)
            .filter(|order| with_counts || !is_count(*order));
        match order {
            Some(order) => (order, direction(self.sort())),
            None => (ApplicationOrder::Name, Direction::Ascending),
        }
    }

    fn wish(&self) -> Wish {
        Wish::of(self.recount.as_deref())
    }

    fn href(&self, path: &str, sort: &str, at: (&str, &str)) -> String {
        address(path, &[("q", self.search()), ("sort", sort), at])
    }

    fn recount_href(&self, path: &str) -> String {
        let parameters = [
            ("q", self.search()),
            ("sort", self.sort()),
            self.position.parameter(),
            ("recount", "1"),
        ];
        address(path, &parameters)
    }
}

/// Name in the address, head of the column, what it sorts by.
const SORTS: [(&str, &str, ApplicationOrder); 5] = [
    ("name", "Name", ApplicationOrder::Name),
    ("bundleid", "Bundle ID", ApplicationOrder::BundleId),
    ("bundlename", "Bundle name", ApplicationOrder::BundleName),
    ("machines", "Machines", ApplicationOrder::Machines),
    ("versions", "Versions", ApplicationOrder::Versions),
];
/// Lines of a page.
const SIZE: i64 = 50;
