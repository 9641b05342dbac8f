//! What reports and detail plugins ask beside plain counts: managed items by status, what happened each day, and the
//! rows of plugin scripts.

use jiff::{Timestamp, civil::Date};
use sal_query::{Condition, Fragment, Parameter};
use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// A managed item with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemCount {
    /// Its name.
    pub name: String,
    /// Machines for each status that was asked for.
    pub counts: Vec<i64>,
    /// What one machine told about it, as JSON text.
    pub data: Option<String>,
}

/// Counts the machines of each item of a source by status; by name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_items(
    source: &str,
    statuses: &[String],
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<ItemCount>, StoreError> {
    let mut fragment = condition.to_sql(now, FIRST_PARAMETER);
    let mut place = FIRST_PARAMETER + fragment.parameters.len();
    fragment.parameters.push(Parameter::Text(source.to_owned()));
    let source = place;
    fragment
        .parameters
        .push(Parameter::Texts(statuses.to_vec()));
    let wanted = place + 1;
    place += 2;
    let mut columns = Vec::new();
    for status in statuses {
        columns.push(format!(
            ", count(*) FILTER (WHERE item.status = ${place}::text)"
        ));
        fragment.parameters.push(Parameter::Text(status.clone()));
        place += 1;
    }
    // The details of an item are the same on every machine; those of one are enough, and its place in the table finds
    // it without an index (within one statement a place does not change).
    let sql = format!(
        "SELECT counted.*, (SELECT one.data FROM server_manageditem one WHERE one.ctid = counted.place) FROM ( \
             SELECT item.name{columns}, min(item.ctid) AS place \
             FROM {MACHINES_IN_SCOPE} \
             JOIN server_manageditem item ON item.machine_id = machine.id \
                  AND item.management_source_id = (SELECT id FROM server_managementsource WHERE name = ${source}::text) \
                  AND item.status = ANY(${wanted}::text[]) \
             WHERE {condition} GROUP BY item.name \
         ) counted ORDER BY counted.name",
        columns = columns.concat(),
        condition = fragment.text,
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    rows.iter()
        .map(|row| {
            Ok(ItemCount {
                name: row.try_get(0)?,
                counts: (0..statuses.len())
                    .map(|place| row.try_get(place + 1))
                    .collect::<Result<_, _>>()?,
                data: row.try_get(statuses.len() + 2)?,
            })
        })
        .collect()
}

/// What happened on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// The day.
    pub day: Date,
    /// Status of the items.
    pub status: String,
    /// How many lines of history.
    pub count: i64,
}

/// Counts the history of managed items of a source since a moment, by day of a zone and status.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_history(
    source: &str,
    statuses: &[String],
    (since, zone): (Timestamp, &str),
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<DayCount>, StoreError> {
    let mut fragment = condition.to_sql(now, FIRST_PARAMETER);
    let place = FIRST_PARAMETER + fragment.parameters.len();
    fragment.parameters.extend([
        Parameter::Text(source.to_owned()),
        Parameter::Texts(statuses.to_vec()),
        Parameter::Time(since),
        Parameter::Text(zone.to_owned()),
    ]);
    let (source, wanted, since, zone) = (place, place + 1, place + 2, place + 3);
    let sql = format!(
        "SELECT (history.recorded AT TIME ZONE ${zone}::text)::date::text, history.status, count(*) \
         FROM {MACHINES_IN_SCOPE} \
         JOIN server_manageditemhistory history ON history.machine_id = machine.id \
              AND history.management_source_id = (SELECT id FROM server_managementsource WHERE name = ${source}::text) \
              AND history.status = ANY(${wanted}::text[]) AND history.recorded >= ${since}::timestamptz \
         WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2",
        condition = fragment.text,
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let day: String = row.try_get(0)?;
            let status = row.try_get(1)?;
            let count = row.try_get(2)?;
            Ok(day.parse().ok().map(|day| DayCount { day, status, count }))
        })
        .collect::<Result<Vec<_>, StoreError>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// A value that scripts reported, and on how many machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// Name of the row.
    pub name: String,
    /// Its value.
    pub value: String,
    /// How many machines.
    pub count: i64,
}

/// Counts the values that the scripts of a plugin reported: by row, most first, at most `most` in all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_rows(
    plugin: &str,
    condition: &Condition,
    most: u16,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<RowCount>, StoreError> {
    let mut fragment = condition.to_sql(now, FIRST_PARAMETER);
    let place = FIRST_PARAMETER + fragment.parameters.len();
    fragment.parameters.push(Parameter::Text(plugin.to_owned()));
    let sql = format!(
        "SELECT script_row.pluginscript_name, coalesce(left(script_row.pluginscript_data, 200), ''), count(*) \
         FROM {MACHINES_IN_SCOPE} \
         JOIN server_pluginscriptsubmission submission ON submission.machine_id = machine.id \
              AND submission.plugin = ${place}::text \
         JOIN server_pluginscriptrow script_row ON script_row.submission_id = submission.id \
         WHERE {} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2 LIMIT {most}",
        fragment.text,
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    rows.iter()
        .map(|row| {
            Ok(RowCount {
                name: row.try_get(0)?,
                value: row.try_get(1)?,
                count: row.try_get(2)?,
            })
        })
        .collect()
}

/// Asks for one text of a machine for each expression; absent where there is none.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machine_values(
    id: MachineId,
    values: &[sal_query::sql::value::MachineValue],
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Option<String>>, StoreError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let mut fragment = Fragment {
        text: String::new(),
        parameters: vec![Parameter::Integer(id.0)],
    };
    let mut columns = Vec::new();
    for value in values {
        let part = value.to_sql(FIRST_PARAMETER + fragment.parameters.len());
        columns.push(part.text);
        fragment.parameters.extend(part.parameters);
    }
    let sql = format!(
        "SELECT {} FROM {MACHINES_IN_SCOPE} WHERE machine.id = ${FIRST_PARAMETER}::bigint",
        columns.join(", ")
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let Some(row) = rows.first() else {
        return Ok(vec![None; values.len()]);
    };
    (0..values.len())
        .map(|place| Ok(row.try_get(place)?))
        .collect()
}
