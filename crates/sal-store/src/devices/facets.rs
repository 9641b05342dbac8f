//! How the machines of a list differ: counts per value of a few fields, and under given conditions. One statement.

use jiff::Timestamp;
use sal_query::{Condition, Fragment, Parameter};

use super::filter::{DeviceFilter, MODEL_FAMILY};
use crate::{
    error::StoreError,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// By what machines are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouped {
    /// Family of the operating system.
    OsFamily,
    /// Version of the operating system.
    OperatingSystem,
    /// Business unit.
    Unit,
    /// Machine group.
    Group,
    /// Model identifier before its first digit.
    ModelFamily,
}

/// A value and how many machines of the list have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    /// By what.
    pub grouped: Grouped,
    /// The value; an id for units and groups.
    pub value: String,
    /// The name of the unit or group; the value itself elsewhere.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// The counts of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// How many machines each of the given conditions holds for, in their order.
    pub conditions: Vec<i64>,
    /// The most frequent values, most frequent first in each group.
    pub values: Vec<FacetCount>,
}

/// Counts the machines of a list by their values and under each of `conditions`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn facets(
    filter: &DeviceFilter,
    conditions: &[Condition],
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Facets, StoreError> {
    let mut fragment = filter.to_sql(now);
    let counts: Vec<String> = conditions
        .iter()
        .map(|condition| count_under(condition, now, &mut fragment))
        .collect();
    let counts = if counts.is_empty() {
        "'{}'::bigint[]".to_owned()
    } else {
        format!("ARRAY[{}]", counts.join(", "))
    };
    let sql = format!(
        "WITH base AS MATERIALIZED ( \
             SELECT machine.id, machine.os_family, machine.operating_system, machine.last_checkin, \
                    machine.broken_client, machine.deployed, machine.machine_group_id, \
                    machine_group.business_unit_id, {MODEL_FAMILY} AS model_family \
             FROM {MACHINES_IN_SCOPE} WHERE {} \
         ), grouped AS ( \
             SELECT grouping(os_family, operating_system, business_unit_id, machine_group_id, model_family) AS sets, \
                    coalesce(os_family, operating_system, business_unit_id::text, machine_group_id::text, model_family) AS value, \
                    count(*) AS count \
             FROM base GROUP BY GROUPING SETS \
                 ((os_family), (operating_system), (business_unit_id), (machine_group_id), (model_family)) \
         ), ranked AS ( \
             SELECT sets, value, count, row_number() OVER (PARTITION BY sets ORDER BY count DESC, value) AS place \
             FROM grouped WHERE value <> '' \
         ) \
         SELECT ranked.sets, ranked.value, coalesce(unit.name, machine_group.name, ranked.value), ranked.count, NULL::bigint[] \
         FROM ranked \
         LEFT JOIN server_businessunit unit ON ranked.sets = {UNIT} AND unit.id::text = ranked.value \
         LEFT JOIN server_machinegroup machine_group ON ranked.sets = {GROUP} AND machine_group.id::text = ranked.value \
         WHERE ranked.place <= {MOST_VALUES} \
         UNION ALL SELECT NULL, NULL, NULL, NULL, {counts} FROM base machine \
         ORDER BY 1, 4 DESC, 3",
        fragment.text
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    read(&rows)
}

/// A count under a condition, whose parameters go behind those that are there.
fn count_under(condition: &Condition, now: Timestamp, fragment: &mut Fragment) -> String {
    let first = FIRST_PARAMETER + fragment.parameters.len();
    let under: Fragment = condition.to_sql(now, first);
    let parameters: Vec<Parameter> = under.parameters;
    fragment.parameters.extend(parameters);
    format!("count(*) FILTER (WHERE {})", under.text)
}

fn read(rows: &[tokio_postgres::Row]) -> Result<Facets, StoreError> {
    let mut facets = Facets::default();
    for row in rows {
        let sets: Option<i32> = row.try_get(0)?;
        let Some(sets) = sets else {
            facets.conditions = row.try_get(4)?;
            continue;
        };
        let grouped = match sets {
            OS_FAMILY => Grouped::OsFamily,
            OPERATING_SYSTEM => Grouped::OperatingSystem,
            UNIT => Grouped::Unit,
            GROUP => Grouped::Group,
            _ => Grouped::ModelFamily,
        };
        facets.values.push(FacetCount {
            grouped,
            value: row.try_get(1)?,
            name: row.try_get(2)?,
            count: row.try_get(3)?,
        });
    }
    Ok(facets)
}

/// `grouping()` has a bit for each of its five arguments, 0 for the one that is grouped by.
const OS_FAMILY: i32 = 0b01111;
const OPERATING_SYSTEM: i32 = 0b10111;
const UNIT: i32 = 0b11011;
const GROUP: i32 = 0b11101;
/// More values than this are not looked through; search finds them.
const MOST_VALUES: i32 = 12;
