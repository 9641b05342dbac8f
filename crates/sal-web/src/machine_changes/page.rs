//! `/machines/changes/` and its file: what became of the machines of a list, the newest first. Which machines is said
//! as in the list of machines.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use futures_util::{Stream, stream};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    Access, App, AppError, Routes,
    access::SeesMachines,
    db::{Db, export_client},
};
use sal_query::Condition;
use sal_store::{
    change_stream::{StreamedChange, Wanted, recent_changes},
    machine_changes::ChangeKind,
    scope::Scope,
};
use serde::Deserialize;

use super::words;
use crate::{
    devices::{Chip, FilterProblem, List, ListParams, in_time},
    export::{Cell, Format, file},
    page::render,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::SeesMachines, get(show))
        .route(EXPORT, Access::SeesMachines, get(export))
}

#[derive(Template)]
#[template(path = "machine_changes/page.html")]
struct ChangesPage {
    shell: Shell,
    heading: String,
    params: ListParams,
    chips: Vec<Chip>,
    problem: Option<FilterProblem>,
    search: Search,
    days: Vec<Day>,
    /// Where this page is read again every now and then; only the first of all kinds, which is quickly found.
    live: Option<String>,
    first: String,
    is_first: bool,
    older: Option<String>,
}

impl ChangesPage {
    /// These changes as a file.
    fn export_href(&self, format: &str) -> String {
        self.search
            .href(EXPORT, &self.params, &[("format", format)])
    }
}

/// What happened on a day.
struct Day {
    title: String,
    changes: Vec<Line>,
}

/// A change as a line.
struct Line {
    time: String,
    at: Moment,
    tag: &'static str,
    tone: &'static str,
    text: String,
    href: String,
    machine: String,
    group: String,
}

/// Which changes, as the address says it.
#[derive(Deserialize, Default, Clone)]
struct FromUrl {
    kind: Option<String>,
    day: Option<String>,
    what: Option<String>,
    to: Option<String>,
    gone: Option<String>,
    until: Option<String>,
    format: Option<String>,
}

/// Which changes.
#[derive(Clone, Default)]
struct Search {
    kind: Option<ChangeKind>,
    day: Option<Date>,
    what: Option<String>,
    to: Option<String>,
    /// Only what is gone.
    is_gone: bool,
}

async fn show(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Query(params): Query<ListParams>,
    Query(query): Query<FromUrl>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let list = List::of(params, &viewer, &app, &db).await?;
    let search = Search::of(&query);
    let zone = &app.config.time_zone;
    let before = query.until.as_deref().and_then(cursor);
    let wanted = search.wanted(before, zone);
    let reading = async {
        Ok(recent_changes(&list.filter, &wanted, ONE_MORE, app.now(), &list.scope, &db).await?)
    };
    let mut rows = in_time(reading).await?;
    let is_more = rows.len() > PAGE_SIZE;
    rows.truncate(PAGE_SIZE);
    let last = rows.last().filter(|_| is_more).map(cursor_text);
    let address = |path: &str, more: &[(&str, &str)]| search.href(path, &list.params, more);
    let first = address(PATH, &[]);
    render(&ChangesPage {
        shell: Shell::of(&viewer, theme, Section::History, "Changes", &app),
        live: (before.is_none() && !search.is_narrow()).then(|| first.clone()),
        is_first: before.is_none(),
        older: last.map(|last| address(PATH, &[("until", &last)])),
        first,
        days: days(rows, app.now(), zone),
        heading: list.heading,
        chips: list.chips,
        problem: list.error,
        params: list.params,
        search,
    })
}

async fn export(
    SeesMachines(viewer): SeesMachines,
    Query(params): Query<ListParams>,
    Query(query): Query<FromUrl>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let format =
        Format::parse(query.format.as_deref().unwrap_or("csv")).ok_or(AppError::NotFound)?;
    let list = List::of(params, &viewer, &app, &db).await?.valid()?;
    drop(db);
    let columns: Vec<String> = COLUMNS.iter().map(|column| (*column).to_owned()).collect();
    let wanted = Search::of(&query).wanted(None, &app.config.time_zone);
    let pages = pages(list.filter, wanted, list.scope, app);
    Ok(file(format, "sal machine changes", &columns, pages))
}

