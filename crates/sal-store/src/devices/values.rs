//! Facts and plugin values beside the lines of a list.

use std::collections::HashMap;

use jiff::Timestamp;
use sal_query::{Condition, sql::value::MachineValue};

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// The values of machines, in the order in which they were asked for.
pub type MachineValues = HashMap<MachineId, Vec<Option<String>>>;

/// Reads the newest of each of these values for each of these machines, in one statement.
///
/// # Errors
/// When the database cannot be asked.
pub async fn machine_values(
    ids: &[MachineId],
    values: &[MachineValue],
    scope: &Scope,
    db: &impl Executor,
) -> Result<MachineValues, StoreError> {
    if ids.is_empty() || values.is_empty() {
        return Ok(MachineValues::new());
    }
    let wanted = Condition::ids(ids.iter().map(|id| id.0).collect());
    let mut fragments = vec![wanted.to_sql(Timestamp::UNIX_EPOCH, FIRST_PARAMETER)];
    let mut next = FIRST_PARAMETER + 1;
    for value in values {
        let fragment = value.to_sql(next);
        next += fragment.parameters.len();
        fragments.push(fragment);
    }
    let (wanted, asked) = match fragments.as_slice() {
        [wanted, asked @ ..] => (&wanted.text, asked),
        [] => return Ok(MachineValues::new()),
    };
    let columns: Vec<&str> = asked.iter().map(|value| value.text.as_str()).collect();
    let sql = format!(
        "SELECT machine.id, {} FROM {MACHINES_IN_SCOPE} WHERE {wanted}",
        columns.join(", ")
    );
    let all: Vec<_> = fragments.iter().collect();
    let rows = run(&sql, &all, scope, db).await?;
    let read = rows.iter().map(|row| {
        let texts: Result<Vec<Option<String>>, _> =
            (1..=values.len()).map(|at| row.try_get(at)).collect();
        Ok((row.try_get(0)?, texts?))
    });
    read.collect()
}
