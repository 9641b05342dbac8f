//! How the machines of a list differ: counts per value of a few fields, and under given conditions. One statement.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sal_query::{Condition, Fragment, catalogue::MODEL_FAMILY};
use tokio_postgres::Row;

use super::bulk::ScopeGroup;
use crate::{
    error::StoreError,
    ids::GroupId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, run},
    pool::Executor,
    scope::Scope,
};

/// By what machines are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouped {
    /// Family of the operating system.
    OsFamily,
    /// Version of the operating system.
    OperatingSystem,
    /// Business unit.
    Unit,
    /// Machine group.
    Group,
    /// Model identifier without its numbers at the end.
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
    /// How many have errors.
    pub errors: i64,
    /// How many have warnings.
    pub warnings: i64,
    /// The most frequent values, most frequent first in each group.
    pub values: Vec<FacetCount>,
}

/// Counts the machines of a list by their values and under each of `conditions`, which must be about columns of the
/// machine that are among those of `base`. `groups` are those in scope: they have the names.
///
/// # Errors
/// When the database cannot be asked.
pub async fn facets(
    filter: &Condition,
    conditions: &[Condition],
    groups: &[ScopeGroup],
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Facets, StoreError> {
    let mut fragment = filter.to_sql(now, FIRST_PARAMETER);
    let mut counts = vec![
        "count(*) FILTER (WHERE machine.errors)".to_owned(),
        "count(*) FILTER (WHERE machine.warnings)".to_owned(),
    ];
    counts.extend(
        conditions
            .iter()
            .map(|condition| count_under(condition, now, &mut fragment)),
    );
    // Messages are put together once: asked for each machine, they made the planner compile the statement (JIT), which
    // took ten times as long as running it. The system and the group are the smallest sets from which the others follow.
    let sql = format!(
        "WITH base AS MATERIALIZED ( \
             SELECT machine.os_family, machine.operating_system, machine.last_checkin, machine.broken_client, \
                    machine.deployed, machine.machine_group_id, {MODEL_FAMILY} AS model_family, \
                    trouble.errors, trouble.warnings \
             FROM {MACHINES_IN_SCOPE} \
             LEFT JOIN ( \
                 SELECT machine_id, bool_or(message_type = 'ERROR') AS errors, bool_or(message_type = 'WARNING') AS warnings \
                 FROM server_message WHERE message_type IN ('ERROR', 'WARNING') GROUP BY machine_id \
             ) trouble ON trouble.machine_id = machine.id \
             WHERE {} \
         ) \
         SELECT grouping(os_family, machine_group_id, model_family) AS sets, os_family, operating_system, \
                machine_group_id, model_family, count(*), NULL::bigint[] \
         FROM base GROUP BY GROUPING SETS ((os_family, operating_system), (machine_group_id), (model_family)) \
         UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, ARRAY[{}] FROM base machine",
        fragment.text,
        counts.join(", "),
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    read(&rows, groups)
}

/// A count under a condition, whose parameters go behind those that are there.
fn count_under(condition: &Condition, now: Timestamp, fragment: &mut Fragment) -> String {
    let first = FIRST_PARAMETER + fragment.parameters.len();
    let under = condition.to_sql(now, first);
    fragment.parameters.extend(under.parameters);
    format!("count(*) FILTER (WHERE {})", under.text)
}

/// Counts by kind and value, with the names of the values.
type Counts = BTreeMap<(Grouped, String), (String, i64)>;

fn read(rows: &[Row], groups: &[ScopeGroup]) -> Result<Facets, StoreError> {
    let mut facets = Facets::default();
    let mut counts = Counts::new();
    let mut add = |grouped, value: String, name: String, count: i64| {
        if !value.is_empty() {
            counts.entry((grouped, value)).or_insert((name, 0)).1 += count;
        }
    };
    for row in rows {
        let Some(sets) = row.try_get::<_, Option<i32>>(0)? else {
            let mut under = row.try_get::<_, Vec<i64>>(6)?.into_iter();
            facets.errors = under.next().unwrap_or_default();
            facets.warnings = under.next().unwrap_or_default();
            facets.conditions = under.collect();
            continue;
        };
        let count: i64 = row.try_get(5)?;
        let text = |column| {
            row.try_get::<_, Option<String>>(column)
                .map(Option::unwrap_or_default)
        };
        match sets {
            SYSTEM => {
                let (family, version) = (text(1)?, text(2)?);
                add(Grouped::OsFamily, family.clone(), family, count);
                add(Grouped::OperatingSystem, version.clone(), version, count);
            }
            GROUP => {
                let id = GroupId(row.try_get(3)?);
                if let Some(group) = groups.iter().find(|group| group.id == id) {
                    add(Grouped::Group, id.to_string(), group.name.clone(), count);
                    add(
                        Grouped::Unit,
                        group.unit_id.to_string(),
                        group.unit.clone(),
                        count,
                    );
                }
            }
            _ => {
                let family = text(4)?;
                add(Grouped::ModelFamily, family.clone(), family, count);
            }
        }
    }
    facets.values = most_frequent(counts);
    Ok(facets)
}

/// The most frequent values of each kind; equally frequent ones by name.
fn most_frequent(counts: Counts) -> Vec<FacetCount> {
    let mut values: Vec<FacetCount> = counts
        .into_iter()
        .map(|((grouped, value), (name, count))| FacetCount {
            grouped,
            value,
            name,
            count,
        })
        .collect();
    values.sort_by(|a, b| {
        let by_count = b.count.cmp(&a.count);
        a.grouped
            .cmp(&b.grouped)
            .then(by_count)
            .then_with(|| a.name.cmp(&b.name))
    });
    let kinds = values.chunk_by(|a, b| a.grouped == b.grouped);
    kinds
        .flat_map(|kind| kind.iter().take(MOST_VALUES).cloned())
        .collect()
}

/// `grouping()` has a bit for each of its three arguments, 0 for one that is grouped by.
const SYSTEM: i32 = 0b011;
const GROUP: i32 = 0b101;
/// More values than this are not looked through; search finds them.
const MOST_VALUES: usize = 12;
