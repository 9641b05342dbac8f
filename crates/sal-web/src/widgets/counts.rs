//! The numbers of a page: all fixed counts by one statement, all counts per value by another, on the page's one
//! connection.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use sal_http::{App, AppError};
use sal_plugins::{Panel, Plugin, Settings, panel::Series};
use sal_query::Condition;
use sal_store::{
    overview::{GroupCount, count_groups, count_machines},
    pool::Executor,
    reports::{DayCount, ItemCount, RowCount, count_history, count_items, count_rows},
    scope::Scope,
};
use serde::{Deserialize, Serialize};

use crate::fleet_part::FleetPart;

/// The numbers of a page.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// All machines of the part.
    pub(crate) machines: i64,
    /// The families of operating systems among them.
    pub(crate) os_families: Vec<String>,
    /// What each panel of each plugin counts.
    pub(crate) plugins: Vec<Vec<Counted>>,
}

/// What a panel counts. Kept in the database as JSON: whoever changes it changes [`super::stored::FORM`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Counted {
    Buckets(Vec<i64>),
    Groups(Vec<GroupCount>),
    Series(Vec<DayCount>),
    Items(Vec<ItemCount>),
    Rows(Vec<RowCount>),
    /// It is about one machine.
    Nothing,
}

impl Counts {
    /// Counts the machines of a part of the fleet.
    pub(super) async fn read(
        part: &FleetPart,
        plugins: &[&Plugin],
        settings: &Settings,
        scope: &Scope,
        db: &impl Executor,
        app: &App,
    ) -> Result<Self, AppError> {
        let now = app.now();
        let whole = part.condition()?;
        let mut conditions: Vec<&Condition> = Vec::new();
        let mut groupings = Vec::new();
        for panel in plugins.iter().flat_map(|plugin| &plugin.panels) {
            match panel {
                Panel::Buckets(buckets) => {
                    conditions.extend(buckets.buckets.iter().map(|bucket| &bucket.condition));
                }
                Panel::Groups(by) => {
                    let mut grouping = by.grouping(settings);
                    grouping.condition = whole.clone().and(grouping.condition);
                    groupings.push(grouping);
                }
                _ => {}
            }
        }
        let buckets = count_machines(&whole, &conditions, now, scope, db).await?;
        let groups = if groupings.is_empty() {
            Vec::new()
        } else {
            count_groups(&groupings, now, scope, db).await?
        };
        let reading = Reading {
            part: &whole,
            scope,
            now,
            zone: &app.config.time_zone,
            db,
        };
        let (mut each, mut groups) = (buckets.each.into_iter(), groups.into_iter());
        let mut counted = Vec::with_capacity(plugins.len());
        for plugin in plugins {
            let mut panels = Vec::with_capacity(plugin.panels.len());
            for panel in &plugin.panels {
                panels.push(match panel {
                    Panel::Buckets(panel) => {
                        Counted::Buckets(each.by_ref().take(panel.buckets.len()).collect())
                    }
                    Panel::Groups(_) => Counted::Groups(groups.next().unwrap_or_default()),
                    // Each of these asks another table in its own way; a page has one or two of them.
                    other => reading.other(other).await?,
                });
            }
            counted.push(panels);
        }
        Ok(Self {
            machines: buckets.all,
            os_families: buckets.os_families,
            plugins: counted,
        })
    }
}

/// What the panels that ask for themselves need.
struct Reading<'a, E> {
    part: &'a Condition,
    scope: &'a Scope,
    now: Timestamp,
    zone: &'a TimeZone,
    db: &'a E,
}

impl<E: Executor> Reading<'_, E> {
    async fn other(&self, panel: &Panel) -> Result<Counted, AppError> {
        let inside = |condition: &Condition| self.part.clone().and(condition.clone());
        Ok(match panel {
            Panel::Series(series) => self.series(series, &inside(&series.condition)).await?,
            Panel::Items(items) => {
                let statuses: Vec<String> = items
                    .columns
                    .iter()
                    .map(|column| column.status.clone())
                    .collect();
                let condition = inside(&items.condition);
                Counted::Items(
                    count_items(
                        &items.source,
                        &statuses,
                        &condition,
                        self.now,
                        self.scope,
                        self.db,
                    )
                    .await?,
                )
            }
            Panel::Rows(rows) => {
                let condition = inside(&rows.condition);
                Counted::Rows(
                    count_rows(
                        &rows.plugin,
                        &condition,
                        MOST_ROWS,
                        self.now,
                        self.scope,
                        self.db,
                    )
                    .await?,
                )
            }
            Panel::Buckets(_) | Panel::Groups(_) | Panel::Detail(_) => Counted::Nothing,
        })
    }

    async fn series(&self, series: &Series, condition: &Condition) -> Result<Counted, AppError> {
        let zone = self.zone;
        let today = self.now.to_zoned(zone.clone()).date();
        let first = today.saturating_sub(i64::from(series.days.saturating_sub(1)).days());
        let since = first
            .to_zoned(zone.clone())
            .map_or(self.now, |midnight| midnight.timestamp());
        let statuses: Vec<String> = series
            .lines
            .iter()
            .map(|line| line.status.clone())
            .collect();
        let name = zone.iana_name().unwrap_or("UTC");
        let counts = count_history(
            &series.source,
            &statuses,
            (since, name),
            condition,
            self.now,
            self.scope,
            self.db,
        );
        Ok(Counted::Series(counts.await?))
    }
}

/// Rows of a plugin without a drawing that are shown at most.
const MOST_ROWS: u16 = 200;
