//! Reads the conditions of `plugin.toml`: `when = { field = "hd_percent", as = "number", lt = 80 }`.
//!
//! A condition has one source (`field`, `message`, `everything`, `all`, `any`, `not`); several
//! operators beside a field must all hold.

use sal_query::{Age, Condition, Field, Operator, Value};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    field: Option<String>,
    message: Option<String>,
    everything: Option<bool>,
    all: Option<Vec<When>>,
    any: Option<Vec<When>>,
    not: Option<Box<When>>,
    #[serde(rename = "as")]
    cast: Option<Cast>,
    eq: Option<Scalar>,
    ne: Option<Scalar>,
    lt: Option<Scalar>,
    le: Option<Scalar>,
    gt: Option<Scalar>,
    ge: Option<Scalar>,
    contains: Option<Scalar>,
    startswith: Option<Scalar>,
    #[serde(rename = "in")]
    one_of: Option<Vec<String>>,
    missing: Option<bool>,
    within: Option<String>,
    older_than: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cast {
    Number,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Text(String),
}

/// Compiles a condition, or says what is wrong with it.
pub(super) fn compile(mut when: When) -> Result<Condition, String> {
    let field = when.field.take();
    let others = [
        when.message
            .take()
            .map(|level| Ok(Condition::has_message(&level))),
        when.everything.take().map(everything),
        when.all
            .take()
            .map(|parts| Ok(Condition::all(compile_each(parts)?))),
        when.any
            .take()
            .map(|parts| Ok(Condition::any(compile_each(parts)?))),
        when.not.take().map(|part| Ok(compile(*part)?.negate())),
    ];
    let mut others = others.into_iter().flatten();
    let condition = match (field, others.next(), others.next()) {
        (Some(name), None, None) => return compile_field(&name, &when),
        (None, Some(condition), None) => condition?,
        _ => return Err(format!("a condition has exactly one of {SOURCES}")),
    };
    if has_operators(&when) {
        return Err("operators belong to `field`".to_owned());
    }
    Ok(condition)
}

fn everything(flag: bool) -> Result<Condition, String> {
    if flag {
        Ok(Condition::everything())
    } else {
        Err("`everything` is true or absent".to_owned())
    }
}

fn compile_each(parts: Vec<When>) -> Result<Vec<Condition>, String> {
    parts.into_iter().map(compile).collect()
}

fn compile_field(name: &str, when: &When) -> Result<Condition, String> {
    let field = Field::parse(name).ok_or_else(|| format!("a machine has no field `{name}`"))?;
    let mut parts = Vec::new();
    for (operator, value) in comparisons(when) {
        parts.push(compare(field, operator, value, when.cast)?);
    }
    if let Some(values) = &when.one_of {
        parts.push(Condition::one_of(field, values.clone()).map_err(|error| error.to_string())?);
    }
    if let Some(missing) = when.missing {
        let condition = Condition::missing(field);
        parts.push(if missing {
            condition
        } else {
            condition.negate()
        });
    }
    if let Some(age) = &when.within {
        parts.push(Condition::within(field, parse_age(age)?).map_err(|error| error.to_string())?);
    }
    if let Some(age) = &when.older_than {
        let age = parse_age(age)?;
        parts.push(Condition::older_than(field, age).map_err(|error| error.to_string())?);
    }
    if parts.is_empty() {
        return Err(format!(
            "the condition on `{name}` needs at least one operator"
        ));
    }
    Ok(Condition::all(parts))
}

fn compare(
    field: Field,
    operator: Operator,
    value: &Scalar,
    cast: Option<Cast>,
) -> Result<Condition, String> {
    let condition = match (cast, value) {
        (Some(Cast::Number), Scalar::Integer(number)) => {
            Condition::number_in_text(field, operator, *number)
        }
        (Some(Cast::Number), _) => return Err("`as = \"number\"` needs a whole number".to_owned()),
        (None, Scalar::Boolean(flag)) => Condition::compare(field, operator, Value::Boolean(*flag)),
        (None, Scalar::Integer(number)) => {
            Condition::compare(field, operator, Value::Integer(*number))
        }
        (None, Scalar::Text(text)) => {
            Condition::compare(field, operator, Value::Text(text.clone()))
        }
    };
    condition.map_err(|error| error.to_string())
}

fn comparisons(when: &When) -> impl Iterator<Item = (Operator, &Scalar)> {
    [
        (Operator::Equal, &when.eq),
        (Operator::NotEqual, &when.ne),
        (Operator::Less, &when.lt),
        (Operator::LessOrEqual, &when.le),
        (Operator::Greater, &when.gt),
        (Operator::GreaterOrEqual, &when.ge),
        (Operator::Contains, &when.contains),
        (Operator::StartsWith, &when.startswith),
    ]
    .into_iter()
    .filter_map(|(operator, value)| Some((operator, value.as_ref()?)))
}

fn has_operators(when: &When) -> bool {
    comparisons(when).next().is_some()
        || when.cast.is_some()
        || when.one_of.is_some()
        || when.missing.is_some()
        || when.within.is_some()
        || when.older_than.is_some()
}

fn parse_age(text: &str) -> Result<Age, String> {
    Age::parse(text).map_err(|error| error.to_string())
}

const SOURCES: &str = "`field`, `message`, `everything`, `all`, `any`, `not`";
