//! Expected against found, pure: a list of sentences with a weight.

use std::collections::BTreeSet;
use std::fmt;

use super::expected::{Column, Schema, Table};

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// This server cannot work on the database.
    Blocking,
    /// It works, slower or with a risk that the sentence names.
    Attention,
    /// Harmless; said so that nothing is hidden.
    Note,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How much it matters.
    pub severity: Severity,
    /// A sentence without a full stop that names the table and what is different.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Blocking => "blocking",
            Severity::Attention => "attention",
            Severity::Note => "note",
        };
        write!(f, "{word:<9}  {}", self.what)
    }
}

/// Every difference, the worst first.
pub(super) fn compare(expected: &Schema, found: &Schema) -> Vec<Difference> {
    let mut out = Vec::new();
    for (name, table) in &expected.tables {
        match found.tables.get(name) {
            None => add(
                &mut out,
                Severity::Blocking,
                format!("table `{name}` is missing"),
            ),
            Some(have) => compare_table(name, table, have, &mut out),
        }
    }
    for name in found
        .tables
        .keys()
        .filter(|name| !expected.tables.contains_key(*name))
    {
        add(
            &mut out,
            Severity::Note,
            format!("table `{name}` is not one of Sal's"),
        );
    }
    compare_migrations(expected, found, &mut out);
    out.sort_by_key(|difference| difference.severity);
    out
}

fn compare_table(name: &str, expected: &Table, found: &Table, out: &mut Vec<Difference>) {
    for (column, want) in &expected.columns {
        match found.columns.get(column) {
            None => add(
                out,
                Severity::Blocking,
                format!("column `{name}.{column}` is missing"),
            ),
            Some(have) => compare_column(name, column, want, have, out),
        }
    }
    for (column, have) in found
        .columns
        .iter()
        .filter(|(column, _)| !expected.columns.contains_key(*column))
    {
        let blocks = have.not_null && !have.filled;
        let (severity, why) = if blocks {
            (
                Severity::Blocking,
                ": it is NOT NULL without a default, so no row can be inserted",
            )
        } else {
            (Severity::Note, "")
        };
        add(
            out,
            severity,
            format!("column `{name}.{column}` is not one of Sal's{why}"),
        );
    }
    for key in missing(&expected.constraints, &found.constraints) {
        let severity = if key.starts_with("FOREIGN") {
            Severity::Attention
        } else {
            Severity::Blocking
        };
        add(out, severity, format!("table `{name}` lacks {key}"));
    }
    for key in missing(&found.constraints, &expected.constraints) {
        add(
            out,
            Severity::Attention,
            format!("table `{name}` has one more key: {key}"),
        );
    }
    for index in missing(&expected.indexes, &found.indexes) {
        add(
            out,
            Severity::Attention,
            format!("table `{name}` lacks the index on ({index})"),
        );
    }
    for index in missing(&found.indexes, &expected.indexes) {
        add(
            out,
            Severity::Note,
            format!("table `{name}` has one more index, on ({index})"),
        );
    }
}

fn compare_column(
    table: &str,
    name: &str,
    want: &Column,
    have: &Column,
    out: &mut Vec<Difference>,
) {
    if want.type_name != have.type_name {
        let widened = matches!((want.type_name.as_str(), have.type_name.as_str()), (a, "text") if a.starts_with("character varying"));
        let severity = if widened {
            Severity::Note
        } else {
            Severity::Blocking
        };
        add(
            out,
            severity,
            format!(
                "column `{table}.{name}` is {}, expected {}",
                have.type_name, want.type_name
            ),
        );
    }
    match (want.not_null, have.not_null) {
        (true, false) => add(
            out,
            Severity::Attention,
            format!("column `{table}.{name}` may be NULL, expected NOT NULL"),
        ),
        (false, true) => add(
            out,
            Severity::Blocking,
            format!("column `{table}.{name}` is NOT NULL, expected to take NULL"),
        ),
        _ => {}
    }
    if want.filled && !have.filled {
        add(
            out,
            Severity::Blocking,
            format!("column `{table}.{name}` has neither an identity nor a sequence"),
        );
    }
}

fn compare_migrations(expected: &Schema, found: &Schema, out: &mut Vec<Difference>) {
    for app in APPS {
        let last = |set: &BTreeSet<String>| {
            set.iter()
                .rfind(|name| name.starts_with(&format!("{app}.")))
                .cloned()
        };
        if let Some(want) =
            last(&expected.migrations).filter(|want| !found.migrations.contains(want))
        {
            let text = format!(
                "Django migration `{want}` is not recorded: let Sal 4.4.1 migrate this database first"
            );
            add(out, Severity::Attention, text);
        }
        for name in found
            .migrations
            .iter()
            .filter(|name| name.starts_with(&format!("{app}.")))
        {
            if last(&expected.migrations).is_some_and(|want| *name > want) {
                add(
                    out,
                    Severity::Attention,
                    format!("Django migration `{name}` is newer than Sal 4.4.1"),
                );
            }
        }
    }
}

fn missing<'a>(
    from: &'a BTreeSet<String>,
    other: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a String> {
    from.difference(other)
}

fn add(out: &mut Vec<Difference>, severity: Severity, what: String) {
    out.push(Difference { severity, what });
}

/// Sal's own Django apps, whose newest migration must be there. Older ones may have been squashed.
const APPS: &[&str] = &[
    "server",
    "inventory",
    "search",
    "catalog",
    "profiles",
    "licenses",
];

#[cfg(test)]
mod tests {
    use super::super::expected;
    use super::*;

    #[test]
    fn the_contract_equals_itself() {
        let schema = expected::schema();
        assert_eq!(compare(&schema, &schema), []);
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        let expected = expected::schema();
        let mut found = expected.clone();
        found.tables.remove("server_fact");
        let machine = found.tables.get_mut("server_machine").unwrap();
        machine.columns.remove("serial");
        machine.columns.get_mut("hd_space").unwrap().type_name = "integer".to_owned();
        machine.columns.insert(
            "added".into(),
            Column {
                type_name: "text".into(),
                not_null: true,
                filled: false,
            },
        );
        machine.indexes.remove("last_checkin");
        machine.constraints.remove("UNIQUE (serial)");
        found.migrations.remove("server.0094_auto_20190903_1507");
        found.migrations.insert("server.0095_later".to_owned());
        let text = compare(&expected, &found)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        for part in [
            "blocking   table `server_fact` is missing",
            "blocking   column `server_machine.serial` is missing",
            "blocking   column `server_machine.hd_space` is integer, expected bigint",
            "blocking   column `server_machine.added` is not one of Sal's: it is NOT NULL",
            "blocking   table `server_machine` lacks UNIQUE (serial)",
            "attention  table `server_machine` lacks the index on (last_checkin)",
            "attention  Django migration `server.0094_auto_20190903_1507` is not recorded",
            "attention  Django migration `server.0095_later` is newer",
        ] {
            assert!(text.contains(part), "{part}\nnot in\n{text}");
        }
    }
}
