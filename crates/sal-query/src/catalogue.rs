//! The catalogue: everything about a machine that can be asked, with its names, its type and where it is in the
//! database. To make something askable, add its row here, or to [`crate::field`] when it is a column of the machine.
//!
//! A plain name ([`find`]) is a column of the machine, something computed from one, or a column of the one row that a
//! machine has in another table (its group, its check-in). A row kind ([`row_kinds`]) is what a machine has many of.

mod kinds;

use crate::field;
use kinds::{CHECKIN, GROUP, INVENTORY, ROW_KINDS, UNIT};

/// What a value is, and therefore which operators fit it and how text becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Text, compared in any letter case.
    Text,
    /// The name of a fact or of a plugin's row: compared to the letter, because the index is.
    Name,
    /// Text in the database that may be anything: a fact's value.
    Untyped,
    /// A whole number.
    Whole,
    /// A decimal number in a column of text.
    Number,
    /// Numbers with dots between them, in a column of text.
    Version,
    /// A moment.
    Time,
    /// Yes or no.
    Flag,
    /// A number of bytes.
    Bytes,
    /// A number of kibibytes; sizes are written with units all the same.
    Kibibytes,
}

/// Something that can be compared.
#[derive(Debug)]
pub struct Column {
    /// Its name in filters.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Its name on pages.
    pub label: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What its values are.
    pub meaning: Meaning,
    /// The expression; over `machine`, or in a row kind over its `from`.
    pub(crate) sql: &'static str,
}

/// Columns are constants: one name, one column, within a row kind or the machine.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.sql == other.sql && self.name == other.name
    }
}

/// How the text after a row kind's name tells which row is meant: `fact "Puppet/role"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Nothing may stand there.
    Nothing,
    /// The value of this column.
    Column(&'static str),
    /// `Source/name`, or a name of any source.
    SourceAndName,
    /// `Plugin/row`.
    PluginAndRow,
    /// A name or a bundle identifier.
    NameOrBundle,
}

/// Rows of another table that belong to a machine.
#[derive(Debug)]
pub struct RowKind {
    /// Its name in filters.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// Its name on pages.
    pub label: &'static str,
    /// How the text after the name is understood.
    pub of: Of,
    /// The column that an operator after the name compares.
    pub value: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// What follows `FROM`; its rows are `related`.
    pub(crate) from: &'static str,
    /// The column that tells the machine.
    pub(crate) machine: &'static str,
    /// What of the machine that column is.
    pub(crate) key: &'static str,
    /// What is always asked of these rows; `TRUE` for nothing.
    pub(crate) always: &'static str,
    /// The row of another table that many of them share, joined to them in `from`.
    pub(crate) parent: Option<&'static Parent>,
    /// Whether they are among the items that wait or failed, which have an index of their own.
    pub(crate) waiting: bool,
}

/// A table whose rows many related rows share.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) table: &'static str,
    /// The alias in `from` and in the columns that stand in it.
    pub(crate) alias: &'static str,
    /// The column of the related rows with its `id`.
    pub(crate) key: &'static str,
    /// The related rows alone.
    pub(crate) rows: &'static str,
}

impl PartialEq for RowKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl RowKind {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.is_called(name))
    }
}

impl Column {
    fn is_called(&self, name: &str) -> bool {
        is_called(name, self.name, self.aliases)
    }
}

fn is_called(asked: &str, name: &str, aliases: &[&str]) -> bool {
    std::iter::once(&name)
        .chain(aliases)
        .any(|known| known.eq_ignore_ascii_case(asked))
}

/// What a name in a filter stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// A value of the machine itself.
    Column(&'static Column),
    /// A value of the one row that a machine has there.
    Single(&'static RowKind, &'static Column),
    /// What a machine has many of.
    Rows(&'static RowKind),
    /// Serial number or host name: for pasted lists.
    Machine,
    /// A saved search, by its name.
    Search,
    /// A segment of a widget.
    Widget,
}

/// What a name stands for, in any letter case.
#[must_use]
pub fn find(name: &str) -> Option<Subject> {
    if let Some(column) = machine_columns().find(|column| column.is_called(name)) {
        return Some(Subject::Column(column));
    }
    let single = SINGLE
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    if let Some((_, kind, column)) = single {
        return Some(Subject::Single(kind, kind.column(column)?));
    }
    if let Some(kind) = row_kind(name) {
        return Some(Subject::Rows(kind));
    }
    [
        ("machine", Subject::Machine),
        ("search", Subject::Search),
        ("widget", Subject::Widget),
    ]
    .into_iter()
    .find_map(|(known, subject)| known.eq_ignore_ascii_case(name).then_some(subject))
}

/// The columns of the machine, and what is computed from them.
pub fn machine_columns() -> impl Iterator<Item = &'static Column> {
    field::COLUMNS.iter().chain(COMPUTED)
}

