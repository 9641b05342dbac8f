//! How many machines: to the last one where that is cheap, else what the planner thinks.

use jiff::Timestamp;
use sal_query::{Condition, Fragment};

use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// A number of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Counted.
    Exact(i64),
    /// Guessed from Postgres's statistics; more than the limit of counting.
    About(i64),
}

impl Count {
    /// The number, however it was found.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Exact(number) | Self::About(number) => number,
        }
    }
}

/// Counts the machines under a condition, all of them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_devices(
    condition: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<i64, StoreError> {
    let fragment = condition.to_sql(now, FIRST_PARAMETER);
    let sql = format!(
        "SELECT count(*) FROM {MACHINES_IN_SCOPE} WHERE {}",
        fragment.text
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
}

/// Counts at most `most` machines; where there are more, asks the planner how many it expects. It is asked first where
/// nothing is filtered: then it knows the size of the table, and counting would read all of it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_up_to(
    most: i64,
    filter: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Count, StoreError> {
    let fragment = filter.to_sql(now, FIRST_PARAMETER);
    let all = format!("FROM {MACHINES_IN_SCOPE} WHERE {}", fragment.text);
    let is_everything = fragment.parameters.is_empty() && scope.units().is_none();
    if is_everything {
        let guess = expected(&all, &fragment, scope, db).await?;
        if let Some(guess) = guess.filter(|guess| *guess > most) {
            return Ok(Count::About(guess));
        }
    }
    let sql = format!(
        "SELECT count(*) FROM (SELECT {all} LIMIT {}) counted",
        most.saturating_add(1)
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let counted: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    if counted <= most {
        return Ok(Count::Exact(counted));
    }
    let guess = expected(&all, &fragment, scope, db).await?;
    Ok(Count::About(guess.unwrap_or(counted).max(counted)))
}

/// How many rows the planner expects of `SELECT {all}`.
async fn expected(
    all: &str,
    fragment: &Fragment,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Option<i64>, StoreError> {
    let plan = run(&format!("EXPLAIN SELECT {all}"), &[fragment], scope, db).await?;
    let top: Option<String> = plan.first().map(|row| row.try_get(0)).transpose()?;
    Ok(top.as_deref().and_then(expected_rows))
}

/// Whether the list has any machine.
///
/// # Errors
/// When the database cannot be asked.
pub async fn has_devices(
    filter: &Condition,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<bool, StoreError> {
    let fragment = filter.to_sql(now, FIRST_PARAMETER);
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {MACHINES_IN_SCOPE} WHERE {})",
        fragment.text
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
}

/// The number in `… (cost=0.00..1.00 rows=123 width=4)`.
fn expected_rows(plan: &str) -> Option<i64> {
    let (_, rest) = plan.split_once(" rows=")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planners_guess_is_read_from_its_plan() {
        let plan = "Seq Scan on server_machine machine  (cost=0.00..2853.00 rows=100000 width=0)";
        assert_eq!(expected_rows(plan), Some(100_000));
        assert_eq!(expected_rows("Result"), None);
    }
}
