//! A machine's own row, as lists, files and the machine's page read it. The columns are those of [`machine_columns`].

use jiff::Timestamp;
use sal_query::{Field, machine_columns};
use tokio_postgres::Row;

use crate::{error::StoreError, ids::GroupId};

/// A value of a machine's row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'r> {
    /// None.
    Missing,
    /// Text.
    Text(&'r str),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    Flag(bool),
    /// A moment.
    Time(Timestamp),
}

macro_rules! machine_row {
    ($($variant:ident $name:ident ($type:ty) $kind:ident $meaning:ident [$($alias:literal)*] $label:literal $doc:literal,)*) => {
        /// The columns of a machine's own row.
        #[derive(Debug, Clone, PartialEq)]
        pub struct MachineRow {
            $(#[doc = $doc] pub $name: $type,)*
        }

        impl MachineRow {
            /// Reads the columns at the beginning of a row, and says where the others begin.
            pub(crate) fn read(row: &Row) -> Result<(Self, usize), StoreError> {
                let mut columns = 0..;
                let machine = Self {
                    $($name: row.try_get(columns.next().unwrap_or(usize::MAX))?,)*
                };
                Ok((machine, columns.start))
            }

            /// Whether a machine may be without a value of it.
            pub(crate) fn may_miss(field: Field) -> bool {
                match field {
                    $(Field::$variant => <$type as Valued>::MAY_MISS,)*
                }
            }

            /// The value of a column.
            #[must_use]
            pub fn value(&self, field: Field) -> FieldValue<'_> {
                match field {
                    $(Field::$variant => self.$name.value(),)*
                }
            }
        }
    };
}

machine_columns!(machine_row);

/// The columns as [`MachineRow::read`] takes them, of a table with this alias, each with a comma behind.
pub(crate) fn columns_of(alias: &str) -> String {
    let columns = Field::ALL
        .iter()
        .map(|field| format!("{alias}.{}, ", field.name()));
    columns.collect()
}

trait Valued {
    const MAY_MISS: bool = false;

    fn value(&self) -> FieldValue<'_>;
}

impl<T: Valued> Valued for Option<T> {
    const MAY_MISS: bool = true;

    fn value(&self) -> FieldValue<'_> {
        self.as_ref().map_or(FieldValue::Missing, Valued::value)
    }
}

impl Valued for String {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Text(self)
    }
}

impl Valued for i64 {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Whole(*self)
    }
}

impl Valued for i32 {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Whole(i64::from(*self))
    }
}

impl Valued for GroupId {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Whole(i64::from(self.0))
    }
}

impl Valued for bool {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Flag(*self)
    }
}

impl Valued for Timestamp {
    fn value(&self) -> FieldValue<'_> {
        FieldValue::Time(*self)
    }
}
