//! A filter as data: what somebody asked, before names and types are looked at.
//!
//! The text of [`crate::parse`], the JSON of the API and the builder of the pages are three spellings of this tree.
//! [`crate::check`] turns it into a [`crate::Condition`].
//!
//! The JSON, by example: `{"all": [{"field": "os_version", "op": "<", "value": "15.1"},
//! {"not": {"field": "fact", "of": "Puppet/role", "op": "=", "value": "kiosk"}}, {"words": ["anna"]},
//! {"rows": "application", "where": {"field": "name", "op": "=", "value": "Firefox"}}]}`.

use serde::{Deserialize, Serialize};

/// A filter on machines; below [`Rows`], on one row that belongs to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expr {
    /// All parts hold; none at all is true.
    All {
        /// The parts.
        all: Vec<Expr>,
    },
    /// One part holds at least; none at all is false.
    Any {
        /// The parts.
        any: Vec<Expr>,
    },
    /// The part does not hold.
    Not {
        /// The part.
        not: Box<Expr>,
    },
    /// Each word occurs in one of the columns that quick search looks through.
    Words {
        /// The words.
        words: Vec<String>,
    },
    /// Something of the rows that belong to a machine.
    Rows(Rows),
    /// A comparison.
    Compare(Compare),
}

/// A question about rows that belong to a machine: `application(name = "Firefox" and version < 130)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Which rows; see [`crate::catalogue::row_kinds`].
    pub rows: String,
    /// How many of them.
    #[serde(default, skip_serializing_if = "Quantifier::is_any")]
    pub quantifier: Quantifier,
    /// What holds of one and the same row; the fields are the row's columns.
    #[serde(rename = "where")]
    pub condition: Box<Expr>,
}

/// How many rows a question about rows means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantifier {
    /// At least one.
    #[default]
    Any,
    /// Each, which is true where there is none.
    Every,
    /// None.
    No,
}

impl Quantifier {
    fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// A comparison: `os_version < 15.1`, `fact "Puppet/role" = "kiosk"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// What is compared; see [`crate::catalogue`].
    pub field: String,
    /// Which one, for what there are many of: the name of a fact, an application, an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How a value without a type of its own is read, such as a fact's.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub cast: Option<CastName>,
    /// How it is compared.
    pub op: Op,
    /// The value, for operators that take one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The values, for operators that take several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// How a value that is text in the database is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CastName {
    /// As it is.
    Text,
    /// A decimal number.
    Number,
    /// Numbers separated by dots.
    Version,
    /// A date, with a time or without.
    Date,
    /// Yes or no.
    Boolean,
    /// A number of bytes.
    Size,
}

/// What an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value.
    One,
    /// A length of time.
    Age,
    /// Several values.
    Many,
}

macro_rules! operators {
    ($($variant:ident $text:literal $takes:ident $doc:literal,)*) => {
        /// How a field is compared.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Op {
            $(#[doc = $doc] #[serde(rename = $text)] $variant,)*
        }

        impl Op {
            /// Every operator.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// What follows it.
            #[must_use]
            pub fn takes(self) -> Takes {
                match self { $(Self::$variant => Takes::$takes,)* }
            }
        }
    };
}

operators! {
    Equal "=" One "The same; text in any letter case.",
    NotEqual "!=" One "Exactly where `=` does not hold: no value is another value.",
    Exactly "==" One "The same text, character for character.",
    Less "<" One "Less than, older than, before.",
    LessOrEqual "<=" One "At most.",
    Greater ">" One "More than, newer than, after.",
    GreaterOrEqual ">=" One "At least.",
    Contains "~" One "Contains the text, in any letter case.",
    NotContains "!~" One "Exactly where `~` does not hold.",
    StartsWith "starts with" One "Begins with the text, in any letter case.",
    Matches "matches" One "Matches a regular expression.",
    In "in" Many "One of these, as `=` compares.",
    NotIn "not in" Many "None of these.",
    Within "within" Age "A moment at most so long ago.",
    OlderThan "older than" Age "A moment at least so long ago.",
    Empty "is empty" Nothing "Has no value, or an empty one.",
    Set "is set" Nothing "Has a value.",
}

impl Expr {
    /// Holds for everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::All { all: Vec::new() }
    }

    /// All of these; one part stands for itself.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(all) => Self::All { all },
        }
    }

    /// One of these at least; one part stands for itself.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(any) => Self::Any { any },
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::Not {
            not: Box::new(self),
        }
    }

    /// A comparison with one value.
    #[must_use]
    pub fn compare(field: &str, op: Op, value: &str) -> Self {
        Self::Compare(Compare::new(field, op).value(value))
    }

    /// The parts that all hold at the top, in their order: what a list shows as filters that can be taken away.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::All { all } => all.iter().flat_map(Self::parts).collect(),
            other => vec![other],
        }
    }

    /// The names of the saved searches that it uses, as they are written.
    #[must_use]
    pub fn searches(&self) -> Vec<&str> {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().flat_map(Self::searches).collect()
            }
            Self::Not { not: part } => part.searches(),
            Self::Compare(compare) if compare.field.eq_ignore_ascii_case("search") => {
                compare.value.as_deref().into_iter().collect()
            }
            Self::Rows(_) | Self::Words { .. } | Self::Compare(_) => Vec::new(),
        }
    }

    /// How deep the tree is; one for a comparison.
    #[must_use]
    pub fn depth(&self) -> usize {
        let below = match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().map(Self::depth).max().unwrap_or_default()
            }
            Self::Not { not: part } => part.depth(),
            Self::Rows(rows) => rows.condition.depth(),
            Self::Words { .. } | Self::Compare(_) => 0,
        };
        below + 1
    }

    /// How many comparisons and words there are.
    #[must_use]
    pub fn terms(&self) -> usize {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().map(Self::terms).sum()
            }
            Self::Not { not: part } => part.terms(),
            Self::Rows(rows) => rows.condition.terms() + 1,
            Self::Words { words } => words.len(),
            Self::Compare(_) => 1,
        }
    }
}

impl Compare {
    /// A comparison without a value.
    #[must_use]
    pub fn new(field: &str, op: Op) -> Self {
        Self {
            field: field.to_owned(),
            of: None,
            cast: None,
            op,
            value: None,
            values: None,
        }
    }

    /// Of this fact, application, item.
    #[must_use]
    pub fn of(mut self, of: &str) -> Self {
        self.of = Some(of.to_owned());
        self
    }

    /// With this value.
    #[must_use]
    pub fn value(mut self, value: &str) -> Self {
        self.value = Some(value.to_owned());
        self
    }

    /// With these values.
    #[must_use]
    pub fn values(mut self, values: Vec<String>) -> Self {
        self.values = Some(values);
        self
    }
}

impl CastName {
    /// Every way of reading a value.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Number,
        Self::Version,
        Self::Date,
        Self::Boolean,
        Self::Size,
    ];

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Version => "version",
            Self::Date => "date",
            Self::Boolean => "boolean",
            Self::Size => "size",
        }
    }
}
