//! Reads lists and single rows of a resource.

use jiff::Timestamp;
use sal_query::{Condition, Fragment, Parameter, sql::escape_like};
use tokio_postgres::Row;

use super::{Cell, Column, Filter, Kind, Record, Resource, Value, stream::cell};
use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, add, run},
    pool::Executor,
    scope::Scope,
};

/// What the rows of a list have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Filters and what they ask for.
    pub filters: Vec<Term>,
    /// Words that must all occur in one of the searched texts each, in any letter case.
    pub words: Vec<String>,
    /// What the machines of the rows have in common.
    pub machines: Option<Machines>,
    /// The ids of the machines of the rows, where only these count.
    pub only: Option<Vec<i64>>,
    /// What comes before the key in the order.
    pub order: Vec<Order>,
}

/// A filter in the query language, and the moment from which ages are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Machines {
    /// The filter.
    pub condition: Condition,
    /// The moment.
    pub now: Timestamp,
}

/// A column to sort by; rows without a value come last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// One of the resource's.
    pub column: &'static Column,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.sql == other.sql
    }
}

/// A filter and a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The resource's filter.
    pub filter: &'static Filter,
    /// What it asks for.
    pub value: Parameter,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.sql == other.sql
    }
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Where it begins.
    pub start: Start,
    /// How many rows there are at most.
    pub limit: i64,
}

/// Where a part of a list begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// Behind so many rows, in the order of the list.
    Offset(i64),
    /// Behind the row with this key, or at the first one; in the order of the keys, whatever the list's is.
    Key(Option<Parameter>),
}

/// The rows of a page.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    resource: &Resource,
    conditions: &Conditions,
    page: Page,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Record>, StoreError> {
    let (mut fragment, mut found) = found(resource, conditions, scope);
    let (order, offset) = match page.start {
        Start::Offset(offset) => (order(resource, &conditions.order), offset),
        Start::Key(after) => {
            if let Some(after) = after {
                let place = add(after, &mut fragment);
                let cast = match resource.columns.first().map(|key| key.kind) {
                    Some(Kind::Uuid) => "::uuid",
                    _ => "",
                };
                found.push_str(&format!(" AND {} > {place}{cast}", resource.key));
            }
            (String::new(), 0)
        }
    };
    let limit = add(Parameter::Integer(page.limit), &mut fragment);
    let offset = add(Parameter::Integer(offset), &mut fragment);
    let (from, key) = (resource.from, resource.key);
    let rows =
        format!("FROM {from} WHERE {found} ORDER BY {order}{key} LIMIT {limit} OFFSET {offset}");
    let shown = columns(resource.columns);
    let sql = match order.is_empty() {
        true => format!("SELECT {shown} {rows}"),
        // All rows have to be sorted: what is sorted is narrow, and only what is shown is read in full.
        false => format!(
            "SELECT {shown} FROM {from} WHERE {key} IN (SELECT {key} {rows}) ORDER BY {order}{key}"
        ),
    };
    records(resource, &sql, &fragment, scope, db).await
}

/// How many rows a list has.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count(
    resource: &Resource,
    conditions: &Conditions,
    scope: &Scope,
    db: &impl Executor,
) -> Result<i64, StoreError> {
    let (fragment, found) = found(resource, conditions, scope);
    let sql = format!("SELECT count(*) FROM {} WHERE {found}", resource.from);
    let rows = run(&sql, &[&fragment], scope, db).await?;
    rows.first().map_or(Ok(0), |row| Ok(row.try_get(0)?))
}

/// The row that the lookup finds, if there is one.
///
/// # Errors
/// When the database cannot be asked.
pub async fn one(
    resource: &Resource,
    id: Parameter,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Option<Record>, StoreError> {
    let mut fragment = empty();
    let place = add(id, &mut fragment);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} AND {} LIMIT 1",
        columns(resource.columns),
        resource.from,
        in_scope(resource, scope),
        resource.lookup.sql.replace('?', &place),
    );
    let mut found = records(resource, &sql, &fragment, scope, db).await?;
    Ok(found.pop())
}

