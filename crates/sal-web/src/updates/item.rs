//! `/updates/item/?source=&name=`: the machines with one managed item, those where it failed or waits first.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use jiff::{Timestamp, tz::TimeZone};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_store::updates::{
    ItemOnMachine, StatusQuery, count_statuses, find_source, list_item_machines,
};
use serde::Deserialize;
use serde_json::Value;

use super::Narrowed;
use crate::{
    page::render,
    paging::{BEGINNING, Pages, Position, address},
    shell::{Section, Shell, Theme},
    wording::{self, Moment, filled},
};

#[derive(Template)]
#[template(path = "updates/item.html")]
struct ItemPage {
    shell: Shell,
    name: String,
    source: String,
    list_href: String,
    /// The unit or group, if the page is about one.
    place: Option<String>,
    all_href: String,
    statuses: Vec<Status>,
    lines: Vec<Line>,
    pages: Pages,
}

/// A status, and how many machines are in it.
struct Status {
    label: &'static str,
    tone: &'static str,
    count: String,
    href: String,
    is_chosen: bool,
    /// Where its part of the bar begins, and how wide it is, in percent.
    start: String,
    width: String,
}

struct Line {
    href: String,
    name: String,
    serial: String,
    user: Option<String>,
    status: &'static str,
    tone: &'static str,
    version: String,
    date: Moment,
}

#[derive(Deserialize)]
pub(super) struct ItemParams {
    #[serde(default)]
    source: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    status: String,
    #[serde(flatten)]
    position: Position,
}

pub(super) async fn show_item(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(params): Query<ItemParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let narrowed = params.narrowed();
    let part = narrowed.part(&viewer, &db).await?;
    if params.source.contains('\0') || params.name.contains('\0') {
        return Err(AppError::NotFound);
    }
    let found = find_source(&db, &params.source).await?.into_iter().next();
    let source = found.ok_or(AppError::NotFound)?;
    let query = StatusQuery {
        source: source.id,
        name: params.name.clone(),
        status: params.status().map(str::to_owned),
        start: params.position.start(ORDER, SIZE),
        limit: SIZE,
    };
    let (place, scope) = (part.place(), part.scope(&viewer));
    let (counts, page) = tokio::try_join!(
        count_statuses(&query, &place, &scope, &db),
        list_item_machines(&query, &place, &scope, &db),
    )?;
    let (now, zone) = (app.now(), &app.config.time_zone);
    render(&ItemPage {
        shell: Shell::of(&viewer, theme, Section::Updates, &params.name, &app),
        statuses: statuses(&counts, &params),
        pages: Pages::of(&page, ORDER, SIZE, |at| params.href(&params.status, at)),
        lines: page
            .rows
            .into_iter()
            .map(|row| line(row, now, zone))
            .collect(),
        list_href: address("/updates/", &narrowed.with(&[])),
        place: part.name().map(str::to_owned),
        all_href: params.href("", BEGINNING),
        name: params.name,
        source: source.name,
    })
}

/// Every status that there is, in the order of urgency, as parts of one bar.
fn statuses(counts: &[(String, i64)], params: &ItemParams) -> Vec<Status> {
    let whole: i64 = counts.iter().map(|(_, count)| count).sum();
    let mut before = 0;
    let mut statuses = Vec::new();
    for (code, label, tone) in STATUSES {
        let Some((_, count)) = counts.iter().find(|(known, _)| known == code) else {
            continue;
        };
        let is_chosen = params.status() == Some(code);
        statuses.push(Status {
            label,
            tone,
            count: wording::count(*count),
            href: params.href(if is_chosen { "" } else { code }, BEGINNING),
            is_chosen,
            start: wording::percent(before, whole),
            width: wording::percent(*count, whole),
        });
        before += count;
    }
    statuses
}

fn line(row: ItemOnMachine, now: Timestamp, zone: &TimeZone) -> Line {
    let (_, status, tone) = STATUSES
        .into_iter()
        .find(|(code, _, _)| *code == row.status)
        .unwrap_or(UNKNOWN);
    Line {
        href: format!("/machine_detail/{}/", row.id),
        name: filled(row.hostname.as_deref()).unwrap_or_else(|| row.serial.clone()),
        user: filled(row.console_user.as_deref()),
        version: version(row.data.as_deref()).unwrap_or_default(),
        date: Moment::new(row.date, now, zone),
        serial: row.serial,
        status,
        tone,
    }
}

/// The version that the machine's details name: the one to install, else the one that is there.
fn version(data: Option<&str>) -> Option<String> {
    let details: Value = serde_json::from_str(data?).ok()?;
    ["version_to_install", "installed_version", "version"]
        .into_iter()
        .find_map(|name| filled(details.get(name)?.as_str()))
}

impl ItemParams {
    fn narrowed(&self) -> Narrowed {
        Narrowed {
            unit: self.unit.clone(),
            group: self.group.clone(),
        }
    }

    /// The status that restricts the list; nonsense restricts nothing.
    fn status(&self) -> Option<&'static str> {
        let found = STATUSES
            .into_iter()
            .find(|(code, _, _)| *code == self.status);
        found.map(|(code, _, _)| code)
    }

    fn href(&self, status: &str, at: (&str, &str)) -> String {
        let own = [
            ("source", self.source.as_str()),
            ("name", &self.name),
            ("status", status),
            at,
        ];
        address("/updates/item/", &self.narrowed().with(&own))
    }
}

/// Code, word, tone; the most urgent first.
const STATUSES: [(&str, &str, &str); 5] = [
    ("ERROR", "Failed", "bad"),
    ("PENDING", "Pending", "info"),
    UNKNOWN,
    ("PRESENT", "Installed", "ok"),
    ("ABSENT", "Absent", "plain"),
];
const UNKNOWN: (&str, &str, &str) = ("UNKNOWN", "Unknown", "warn");
/// The only order that there is, in the borders of pages.
const ORDER: &str = "machines";
/// Lines of a page.
const SIZE: i64 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_whatever_the_details_are() {
        let munki = r#"{"installed_version": "None", "version_to_install": "2.1"}"#;
        assert_eq!(version(Some(munki)).as_deref(), Some("2.1"));
        assert_eq!(
            version(Some(r#"{"version": "26.1"}"#)).as_deref(),
            Some("26.1")
        );
        for nothing in [
            None,
            Some("no json"),
            Some("[1]"),
            Some("{\"version\": 3}"),
            Some("{}"),
        ] {
            assert_eq!(version(nothing), None, "{nothing:?}");
        }
    }
}
