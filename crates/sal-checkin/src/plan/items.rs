//! Managed items and their histories.
//!
//! Which line of history is the newest is asked by the statement that adds lines, and only for items that may need
//! one: those that are new or have another status, or all of them when everything is compared.

use std::collections::HashMap;

use sal_store::checkin::changes::{ChangedItem, Changes, ItemHistory, ItemUpdate, NewItem};
use sal_store::checkin::read::{ItemRow, Present};
use sal_store::ids::SourceId;
use uuid::Uuid;

use super::{Rules, sections};
use crate::submission::{Item, Submission};

/// Plans items, and lines of history for those that may have a new status.
pub(super) fn plan(
    present: &Present,
    submission: &Submission,
    rules: &Rules<'_>,
    new_id: &mut impl FnMut() -> Uuid,
    changes: &mut Changes,
) {
    let wanted = rules.wanted;
    let mut there: HashMap<(SourceId, &str), &ItemRow> = present
        .items
        .iter()
        .map(|row| ((row.management_source_id, row.name.as_str()), row))
        .collect();
    for (source, section) in sections(submission, rules) {
        if !wanted.everything && !wanted.items.contains(&section.source) {
            continue;
        }
        for item in &section.items {
            let row = there.remove(&(source, item.name.as_str()));
            plan_item(source, item, row, new_id, changes);
            let same_status = row.is_some_and(|row| row.status == item.state.status);
            if item.has_history && (wanted.everything || !same_status) {
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
        changes.items_changed.push(ChangedItem {
            id: row.id,
            state: item.state.clone(),
            same_data: row.data == item.state.data,
        });
    }
}

fn is_same(row: &ItemRow, state: &ItemUpdate) -> bool {
    // Postgres keeps microseconds.
    let same_date = row.date_managed.as_microsecond() == state.date_managed.as_microsecond();
    same_date && row.status == state.status && row.data == state.data
}
