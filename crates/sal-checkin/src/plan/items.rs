//! Managed items and their histories.

use std::collections::HashMap;

use sal_store::checkin::changes::{Changes, ItemHistory, ItemUpdate, NewItem};
use sal_store::checkin::read::{ItemRow, Present};
use sal_store::ids::SourceId;
use uuid::Uuid;

use super::{Rules, sections};
use crate::submission::{Item, Submission};

/// Plans items and, wherever an item's status is another than its newest line of history, a new line.
pub(super) fn plan(
    present: &Present,
    submission: &Submission,
    rules: &Rules<'_>,
    new_id: &mut impl FnMut() -> Uuid,
    changes: &mut Changes,
) {
    let mut there: HashMap<(SourceId, &str), &ItemRow> = present
        .items
        .iter()
        .map(|row| ((row.management_source_id, row.name.as_str()), row))
        .collect();
    let newest: HashMap<(SourceId, &str), &str> = present
        .histories
        .iter()
        .map(|line| {
            (
                (line.management_source_id, line.name.as_str()),
                line.status.as_str(),
            )
        })
        .collect();
    for (source, section) in sections(submission, rules) {
        for item in &section.items {
            let key = (source, item.name.as_str());
            plan_item(source, item, there.remove(&key), new_id, changes);
            if item.has_history
                && newest
                    .get(&key)
                    .is_none_or(|status| *status != item.state.status)
            {
                changes.histories.push(ItemHistory {
                    id: new_id(),
                    source,
                    name: item.name.clone(),
                    status: item.state.status.clone(),
                    recorded: item.state.date_managed,
                });
            }
        }
    }
    changes
        .items_gone
        .extend(there.into_values().map(|row| row.id));
}

fn plan_item(
    source: SourceId,
    item: &Item,
    row: Option<&ItemRow>,
    new_id: &mut impl FnMut() -> Uuid,
    changes: &mut Changes,
) {
    let Some(row) = row else {
        changes.items_new.push(NewItem {
            id: new_id(),
            source,
            name: item.name.clone(),
            state: item.state.clone(),
        });
        return;
    };
    if !is_same(row, &item.state) {
        changes.items_changed.push((row.id, item.state.clone()));
    }
}

fn is_same(row: &ItemRow, state: &ItemUpdate) -> bool {
    // Postgres keeps microseconds.
    let same_date = row.date_managed.as_microsecond() == state.date_managed.as_microsecond();
    same_date && row.status == state.status && row.data == state.data
}
