//! Where related rows are, and how the wanted ones are found among them.

use super::{Parameter, Writer};
use crate::related::{ApplicationKey, Related};

/// A table of related rows as SQL; the alias of its rows is `related`.
pub(super) struct Rows {
    /// What follows `FROM`.
    pub(super) from: &'static str,
    /// The column with the machine's id.
    pub(super) machine: &'static str,
    /// The value of a row.
    pub(super) value: &'static str,
}

impl Rows {
    pub(super) fn of(related: &Related) -> Self {
        let plain = |from, value| Self {
            from,
            machine: "related.machine_id",
            value,
        };
        match related {
            Related::Fact { .. } => plain("server_fact related", "related.fact_data"),
            Related::HistoricalFact { .. } => {
                plain("server_historicalfact related", "related.fact_data")
            }
            Related::Row { .. } => Self {
                from: "server_pluginscriptrow related \
                    JOIN server_pluginscriptsubmission submission ON submission.id = related.submission_id",
                machine: "submission.machine_id",
                value: "related.pluginscript_data",
            },
            Related::Item { .. } => plain("server_manageditem related", "related.name"),
            Related::Message { .. } => plain("server_message related", "related.text"),
            Related::Application { .. } => plain(
                "inventory_inventoryitem related \
                    JOIN inventory_application application ON application.id = related.application_id",
                "related.version",
            ),
            Related::Profile { .. } => plain("profiles_profile related", "related.display_name"),
        }
    }
}

impl Writer {
    /// What tells the wanted rows from others.
    pub(super) fn matches(&mut self, related: &Related) -> String {
        let mut parts = Vec::new();
        match related {
            Related::Fact { source, name } | Related::HistoricalFact { source, name } => {
                self.is_named("related.fact_name", name, &mut parts);
                self.of_source(source.as_deref(), &mut parts);
            }
            Related::Row { .. } => {
                let name = row_key(related).unwrap_or_default();
                self.is_named("related.submission_and_script_name", &name, &mut parts);
            }
            Related::Item {
                source,
                status,
                name,
            } => {
                if let Some(status) = status {
                    self.equals("related.status", status, &mut parts);
                }
                if let Some(name) = name {
                    self.equals("related.name", name, &mut parts);
                }
                self.of_source(source.as_deref(), &mut parts);
            }
            Related::Message { levels } => match levels.as_slice() {
                [only] => self.equals("related.message_type", only, &mut parts),
                _ => {
                    let levels = self.parameter(Parameter::Texts(levels.clone()));
                    parts.push(format!("related.message_type = ANY({levels})"));
                }
            },
            Related::Application { by, text } => {
                let column = match by {
                    ApplicationKey::Name => "application.name",
                    ApplicationKey::BundleId => "application.bundleid",
                    ApplicationKey::Path => "related.path",
                };
                self.equals(column, text, &mut parts);
            }
            Related::Profile { identifier } => {
                if let Some(identifier) = identifier {
                    self.equals("related.identifier", identifier, &mut parts);
                }
            }
        }
        if parts.is_empty() {
            return "TRUE".to_owned();
        }
        parts.join(" AND ")
    }

    fn equals(&mut self, column: &str, text: &str, parts: &mut Vec<String>) {
        let place = self.parameter(Parameter::Text(text.to_owned()));
        parts.push(format!("{column} = {place}"));
    }

    /// A name in the words that the index over the beginnings of names serves. One comparison where it says all: two
    /// would make Postgres expect the square of the share of rows.
    pub(super) fn is_named(&mut self, column: &str, name: &str, parts: &mut Vec<String>) {
        self.equals(&beginning_of(column), beginning(name), parts);
        if name.chars().nth(INDEXED - 1).is_some() {
            self.equals(column, name, parts);
        }
    }

    pub(super) fn of_source(&mut self, source: Option<&str>, parts: &mut Vec<String>) {
        if let Some(source) = source {
            let place = self.parameter(Parameter::Text(source.to_owned()));
            parts.push(format!(
                "related.management_source_id = (SELECT id FROM server_managementsource WHERE name = {place})"
            ));
        }
    }
}

/// How many characters of a name are in its index (schema/additions/0010-page-indexes.sql).
const INDEXED: usize = 200;

/// The expression that is in the index of a column with names.
pub(super) fn beginning_of(column: &str) -> String {
    format!("left({column}, {INDEXED})")
}

/// What that expression is for a name.
fn beginning(name: &str) -> &str {
    let end = name.char_indices().nth(INDEXED).map(|(end, _)| end);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// The beginnings that [`beginning_of`] a column is compared with to find the rows of a name and few others.
pub(super) fn row_beginning(related: &Related) -> Option<String> {
    row_key(related).map(|key| beginning(&key).to_owned())
}

/// The one text that finds the rows of a name, where there is such a column.
fn row_key(related: &Related) -> Option<String> {
    match related {
        Related::Fact { name, .. } | Related::HistoricalFact { name, .. } => Some(name.clone()),
        Related::Row { plugin, name } => Some(format!("{plugin}: {name}")),
        _ => None,
    }
}