/// Pages of the file, until one is empty.
fn pages(
    filter: Condition,
    wanted: Wanted,
    scope: Scope,
    app: App,
) -> impl Stream<Item = Result<Vec<Vec<Cell<'static>>>, AppError>> {
    stream::try_unfold(wanted, move |wanted| {
        let (filter, scope, app) = (filter.clone(), scope.clone(), app.clone());
        async move {
            let db = export_client(&app).await?;
            let rows =
                recent_changes(&filter, &wanted, EXPORT_SIZE, app.now(), &scope, &db).await?;
            let before = rows.last().map(|row| (row.at, row.id));
            let cells = rows.into_iter().map(cells).collect();
            Ok(before.map(|before| {
                let next = Wanted {
                    before: Some(before),
                    ..wanted
                };
                (cells, next)
            }))
        }
    })
}

fn cells(row: StreamedChange) -> Vec<Cell<'static>> {
    let kind = ChangeKind::of_number(row.kind).map_or("other", ChangeKind::word);
    vec![
        Cell::Time(row.at),
        Cell::from(row.serial),
        Cell::from(row.hostname),
        Cell::from(row.group),
        Cell::from(kind.to_owned()),
        Cell::from(row.name),
        Cell::from(row.was),
        Cell::from(row.became),
    ]
}

impl Search {
    fn of(query: &FromUrl) -> Self {
        let text = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', ""));
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let kind = query.kind.as_deref();
        let day = query.day.as_deref().and_then(|day| day.parse().ok());
        Self {
            kind: ChangeKind::ALL
                .iter()
                .copied()
                .find(|known| Some(known.word()) == kind),
            // Postgres and jiff end at different years; nothing was recorded near either end.
            day: day.filter(|day: &Date| (1970..=9998).contains(&day.year())),
            what: filled(text(&query.what)),
            to: filled(text(&query.to)),
            is_gone: query.gone.as_deref() == Some(GONE),
        }
    }

    fn wanted(&self, before: Option<(Timestamp, i64)>, zone: &TimeZone) -> Wanted {
        let start = |day: Date| {
            day.to_zoned(zone.clone())
                .ok()
                .map(|start| start.timestamp())
        };
        let within = self
            .day
            .and_then(|day| Some((start(day)?, start(day.tomorrow().ok()?)?)));
        Wanted {
            kind: self.kind.map(ChangeKind::number),
            name: self.what.clone(),
            became: self.to.clone(),
            is_gone: self.is_gone,
            within,
            before,
        }
    }

    fn is_kind(&self, kind: &ChangeKind) -> bool {
        self.kind == Some(*kind)
    }

    fn is_narrow(&self) -> bool {
        self.kind.is_some() || self.day.is_some() || !self.hidden().is_empty()
    }

    /// The day as a form has it.
    fn day_text(&self) -> String {
        self.day.map(|day| day.to_string()).unwrap_or_default()
    }

    /// What of it stands in no field of the form.
    fn hidden(&self) -> Vec<(&'static str, &str)> {
        let gone = self.is_gone.then_some(GONE);
        let all = [
            ("what", self.what.as_deref()),
            ("to", self.to.as_deref()),
            ("gone", gone),
        ];
        all.into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .collect()
    }

    fn href(&self, path: &str, list: &ListParams, more: &[(&str, &str)]) -> String {
        let day = self.day_text();
        let mut pairs = vec![
            ("kind", self.kind.map_or("", ChangeKind::word)),
            ("day", day.as_str()),
        ];
        pairs.extend(self.hidden());
        pairs.extend_from_slice(more);
        address(path, &list.query(), &pairs)
    }
}

/// A path with the query of a list and the pairs that say something.
fn address(path: &str, list: &str, pairs: &[(&str, &str)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let said = said
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    let list = Some(list.to_owned()).filter(|list| !list.is_empty());
    let query: Vec<String> = list.into_iter().chain(said).collect();
    match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", query.join("&")),
    }
}

