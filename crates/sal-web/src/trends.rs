//! `/trends/` and its file: how the numbers of the fleet, a unit or a group went from day to day.
//!
//! They are counted by the job `snapshots`; what was not counted on a day is a gap.

mod charts;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use futures_util::stream;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use sal_http::{Access, App, AppError, Routes, access::Viewer, db::Db};
use sal_store::{
    Client,
    snapshots::{SnapshotCount, first_snapshot, snapshots},
};
use serde::Deserialize;

use crate::{
    export::{Cell, Format, file},
    fleet_part::{FleetPart, visible_group, visible_unit},
    page::render,
    shell::{Section, Shell, Theme},
};
use charts::Chart;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::Viewer, get(show))
        .route(EXPORT, Access::Viewer, get(export))
}

#[derive(Template)]
#[template(path = "trends/page.html")]
struct TrendsPage {
    shell: Shell,
    /// The unit or group, if it is one.
    place: Option<String>,
    /// `unit=7&`, or nothing.
    place_query: String,
    range: Range,
    /// Whether any of the days was counted.
    is_counted: bool,
    charts: Vec<Chart>,
    /// The day on which counting began.
    since: Option<Date>,
}

#[derive(Deserialize)]
struct TrendsQuery {
    unit: Option<String>,
    group: Option<String>,
    range: Option<String>,
    format: Option<String>,
}

/// Which days.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    /// What addresses call it.
    key: &'static str,
    /// What pages call it.
    label: &'static str,
    /// How many bars, and how many days from one to the next.
    bars: i32,
    step: i32,
    /// What a bar stands for.
    each: &'static str,
}

async fn show(
    viewer: Viewer,
    theme: Theme,
    Query(query): Query<TrendsQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let part = query.part(&viewer, &db).await?;
    let range = Range::of(query.range.as_deref());
    let today = app.now().to_zoned(TimeZone::UTC).date();
    let days = range.days(today);
    let counts = counts(&part, &viewer, &days, &db).await?;
    let since = first_snapshot(&db).await?.into_iter().next();
    let pair = part.parameter().map(|(name, id)| format!("{name}={id}&"));
    render(&TrendsPage {
        shell: Shell::of(&viewer, theme, Section::Trends, "Trends", &app),
        place: part.name().map(str::to_owned),
        place_query: pair.unwrap_or_default(),
        range,
        is_counted: !counts.is_empty(),
        charts: charts::charts(&counts, &days),
        since: since.and_then(|first| first.day),
    })
}

async fn export(
    viewer: Viewer,
    Query(query): Query<TrendsQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let format =
        Format::parse(query.format.as_deref().unwrap_or("csv")).ok_or(AppError::NotFound)?;
    let part = query.part(&viewer, &db).await?;
    let range = Range::of(query.range.as_deref());
    let days = range.days(app.now().to_zoned(TimeZone::UTC).date());
    let rows = counts(&part, &viewer, &days, &db).await?;
    let cells = |row: SnapshotCount| {
        vec![
            Cell::from(row.day.to_string()),
            Cell::from(row.what),
            Cell::Number(row.count),
        ]
    };
    let page: Vec<_> = rows.into_iter().map(cells).collect();
    let columns = ["day", "what", "machines"].map(str::to_owned);
    Ok(file(
        format,
        "sal trends",
        &columns,
        stream::iter([Ok(page)]),
    ))
}

async fn counts(
    part: &FleetPart,
    viewer: &Viewer,
    days: &[Date],
    db: &Client,
) -> Result<Vec<SnapshotCount>, AppError> {
    let group = match part {
        FleetPart::Group(group) => Some(group.id),
        FleetPart::All | FleetPart::Unit(_) => None,
    };
    Ok(snapshots(db, &part.scope(viewer), &group, &days.to_vec()).await?)
}

impl TrendsQuery {
    async fn part(&self, viewer: &Viewer, db: &Client) -> Result<FleetPart, AppError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (given(&self.group), given(&self.unit)) {
            (Some(group), _) => visible_group(&group, viewer, db)
                .await
                .map(FleetPart::Group),
            (None, Some(unit)) => visible_unit(&unit, viewer, db).await.map(FleetPart::Unit),
            (None, None) => Ok(FleetPart::All),
        }
    }
}

impl Range {
    const ALL: [Self; 3] = [
        Self {
            key: "30d",
            label: "30 days",
            bars: 30,
            step: 1,
            each: "day",
        },
        Self {
            key: "26w",
            label: "6 months",
            bars: 26,
            step: 7,
            each: "week",
        },
        Self {
            key: "104w",
            label: "2 years",
            bars: 52,
            step: 14,
            each: "two weeks",
        },
    ];

    fn of(key: Option<&str>) -> Self {
        let [usual, ..] = Self::ALL;
        Self::ALL
            .into_iter()
            .find(|range| Some(range.key) == key)
            .unwrap_or(usual)
    }

    /// The days, the oldest first. Bars that stand for weeks are Mondays, which are kept longest.
    fn days(self, today: Date) -> Vec<Date> {
        let last = match self.step {
            1 => today,
            _ => today.saturating_sub(i32::from(today.weekday().to_monday_zero_offset()).days()),
        };
        let back = |bar: i32| last.saturating_sub((bar * self.step).days());
        (0..self.bars).rev().map(back).collect()
    }
}

const PATH: &str = "/trends/";
const EXPORT: &str = "/trends/export/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_mondays_and_days_end_today() {
        let today = jiff::civil::date(2026, 12, 3);
        let days = Range::of(None).days(today);
        assert_eq!(
            (days.len(), days[0], days[29]),
            (30, jiff::civil::date(2026, 11, 4), today)
        );
        for key in ["26w", "104w"] {
            let days = Range::of(Some(key)).days(today);
            assert_eq!(days.last(), Some(&jiff::civil::date(2026, 11, 30)));
            assert!(
                days.iter()
                    .all(|day| day.weekday() == jiff::civil::Weekday::Monday)
            );
        }
        assert!(Range::of(Some("x")) == Range::of(None));
    }
}
