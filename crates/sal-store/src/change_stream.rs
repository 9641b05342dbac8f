//! What became of the machines of a list, the newest first.

use jiff::Timestamp;
use sal_query::{Condition, Parameter};

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, add, run},
    pool::Executor,
    scope::Scope,
};

/// A change, and of which machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamedChange {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The number of its kind ([`crate::machine_changes::ChangeKind`]).
    pub kind: i16,
    /// Of what; empty where the kind says all.
    pub name: String,
    /// What it was.
    pub was: Option<String>,
    /// What it became.
    pub became: Option<String>,
    /// The machine.
    pub machine: MachineId,
    /// Its serial number.
    pub serial: String,
    /// Its host name, as it is now.
    pub hostname: Option<String>,
    /// The group it is in now.
    pub group: String,
}

/// Which changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only of this kind.
    pub kind: Option<i16>,
    /// Only of this.
    pub name: Option<String>,
    /// Only those to this.
    pub became: Option<String>,
    /// Only those that left nothing: removed, ended.
    pub is_gone: bool,
    /// Only in this time: the first moment, and the one after the last.
    pub within: Option<(Timestamp, Timestamp)>,
    /// Only those before this one: moment and number.
    pub before: Option<(Timestamp, i64)>,
}

/// At most `limit` changes of the machines that the filter finds.
///
/// # Errors
/// When the database cannot be asked.
pub async fn recent_changes(
    filter: &Condition,
    wanted: &Wanted,
    limit: u16,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<StreamedChange>, StoreError> {
    let mut fragment = filter.to_sql(now, FIRST_PARAMETER);
    let mut conditions = fragment.text.clone();
    let mut also = |sql: &str, values: Vec<Parameter>| {
        let mut condition = sql.to_owned();
        for value in values {
            let place = add(value, &mut fragment);
            condition = condition.replacen('?', &place, 1);
        }
        conditions.push_str(" AND ");
        conditions.push_str(&condition);
    };
    if let Some(kind) = wanted.kind {
        also("c.kind = ?", vec![Parameter::Integer(kind.into())]);
    }
    if let Some(name) = &wanted.name {
        also("c.name = ?", vec![Parameter::Text(name.clone())]);
    }
    if let Some(became) = &wanted.became {
        also("c.became = ?", vec![Parameter::Text(became.clone())]);
    }
    if wanted.is_gone {
        also("c.became IS NULL", Vec::new());
    }
    if let Some((first, end)) = wanted.within {
        also(
            "c.at >= ? AND c.at < ?",
            vec![Parameter::Time(first), Parameter::Time(end)],
        );
    }
    if let Some((at, id)) = wanted.before {
        also(
            "(c.at, c.id) < (?, ?)",
            vec![Parameter::Time(at), Parameter::Integer(id)],
        );
    }
    let sql = format!(
        "SELECT c.id, c.at, c.kind, c.name, c.was, c.became, machine.id, machine.serial, machine.hostname, machine_group.name \
         FROM salrs_change c JOIN ({MACHINES_IN_SCOPE}) ON machine.id = c.machine_id \
         WHERE {conditions} ORDER BY c.at DESC, c.id DESC LIMIT {limit}"
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let change = |row: &tokio_postgres::Row| {
        Ok(StreamedChange {
            id: row.try_get(0)?,
            at: row.try_get(1)?,
            kind: row.try_get(2)?,
            name: row.try_get(3)?,
            was: row.try_get(4)?,
            became: row.try_get(5)?,
            machine: row.try_get(6)?,
            serial: row.try_get(7)?,
            hostname: row.try_get(8)?,
            group: row.try_get(9)?,
        })
    };
    rows.iter().map(change).collect()
}
