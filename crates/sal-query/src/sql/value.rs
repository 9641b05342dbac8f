//! One text of one machine: a column, or the newest value of related rows.

use jiff::Timestamp;

use super::{Fragment, Writer, rows::Rows};
use crate::{field::Field, related::Related};

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum MachineValue {
    /// A column of the machine.
    Field(Field),
    /// A row that belongs to it.
    Related(Related),
}

impl MachineValue {
    /// An expression over [`super::MACHINE`], with parameters numbered from `first`.
    #[must_use]
    pub fn to_sql(&self, first: usize) -> Fragment {
        let mut writer = Writer::new(Timestamp::UNIX_EPOCH, first);
        let text = match self {
            Self::Field(field) => format!("({})::text", field.column()),
            Self::Related(related) => {
                let rows = Rows::of(related);
                let found = writer.matches(related);
                format!(
                    "(SELECT ({})::text FROM {} WHERE {found} AND {} = machine.id ORDER BY related.id DESC LIMIT 1)",
                    rows.value, rows.from, rows.machine
                )
            }
        };
        Fragment {
            text,
            parameters: writer.parameters,
        }
    }
}
