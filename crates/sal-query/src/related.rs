//! What belongs to a machine in other tables: facts, results of plugin scripts, managed items, messages, applications,
//! profiles; and tests on their values.
//!
//! A test holds when ONE row fulfils all of it: "SIP is Disabled" asks for a row named SIP whose value is Disabled.
//! Values in these tables are text, so a test says how to read them; a text that cannot be read that way fulfils no
//! test, and never breaks the query.

use jiff::Timestamp;

use crate::{
    age::Age,
    condition::{ConditionError, Operator},
};

/// Rows of another table that belong to a machine, and which of their columns is the value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Related {
    /// A fact; the value is its data.
    Fact {
        /// Name of the management source; any when absent.
        source: Option<String>,
        /// Name of the fact.
        name: String,
    },
    /// Every value that a fact of `SAL_HISTORICAL_FACTS` ever had.
    HistoricalFact {
        /// Name of the management source; any when absent.
        source: Option<String>,
        /// Name of the fact.
        name: String,
    },
    /// A row that a plugin script reported; the value is its data.
    Row {
        /// The script's name for itself, often the plugin's.
        plugin: String,
        /// Name of the row.
        name: String,
    },
    /// A managed item; the value is its name.
    Item {
        /// Name of the management source; any when absent.
        source: Option<String>,
        /// `PRESENT`, `PENDING`, …; any when absent.
        status: Option<String>,
        /// Name of the item; any when absent.
        name: Option<String>,
    },
    /// A message; the value is its text.
    Message {
        /// `ERROR`, `WARNING`, …
        levels: Vec<String>,
    },
    /// An application of the inventory; the value is its version.
    Application {
        /// What is compared with `text`.
        by: ApplicationKey,
        /// The name, bundle identifier or path.
        text: String,
    },
    /// A configuration profile; the value is its display name.
    Profile {
        /// Its identifier; any when absent.
        identifier: Option<String>,
    },
}

/// How an application is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApplicationKey {
    /// By its name.
    Name,
    /// By its bundle identifier.
    BundleId,
    /// By the path it lies at.
    Path,
}

/// How a text is read before it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cast {
    /// As it is.
    #[default]
    Text,
    /// A decimal number.
    Number,
    /// Numbers separated by dots, compared one by one.
    Version,
    /// A date and time in ISO form, with or without zone, or seconds since 1970.
    Date,
    /// `True`, `1`, `yes`, `on`; `False`, `0`, `no`, `off`; in any letter case.
    Boolean,
    /// Several texts with this between them.
    List(String),
    /// A column that is a whole number in the database.
    Whole,
    /// A column that is a moment in the database.
    Moment,
    /// A column that is yes or no in the database.
    Flag,
}

/// A comparison of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// With a text, number, version or flag, as the cast says; the operand is written as text.
    Compare(Operator, String),
    /// With a whole number.
    Is(Operator, i64),
    /// With a moment.
    At(Operator, Timestamp),
    /// One of these texts; for a list, at least one element is.
    OneOf(Vec<String>),
    /// One of these texts, in any letter case.
    SameAsOne(Vec<String>),
    /// No other elements than these. Lists only.
    SubsetOf(Vec<String>),
    /// At least one element that is not one of these. Lists only.
    HasOtherThan(Vec<String>),
    /// Matches a regular expression of Postgres that the caller has checked.
    Matches(String),
    /// A date at most this long ago.
    Within(Age),
    /// A date at least this long ago.
    OlderThan(Age),
    /// No value, or an empty one.
    Empty,
}

/// A value read in one way and compared once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    cast: Cast,
    check: Check,
}

impl Test {
    /// Joins a cast and a check.
    ///
    /// # Errors
    /// When they do not fit, or the operand is not what the cast asks for.
    pub fn new(cast: Cast, check: Check) -> Result<Self, ConditionError> {
        let misfit = |wanted| {
            Err(ConditionError::WrongTest {
                cast: describe(&cast),
                wanted,
            })
        };
        let operands: Vec<&str> = match &check {
            Check::Compare(_, text) => vec![text],
            Check::OneOf(texts)
            | Check::SameAsOne(texts)
            | Check::SubsetOf(texts)
            | Check::HasOtherThan(texts) => texts.iter().map(String::as_str).collect(),
            Check::Matches(text) => vec![text],
            Check::Within(_)
            | Check::OlderThan(_)
            | Check::Empty
            | Check::Is(..)
            | Check::At(..) => Vec::new(),
        };
        if operands.iter().any(|text| text.contains('\0')) {
            return Err(ConditionError::NulCharacter { field: "value" });
        }
        let is_order = |operator: &Operator| !operator.is_for_text();
        let fits = match (&cast, &check) {
            (
                Cast::Text,
                Check::Compare(..) | Check::OneOf(_) | Check::Matches(_) | Check::Empty,
            ) => true,
            (Cast::Number, Check::Compare(operator, text)) => is_order(operator) && is_number(text),
            (Cast::Version, Check::Compare(operator, text)) => {
                is_order(operator) && is_version(text)
            }
            (Cast::Boolean, Check::Compare(operator, text)) => {
                matches!(operator, Operator::Equal | Operator::NotEqual)
                    && matches!(text.as_str(), "true" | "false")
            }
            (Cast::Date, Check::Within(_) | Check::OlderThan(_)) => true,
            (Cast::List(separator), Check::Compare(operator, _)) => {
                !separator.is_empty() && matches!(operator, Operator::Equal)
            }
            (
                Cast::List(separator),
                Check::OneOf(_) | Check::SubsetOf(_) | Check::HasOtherThan(_),
            ) => !separator.is_empty(),
            _ => false,
        };
        if fits {
            return Ok(Self { cast, check });
        }
        match &cast {
            Cast::Text => {
                misfit("eq, ne, lt, le, gt, ge, in, contains, startswith, regex, missing")
            }
            Cast::Number => misfit("eq, ne, lt, le, gt, ge with a number"),
            Cast::Version => misfit("eq, ne, lt, le, gt, ge with a version such as 15.1"),
            Cast::Boolean => misfit("eq, ne with true or false"),
            Cast::Date => misfit("within, older_than"),
            Cast::List(_) => misfit("eq, in, subset_of, has_other_than"),
            Cast::Whole | Cast::Moment | Cast::Flag => misfit("a column of the machine"),
        }
    }

