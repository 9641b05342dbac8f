//! Reads the conditions of `plugin.toml`: a filter in the language of [`sal_query::parse`], as in the search box, or a
//! table such as `when = { field = "hd_percent", as = "number", lt = 80 }`, which says what the language does not: lists
//! in a text, and patterns.
//!
//! A table has one source: a value (`field`, `fact`, `historical_fact`, `row`, `item`, `app`, `profile`), or
//! `message`, `everything`, `all`, `any`, `not`. Several operators beside a value must all hold, of one and the same row.

use std::fmt;

use jiff::tz::TimeZone;
use sal_query::{
    Age, Cast, Check, Condition, Field, Operator, Related, Test, Value,
    check::{NothingNamed, check},
    pattern::checked_pattern,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::source::{self, ApplicationFile, ItemFile};

/// A condition.
pub(super) enum When {
    Filter(String),
    Table(Box<Table>),
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Tells the two apart by what stands there, so that mistakes in a table are worded as in any other.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a filter such as \"os_version < 15.1\", or a table with a condition")
    }

    fn visit_str<E>(self, text: &str) -> Result<When, E> {
        Ok(When::Filter(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(When::Table(Box::new(table)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    field: Option<String>,
    fact: Option<String>,
    historical_fact: Option<String>,
    row: Option<String>,
    item: Option<ItemFile>,
    app: Option<ApplicationFile>,
    profile: Option<String>,
    message: Option<String>,
    everything: Option<bool>,
    all: Option<Vec<When>>,
    any: Option<Vec<When>>,
    not: Option<Box<When>>,
    #[serde(flatten)]
    operators: Operators,
}

#[derive(Default, Deserialize)]
struct Operators {
    #[serde(rename = "as")]
    cast: Option<CastFile>,
    separator: Option<String>,
    eq: Option<Scalar>,
    ne: Option<Scalar>,
    lt: Option<Scalar>,
    le: Option<Scalar>,
    gt: Option<Scalar>,
    ge: Option<Scalar>,
    contains: Option<Scalar>,
    startswith: Option<Scalar>,
    regex: Option<String>,
    #[serde(rename = "in")]
    one_of: Option<Vec<String>>,
    subset_of: Option<Vec<String>>,
    has_other_than: Option<Vec<String>>,
    missing: Option<bool>,
    within: Option<String>,
    older_than: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CastFile {
    Text,
    Number,
    Version,
    Date,
    Bool,
    List,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Decimal(f64),
    Text(String),
}

/// Compiles a condition, or says what is wrong with it.
pub(super) fn compile(when: When) -> Result<Condition, String> {
    match when {
        When::Filter(text) => compile_filter(&text),
        When::Table(table) => compile_table(*table),
    }
}

/// Dates without an hour are those of UTC. A plugin names no saved search: those are of one database.
fn compile_filter(text: &str) -> Result<Condition, String> {
    if text.trim().is_empty() {
        return Err("an empty filter is every machine; write `{ everything = true }`".to_owned());
    }
    let parsed = sal_query::parse(text).map_err(|error| error.to_string())?;
    check(&parsed, &TimeZone::UTC, &NothingNamed).map_err(|error| error.to_string())
}

fn compile_table(mut when: Table) -> Result<Condition, String> {
    let operators = std::mem::take(&mut when.operators);
    let field = when.field.take();
    let mut related = related_sources(&mut when)?;
    let mut others = other_sources(when);
    match (field, related.pop(), others.pop()) {
        (Some(name), None, None) => compile_field(&name, &operators),
        (None, Some(source), None) if related.is_empty() => compile_related(source, &operators),
        (None, None, Some(condition)) if others.is_empty() => {
            if operators.any() {
                return Err("operators belong to a value".to_owned());
            }
            condition
        }
        _ => Err(format!("a condition has exactly one of {SOURCES}")),
    }
}

fn related_sources(when: &mut Table) -> Result<Vec<Related>, String> {
    let sources = [
        when.fact.take().map(|text| Ok(source::fact(&text))),
        when.historical_fact
            .take()
            .map(|text| Ok(source::historical_fact(&text))),
        when.row.take().map(|text| source::row(&text)),
        when.item.take().map(|item| Ok(item.related())),
        when.app.take().map(ApplicationFile::related),
        when.profile.take().map(|identifier| {
            Ok(Related::Profile {
                identifier: Some(identifier),
            })
        }),
    ];
    sources.into_iter().flatten().collect()
}

fn other_sources(when: Table) -> Vec<Result<Condition, String>> {
    let parts = [
        when.message.map(|level| Ok(Condition::has_message(&level))),
        when.everything.map(everything),
        when.all
            .map(|parts| Ok(Condition::all(compile_each(parts)?))),
        when.any
            .map(|parts| Ok(Condition::any(compile_each(parts)?))),
        when.not.map(|part| Ok(compile(*part)?.negate())),
    ];
    parts.into_iter().flatten().collect()
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

fn compile_field(name: &str, operators: &Operators) -> Result<Condition, String> {
    let field = Field::parse(name).ok_or_else(|| format!("a machine has no field `{name}`"))?;
    let words = |error: sal_query::ConditionError| error.to_string();
    let mut parts = Vec::new();
    for (operator, value) in operators.comparisons() {
        parts.push(compare(field, operator, value, operators.cast)?);
    }
    if let Some(values) = &operators.one_of {
        parts.push(Condition::one_of(field, values.clone()).map_err(words)?);
    }
    if let Some(missing) = operators.missing {
        let condition = Condition::missing(field);
        parts.push(if missing {
            condition
        } else {
            condition.negate()
        });
    }
    if let Some(age) = &operators.within {
        parts.push(Condition::within(field, parse_age(age)?).map_err(words)?);
    }
    if let Some(age) = &operators.older_than {
        parts.push(Condition::older_than(field, parse_age(age)?).map_err(words)?);
    }
    if operators.regex.is_some()
        || operators.subset_of.is_some()
        || operators.has_other_than.is_some()
    {
        return Err("a field knows no `regex`, `subset_of`, `has_other_than`".to_owned());
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
    cast: Option<CastFile>,
) -> Result<Condition, String> {
    let condition = match (cast, value) {
        (Some(CastFile::Number), Scalar::Integer(number)) => {
            Condition::number_in_text(field, operator, *number)
        }
        (Some(_), _) => {
            return Err("a field is read `as = \"number\"`, with a whole number".to_owned());
        }
        (None, Scalar::Boolean(flag)) => Condition::compare(field, operator, Value::Boolean(*flag)),
        (None, Scalar::Integer(number)) => {
            Condition::compare(field, operator, Value::Integer(*number))
        }
        (None, Scalar::Decimal(_)) => return Err("write a whole number".to_owned()),
        (None, Scalar::Text(text)) => {
            Condition::compare(field, operator, Value::Text(text.clone()))
        }
    };
    condition.map_err(|error| error.to_string())
}

fn compile_related(related: Related, operators: &Operators) -> Result<Condition, String> {
    let words = |error: sal_query::ConditionError| error.to_string();
    let cast = operators.cast()?;
    let test = |check| Test::new(cast.clone(), check).map_err(|error| error.to_string());
    let mut tests = Vec::new();
    for (operator, value) in operators.comparisons() {
        if cast == Cast::Text && !matches!(value, Scalar::Text(_)) {
            let message = "the value is text: write one, or add `as = \"number\"` or another cast";
            return Err(message.to_owned());
        }
        tests.push(test(Check::Compare(operator, value.text()))?);
    }
    let lists = [
        operators.one_of.clone().map(Check::OneOf),
        operators.subset_of.clone().map(Check::SubsetOf),
        operators.has_other_than.clone().map(Check::HasOtherThan),
    ];
    for check in lists.into_iter().flatten() {
        tests.push(test(check)?);
    }
    if let Some(pattern) = &operators.regex {
        tests.push(test(Check::Matches(checked_pattern(pattern)?))?);
    }
    if let Some(age) = &operators.within {
        tests.push(test(Check::Within(parse_age(age)?))?);
    }
    if let Some(age) = &operators.older_than {
        tests.push(test(Check::OlderThan(parse_age(age)?))?);
    }
    match operators.missing {
        None => Condition::has(related, tests).map_err(words),
        Some(missing) if tests.is_empty() => {
            let differs = Check::Compare(Operator::NotEqual, String::new());
            let filled = Test::new(Cast::Text, differs).map_err(words)?;
            let there = Condition::has(related, vec![filled]).map_err(words)?;
            Ok(if missing { there.negate() } else { there })
        }
        Some(_) => Err("`missing` stands alone".to_owned()),
    }
}

impl Operators {
    fn comparisons(&self) -> impl Iterator<Item = (Operator, &Scalar)> {
        [
            (Operator::Equal, &self.eq),
            (Operator::NotEqual, &self.ne),
            (Operator::Less, &self.lt),
            (Operator::LessOrEqual, &self.le),
            (Operator::Greater, &self.gt),
            (Operator::GreaterOrEqual, &self.ge),
            (Operator::Contains, &self.contains),
            (Operator::StartsWith, &self.startswith),
        ]
        .into_iter()
        .filter_map(|(operator, value)| Some((operator, value.as_ref()?)))
    }

    fn any(&self) -> bool {
        self.comparisons().next().is_some()
            || self.cast.is_some()
            || self.separator.is_some()
            || self.regex.is_some()
            || self.one_of.is_some()
            || self.subset_of.is_some()
            || self.has_other_than.is_some()
            || self.missing.is_some()
            || self.within.is_some()
            || self.older_than.is_some()
    }

    fn cast(&self) -> Result<Cast, String> {
        let cast = match (self.cast, &self.separator) {
            (Some(CastFile::List), Some(separator)) => Cast::List(separator.clone()),
            (Some(CastFile::List), None) => {
                return Err("`as = \"list\"` needs `separator`".to_owned());
            }
            (_, Some(_)) => return Err("`separator` belongs to `as = \"list\"`".to_owned()),
            (None | Some(CastFile::Text), None) => Cast::Text,
            (Some(CastFile::Number), None) => Cast::Number,
            (Some(CastFile::Version), None) => Cast::Version,
            (Some(CastFile::Date), None) => Cast::Date,
            (Some(CastFile::Bool), None) => Cast::Boolean,
        };
        Ok(cast)
    }
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Boolean(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

fn parse_age(text: &str) -> Result<Age, String> {
    Age::parse(text).map_err(|error| error.to_string())
}

const SOURCES: &str = "`field`, `fact`, `historical_fact`, `row`, `item`, `app`, `profile`, `message`, `everything`, \
    `all`, `any`, `not`";
