//! The tree of conditions. A value of [`Condition`] is always well typed: its constructors check.
//!
//! Logic is two-valued: a missing value fulfils no comparison, and [`Condition::negate`] of a
//! comparison is true for it. That is what people mean by "not", and it is not what SQL does.
//! See [`crate::sql`] for the text that comes out.

use crate::{
    age::Age,
    catalogue::{Column, GROUP_OF_MACHINE, RowKind},
    field::{Field, Kind},
    group::{Shape, Shaped},
    related::{Related, Test},
};

/// A condition on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(crate) Node);

/// The tree behind [`Condition`]; not public, so that only checked trees exist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        field: Field,
        operator: Operator,
        value: Value,
    },
    NumberInText {
        field: Field,
        operator: Operator,
        value: i64,
    },
    OneOf {
        field: Field,
        values: Vec<String>,
    },
    Missing(Field),
    NotOlderThan {
        field: Field,
        age: Age,
    },
    AtLeastAsOldAs {
        field: Field,
        age: Age,
    },
    Has {
        related: Related,
        tests: Vec<Test>,
    },
    Shaped {
        shaped: Shaped,
        value: String,
    },
    Search(String),
    /// Of a column of the machine, or what is computed from them.
    Column(RowNode),
    /// One row of a kind fulfils it.
    Rows {
        kind: &'static RowKind,
        row: RowNode,
    },
    /// Serial numbers in any letter case, or host names to the letter.
    Names(Vec<String>),
    /// Ids of machines.
    Ids(Vec<i64>),
}

/// A condition on one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowNode {
    All(Vec<RowNode>),
    Any(Vec<RowNode>),
    Not(Box<RowNode>),
    Test(&'static Column, Test),
    /// A name in a column whose beginnings are indexed.
    Named(&'static str, String),
    /// The management source has this name.
    OfSource(String),
}

impl RowNode {
    /// All of these; one stands for itself.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Self::All(parts),
        }
    }

    /// One of these at least; one stands for itself.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Self::Any(parts),
        }
    }
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The same, character for character.
    Equal,
    /// Another value; a missing one is another.
    NotEqual,
    /// Less than.
    Less,
    /// At most.
    LessOrEqual,
    /// More than.
    Greater,
    /// At least.
    GreaterOrEqual,
    /// Contains the text, in any letter case. Text only.
    Contains,
    /// Begins with the text. Text only.
    StartsWith,
    /// The same in any letter case. Text only.
    Same,
    /// Begins with the text, in any letter case. Text only.
    Begins,
}

impl Operator {
    /// Whether only texts are compared this way.
    pub(crate) fn is_for_text(self) -> bool {
        matches!(
            self,
            Self::Contains | Self::StartsWith | Self::Same | Self::Begins
        )
    }
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Characters.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
}

/// A condition that makes no sense, and why.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConditionError {
    /// The field's type does not fit the value.
    #[error("field `{field}` holds {expected}, the value is {found}")]
    WrongType {
        /// Name of the field.
        field: &'static str,
        /// What the field holds.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// The field's type does not know the operator.
    #[error("field `{field}` holds {kind}, which cannot be compared this way")]
    WrongOperator {
        /// Name of the field.
        field: &'static str,
        /// What the field holds.
        kind: &'static str,
    },
    /// A value that is read in one way and compared in another.
    #[error("{cast} is compared by {wanted}")]
    WrongTest {
        /// How the value is read.
        cast: &'static str,
        /// What fits.
        wanted: &'static str,
    },
    /// Text with a NUL character, which Postgres cannot hold.
    #[error("text for field `{field}` contains a NUL character")]
    NulCharacter {
        /// Name of the field.
        field: &'static str,
    },
}

impl Condition {
    /// Holds for every machine.
    #[must_use]
    pub fn everything() -> Self {
        Self(Node::All(Vec::new()))
    }

