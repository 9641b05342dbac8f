//! `plugin_results`: what the plugins' scripts found.

use std::collections::HashMap;

use super::Notes;
use super::latest::{Latest, last_of_equal};
use crate::python::{self, Dict, Value};

/// The results of one script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptResult {
    /// The script's name for itself.
    pub plugin: String,
    /// Whether earlier results are kept.
    pub historical: bool,
    /// Row name, value, and the key that searches look for.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its value.
    pub data: String,
    /// `<plugin>: <name>`.
    pub key: String,
}

/// The results, one for each plugin name: of several the last counts, at the place of the first.
///
/// An entry without `plugin` or `data` is left out, as in the original. One whose `data` is no object has no rows;
/// the original then drops the rows of all scripts of this check-in.
pub(super) fn read(value: Option<&Value<'_>>, notes: &mut Notes) -> Vec<ScriptResult> {
    let list = match value {
        Some(Value::List(list)) => list,
        None => return Vec::new(),
        Some(other) => {
            if other.is_truthy() {
                notes.warn(
                    "plugin_results",
                    &format!("{} instead of a list, left out", other.type_name()),
                );
            }
            return Vec::new();
        }
    };
    let mut newest: Vec<(&Value<'_>, &Dict<'_>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in list {
        let Some((plugin, content)) = named(entry) else {
            notes.warn(
                "plugin_results",
                "an entry without `plugin` or `data`, left out",
            );
            continue;
        };
        let place = *places.entry(python::dumps(plugin)).or_insert(newest.len());
        match newest.get_mut(place) {
            Some(earlier) => earlier.1 = content,
            None => newest.push((plugin, content)),
        }
    }
    let mut results = Latest::new();
    for (plugin, content) in newest {
        let Some(result) = result(plugin, content, notes) else {
            continue;
        };
        results.push(result.plugin.clone(), result);
    }
    results.into_entries()
}

fn named<'a, 'b>(entry: &'b Value<'a>) -> Option<(&'b Value<'a>, &'b Dict<'a>)> {
    let content = entry.as_dict()?;
    content.get("data")?;
    Some((content.get("plugin")?, content))
}

fn result(plugin: &Value<'_>, content: &Dict<'_>, notes: &mut Notes) -> Option<ScriptResult> {
    let name = python::text(plugin);
    let plugin = notes.name("plugin_results", &name, 255)?;
    let historical = content.get("historical").is_some_and(Value::is_truthy);
    let mut rows = Vec::new();
    let mut cut = false;
    if let Some(data) = notes.dict("plugin_results.data", content.get("data")) {
        for (name, value) in data.iter() {
            cut |= name.contains('\0');
            let name = notes.without_nul("plugin_results.data", name.to_owned());
            rows.push(Row {
                data: notes.without_nul("plugin_results.data", python::text(value)),
                key: format!("{plugin}: {name}"),
                name,
            });
        }
    }
    let rows = if cut {
        last_of_equal(rows, |row| &row.name)
    } else {
        rows
    };
    Some(ScriptResult {
        plugin,
        historical,
        rows,
    })
}
