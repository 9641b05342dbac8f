//! By what the list can be sorted, and the key that says where in a sorted list a machine stands.

use std::borrow::Cow;

use sal_query::{Field, Parameter, catalogue::Meaning, field, sql::value::MachineValue};

use super::value_sort;
use crate::{ids::MachineId, keyset::moment, machine_row::MachineRow};

/// Direction of sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest, oldest, A first.
    Ascending,
    /// Largest, newest, Z first.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    /// The SQL keyword, and the operator for what comes after.
    pub(crate) fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::Ascending => ("ASC", ">"),
            Self::Descending => ("DESC", "<"),
        }
    }
}

/// What a sort value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Time,
    Integer,
    /// Digits with a point, compared as numbers.
    Decimal,
    Boolean,
    /// Numbers with dots between them; what is no version comes first.
    Version,
}

impl From<field::Kind> for Kind {
    fn from(kind: field::Kind) -> Self {
        match kind {
            field::Kind::Text => Self::Text,
            field::Kind::Time => Self::Time,
            field::Kind::Integer => Self::Integer,
            field::Kind::Boolean => Self::Boolean,
        }
    }
}

/// By what the list is sorted: a column that every machine has, or a fact or plugin value that somebody asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum SortBy {
    /// A column.
    Column(Sort),
    /// A value; see [`value_sort`] for what is less.
    Value(MachineValue),
}

impl From<Field> for SortBy {
    fn from(field: Field) -> Self {
        Self::Column(Sort::Field(field))
    }
}

impl From<Sort> for SortBy {
    fn from(sort: Sort) -> Self {
        Self::Column(sort)
    }
}

impl SortBy {
    /// The value as SQL.
    pub(super) fn expression(&self) -> Cow<'static, str> {
        match self {
            Self::Column(sort) => sort.expression(),
            Self::Value(_) => value_sort::KEY.into(),
        }
    }

    /// What is NULL for machines without a value.
    pub(super) fn plain(&self) -> &'static str {
        match self {
            Self::Column(sort) => sort.column(),
            Self::Value(_) => value_sort::KEY,
        }
    }

    /// Whether machines may be without a value. They come last in both directions.
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Column(sort) => sort.is_nullable(),
            Self::Value(_) => true,
        }
    }

    /// The value as text, as [`SortKey::new`] reads it: exact, whatever the session's settings are.
    pub(super) fn as_text(&self) -> String {
        match self {
            Self::Column(sort) => sort.as_text(),
            Self::Value(_) => value_sort::TEXT.to_owned(),
        }
    }

    /// The value of a key whose text is the parameter at `place`, to compare [`Self::expression`] with.
    pub(super) fn border(&self, place: &str) -> String {
        match self {
            Self::Column(sort) => sort.border(place),
            Self::Value(_) => value_sort::border(place),
        }
    }

    fn parse(&self, text: &str) -> Option<Parameter> {
        match self {
            Self::Column(sort) => sort.parse(text),
            Self::Value(_) => value_sort::is_text(text).then(|| Parameter::Text(text.to_owned())),
        }
    }
}

/// A column by which the list is sorted; equal values by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A column of the machine's own row. Sizes in words are sorted by their number.
    Field(Field),
    /// Model as sold, else its identifier.
    Model,
    /// Name of the machine group.
    Group,
    /// Name of the business unit.
    Unit,
    /// Number of errors.
    Errors,
    /// Number of warnings.
    Warnings,
}