    /// Holds when all parts hold; for no parts, always.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        Self(Node::All(parts))
    }

    /// Holds when at least one part holds; for no parts, never.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        Self(Node::Any(parts))
    }

    /// Holds exactly when this one does not.
    #[must_use]
    pub fn negate(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }

    /// Holds when both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::all(vec![self, other])
    }

    /// Compares a field with a value.
    ///
    /// # Errors
    /// When the value's type, or the operator, does not fit the field.
    pub fn compare(field: Field, operator: Operator, value: Value) -> Result<Self, ConditionError> {
        let found = match &value {
            Value::Text(_) => Kind::Text,
            Value::Integer(_) => Kind::Integer,
            Value::Boolean(_) => Kind::Boolean,
        };
        if found != field.kind() {
            return Err(ConditionError::WrongType {
                field: field.name(),
                expected: describe(field.kind()),
                found: describe(found),
            });
        }
        let fits = match operator {
            Operator::Equal | Operator::NotEqual => true,
            operator if operator.is_for_text() => found == Kind::Text,
            _ => found != Kind::Boolean,
        };
        if !fits {
            return Err(wrong_operator(field));
        }
        if let Value::Text(text) = &value {
            refuse_nul(field, text)?;
        }
        Ok(Self(Node::Compare {
            field,
            operator,
            value,
        }))
    }

    /// Compares the number that a text field spells; other texts fulfil no comparison.
    ///
    /// # Errors
    /// When the field is not text, or the operator is one for text.
    pub fn number_in_text(
        field: Field,
        operator: Operator,
        value: i64,
    ) -> Result<Self, ConditionError> {
        if field.kind() != Kind::Text || operator.is_for_text() {
            return Err(wrong_operator(field));
        }
        Ok(Self(Node::NumberInText {
            field,
            operator,
            value,
        }))
    }

    /// Holds when a text field is one of the values.
    ///
    /// # Errors
    /// When the field is not text.
    pub fn one_of(field: Field, values: Vec<String>) -> Result<Self, ConditionError> {
        if field.kind() != Kind::Text {
            return Err(wrong_operator(field));
        }
        for value in &values {
            refuse_nul(field, value)?;
        }
        Ok(Self(Node::OneOf { field, values }))
    }

    /// Holds when the field has no value.
    #[must_use]
    pub fn missing(field: Field) -> Self {
        Self(Node::Missing(field))
    }

    /// Holds when the field's moment is at most `age` ago, the border included.
    ///
    /// # Errors
    /// When the field is not a moment.
    pub fn within(field: Field, age: Age) -> Result<Self, ConditionError> {
        require_time(field)?;
        Ok(Self(Node::NotOlderThan { field, age }))
    }

    /// Holds when the field's moment is at least `age` ago, the border included.
    ///
    /// # Errors
    /// When the field is not a moment.
    pub fn older_than(field: Field, age: Age) -> Result<Self, ConditionError> {
        require_time(field)?;
        Ok(Self(Node::AtLeastAsOldAs { field, age }))
    }

    /// Holds when the machine has at least one message of this level (`ERROR`, `WARNING`, …).
    #[must_use]
    pub fn has_message(level: &str) -> Self {
        Self(Node::Has {
            related: Related::Message {
                levels: vec![level.replace('\0', "")],
            },
            tests: Vec::new(),
        })
    }

    /// Holds when one related row fulfils all tests; without tests, when there is a row.
    ///
    /// # Errors
    /// When a name holds a NUL character.
    pub fn has(related: Related, tests: Vec<Test>) -> Result<Self, ConditionError> {
        if related.has_nul() {
            return Err(ConditionError::NulCharacter { field: "name" });
        }
        Ok(Self(Node::Has { related, tests }))
    }

    /// Holds when a field, brought into a shape, is this text.
    ///
    /// # Errors
    /// When the text holds a NUL character.
    pub fn shaped(shaped: Shaped, value: &str) -> Result<Self, ConditionError> {
        refuse_nul(shaped.field(), value)?;
        if *shaped.shape() == Shape::Whole {
            return Self::compare(
                shaped.field(),
                Operator::Equal,
                Value::Text(value.to_owned()),
            );
        }
        Ok(Self(Node::Shaped {
            shaped,
            value: value.to_owned(),
        }))
    }

    /// Holds for machines with one of these serial numbers, in any letter case, or host names, to the letter.
    #[must_use]
    pub fn names(names: Vec<String>) -> Self {
        let names = names.into_iter().map(|name| name.replace('\0', ""));
        Self(Node::Names(names.collect()))
    }

    /// Holds for the machines with these ids.
    #[must_use]
    pub fn ids(ids: Vec<i64>) -> Self {
        Self(Node::Ids(ids))
    }

    /// Whether rows of other tables are asked: what a list does not find on its way along an index of machines.
    #[must_use]
    pub fn asks_rows(&self) -> bool {
        match &self.0 {
            Node::All(parts) | Node::Any(parts) => parts.iter().any(Self::asks_rows),
            // That something is missing holds for many; the index over it is asked for each of the few that are shown.
            Node::Not(part) => !part.is_of_parents() && part.asks_rows(),
            // Few groups and units: they are looked up once.
            Node::Rows { kind, .. } => kind.key != GROUP_OF_MACHINE,
            _ => false,
        }
    }

    /// Whether such a row is there, and not whether there is another: `every` denies that.
    fn is_of_parents(&self) -> bool {
        matches!(&self.0, Node::Rows { kind, row } if kind.parent.is_some() && !matches!(row, RowNode::Not(_)))
    }

    pub(crate) fn of_column(test: RowNode) -> Self {
        Self(Node::Column(test))
    }

    pub(crate) fn rows(kind: &'static RowKind, row: RowNode) -> Self {
        Self(Node::Rows { kind, row })
    }

    /// Holds when each word occurs in a column that quick search looks through, in any letter case.
    #[must_use]
    pub fn search(text: &str) -> Self {
        let words = text
            .split_whitespace()
            .map(|word| Self(Node::Search(word.replace('\0', ""))));
        Self::all(words.take(MAX_SEARCH_WORDS).collect())
    }
}