/// The same change of other machines on a day.
pub(crate) fn others_href(kind: ChangeKind, what: &str, became: Option<&str>, day: Date) -> String {
    let day = day.to_string();
    let pairs = [
        ("kind", kind.word()),
        ("day", day.as_str()),
        ("what", what),
        ("to", became.unwrap_or_default()),
        ("gone", if became.is_none() { GONE } else { "" }),
    ];
    address(PATH, "", &pairs)
}

fn days(rows: Vec<StreamedChange>, now: Timestamp, zone: &TimeZone) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for row in rows {
        let local = row.at.to_zoned(zone.clone());
        let title = local.strftime("%A, %Y-%m-%d").to_string();
        let line = Line::new(row, local.strftime("%H:%M").to_string(), now, zone);
        match days.last_mut() {
            Some(day) if day.title == title => day.changes.push(line),
            _ => days.push(Day {
                title,
                changes: vec![line],
            }),
        }
    }
    days
}

impl Line {
    fn new(row: StreamedChange, time: String, now: Timestamp, zone: &TimeZone) -> Self {
        let (was, became) = (row.was.as_deref(), row.became.as_deref());
        let (tag, tone, text) = match ChangeKind::of_number(row.kind) {
            Some(kind) => {
                let words = words(kind, &row.name, was, became);
                (words.tag, words.tone, words.text)
            }
            // A later version of this server wrote it.
            None => ("Change", "plain", row.name.clone()),
        };
        Self {
            time,
            at: Moment::new(row.at, now, zone),
            tag,
            tone,
            text,
            href: format!("/machine_detail/{}/?tab=timeline", row.machine),
            machine: row
                .hostname
                .filter(|name| !name.is_empty())
                .unwrap_or(row.serial),
            group: row.group,
        }
    }
}

/// `<microseconds>-<number>`; Postgres keeps microseconds.
fn cursor_text(row: &StreamedChange) -> String {
    format!("{}-{}", row.at.as_microsecond(), row.id)
}

fn cursor(text: &str) -> Option<(Timestamp, i64)> {
    let (at, id) = text.rsplit_once('-')?;
    let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
    // Postgres knows no moments that lie much further back, and nothing happened then.
    (at > Timestamp::UNIX_EPOCH).then_some((at, id.parse().ok()?))
}

/// What an address says of changes that left nothing: removed, ended.
const GONE: &str = "1";
const PATH: &str = "/machines/changes/";
const EXPORT: &str = "/machines/changes/export/";
const PAGE_SIZE: usize = 100;
/// One line more tells whether there is another page.
const ONE_MORE: u16 = 101;
/// Lines of a file that are read at once.
const EXPORT_SIZE: u16 = 1_000;
const COLUMNS: &[&str] = &[
    "at",
    "serial",
    "hostname",
    "machine_group",
    "kind",
    "name",
    "was",
    "became",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_survives_the_address_and_nonsense_is_the_first_page() {
        let row = StreamedChange {
            id: 7,
            at: "2026-11-22T14:52:46.890191Z".parse().unwrap(),
            kind: 1,
            name: String::new(),
            was: None,
            became: None,
            machine: sal_store::ids::MachineId(1),
            serial: String::new(),
            hostname: None,
            group: String::new(),
        };
        assert_eq!(cursor(&cursor_text(&row)), Some((row.at, 7)));
        for text in ["", "-", "1", "x-1", "1-x", "0-1", "9223372036854775807-1"] {
            assert_eq!(cursor(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_say_only_what_is_chosen() {
        assert_eq!(address(PATH, "", &[("kind", "")]), PATH);
        let day = jiff::civil::date(2026, 12, 1);
        assert_eq!(
            others_href(ChangeKind::System, "", Some("15.1"), day),
            "/machines/changes/?kind=os&day=2026%2D12%2D01&to=15%2E1"
        );
    }

    #[test]
    fn a_day_is_one_of_the_servers_zone() {
        let query = FromUrl {
            day: Some("2026-10-25".to_owned()),
            ..FromUrl::default()
        };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (first, end) = Search::of(&query).wanted(None, &zone).within.unwrap();
        assert_eq!(first.to_string(), "2026-10-24T22:00:00Z");
        assert_eq!(end.duration_since(first).as_hours(), 25);
    }
}
