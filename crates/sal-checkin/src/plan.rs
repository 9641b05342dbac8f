//! Rows before + submission + now = changes. Pure: no IO, no clock; ids come from the caller's generator.

mod items;
mod lines;
mod messages;
mod scripts;

pub(crate) use lines::{arrival, is_nearly_full};
pub(crate) use scripts::replaced;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sal_store::checkin::Wanted;
use sal_store::checkin::changes::{Changes, HistoricalFact, MachineWrite, NewFact, RowUpdate};
use sal_store::checkin::read::{FactRow, Present};
use sal_store::ids::{GroupId, SourceId};
use uuid::Uuid;

use crate::submission::{MunkiSection, Submission};

/// What the plan needs beside the two sides.
pub(crate) struct Rules<'a> {
    /// The time of the check-in.
    pub(crate) now: Timestamp,
    /// The group of the body's key.
    pub(crate) group: GroupId,
    /// The ids of all the submission's sources.
    pub(crate) sources: &'a HashMap<String, SourceId>,
    /// Whether a check-in marks its machine as in use.
    pub(crate) deploy: bool,
    /// Facts whose every value is kept.
    pub(crate) historical_facts: &'a HashSet<String>,
    /// What was read and is compared. The rest is as it was sent last time.
    pub(crate) wanted: &'a Wanted,
}

/// Compares, and plans only what differs.
pub(crate) fn plan(
    present: &Present,
    submission: &Submission,
    rules: &Rules<'_>,
    new_id: &mut impl FnMut() -> Uuid,
) -> Changes {
    let before = present.machine.as_ref();
    let munki = before.map(|row| MunkiSection {
        version: row.munki_version.clone(),
        manifest: row.manifest.clone(),
    });
    let deployed = rules.deploy || before.is_none_or(|row| row.deployed);
    let mut changes = Changes::only(MachineWrite {
        id: before.map(|row| row.id),
        serial: submission.serial.clone(),
        group: rules.group,
        now: rules.now,
        columns: submission.columns(munki, deployed),
    });
    plan_facts(present, submission, rules, &mut changes);
    items::plan(present, submission, rules, new_id, &mut changes);
    messages::plan(present, submission, rules, &mut changes);
    scripts::plan(present, submission, rules.wanted, &mut changes);
    lines::plan(present, rules.now, &mut changes);
    changes
}

/// Every section with its source's id. All ids are there: the caller made the missing ones.
fn sections<'a>(
    submission: &'a Submission,
    rules: &'a Rules<'_>,
) -> impl Iterator<Item = (SourceId, &'a crate::submission::Section)> {
    submission
        .sections
        .iter()
        .filter_map(|section| Some((*rules.sources.get(&section.source)?, section)))
}

fn plan_facts(
    present: &Present,
    submission: &Submission,
    rules: &Rules<'_>,
    changes: &mut Changes,
) {
    let mut there: HashMap<(SourceId, &str), &FactRow> =
        HashMap::with_capacity(present.facts.len());
    for row in &present.facts {
        // A fact of an old version has no source; a second row of one name is the leftover of a race. Both go.
        let twin = match row.management_source_id {
            Some(source) => there.insert((source, row.fact_name.as_str()), row),
            None => Some(row),
        };
        changes.facts_gone.extend(twin.map(|row| row.id));
    }
    let wanted = rules.wanted;
    for (source, section) in sections(submission, rules) {
        if !wanted.everything && !wanted.facts.contains(&section.source) {
            continue;
        }
        for (name, data) in &section.facts {
            let fact = || NewFact {
                source,
                name: name.clone(),
                data: data.clone(),
            };
            match there.remove(&(source, name.as_str())) {
                Some(row) if row.fact_data == *data => {}
                Some(row) => changes.facts_changed.push(RowUpdate {
                    id: row.id,
                    data: data.clone(),
                }),
                None => changes.facts_new.push(fact()),
            }
            if rules.historical_facts.contains(name) {
                changes.facts_kept.push(HistoricalFact {
                    fact: fact(),
                    recorded: rules.now,
                });
            }
        }
    }
    changes
        .facts_gone
        .extend(there.into_values().map(|row| row.id));
}

#[cfg(test)]
mod tests;
