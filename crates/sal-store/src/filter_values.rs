//! Values for suggestions while somebody types a filter: what is in the database at the place where the cursor stands.

use sal_query::{complete::Wanted, sql::suggest::Reach};

use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// A value that machines have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterValue {
    /// The value.
    pub value: String,
    /// How many machines have it; none where counting would take too long.
    pub machines: Option<i64>,
}

/// Values for a place in a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterValues {
    /// The best ones: what begins with what was typed, then what most machines have.
    pub values: Vec<FilterValue>,
    /// Whether only a part of the machines was looked at: there may be more values, and the numbers are too small.
    pub is_part: bool,
}

/// The values that contain `typed`, in any letter case, of the machines in scope. None at all where the database does
/// not know them, such as names of searches.
///
/// # Errors
/// When the database cannot be asked.
pub async fn filter_values(
    wanted: &Wanted,
    typed: &str,
    scope: &Scope,
    db: &impl Executor,
) -> Result<FilterValues, StoreError> {
    let reach = match scope {
        Scope::All => Reach::All("server_machine machine"),
        Scope::Units(_) => Reach::Part(MACHINES_IN_SCOPE),
    };
    let Some(question) = wanted.to_sql(typed, reach, FIRST_PARAMETER) else {
        return Ok(FilterValues::default());
    };
    // Parameter 1 has to occur, also where everything is in scope.
    let sql = format!(
        "SELECT * FROM ({}) answer WHERE $1::int[] IS NULL OR TRUE",
        question.text
    );
    let rows = run(&sql, &[&question], scope, db).await?;
    let mut found = FilterValues::default();
    for row in &rows {
        found.values.push(FilterValue {
            value: row.try_get(0)?,
            machines: row.try_get(1)?,
        });
        found.is_part |= row.try_get::<_, bool>(2)?;
    }
    Ok(found)
}
