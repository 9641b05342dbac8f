//! Numbers of large parts of the fleet in the database: a restart, another server and a first visit find what was counted
//! last. Each plugin has a row of its own, so that one that is new is all that has to be counted.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::tz::TimeZone;
use sal_plugins::{Panel, Plugin, Settings};
use sal_store::{
    StoreError,
    pool::Executor,
    scope::Scope,
    summaries::{Counted as When, KeepCounts, keep_counts, kept_counts},
};

use super::counts::{Counted, Counts};
use crate::fleet_part::FleetPart;

/// Where the numbers of a page are kept.
pub(super) struct Stored {
    place: &'static str,
    place_id: i64,
    /// The name of the machines' row, then of each plugin's.
    names: Vec<String>,
}

impl Stored {
    pub(super) fn of(
        part: &FleetPart,
        plugins: &[&Plugin],
        settings: &Settings,
        scope: &Scope,
        zone: &TimeZone,
    ) -> Self {
        let place = part.place();
        let names = plugins.iter().map(|plugin| {
            format!(
                "widget {} {:016x}",
                plugin.name,
                digest(plugin, settings, zone)
            )
        });
        // The sum over some units is kept for those units.
        let (place, place_id) = match (part, scope.units()) {
            (FleetPart::All, Some(units)) => ("units", digest_of_units(units)),
            _ => (place.kind(), place.id()),
        };
        Self {
            place,
            place_id,
            names: std::iter::once(format!("machines {FORM}"))
                .chain(names)
                .collect(),
        }
    }

    /// What was counted last; nothing unless all of it is there.
    pub(super) async fn find(
        &self,
        db: &impl Executor,
    ) -> Result<Option<(Counts, When)>, StoreError> {
        let rows = kept_counts(db, &self.names, self.place, &self.place_id).await?;
        let row = |name: &String| rows.iter().find(|row| row.what == *name);
        let mut texts = self.names.iter().map(row);
        let Some(Some(machines)) = texts.next() else {
            return Ok(None);
        };
        let Ok((all, os_families)) = serde_json::from_str(&machines.counts) else {
            return Ok(None);
        };
        let mut counts = Counts {
            machines: all,
            os_families,
            plugins: Vec::with_capacity(self.names.len()),
        };
        let mut when = When {
            counted: machines.counted,
            milliseconds: machines.milliseconds,
        };
        for row in texts {
            let panels = row.and_then(|row| serde_json::from_str(&row.counts).ok());
            let (Some(row), Some(panels)) = (row, panels) else {
                return Ok(None);
            };
            counts.plugins.push(panels);
            // The page is as old as the oldest of its numbers.
            when.counted = when.counted.min(row.counted);
            when.milliseconds = when.milliseconds.max(row.milliseconds);
        }
        Ok(Some((counts, when)))
    }

    /// Keeps what was counted.
    pub(super) async fn keep(
        &self,
        counts: &Counts,
        when: &When,
        db: &impl Executor,
    ) -> Result<(), StoreError> {
        let machines = serde_json::to_string(&(counts.machines, &counts.os_families));
        let plugins = counts.plugins.iter();
        let plugins = plugins.map(|panels: &Vec<Counted>| serde_json::to_string(panels));
        // Numbers and texts are JSON in any case.
        let Ok(texts) = std::iter::once(machines).chain(plugins).collect() else {
            return Ok(());
        };
        let parameters = KeepCounts {
            whats: &self.names,
            place: self.place,
            place_id: &self.place_id,
            counted: &when.counted,
            milliseconds: &when.milliseconds,
            counts: &texts,
        };
        keep_counts(db, parameters).await?;
        Ok(())
    }
}

/// Any number of units in a name of one length.
fn digest_of_units(units: &[i32]) -> i64 {
    let mut units = units.to_vec();
    units.sort_unstable();
    let mut hasher = DefaultHasher::new();
    units.hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// What a plugin's numbers depend on beside the machines. Another version of this program may reckon otherwise, and
/// counts once more.
fn digest(plugin: &Plugin, settings: &Settings, zone: &TimeZone) -> u64 {
    let mut hasher = DefaultHasher::new();
    FORM.hash(&mut hasher);
    for panel in &plugin.panels {
        match panel {
            Panel::Groups(by) => format!("{:?}", by.grouping(settings)).hash(&mut hasher),
            Panel::Series(series) => (zone.iana_name(), format!("{series:?}")).hash(&mut hasher),
            other => format!("{other:?}").hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The form in which numbers are kept.
pub(super) const FORM: u32 = 1;
