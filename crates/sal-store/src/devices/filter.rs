//! Which machines a list shows: a condition, and the few things that conditions cannot say.

use jiff::Timestamp;
use sal_query::{Condition, Fragment, Parameter};
use tokio_postgres::types::Type;

use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE},
    pool::{Executor, query_typed},
    scope::Scope,
};

/// Which machines; all parts hold.
#[derive(Debug, Clone)]
pub struct DeviceFilter {
    /// What a condition can say.
    pub condition: Condition,
    /// Serial numbers in any letter case, or host names to the letter.
    pub names: Option<Vec<String>>,
    /// The model identifier without its numbers at the end, such as `MacBookPro`.
    pub model_family: Option<String>,
    /// Only these machines.
    pub ids: Option<Vec<MachineId>>,
}

impl From<Condition> for DeviceFilter {
    fn from(condition: Condition) -> Self {
        Self {
            condition,
            names: None,
            model_family: None,
            ids: None,
        }
    }
}

impl DeviceFilter {
    /// Only these machines.
    #[must_use]
    pub fn of_ids(ids: Vec<MachineId>) -> Self {
        Self {
            ids: Some(ids),
            ..Condition::everything().into()
        }
    }

    /// The expression after `WHERE`, its parameters numbered after the scope's.
    pub(crate) fn to_sql(&self, now: Timestamp) -> Fragment {
        let mut fragment = self.condition.to_sql(now, FIRST_PARAMETER);
        if let Some(names) = &self.names {
            let upper = names.iter().map(|name| name.to_uppercase()).collect();
            let serials = add(Parameter::Texts(upper), &mut fragment);
            let hostnames = add(Parameter::Texts(names.clone()), &mut fragment);
            and(
                &format!(
                    "(upper(machine.serial) = ANY({serials}::text[]) OR machine.hostname = ANY({hostnames}::text[]))"
                ),
                &mut fragment,
            );
        }
        if let Some(family) = &self.model_family {
            let family = add(Parameter::Text(family.clone()), &mut fragment);
            and(&format!("({MODEL_FAMILY} = {family}::text)"), &mut fragment);
        }
        if let Some(ids) = &self.ids {
            // As texts, because filters know no other arrays; the cast is made once, when the statement is planned.
            let texts = ids.iter().map(ToString::to_string).collect();
            let ids = add(Parameter::Texts(texts), &mut fragment);
            and(
                &format!("(machine.id = ANY(({ids}::text[])::bigint[]))"),
                &mut fragment,
            );
        }
        fragment
    }
}

/// Appends a parameter and returns its place, such as `$7`.
pub(super) fn add(value: Parameter, fragment: &mut Fragment) -> String {
    let place = FIRST_PARAMETER + fragment.parameters.len();
    fragment.parameters.push(value);
    format!("${place}")
}

fn and(condition: &str, fragment: &mut Fragment) {
    fragment.text = format!("({} AND {condition})", fragment.text);
}

/// A machine that one of the asked names belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName {
    /// Its serial number in upper case.
    pub serial: String,
    /// Its name.
    pub hostname: Option<String>,
}

/// The machines in scope that have one of these serial numbers, in any case, or host names.
///
/// # Errors
/// When the database cannot be asked.
pub async fn known_names(
    names: &[String],
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<KnownName>, StoreError> {
    let upper: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let sql = format!(
        "SELECT upper(machine.serial), machine.hostname FROM {MACHINES_IN_SCOPE}
         WHERE upper(machine.serial) = ANY($2::text[]) OR machine.hostname = ANY($3::text[])"
    );
    let units = scope.units();
    let rows = query_typed(
        &sql,
        &[
            (&units, Type::INT4_ARRAY),
            (&upper, Type::TEXT_ARRAY),
            (&names, Type::TEXT_ARRAY),
        ],
        db,
    )
    .await?;
    let known = rows.iter().map(|row| {
        Ok(KnownName {
            serial: row.try_get(0)?,
            hostname: row.try_get(1)?,
        })
    });
    known.collect()
}

/// `MacBookPro18,1` is of the family `MacBookPro`. Two plain functions: a regular expression costs twice as much.
pub(super) const MODEL_FAMILY: &str =
    "rtrim(split_part(machine.machine_model, ',', 1), '0123456789 ')";
