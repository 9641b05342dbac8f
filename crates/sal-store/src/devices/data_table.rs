//! The rows of Sal's own machine table, as its `/tableajax/` orders, searches and cuts them.

use jiff::Timestamp;
use sal_query::{Condition, Field, Parameter};

use super::sort::Direction;
use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, add, run},
    pool::Executor,
    scope::Scope,
};

/// A part of the table.
#[derive(Debug, Clone)]
pub struct DataTable {
    /// Which machines.
    pub condition: Condition,
    /// What host name, user or date must contain; all for an empty text.
    pub search: String,
    /// By what it is ordered.
    pub order: Field,
    /// Direction; NULLs stand where Postgres puts them, as in Sal.
    pub direction: Direction,
    /// How many rows to skip.
    pub start: i64,
    /// How many rows to return.
    pub length: i64,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTableRow {
    /// The machine.
    pub id: MachineId,
    /// Its name.
    pub hostname: Option<String>,
    /// User at the last check-in.
    pub console_user: Option<String>,
    /// Last check-in.
    pub last_checkin: Option<Timestamp>,
}

/// Reads a part of the table.
///
/// # Errors
/// When the database cannot be asked.
pub async fn data_table(
    table: &DataTable,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<DataTableRow>, StoreError> {
    let mut fragment = table.condition.to_sql(now, FIRST_PARAMETER);
    let search = if table.search.is_empty() {
        "TRUE".to_owned()
    } else {
        // `position` instead of LIKE: no character of the search has a meaning. Sal compares the date's text in UTC.
        let search = add(
            Parameter::Text(table.search.replace('\0', "")),
            &mut fragment,
        );
        format!(
            "(position(upper({search}::text) IN upper(machine.hostname)) > 0 \
              OR position(upper({search}::text) IN upper(machine.console_user)) > 0 \
              OR position({search}::text IN (machine.last_checkin AT TIME ZONE 'UTC')::text) > 0)"
        )
    };
    let (word, _) = table.direction.sql();
    let sql = format!(
        "SELECT machine.id, machine.hostname, machine.console_user, machine.last_checkin \
         FROM {MACHINES_IN_SCOPE} WHERE {} AND {search} \
         ORDER BY {} {word}, machine.id {word} LIMIT {} OFFSET {}",
        fragment.text,
        table.order.column(),
        table.length.max(0),
        table.start.max(0),
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let rows = rows.iter().map(|row| {
        Ok(DataTableRow {
            id: row.try_get(0)?,
            hostname: row.try_get(1)?,
            console_user: row.try_get(2)?,
            last_checkin: row.try_get(3)?,
        })
    });
    rows.collect()
}