/// The names of values that a machine has once in another table, with their labels.
pub fn singles() -> impl Iterator<Item = (&'static str, &'static str)> {
    SINGLE.iter().filter_map(|(name, kind, column)| {
        let column = kind.column(column)?;
        let label = match *name {
            "group" | "unit" => kind.label,
            _ => column.label,
        };
        Some((*name, label))
    })
}

/// What a machine has many of.
#[must_use]
pub fn row_kinds() -> &'static [RowKind] {
    ROW_KINDS
}

/// The row kind of this name, in any letter case.
#[must_use]
pub fn row_kind(name: &str) -> Option<&'static RowKind> {
    ROW_KINDS
        .iter()
        .find(|kind| is_called(name, kind.name, kind.aliases))
}

/// The names that can be asked, the usual ones: for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    let columns = machine_columns().flat_map(|column| {
        let first = column.aliases.first().copied();
        std::iter::once(column.name).chain(first)
    });
    columns
        .chain(SINGLE.iter().map(|(name, ..)| *name))
        .chain(ROW_KINDS.iter().map(|kind| kind.name))
        .chain(["machine", "search", "widget"])
}

/// Names of columns that a machine has once, with the rows they are in.
pub(crate) fn single() -> impl Iterator<Item = (&'static str, &'static RowKind, &'static Column)> {
    let whole = |(name, kind, column): &(&'static str, &'static RowKind, &str)| {
        Some((*name, *kind, kind.column(column)?))
    };
    SINGLE.iter().filter_map(whole)
}

/// `MacBookPro18,1` is of the family `MacBookPro`. Two plain functions: a regular expression costs twice as much.
pub const MODEL_FAMILY: &str = "rtrim(split_part(machine.machine_model, ',', 1), '0123456789 ')";

/// The key of the rows of a machine's group.
pub(crate) const GROUP_OF_MACHINE: &str = "machine.machine_group_id";

const COMPUTED: &[Column] = &[
    Column {
        name: "model",
        aliases: &[],
        label: "Model",
        about: "Model name as sold, else the model identifier.",
        meaning: Meaning::Text,
        sql: "coalesce(nullif(machine.machine_model_friendly, ''), machine.machine_model)",
    },
    Column {
        name: "model_family",
        aliases: &[],
        label: "Model family",
        about: "The model identifier without its numbers at the end, such as MacBookPro.",
        meaning: Meaning::Text,
        sql: MODEL_FAMILY,
    },
    Column {
        name: "id",
        aliases: &["machine_id"],
        label: "Machine ID",
        about: "The number of the machine in the database.",
        meaning: Meaning::Whole,
        sql: "machine.id",
    },
];

/// Names of columns that a machine has once.
const SINGLE: &[(&str, &RowKind, &str)] = &[
    ("group", &GROUP, "name"),
    ("unit", &UNIT, "name"),
    ("business_unit", &UNIT, "name"),
    ("unit_id", &UNIT, "id"),
    ("business_unit_id", &UNIT, "id"),
    ("client", &CHECKIN, "client"),
    ("client_version", &CHECKIN, "client"),
    ("address", &CHECKIN, "address"),
    ("ip", &CHECKIN, "address"),
    ("last_inventory", &INVENTORY, "recorded"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_one_thing() {
        let mut seen: Vec<String> = Vec::new();
        let columns = machine_columns()
            .flat_map(|column| std::iter::once(column.name).chain(column.aliases.iter().copied()));
        let kinds = ROW_KINDS
            .iter()
            .flat_map(|kind| std::iter::once(kind.name).chain(kind.aliases.iter().copied()));
        // Single values are found before the kind of the same name, on purpose.
        let single = ["group", "unit", "business_unit"];
        for name in columns.chain(kinds.filter(|name| !single.contains(name))) {
            assert!(!seen.iter().any(|known| known == name), "{name} twice");
            seen.push(name.to_owned());
        }
        for name in names() {
            assert!(find(name).is_some(), "{name}");
            assert!(find(&name.to_uppercase()).is_some(), "{name}");
        }
    }

    #[test]
    fn what_a_row_kind_names_it_has() {
        for kind in ROW_KINDS {
            assert!(kind.column(kind.value).is_some(), "{}", kind.name);
            if let Of::Column(name) = kind.of {
                assert!(kind.column(name).is_some(), "{}", kind.name);
            }
        }
    }
}
