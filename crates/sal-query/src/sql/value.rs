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
        writer.finish(text)
    }

    /// A statement with the text of each machine that has one, as `machine_id` and `value`, with parameters numbered
    /// from `first`: for all machines at once, where [`Self::to_sql`] would ask for each.
    #[must_use]
    pub fn to_rows(&self, first: usize) -> Fragment {
        let mut writer = Writer::new(Timestamp::UNIX_EPOCH, first);
        let text = match self {
            Self::Field(field) => format!(
                "SELECT machine.id AS machine_id, ({})::text AS value FROM server_machine machine",
                field.column()
            ),
            Self::Related(related) => {
                let rows = Rows::of(related);
                let found = writer.matches(related);
                format!(
                    "SELECT DISTINCT ON ({machine}) {machine} AS machine_id, ({value})::text AS value \
                     FROM {from} WHERE {found} ORDER BY {machine}, related.id DESC",
                    machine = rows.machine,
                    value = rows.value,
                    from = rows.from,
                )
            }
        };
        writer.finish(text)
    }
}
