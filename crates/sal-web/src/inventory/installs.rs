//! `/inventory/list/<kind>/<id>/<application>/`: the machines that have an application, or a version of it, or have it
//! at a path.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use jiff::{Timestamp, tz::TimeZone};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_store::{
    applications::{Install, InstallOrder, InstallQuery, Which, list_installs},
    devices::Direction,
};
use serde::Deserialize;

use super::{Shown, application, data_table::TableRequest, name_of};
use crate::{
    page::render,
    paging::{BEGINNING, Pages, Position, address, direction, encoded},
    shell::{Section, Shell, Theme},
    wording::{self, Moment, filled},
};

#[derive(Template)]
#[template(path = "inventory/installs.html")]
struct InstallsPage {
    shell: Shell,
    shown: Shown,
    name: String,
    application_href: String,
    /// What restricts the list: `version 1.2`.
    restriction: Option<String>,
    /// The list without the restriction.
    all_href: String,
    export_href: String,
    total: String,
    path: String,
    params: InstallParams,
    columns: Vec<(&'static str, Option<String>, &'static str)>,
    lines: Vec<Line>,
    pages: Pages,
}

struct Line {
    href: String,
    name: String,
    serial: String,
    user: Option<String>,
    versions: String,
    installs: String,
    seen: Option<Moment>,
}

/// The query string as it came.
#[derive(Deserialize)]
pub(super) struct InstallParams {
    field_type: Option<String>,
    field_value: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    #[serde(flatten)]
    position: Position,
}

pub(super) async fn show_installs(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path((kind, id, number)): Path<(String, String, String)>,
    Query(params): Query<InstallParams>,
    Query(pairs): Query<HashMap<String, String>>,
    headers: HeaderMap,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shown = Shown::find((&kind, &id), &viewer, &db).await?;
    let application = application(&number, &shown, &db).await?;
    let which = which(params.field_type.as_deref(), params.field_value.as_deref())?;
    let (order, direction) = params.order();
    let query = InstallQuery {
        application: application.id,
        which,
        search: params.search().to_owned(),
        order,
        direction,
        case_matters: false,
        start: params.position.start(params.sort(), SIZE),
        limit: SIZE,
    };
    if let Some(request) = TableRequest::of(&pairs, &headers) {
        return request.installs(query, &shown, &db).await;
    }
    let page = list_installs(&query, &shown.place, &shown.scope, &db).await?;
    let now = app.now();
    let name = name_of(&application);
    let path = shown.installs_path(application.id);
    render(&InstallsPage {
        shell: Shell::of(&viewer, theme, Section::Software, &name, &app),
        name,
        application_href: shown.application_path(application.id),
        restriction: restriction(&query.which),
        all_href: address(&path, &[("q", params.search())]),
        export_href: export_href(&shown.export_path(), application.id.0, &params),
        total: wording::count_of(page.total, "machine", "machines"),
        columns: columns(&params, &path),
        pages: Pages::of(&page, params.sort(), SIZE, |at| {
            params.href(&path, params.sort(), at)
        }),
        lines: page
            .rows
            .into_iter()
            .map(|row| line(row, now, &app.config.time_zone))
            .collect(),
        path,
        params,
        shown,
    })
}

/// Which installs an address means. Q-082: another field, where Sal failed, is not found.
pub(super) fn which(field: Option<&str>, value: Option<&str>) -> Result<Which, AppError> {
    let value = value.unwrap_or_default();
    if value.contains('\0') {
        return Err(AppError::NotFound);
    }
    match field.unwrap_or("all") {
        "all" | "" => Ok(Which::All),
        "version" => Ok(Which::Version(value.to_owned())),
        "path" => Ok(Which::Path(value.to_owned())),
        _ => Err(AppError::NotFound),
    }
}

fn restriction(which: &Which) -> Option<String> {
    let words = |field: &str, value: &str| match value.trim() {
        "" => format!("unknown {field}"),
        value => format!("{field} {value}"),
    };
    match which {
        Which::All => None,
        Which::Version(version) => Some(words("version", version)),
        Which::Path(path) => Some(words("path", path)),
    }
}

fn line(row: Install, now: Timestamp, zone: &TimeZone) -> Line {
    let mut versions: Vec<&str> = row.versions.iter().map(String::as_str).collect();
    versions.sort_by(|left, right| sal_plugins::version::compare(right, left));
    Line {
        href: format!("/machine_detail/{}/", row.id),
        name: filled(row.hostname.as_deref()).unwrap_or_else(|| row.serial.clone()),
        user: filled(row.console_user.as_deref()),
        versions: versions.join(", "),
        installs: wording::count(row.installs),
        seen: row.last_checkin.map(|at| Moment::new(at, now, zone)),
        serial: row.serial,
    }
}

fn columns(
    params: &InstallParams,
    path: &str,
) -> Vec<(&'static str, Option<String>, &'static str)> {
    let (order, direction) = params.order();
    let sortable = SORTS.iter().map(|(name, label, sort)| {
        let is_current = *sort == order;
        let minus = if is_current {
            direction == Direction::Ascending
        } else {
            *sort == InstallOrder::LastCheckin
        };
        let sorted = match (is_current, direction) {
            (false, _) => "none",
            (true, Direction::Descending) => "descending",
            (true, Direction::Ascending) => "ascending",
        };
        let next = format!("{}{name}", if minus { "-" } else { "" });
        (*label, Some(params.href(path, &next, BEGINNING)), sorted)
    });
    let plain = ["Version", "Installs"].map(|label| (label, None, "none"));
    sortable.chain(plain).collect()
}

fn export_href(path: &str, application: i64, params: &InstallParams) -> String {
    let (field, value) = params.field();
    let field = field.unwrap_or("all");
    format!(
        "{path}?pk={application}&field_type={}&field_value={}",
        encoded(field),
        encoded(value)
    )
}

impl InstallParams {
    fn search(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    fn sort(&self) -> &str {
        self.sort.as_deref().unwrap_or_default()
    }

    /// What restricts the list, and its value.
    fn field(&self) -> (Option<&str>, &str) {
        let field = self.field_type.as_deref().filter(|field| !field.is_empty());
        (field, self.field_value.as_deref().unwrap_or_default())
    }

    fn order(&self) -> (InstallOrder, Direction) {
        let name = self.sort().trim_start_matches('-');
        match SORTS.iter().find(|(known, _, _)| *known == name) {
            Some((_, _, order)) => (*order, direction(self.sort())),
            None => (InstallOrder::Name, Direction::Ascending),
        }
    }

    fn href(&self, path: &str, sort: &str, at: (&str, &str)) -> String {
        let rest = address("", &[("q", self.search()), ("sort", sort), at]);
        match self.field() {
            (None, _) => format!("{path}{rest}"),
            // Always with its value: an empty one is one too.
            (Some(field), value) => format!(
                "{path}?field_type={}&field_value={}{}",
                encoded(field),
                encoded(value),
                rest.replacen('?', "&", 1)
            ),
        }
    }
}

/// Name in the address, head of the column, what it sorts by.
const SORTS: [(&str, &str, InstallOrder); 4] = [
    ("name", "Machine", InstallOrder::Name),
    ("serial", "Serial number", InstallOrder::Serial),
    ("last_checkin", "Last check-in", InstallOrder::LastCheckin),
    ("user", "User", InstallOrder::User),
];
/// Lines of a page.
const SIZE: i64 = 50;