    /// A test that [`mod@crate::check`] has put together: it knows the column's type and has read the operand.
    pub(crate) fn trusted(cast: Cast, check: Check) -> Self {
        Self { cast, check }
    }

    /// Holds for this text in any letter case.
    pub(crate) fn same(text: &str) -> Self {
        Self::trusted(Cast::Text, Check::Compare(Operator::Same, text.to_owned()))
    }

    /// The only text that fulfils the test, where there is one.
    pub(crate) fn is_exactly(&self) -> Option<&str> {
        match (&self.cast, &self.check) {
            (Cast::Text, Check::Compare(Operator::Equal, text)) => Some(text),
            _ => None,
        }
    }

    /// How the value is read.
    #[must_use]
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// What it is compared with.
    #[must_use]
    pub fn check(&self) -> &Check {
        &self.check
    }
}

impl Related {
    /// Whether any part holds a NUL character, which Postgres cannot hold.
    pub(crate) fn has_nul(&self) -> bool {
        let nul = |text: &String| text.contains('\0');
        match self {
            Self::Fact { source, name } | Self::HistoricalFact { source, name } => {
                source.as_ref().is_some_and(nul) || nul(name)
            }
            Self::Row { plugin, name } => nul(plugin) || nul(name),
            Self::Item {
                source,
                status,
                name,
            } => [source, status, name].into_iter().flatten().any(nul),
            Self::Message { levels } => levels.iter().any(nul),
            Self::Application { text, .. } => nul(text),
            Self::Profile { identifier } => identifier.as_ref().is_some_and(nul),
        }
    }
}

fn describe(cast: &Cast) -> &'static str {
    match cast {
        Cast::Text => "text",
        Cast::Number => "a number",
        Cast::Version => "a version",
        Cast::Date => "a date",
        Cast::Boolean => "yes or no",
        Cast::List(_) => "a list",
        Cast::Whole => "a whole number",
        Cast::Moment => "a moment",
        Cast::Flag => "a flag",
    }
}

/// Digits with at most one point, and a minus.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let fine = |part: &str| {
        !part.is_empty() && part.len() <= 30 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    fine(whole) && fine(rest)
}

pub(crate) fn is_version(text: &str) -> bool {
    text.len() <= 60
        && text.split('.').all(|part| {
            (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(operator: Operator, text: &str) -> Check {
        Check::Compare(operator, text.to_owned())
    }

    #[test]
    fn a_check_must_fit_how_the_value_is_read() {
        let list = Cast::List("+".to_owned());
        for (cast, check) in [
            (Cast::Number, compare(Operator::Less, "89.5")),
            (Cast::Number, compare(Operator::Less, "-3")),
            (Cast::Version, compare(Operator::GreaterOrEqual, "15.1.1")),
            (Cast::Boolean, compare(Operator::Equal, "true")),
            (Cast::Date, Check::Within(Age::parse("1d").unwrap())),
            (list.clone(), Check::SubsetOf(vec!["a".to_owned()])),
            (Cast::Text, Check::Matches("^a".to_owned())),
        ] {
            assert!(
                Test::new(cast.clone(), check.clone()).is_ok(),
                "{cast:?} {check:?}"
            );
        }
        for (cast, check) in [
            (Cast::Number, compare(Operator::Less, "1.2.3")),
            (Cast::Number, compare(Operator::Contains, "1")),
            (Cast::Number, compare(Operator::Less, "")),
            (Cast::Version, compare(Operator::Less, "15.x")),
            (Cast::Boolean, compare(Operator::Equal, "maybe")),
            (Cast::Date, compare(Operator::Less, "2026-01-01")),
            (Cast::Text, Check::Within(Age::parse("1d").unwrap())),
            (Cast::List(String::new()), Check::OneOf(vec![])),
            (list, Check::Empty),
            (Cast::Text, compare(Operator::Equal, "a\0")),
        ] {
            assert!(
                Test::new(cast.clone(), check.clone()).is_err(),
                "{cast:?} {check:?}"
            );
        }
    }
}