fn require_time(field: Field) -> Result<(), ConditionError> {
    match field.kind() {
        Kind::Time => Ok(()),
        _ => Err(wrong_operator(field)),
    }
}

fn wrong_operator(field: Field) -> ConditionError {
    ConditionError::WrongOperator {
        field: field.name(),
        kind: describe(field.kind()),
    }
}

fn refuse_nul(field: Field, text: &str) -> Result<(), ConditionError> {
    if text.contains('\0') {
        return Err(ConditionError::NulCharacter {
            field: field.name(),
        });
    }
    Ok(())
}

fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "a whole number",
        Kind::Time => "a moment",
        Kind::Boolean => "yes or no",
    }
}

/// More words than this make a query slow and say nothing more.
const MAX_SEARCH_WORDS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_another_type_are_refused() {
        let text = || Value::Text("x".to_owned());
        assert!(Condition::compare(Field::Deployed, Operator::Equal, text()).is_err());
        assert!(Condition::compare(Field::LastCheckin, Operator::Less, text()).is_err());
        assert!(Condition::compare(Field::Serial, Operator::Equal, Value::Integer(1)).is_err());
        assert!(Condition::compare(Field::Serial, Operator::Equal, text()).is_ok());
    }

    #[test]
    fn operators_of_another_type_are_refused() {
        let error = Condition::compare(Field::Deployed, Operator::Less, Value::Boolean(true));
        assert!(matches!(error, Err(ConditionError::WrongOperator { .. })));
        let error = Condition::compare(Field::MemoryKb, Operator::Contains, Value::Integer(8));
        assert!(matches!(error, Err(ConditionError::WrongOperator { .. })));
        let age = Age::parse("1h").unwrap();
        assert!(Condition::within(Field::Hostname, age).is_err());
        assert!(Condition::older_than(Field::FirstCheckin, age).is_ok());
        assert!(Condition::number_in_text(Field::MemoryKb, Operator::Less, 8).is_err());
        assert!(Condition::one_of(Field::Deployed, vec![]).is_err());
    }

    #[test]
    fn a_nul_character_never_reaches_the_database() {
        let nul = "a\0b".to_owned();
        let error = Condition::compare(Field::Serial, Operator::Equal, Value::Text(nul.clone()));
        assert!(matches!(error, Err(ConditionError::NulCharacter { .. })));
        assert!(Condition::one_of(Field::Serial, vec![nul]).is_err());
    }
}
