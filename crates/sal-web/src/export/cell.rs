//! What stands in a file: cells, and rows whose cells are made one row at a time.

use std::borrow::Cow;

use jiff::Timestamp;
use sal_query::{Field, field::SALS_ORDER};
use sal_store::{FieldValue, MachineRow};

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'r> {
    /// No value.
    Empty,
    Text(Cow<'r, str>),
    Number(i64),
    Flag(bool),
    Time(Timestamp),
}

/// Rows of a file as the database handed them over. A list of 100,000 machines has millions of cells: they borrow
/// from their row, and one row's cells at a time are there.
pub(crate) trait Rows: Send + 'static {
    /// Hands over the cells of each row.
    fn each(&self, take: &mut dyn FnMut(&[Cell<'_>]));
}

/// Rows, and what makes cells of each.
pub(crate) struct Lines<R, F> {
    pub(crate) rows: Vec<R>,
    pub(crate) cells: F,
}

impl<R, F> Rows for Lines<R, F>
where
    R: Send + 'static,
    F: for<'r> Fn(&'r R, &mut Vec<Cell<'r>>) + Send + 'static,
{
    fn each(&self, take: &mut dyn FnMut(&[Cell<'_>])) {
        let mut cells = Vec::new();
        for row in &self.rows {
            cells.clear();
            (self.cells)(row, &mut cells);
            take(&cells);
        }
    }
}

impl Rows for Vec<Vec<Cell<'static>>> {
    fn each(&self, take: &mut dyn FnMut(&[Cell<'_>])) {
        self.iter().for_each(|row| take(row));
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'r> From<&'r str> for Cell<'r> {
    fn from(text: &'r str) -> Self {
        Self::Text(text.into())
    }
}

impl<'r, T: Into<Self>> From<Option<T>> for Cell<'r> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl<'r> From<FieldValue<'r>> for Cell<'r> {
    fn from(value: FieldValue<'r>) -> Self {
        match value {
            FieldValue::Missing => Self::Empty,
            FieldValue::Text(text) => text.into(),
            FieldValue::Whole(number) => Self::Number(number),
            FieldValue::Flag(flag) => Self::Flag(flag),
            FieldValue::Time(at) => Self::Time(at),
        }
    }
}

/// The heads of every list of machines that Sal exports; [`machine_cells`] are what stands below.
pub(crate) fn machine_heads() -> Vec<String> {
    let own = machine_fields().map(Field::name);
    let heads = own.chain(["business unit", "machine group"]);
    heads.map(str::to_owned).collect()
}

/// A machine as Sal exports it.
pub(crate) fn machine_cells<'r>(
    machine: &'r MachineRow,
    unit: &'r str,
    group: &'r str,
    cells: &mut Vec<Cell<'r>>,
) {
    cells.extend(machine_fields().map(|field| Cell::from(machine.value(field))));
    cells.extend([unit, group].map(Cell::from));
}

/// The group stands there by its name.
fn machine_fields() -> impl Iterator<Item = Field> {
    let fields = SALS_ORDER.into_iter();
    fields.filter(|field| *field != Field::MachineGroup)
}
