//! How many machines have which value of one thing.

use jiff::Timestamp;
use sal_query::{By, Condition};

use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// Machines per value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountedBy {
    /// The most frequent values, most frequent first.
    pub values: Vec<ValueCount>,
    /// How many values there are.
    pub all_values: i64,
    /// How many machines there are.
    pub machines: i64,
}

/// A value and how many machines have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueCount {
    /// The value; empty for machines without one.
    pub value: String,
    /// How many.
    pub count: i64,
}

/// Counts the machines under a condition by their values. At most `limit` values are returned.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_by(
    by: &By,
    condition: &Condition,
    limit: u16,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<CountedBy, StoreError> {
    let value = by.to_sql(FIRST_PARAMETER);
    let filter = condition.to_sql(now, FIRST_PARAMETER + value.parameters.len());
    let sql = format!(
        "SELECT value, count(*), count(*) OVER (), (sum(count(*)) OVER ())::bigint \
         FROM (SELECT {} AS value FROM {MACHINES_IN_SCOPE} WHERE {}) counted \
         GROUP BY value ORDER BY 2 DESC, 1 LIMIT {limit}",
        value.text, filter.text,
    );
    let mut found = CountedBy::default();
    for row in run(&sql, &[&value, &filter], scope, db).await? {
        found.values.push(ValueCount {
            value: row.try_get(0)?,
            count: row.try_get(1)?,
        });
        (found.all_values, found.machines) = (row.try_get(2)?, row.try_get(3)?);
    }
    Ok(found)
}
