//! By what the list can be sorted, and the key that says where in a sorted list a machine stands.

use jiff::Timestamp;
use sal_query::{Parameter, sql::value::MachineValue};

use super::value_sort;
use crate::ids::MachineId;

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
    pub(super) fn sql(self) -> (&'static str, &'static str) {
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
}

/// By what the list is sorted: a column that every machine has, or a fact or plugin value that somebody asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum SortBy {
    /// A column.
    Column(Sort),
    /// A value; see [`value_sort`] for what is less.
    Value(MachineValue),
}

impl From<Sort> for SortBy {
    fn from(sort: Sort) -> Self {
        Self::Column(sort)
    }
}

impl SortBy {
    /// The value as SQL.
    pub(super) fn expression(&self) -> &'static str {
        match self {
            Self::Column(sort) => sort.expression(),
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
            Self::Column(sort) => format!("{place}::{}", sort.cast()),
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

macro_rules! sorts {
    ($($variant:ident $kind:ident $nullable:literal $doc:literal $sql:literal,)*) => {
        /// A column by which the list is sorted; equal values by id.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Sort {
            $(#[doc = $doc] $variant,)*
        }

        impl Sort {
            /// Every way of sorting.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value as SQL.
            fn expression(self) -> &'static str {
                match self { $(Self::$variant => $sql,)* }
            }

            /// Whether machines may be without a value.
            fn is_nullable(self) -> bool {
                match self { $(Self::$variant => $nullable,)* }
            }

            fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

sorts! {
    Hostname Text true "Name." "machine.hostname",
    Serial Text false "Serial number." "machine.serial",
    ConsoleUser Text true "User at the last check-in." "machine.console_user",
    Model Text true "Model as sold, else its identifier."
        "coalesce(nullif(machine.machine_model_friendly, ''), machine.machine_model)",
    MachineModel Text true "Model identifier." "machine.machine_model",
    OperatingSystem Text true "Version of the operating system." "machine.operating_system",
    Group Text false "Name of the machine group." "machine_group.name",
    Unit Text false "Name of the business unit." "business_unit.name",
    LastCheckin Time true "Last check-in." "machine.last_checkin",
    FirstCheckin Time true "First check-in." "machine.first_checkin",
    MunkiVersion Text true "Munki's version." "machine.munki_version",
    SalVersion Text true "Version of the client's scripts." "machine.sal_version",
    Manifest Text true "Munki's manifest." "machine.manifest",
    Memory Integer false "Memory." "machine.memory_kb",
    DiskUsed Decimal true "Used share of the disk; the column is text, and 9 is less than 80."
        "(CASE WHEN machine.hd_percent ~ '^ *[0-9]{1,30}([.][0-9]{1,30})? *$' THEN machine.hd_percent::numeric END)",
    DiskFree Integer true "Free disk space." "machine.hd_space",
    Cpu Text true "Processor." "machine.cpu_type",
    Deployed Boolean false "Whether it counts as deployed." "machine.deployed",
    Errors Integer false "Number of errors."
        "(SELECT count(*) FROM server_message WHERE machine_id = machine.id AND message_type = 'ERROR')",
    Warnings Integer false "Number of warnings."
        "(SELECT count(*) FROM server_message WHERE machine_id = machine.id AND message_type = 'WARNING')",
}

impl Sort {
    fn as_text(self) -> String {
        let value = self.expression();
        match self.kind() {
            Kind::Time => format!("((extract(epoch FROM {value}) * 1000000)::bigint::text)"),
            _ => format!("(({value})::text)"),
        }
    }

    /// The type that a parameter must be cast to.
    fn cast(self) -> &'static str {
        match self.kind() {
            Kind::Text => "text",
            Kind::Time => "timestamptz",
            Kind::Integer => "bigint",
            Kind::Decimal => "text::numeric",
            Kind::Boolean => "boolean",
        }
    }

    fn parse(self, text: &str) -> Option<Parameter> {
        match self.kind() {
            Kind::Text => (!text.contains('\0')).then(|| Parameter::Text(text.to_owned())),
            Kind::Time => Timestamp::from_microsecond(text.parse().ok()?)
                .ok()
                .map(Parameter::Time),
            Kind::Integer => text.parse().ok().map(Parameter::Integer),
            Kind::Decimal => is_decimal(text).then(|| Parameter::Text(text.to_owned())),
            Kind::Boolean => text.parse().ok().map(Parameter::Boolean),
        }
    }
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
        let key = |sort: Sort, value| SortKey::new(&sort.into(), value, MachineId(1)).is_some();
        for (sort, good, bad) in [
            (Sort::LastCheckin, "1700000000000000", "yesterday"),
            (Sort::Memory, "8388608", "8 GB"),
            (Sort::DiskUsed, "66.71", "NaN"),
            (Sort::DiskUsed, "100", "1e9999"),
            (Sort::Deployed, "true", "1"),
            (Sort::Hostname, "; DROP", "a\0b"),
        ] {
            assert!(key(sort, Some(good)), "{good}");
            assert!(!key(sort, Some(bad)), "{bad}");
        }
        assert!(!key(Sort::LastCheckin, Some("99999999999999999999")));
        assert!(!key(Sort::LastCheckin, Some("9223372036854775807")));
        assert!(key(Sort::Hostname, None) && !key(Sort::Serial, None));
    }
}