fn empty() -> Fragment {
    Fragment {
        text: String::new(),
        parameters: Vec::new(),
    }
}

/// The condition on rows, and its parameters.
pub(super) fn found(
    resource: &Resource,
    conditions: &Conditions,
    scope: &Scope,
) -> (Fragment, String) {
    let mut fragment = empty();
    let mut parts = vec![in_scope(resource, scope).to_owned()];
    for Term { filter, value } in &conditions.filters {
        let place = add(value.clone(), &mut fragment);
        parts.push(match filter.sql.contains('?') {
            true => format!("({})", filter.sql.replace('?', &place)),
            false => format!("{} = {place}", filter.sql),
        });
    }
    for word in &conditions.words {
        let pattern = format!("%{}%", escape_like(word));
        let place = add(Parameter::Text(pattern), &mut fragment);
        let any: Vec<String> = resource
            .searched
            .iter()
            .map(|column| format!("{column} ILIKE {place}"))
            .collect();
        parts.push(format!("({})", any.join(" OR ")));
    }
    if let (Some(machine), Some(only)) = (resource.machine, &conditions.only) {
        let place = add(Parameter::Integers(only.clone()), &mut fragment);
        parts.push(format!("{machine} = ANY({place})"));
    }
    if let (Some(machine), Some(machines)) = (resource.machine, &conditions.machines) {
        let first = FIRST_PARAMETER + fragment.parameters.len();
        let condition = machines.condition.to_sql(machines.now, first);
        fragment.parameters.extend(condition.parameters);
        parts.push(format!(
            "{machine} IN (SELECT machine.id FROM server_machine machine WHERE {})",
            condition.text
        ));
    }
    (fragment, parts.join(" AND "))
}

/// Each with a comma behind.
pub(super) fn order(resource: &Resource, order: &[Order]) -> String {
    if order.is_empty() {
        return resource.order.to_owned();
    }
    order
        .iter()
        .map(|order| {
            let direction = if order.descending { "DESC" } else { "ASC" };
            format!("{} {direction} NULLS LAST, ", order.column.sql)
        })
        .collect()
}

/// Parameter 1 is the scope, and has to occur.
fn in_scope(resource: &Resource, scope: &Scope) -> &'static str {
    match scope {
        Scope::All => "$1::int[] IS NULL",
        Scope::Units(_) => resource.scoped,
    }
}

/// What follows SELECT.
pub(super) fn columns<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let all: Vec<String> = columns
        .into_iter()
        .map(|Column { sql, kind, .. }| match kind {
            Kind::Integer => format!("({sql})::bigint"),
            Kind::Text | Kind::Uuid | Kind::Json => format!("({sql})::text"),
            Kind::Flag | Kind::Time => (*sql).to_owned(),
        })
        .collect();
    all.join(", ")
}

async fn records(
    resource: &Resource,
    sql: &str,
    fragment: &Fragment,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Record>, StoreError> {
    debug_assert_eq!(FIRST_PARAMETER, 2, "parameter 1 is the scope");
    let rows = run(sql, &[fragment], scope, db).await?;
    rows.iter().map(|row| record(resource, row)).collect()
}

fn record(resource: &Resource, row: &Row) -> Result<Record, StoreError> {
    let value = |(place, column): (usize, &Column)| {
        Ok(match cell(row, place, column.kind)? {
            Cell::Null => Value::Null,
            Cell::Integer(number) => Value::Integer(number),
            Cell::Text(text) => Value::Text(text.to_owned()),
            Cell::Flag(flag) => Value::Flag(flag),
            Cell::Time(at) => Value::Time(at),
            Cell::Json(text) => Value::Json(text.to_owned()),
        })
    };
    resource.columns.iter().enumerate().map(value).collect()
}
