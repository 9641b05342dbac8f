//! The numbers of the overview: machines under each condition, and machines per value.
//!
//! All conditions of a page are counted by one statement that reads the machines once.

use jiff::Timestamp;
use sal_query::{Condition, Field, Fragment};

use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// The machines of one value, or one pair of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCount {
    /// Value of the first field; empty when there is none.
    pub value: String,
    /// Value of the second field, where one was asked for.
    pub then: Option<String>,
    /// How many machines.
    pub count: i64,
}

/// Counts the machines under each condition, in the order of the conditions.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_machines(
    conditions: &[Condition],
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<i64>, StoreError> {
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let mut next = FIRST_PARAMETER;
    let mut fragments = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let fragment = condition.to_sql(now, next);
        next += fragment.parameters.len();
        fragments.push(fragment);
    }
    let columns: Vec<String> = fragments
        .iter()
        .map(|fragment| format!("count(*) FILTER (WHERE {})", fragment.text))
        .collect();
    let sql = format!("SELECT {} FROM {MACHINES_IN_SCOPE}", columns.join(", "));
    let fragments: Vec<&Fragment> = fragments.iter().collect();
    let rows = run(&sql, &fragments, scope, db).await?;
    let Some(row) = rows.first() else {
        return Ok(vec![0; conditions.len()]);
    };
    (0..conditions.len())
        .map(|column| Ok(row.try_get(column)?))
        .collect()
}

/// Counts machines per value of one or two fields, most machines first.
///
/// At most [`MAX_GROUPS`] are returned, so that a field with a value per machine does no harm.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_groups(
    (field, then_by): (Field, Option<Field>),
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<GroupCount>, StoreError> {
    let fragment = condition.to_sql(now, FIRST_PARAMETER);
    let then = then_by.map_or("NULL", Field::column);
    let sql = format!(
        "SELECT coalesce(({})::text, ''), ({then})::text, count(*) FROM {MACHINES_IN_SCOPE} \
         WHERE {} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {MAX_GROUPS}",
        field.column(),
        fragment.text,
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let group = |row: &tokio_postgres::Row| {
        Ok(GroupCount {
            value: row.try_get(0)?,
            then: row.try_get(1)?,
            count: row.try_get(2)?,
        })
    };
    rows.iter().map(group).collect()
}

/// The most groups one panel shows.
pub const MAX_GROUPS: u16 = 500;
