//! Counting per value: of a field, or of related rows.

use crate::{
    condition::{Condition, ConditionError},
    field::{Field, Kind},
    related::{Check, Related, Test},
};

/// What is done to a text before equal ones are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nothing.
    Whole,
    /// Without the numbers at the end: `MacBookPro18,1` becomes `MacBookPro`. Of [`Field::MachineModel`]; see
    /// [`crate::catalogue::MODEL_FAMILY`].
    ModelFamily,
    /// The first parts of a version of machines of one operating system; others whole.
    FirstParts {
        /// Family of operating systems, as the database spells it.
        os_family: String,
        /// How many parts.
        parts: u8,
    },
    /// The model as sold; where a machine has none, that of another machine of the same model, else the identifier,
    /// else `unknown`. Of [`Field::MachineModel`].
    ModelName,
}

/// A text field in a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shaped {
    field: Field,
    shape: Shape,
}

impl Shaped {
    /// A text field in a shape.
    ///
    /// # Errors
    /// When the field is not text.
    pub fn new(field: Field, shape: Shape) -> Result<Self, ConditionError> {
        if field.kind() != Kind::Text {
            return Err(ConditionError::WrongOperator {
                field: field.name(),
                kind: "no text",
            });
        }
        Ok(Self { field, shape })
    }

    /// The field.
    #[must_use]
    pub fn field(&self) -> Field {
        self.field
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// What is counted per value.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Machines per value of a field, or per pair of values.
    Field {
        /// The field.
        first: Shaped,
        /// A second one.
        then: Option<Shaped>,
    },
    /// Machines per value of related rows; each machine once for a value.
    Related {
        /// The rows.
        related: Related,
        /// Separates several values in one text.
        explode: Option<String>,
        /// What machines without a row, or with an empty value, are counted as; left out when absent.
        missing: Option<String>,
    },
    /// Rows, not machines, per text and level of messages.
    Messages {
        /// `ERROR`, `WARNING`, …
        levels: Vec<String>,
    },
}

/// A count per value.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// What is counted.
    pub values: Values,
    /// Which machines are counted.
    pub condition: Condition,
    /// Values that occur less often are left out.
    pub at_least: i64,
}

impl Values {
    /// The machines that are counted under a value; the second one for pairs.
    ///
    /// # Errors
    /// When a value holds a NUL character.
    pub fn machines_of(
        &self,
        value: &str,
        then: Option<&str>,
    ) -> Result<Condition, ConditionError> {
        match self {
            Self::Field {
                first,
                then: second,
            } => {
                let mut parts = vec![Condition::shaped(first.clone(), value)?];
                if let (Some(shaped), Some(then)) = (second, then) {
                    parts.push(Condition::shaped(shaped.clone(), then)?);
                }
                Ok(Condition::all(parts))
            }
            Self::Related {
                related,
                explode,
                missing,
            } => {
                if missing.as_deref() == Some(value) {
                    let filled = Condition::has(related.clone(), vec![not_empty()?])?;
                    return Ok(filled.negate());
                }
                let cast = explode
                    .clone()
                    .map_or(crate::related::Cast::Text, crate::related::Cast::List);
                let equal = Check::Compare(crate::Operator::Equal, value.to_owned());
                Condition::has(related.clone(), vec![Test::new(cast, equal)?])
            }
            Self::Messages { .. } => {
                // The list opens for a text that has sunk below the threshold meanwhile too, whatever its level.
                let equal = Check::Compare(crate::Operator::Equal, value.to_owned());
                let test = Test::new(crate::related::Cast::Text, equal)?;
                let levels = LEVELS.iter().map(|&level| level.to_owned()).collect();
                Condition::has(Related::Message { levels }, vec![test])
            }
        }
    }
}

fn not_empty() -> Result<Test, ConditionError> {
    let differs = Check::Compare(crate::Operator::NotEqual, String::new());
    Test::new(crate::related::Cast::Text, differs)
}

/// The levels of messages, the most severe first.
pub const LEVELS: [&str; 4] = ["ERROR", "WARNING", "OTHER", "DEBUG"];