impl Sort {
    /// The value as SQL.
    fn expression(self) -> Cow<'static, str> {
        match self.kind() {
            Kind::Version => versions(self.column()).into(),
            _ => self.column().into(),
        }
    }

    /// What the value is made of.
    fn column(self) -> &'static str {
        match self {
            Self::Field(Field::Memory) => Field::MemoryKb.column(),
            // The column is text, and 9 is less than 80.
            Self::Field(Field::HdPercent) => {
                "(CASE WHEN machine.hd_percent ~ '^ *[0-9]{1,30}([.][0-9]{1,30})? *$' \
                 THEN machine.hd_percent::numeric END)"
            }
            Self::Field(field) => field.column(),
            Self::Model => {
                "coalesce(nullif(machine.machine_model_friendly, ''), machine.machine_model)"
            }
            Self::Group => "machine_group.name",
            Self::Unit => "business_unit.name",
            Self::Errors => {
                "(SELECT count(*) FROM server_message WHERE machine_id = machine.id AND message_type = 'ERROR')"
            }
            Self::Warnings => {
                "(SELECT count(*) FROM server_message WHERE machine_id = machine.id AND message_type = 'WARNING')"
            }
        }
    }

    /// Whether machines may be without a value.
    fn is_nullable(self) -> bool {
        match self {
            Self::Field(Field::Memory) => false,
            Self::Field(field) => MachineRow::may_miss(field),
            Self::Model => true,
            Self::Group | Self::Unit | Self::Errors | Self::Warnings => false,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Field(Field::Memory) => Kind::Integer,
            Self::Field(Field::HdPercent) => Kind::Decimal,
            Self::Field(field) if field.meaning() == Meaning::Version => Kind::Version,
            Self::Field(field) => field.kind().into(),
            Self::Model | Self::Group | Self::Unit => Kind::Text,
            Self::Errors | Self::Warnings => Kind::Integer,
        }
    }

    fn as_text(self) -> String {
        let value = self.column();
        match self.kind() {
            Kind::Time => format!("((extract(epoch FROM {value}) * 1000000)::bigint::text)"),
            _ => format!("(({value})::text)"),
        }
    }

    /// The value of a key whose text is the parameter at `place`.
    fn border(self, place: &str) -> String {
        match self.kind() {
            Kind::Text => format!("{place}::text"),
            Kind::Time => format!("{place}::timestamptz"),
            Kind::Integer => format!("{place}::bigint"),
            Kind::Decimal => format!("{place}::text::numeric"),
            Kind::Boolean => format!("{place}::boolean"),
            Kind::Version => versions(&format!("{place}::text")),
        }
    }

    fn parse(self, text: &str) -> Option<Parameter> {
        match self.kind() {
            Kind::Text | Kind::Version => {
                (!text.contains('\0')).then(|| Parameter::Text(text.to_owned()))
            }
            Kind::Time => moment(text).map(Parameter::Time),
            Kind::Integer => text.parse().ok().map(Parameter::Integer),
            Kind::Decimal => is_decimal(text).then(|| Parameter::Text(text.to_owned())),
            Kind::Boolean => text.parse().ok().map(Parameter::Boolean),
        }
    }
}

/// The numbers, then the text, of one type on both sides of a comparison; NULL without a text.
fn versions(text: &str) -> String {
    format!(
        "(CASE WHEN {text} IS NOT NULL THEN ROW(coalesce({}, ARRAY[]::numeric[]), {text}::text) END)",
        value_sort::version(text)
    )
}

/// Digits, with a point between them or without.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| {
        (1..=30).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    match text.split_once('.') {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(text),
    }
}

/// Where a machine stands in a list that is sorted in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// Its value; none for machines without one, which stand at the end.
    pub(super) value: Option<Parameter>,
    /// Its id.
    pub(super) id: MachineId,
}

impl SortKey {
    /// Reads a key as it came back from a reader; `None` when it is none of this way of sorting.
    #[must_use]
    pub fn new(sort: &SortBy, value: Option<&str>, id: MachineId) -> Option<Self> {
        let value = match value {
            Some(text) => Some(sort.parse(text)?),
            None if sort.is_nullable() => None,
            None => return None,
        };
        Some(Self { value, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_kind_is_no_key() {
        let key = |sort: Field, value| SortKey::new(&sort.into(), value, MachineId(1)).is_some();
        for (sort, good, bad) in [
            (Field::LastCheckin, "1700000000000000", "yesterday"),
            (Field::Memory, "8388608", "8 GB"),
            (Field::HdPercent, "66.71", "NaN"),
            (Field::HdPercent, "100", "1e9999"),
            (Field::Deployed, "true", "1"),
            (Field::Hostname, "; DROP", "a\0b"),
        ] {
            assert!(key(sort, Some(good)), "{good}");
            assert!(!key(sort, Some(bad)), "{bad}");
        }
        assert!(!key(Field::LastCheckin, Some("99999999999999999999")));
        assert!(!key(Field::LastCheckin, Some("9223372036854775807")));
        // The year -9999, which jiff has and Postgres has not.
        assert!(!key(Field::LastCheckin, Some("-377705023201000000")));
        assert!(key(Field::Hostname, None) && !key(Field::Serial, None));
    }
}
