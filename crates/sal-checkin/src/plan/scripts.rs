//! Results of plugin scripts: one set for each script, unless the script keeps its history.

use std::collections::HashMap;

use sal_store::checkin::Wanted;
use sal_store::checkin::changes::{Changes, NewRow, NewScript, RowUpdate};
use sal_store::checkin::read::{Present, ScriptRow};

use crate::submission::{Row, ScriptResult, Submission};

/// Names of the scripts whose present results must be read: those that replace them.
pub(crate) fn replaced(submission: &Submission) -> Vec<String> {
    submission
        .scripts
        .iter()
        .filter(|script| !script.historical)
        .map(|script| script.plugin.clone())
        .collect()
}

/// Plans results.
pub(super) fn plan(
    present: &Present,
    submission: &Submission,
    wanted: &Wanted,
    changes: &mut Changes,
) {
    let is_read =
        |script: &ScriptResult| script.historical || wanted.plugins.contains(&script.plugin);
    if !wanted.everything && !submission.scripts.iter().all(is_read) {
        changes.plugins_touched = replaced(submission);
        return;
    }
    for script in &submission.scripts {
        let there: Vec<&ScriptRow> = present
            .scripts
            .iter()
            .filter(|row| row.plugin == script.plugin)
            .collect();
        // The newest set that is not part of a history stays and is brought up to date.
        let kept = there
            .iter()
            .find(|row| !row.historical)
            .map(|row| row.submission_id)
            .filter(|_| !script.historical);
        let Some(kept) = kept else {
            changes.scripts_new.push(new_script(script));
            if !script.historical {
                gone(&there, None, changes);
            }
            continue;
        };
        gone(&there, Some(kept), changes);
        changes.plugins_touched.push(script.plugin.clone());
        plan_rows(kept, &there, script, changes);
    }
}

fn gone(there: &[&ScriptRow], kept: Option<i64>, changes: &mut Changes) {
    let mut ids: Vec<i64> = there
        .iter()
        .map(|row| row.submission_id)
        .filter(|id| Some(*id) != kept)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    changes.scripts_gone.extend(ids);
}

fn plan_rows(kept: i64, there: &[&ScriptRow], script: &ScriptResult, changes: &mut Changes) {
    let rows = there.iter().filter(|row| row.submission_id == kept);
    let mut by_name: HashMap<&str, (i64, Option<&str>)> = HashMap::new();
    for row in rows {
        let (Some(id), Some(name)) = (row.row_id, row.name.as_deref()) else {
            continue;
        };
        if let Some((twin, _)) = by_name.insert(name, (id, row.data.as_deref())) {
            changes.rows_gone.push(twin);
        }
    }
    for row in &script.rows {
        match by_name.remove(row.name.as_str()) {
            Some((_, Some(data))) if data == row.data => {}
            Some((id, _)) => changes.rows_changed.push(RowUpdate {
                id,
                data: row.data.clone(),
            }),
            None => changes.rows_new.push((kept, new_row(row))),
        }
    }
    changes
        .rows_gone
        .extend(by_name.into_values().map(|(id, _)| id));
}

fn new_script(script: &ScriptResult) -> NewScript {
    NewScript {
        plugin: script.plugin.clone(),
        historical: script.historical,
        rows: script.rows.iter().map(new_row).collect(),
    }
}

fn new_row(row: &Row) -> NewRow {
    NewRow {
        name: row.name.clone(),
        data: row.data.clone(),
        key: row.key.clone(),
    }
}
