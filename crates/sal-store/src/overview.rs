//! The numbers of widgets and reports: machines under each condition, and counts per value.
//!
//! All conditions of a page are counted by one statement that reads the machines once and each related table once; all
//! counts per value of a page are another.

use jiff::Timestamp;
use sal_query::{Condition, Fragment, Grouping, sql::counts::Counts};
use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// The machines of one value, or one pair of values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// Value of the first field; empty when there is none.
    pub value: String,
    /// Value of the second field, where one was asked for; the level, for messages.
    pub then: Option<String>,
    /// How many machines; rows, for messages.
    pub count: i64,
}

/// Machines counted under conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineCounts {
    /// All machines of the part.
    pub all: i64,
    /// How many are under each condition, in their order.
    pub each: Vec<i64>,
    /// The families of operating systems among the machines of the part.
    pub os_families: Vec<String>,
}

/// Counts the machines of a part of the fleet, and those under each condition.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_machines(
    part: &Condition,
    conditions: &[&Condition],
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<MachineCounts, StoreError> {
    let mut counts = Counts::new(now, FIRST_PARAMETER);
    let whole = counts.condition(part);
    let columns: Vec<String> = conditions
        .iter()
        .map(|condition| {
            let text = counts.condition(condition);
            format!(", count(*) FILTER (WHERE {text})")
        })
        .collect();
    let inside = (*part != Condition::everything() || scope.units().is_some())
        .then(|| format!("SELECT machine.id FROM {MACHINES_IN_SCOPE} WHERE {whole}"));
    let joins = counts.finish(inside.as_deref());
    let sql = format!(
        "SELECT count(*), array_remove(array_agg(DISTINCT machine.os_family::text), NULL){columns} \
         FROM {MACHINES_IN_SCOPE}{joins} WHERE {whole}",
        columns = columns.concat(),
        joins = joins.text,
    );
    let fragment = Fragment {
        text: String::new(),
        parameters: joins.parameters,
    };
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let Some(row) = rows.first() else {
        return Ok(MachineCounts::default());
    };
    Ok(MachineCounts {
        all: row.try_get(0)?,
        os_families: row
            .try_get::<_, Option<Vec<String>>>(1)?
            .unwrap_or_default(),
        each: (0..conditions.len())
            .map(|place| row.try_get(place + 2))
            .collect::<Result<_, _>>()?,
    })
}

/// Counts per value for each grouping, in their order; most first.
///
/// At most [`MAX_GROUPS`] values of each are returned, so that a field with a value per machine does no harm.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_groups(
    groupings: &[Grouping],
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Vec<GroupCount>>, StoreError> {
    let mut found = vec![Vec::new(); groupings.len()];
    if groupings.is_empty() {
        return Ok(found);
    }
    let mut next = FIRST_PARAMETER;
    let mut fragments = Vec::with_capacity(groupings.len());
    for grouping in groupings {
        let fragment = grouping.to_sql(MACHINES_IN_SCOPE, MAX_GROUPS, now, next);
        next += fragment.parameters.len();
        fragments.push(fragment);
    }
    let selects: Vec<String> = fragments
        .iter()
        .enumerate()
        .map(|(place, fragment)| {
            format!(
                "SELECT {place} AS place, one.* FROM ({}) one",
                fragment.text
            )
        })
        .collect();
    let sql = selects.join(" UNION ALL ");
    let fragments: Vec<&Fragment> = fragments.iter().collect();
    for row in run(&sql, &fragments, scope, db).await? {
        let place: i32 = row.try_get(0)?;
        let group = GroupCount {
            value: row.try_get::<_, Option<String>>(1)?.unwrap_or_default(),
            then: row.try_get(2)?,
            count: row.try_get(3)?,
        };
        if let Some(groups) = usize::try_from(place)
            .ok()
            .and_then(|place| found.get_mut(place))
        {
            groups.push(group);
        }
    }
    Ok(found)
}

/// The most groups one panel shows.
pub const MAX_GROUPS: u16 = 500;
