//! What the REST API shows: each resource is a list of columns, what it can be filtered by and searched in, and the
//! order it comes in. Names and their order are those of Django Sal's API v2 (sal-api).
//!
//! One reader serves them all: a page is a statement over the resource's tables with typed parameters. The order is
//! that of the key, so that pages never overlap.

pub mod change;
mod page;
mod stream;
mod tables;

use jiff::Timestamp;
use sal_query::Parameter;

pub use page::{Conditions, Machines, Order, Page, Start, Term, count, one, page};
pub use stream::{Batch, Cell, Cells, Stream, stream};
pub use tables::{
    BUSINESS_UNITS, FACTS, INVENTORY, MACHINE_GROUPS, MACHINE_GROUPS_WITHOUT_KEYS, MACHINES,
    MANAGED_ITEM_HISTORIES, MANAGED_ITEMS, MANAGEMENT_SOURCES, MESSAGES, PLUGIN_SCRIPT_ROWS,
    PROFILES, RESOURCES, SAVED_SEARCHES,
};

/// Something that the API has a list of.
#[derive(Debug)]
pub struct Resource {
    /// Its name in addresses.
    pub name: &'static str,
    /// What one of them is called in errors, as Django's class is.
    pub object: &'static str,
    /// What is shown, in this order.
    pub columns: &'static [Column],
    /// The texts that `search` looks in.
    pub searched: &'static [&'static str],
    /// Whether programs may make, change and remove them.
    pub is_writable: bool,
    /// What one of them is found by.
    pub lookup: Lookup,
    /// What a list can be narrowed by, exactly; some is shared.
    filters: &'static [&'static [Filter]],
    /// What follows FROM.
    from: &'static str,
    /// The key, which is the end of every order.
    key: &'static str,
    /// What comes before it where nobody asks for an order: as in Sal, where there are few rows. Each with a comma behind.
    order: &'static str,
    /// Whether a row is of the units in parameter 1; written for viewers of some units only.
    scoped: &'static str,
    /// The id of the machine that a row belongs to.
    machine: Option<&'static str>,
}

impl Resource {
    /// What a list can be narrowed by, exactly.
    pub fn filters(&self) -> impl Iterator<Item = &'static Filter> {
        let lists: &'static [&'static [Filter]] = self.filters;
        lists.iter().copied().flatten()
    }

    /// Whether a list comes in the order of its keys.
    #[must_use]
    pub fn is_by_key(&self, conditions: &Conditions) -> bool {
        self.order.is_empty() && conditions.order.is_empty()
    }

    /// The key of a row, as [`Start::Key`] takes it.
    #[must_use]
    pub fn key_of(&self, record: &Record) -> Option<Parameter> {
        match record.first()? {
            Value::Integer(id) => Some(Parameter::Integer(*id)),
            Value::Text(id) => Some(Parameter::Text(id.clone())),
            _ => None,
        }
    }

    /// Whether its rows belong to machines.
    #[must_use]
    pub fn is_of_machines(&self) -> bool {
        self.machine.is_some()
    }

    /// The names of what stands in an object, without what is inside of others.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        let outer = |column: &Column| column.name.split('.').next();
        let mut last = None;
        self.columns
            .iter()
            .filter_map(outer)
            .filter(move |name| last.replace(*name) != Some(*name))
    }

    /// The columns of these fields, or all of them.
    #[must_use]
    pub fn columns_of(&self, fields: Option<&[&str]>) -> Vec<&'static Column> {
        let columns: &'static [Column] = self.columns;
        let is_wanted = |column: &&Column| {
            let outer = column.name.split('.').next().unwrap_or_default();
            fields.is_none_or(|fields| fields.contains(&outer))
        };
        columns.iter().filter(is_wanted).collect()
    }

    /// The names that lists can be sorted by.
    pub fn all_sortable(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.columns.iter();
        columns
            .filter(|column| column.kind != Kind::Json)
            .map(|column| column.name)
    }

    /// The column of a name that lists can be sorted by; `machine__serial` is as good as `machine.serial`.
    #[must_use]
    pub fn sortable(&self, name: &str) -> Option<&'static Column> {
        let name = name.replace("__", ".");
        let columns: &'static [Column] = self.columns;
        columns
            .iter()
            .find(|column| column.name == name && column.kind != Kind::Json)
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A value that is shown.
#[derive(Debug)]
pub struct Column {
    /// Its name; `machine.serial` is `serial` in an object `machine`.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    sql: &'static str,
}

/// A way to narrow a list.
#[derive(Debug)]
pub struct Filter {
    /// The parameter.
    pub name: &'static str,
    /// How its text is read.
    pub kind: Kind,
    /// The condition, with `?` for the value; without one, what must be equal to it.
    sql: &'static str,
}

/// What one of a resource is found by.
#[derive(Debug)]
pub struct Lookup {
    /// How the text of the address is read.
    pub kind: Kind,
    /// The condition, with `?` for the value.
    sql: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// Yes or no.
    Flag,
    /// A moment.
    Time,
    /// A UUID, in its usual form.
    Uuid,
    /// JSON as the database writes it.
    Json,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text, or a UUID.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A moment.
    Time(Timestamp),
    /// JSON, as the database writes it.
    Json(String),
}

/// The values of a row, in the order of the resource's columns.
pub type Record = Vec<Value>;
