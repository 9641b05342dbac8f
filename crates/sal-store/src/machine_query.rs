//! Runs statements whose conditions come from [`sal_query`]: one place that joins a filter's SQL, its
//! parameters and the viewer's scope.
//!
//! Parameter 1 is always the scope. Statements go out unprepared with their types, which costs one round trip
//! and lets Postgres plan with the values.

use sal_query::{Fragment, Parameter};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    error::StoreError,
    pool::{Executor, query_typed},
    scope::Scope,
};

/// Number of the first parameter a filter may take.
pub(crate) const FIRST_PARAMETER: usize = 2;

/// The machines a viewer may see, under the alias that filters use.
pub(crate) const MACHINES_IN_SCOPE: &str = "server_machine machine \
    JOIN server_machinegroup machine_group ON machine_group.id = machine.machine_group_id \
    AND ($1::int[] IS NULL OR machine_group.business_unit_id = ANY($1::int[]))";

/// Sends a statement with the scope as parameter 1 and the fragments' parameters after it.
pub(crate) async fn run(
    sql: &str,
    fragments: &[&Fragment],
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Row>, StoreError> {
    let units = scope.units();
    let values = fragments.iter().flat_map(|fragment| &fragment.parameters);
    let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&units, Type::INT4_ARRAY)];
    parameters.extend(values.map(typed));
    query_typed(sql, &parameters, db).await
}

/// Appends a parameter and returns its place, such as `$7`.
pub(crate) fn add(value: Parameter, fragment: &mut Fragment) -> String {
    let place = FIRST_PARAMETER + fragment.parameters.len();
    fragment.parameters.push(value);
    format!("${place}")
}

/// A parameter with its type, as a statement takes it.
pub(crate) fn typed(parameter: &Parameter) -> (&(dyn ToSql + Sync), Type) {
    match parameter {
        Parameter::Text(value) => (value, Type::TEXT),
        Parameter::Integer(value) => (value, Type::INT8),
        Parameter::Boolean(value) => (value, Type::BOOL),
        Parameter::Time(value) => (value, Type::TIMESTAMPTZ),
        Parameter::Texts(value) => (value, Type::TEXT_ARRAY),
        Parameter::Integers(value) => (value, Type::INT8_ARRAY),
    }
}
