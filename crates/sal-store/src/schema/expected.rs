//! The contract: columns, keys, indexes and migrations of Sal 4.4.1, read from `schema/sal-4.tsv` and the first rows.

use std::collections::{BTreeMap, BTreeSet};

/// Tables by name, and the migrations by `app.name`. The same shape describes what is expected and what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) migrations: BTreeSet<String>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: BTreeMap<String, Column>,
    /// Definitions, without names: old installations have other names for the same thing.
    pub(super) constraints: BTreeSet<String>,
    /// Columns with operator classes, as in `CREATE INDEX … (here)`, without names.
    pub(super) indexes: BTreeSet<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) type_name: String,
    pub(super) not_null: bool,
    /// Whether Postgres can fill it by itself: a default or an identity.
    pub(super) filled: bool,
}

/// Reads the contract.
pub(super) fn schema() -> Schema {
    let mut schema = Schema::default();
    for line in include_str!("../../../../schema/sal-4.tsv").lines() {
        let mut fields = line.split('\t');
        let (kind, table) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let (name, first) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let (second, third, fourth) = (
            fields.next().unwrap_or(""),
            fields.next().unwrap_or(""),
            fields.next().unwrap_or(""),
        );
        if !matches!(kind, "column" | "index" | "constraint") {
            continue;
        }
        let entry = schema.tables.entry(table.to_owned()).or_default();
        match kind {
            "column" => {
                let column = Column {
                    type_name: first.to_owned(),
                    not_null: second == "NOT NULL",
                    filled: !third.is_empty() || !fourth.is_empty(),
                };
                entry.columns.insert(name.to_owned(), column);
            }
            "index" => {
                entry.indexes.insert(third.to_owned());
            }
            _ => {
                entry.constraints.insert(second.to_owned());
            }
        }
    }
    schema.migrations = migrations();
    schema
}

/// The `(n, 'app', 'name', now())` lines of the first rows.
fn migrations() -> BTreeSet<String> {
    include_str!("../../../../schema/sal-4-rows.sql")
        .lines()
        .filter(|line| line.contains("now()"))
        .filter_map(|line| {
            let mut quoted = line.split('\'').skip(1).step_by(2);
            Some(format!("{}.{}", quoted.next()?, quoted.next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_has_42_tables_245_columns_and_126_migrations() {
        let schema = schema();
        assert_eq!(schema.tables.len(), 42);
        assert_eq!(
            schema
                .tables
                .values()
                .map(|table| table.columns.len())
                .sum::<usize>(),
            245
        );
        assert_eq!(schema.migrations.len(), 126);
        assert!(schema.migrations.contains("server.0094_auto_20190903_1507"));
    }
}
