//! From assignments to environment variables, and to what has to be told.

use std::collections::{BTreeMap, BTreeSet};

use super::databases;
use super::literal::Value;
use super::meanings::{self, Kind, Meaning};
use super::statements::{Assigned, Statement, is_setting};
use crate::config::env::bounds_of;

/// What a settings file is here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Variables to set, with their values, in the order of the table of variables' names.
    pub(crate) environment: BTreeMap<&'static str, Found>,
    /// Secrets, which are not shown.
    pub(crate) yourself: Vec<Note>,
    /// What does nothing here, with what to do instead.
    pub(crate) no_equivalent: Vec<Note>,
    /// What only Python could say.
    pub(crate) not_understood: Vec<Note>,
    /// Settings that need nothing.
    pub(crate) nothing: BTreeSet<String>,
}

/// The value of a variable, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: String,
    pub(crate) setting: &'static str,
    pub(crate) line: usize,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The setting, or the variable.
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) why: String,
}

/// A setting and its line.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) line: usize,
}

impl Findings {
    pub(super) fn set(&mut self, variable: &'static str, value: String, from: Line) {
        let (setting, line) = (from.name, from.line);
        let found = Found {
            value,
            setting,
            line,
        };
        self.environment.insert(variable, found);
    }

    pub(super) fn yourself(&mut self, variable: &str, line: usize, why: &str) {
        self.yourself.push(Note::new(variable, line, why));
    }

    pub(super) fn no_equivalent(&mut self, name: &str, line: usize, why: &str) {
        self.no_equivalent.push(Note::new(name, line, why));
    }

    pub(super) fn not_understood(&mut self, name: &str, line: usize, why: &str) {
        let note = Note::new(name, line, why);
        if !self.not_understood.contains(&note) {
            self.not_understood.push(note);
        }
    }

    pub(super) fn nothing(&mut self, name: &str) {
        self.nothing.insert(name.to_owned());
    }
}

impl Note {
    fn new(name: &str, line: usize, why: &str) -> Self {
        Self {
            name: name.chars().take(LONGEST_NAME).collect(),
            line,
            why: why.to_owned(),
        }
    }
}

/// Goes through the statements in their order: the last word on a setting counts, as in Python.
pub(super) fn findings(statements: Vec<Statement>) -> Findings {
    let mut findings = Findings::default();
    let mut values: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    let mut sometimes: BTreeMap<String, Vec<(Value, usize)>> = BTreeMap::new();
    for statement in statements {
        match statement {
            Statement::Everything { module, line } => findings.not_understood(
                &format!("from {module} import *"),
                line,
                "what is in that module was not read; run `sal import-settings` on its file, too",
            ),
            Statement::Done { what, line } => {
                findings.not_understood(&what, line, "only Python knows what this does");
            }
            Statement::Assigned(assigned) if !is_setting(&assigned.name) => {}
            Statement::Assigned(assigned) if assigned.is_conditional => {
                let (value, line) = (assigned.value, assigned.line);
                sometimes
                    .entry(assigned.name)
                    .or_default()
                    .push((value, line));
            }
            Statement::Assigned(assigned) => assign(assigned, &mut values),
        }
    }
    settle(sometimes, &mut values, &mut findings);
    for (name, (value, line)) in values {
        note(&name, &value, line, &mut findings);
    }
    for notes in [
        &mut findings.no_equivalent,
        &mut findings.not_understood,
        &mut findings.yourself,
    ] {
        notes.sort_by_key(|note| note.line);
    }
    findings
}

/// What is set in blocks: a value that counts here has to be known, any other is only named.
fn settle(
    sometimes: BTreeMap<String, Vec<(Value, usize)>>,
    values: &mut BTreeMap<String, (Value, usize)>,
    findings: &mut Findings,
) {
    for (name, all) in sometimes {
        match meanings::of(&name) {
            Some(Meaning::Databases) if all.iter().any(|(value, _)| is_of_environment(value)) => {
                // As in the original: the environment has it, here as there.
                values.remove(&name);
                findings.nothing(&name);
            }
            Some(Meaning::Variable(..) | Meaning::Databases) => {
                for (_value, line) in all {
                    findings.not_understood(
                        &name,
                        line,
                        "it is set in a block, that is, only sometimes",
                    );
                }
            }
            _ => {
                if let Some(first) = all.into_iter().next() {
                    values.entry(name).or_insert(first);
                }
            }
        }
    }
}

fn is_of_environment(value: &Value) -> bool {
    value.any(&|value| {
        matches!(
            value,
            Value::Dynamic {
                of_environment: true,
                ..
            }
        )
    })
}

fn assign(assigned: Assigned, values: &mut BTreeMap<String, (Value, usize)>) {
    let Assigned {
        name,
        path,
        value,
        line,
        is_addition,
        ..
    } = assigned;
    let unknown = Value::Dynamic {
        line,
        of_environment: false,
    };
    let before = values.remove(&name).map(|(value, _line)| value);
    let after = if is_addition {
        match before {
            Some(before) if path.is_empty() => before.plus(value).unwrap_or(unknown),
            _ => unknown,
        }
    } else if path.is_empty() {
        value
    } else {
        let mut whole = before.unwrap_or(Value::Dict(Vec::new()));
        match put(&mut whole, &path, value) {
            Some(()) => whole,
            None => unknown,
        }
    };
    values.insert(name, (after, line));
}

/// Puts a value under its keys.
fn put(whole: &mut Value, path: &[String], value: Value) -> Option<()> {
    let Some((key, rest)) = path.split_first() else {
        *whole = value;
        return Some(());
    };
    let Value::Dict(entries) = whole else {
        return None;
    };
    let is_it = |own: &Value| matches!(own, Value::Text(text) if text == key);
    if let Some((_key, inner)) = entries.iter_mut().rev().find(|(own, _)| is_it(own)) {
        return put(inner, rest, value);
    }
    let mut inner = Value::Dict(Vec::new());
    put(&mut inner, rest, value)?;
    entries.push((Value::Text(key.clone()), inner));
    Some(())
}

fn note(name: &str, value: &Value, line: usize, findings: &mut Findings) {
    match meanings::of(name) {
        Some(Meaning::Djangos) => findings.nothing(name),
        Some(Meaning::Instead(_, harmless)) if harmless.has(value) => findings.nothing(name),
        Some(Meaning::Instead(why, _)) => findings.no_equivalent(name, line, why),
        Some(Meaning::Databases) => databases::note(value, line, findings),
        Some(Meaning::Variable(variable, kind)) => {
            // An unset certificate authority or folder.
            if matches!(value, Value::None) {
                findings.nothing(name);
                return;
            }
            match text(value, kind, variable) {
                Ok(text) => {
                    let own = known_name(name);
                    findings.set(variable, text, Line { name: own, line });
                }
                Err(why) => {
                    let line = dynamic_line(value).unwrap_or(line);
                    findings.not_understood(name, line, &format!("{why}; set {variable} yourself"));
                }
            }
        }
        None => findings.no_equivalent(
            name,
            line,
            "neither Sal nor this server has such a setting; a plugin or an app of yours may have read it",
        ),
    }
}

/// The name as the table has it.
fn known_name(name: &str) -> &'static str {
    meanings::static_name(name).unwrap_or_default()
}

fn dynamic_line(value: &Value) -> Option<usize> {
    match value {
        Value::Dynamic { line, .. } => Some(*line),
        Value::List(items) => items.iter().find_map(dynamic_line),
        Value::Dict(entries) => entries
            .iter()
            .find_map(|(key, value)| dynamic_line(key).or_else(|| dynamic_line(value))),
        _ => None,
    }
}

/// What to write into the variable; why that cannot be done, without the value.
fn text(value: &Value, kind: Kind, variable: &str) -> Result<String, &'static str> {
    match (kind, value) {
        (_, Value::Dynamic { .. }) => Err("it is not a literal"),
        (Kind::Text, Value::Text(text)) => line_of(text),
        (Kind::Flag, Value::Bool(flag)) => Ok(flag.to_string()),
        (Kind::Flag, Value::Int(number @ (0 | 1))) => Ok((*number == 1).to_string()),
        (Kind::Number, Value::Int(number)) => {
            let number = u64::try_from(*number).ok();
            let fits = number.filter(|number| bounds_of(variable).contains(number));
            fits.map(|number| number.to_string())
                .ok_or("the number is out of what can be set")
        }
        (Kind::List, Value::List(items)) => {
            let items: Result<Vec<_>, _> = items.iter().map(|one| item(one, &[','])).collect();
            Ok(items?.join(","))
        }
        (Kind::Hidden, Value::Dict(entries)) => {
            let entries: Result<Vec<_>, &'static str> = entries
                .iter()
                .map(|(widget, ids)| {
                    Ok(format!(
                        "{}={}",
                        item(widget, &[',', ';', '='])?,
                        self::ids(ids)?
                    ))
                })
                .collect();
            Ok(entries?.join("; "))
        }
        _ => Err("it is of another type than Sal's"),
    }
}

fn ids(value: &Value) -> Result<String, &'static str> {
    let all: Result<Vec<_>, _> = match value {
        Value::List(ids) => ids.iter().map(|id| item(id, &[','])).collect(),
        one => item(one, &[',']).map(|one| vec![one]),
    };
    let all = all?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    match !all.is_empty() && all.iter().all(is_id) {
        true => Ok(all.join(",")),
        false => Err("it holds something else than ids"),
    }
}

/// An item of a list, without what separates items.
fn item(value: &Value, separators: &[char]) -> Result<String, &'static str> {
    let text = match value {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.trim().to_owned(),
        _ => return Err("it holds something that is not a literal text"),
    };
    if text.is_empty() || text.contains(separators) {
        return Err("it holds an empty item, or one with a comma in it");
    }
    line_of(&text)
}

/// A text that can stand in a line of an env file, and comes out of it as it is.
pub(super) fn line_of(text: &str) -> Result<String, &'static str> {
    let is_quoted = text.starts_with(['"', '\'']);
    if text.contains(char::is_control) || text.trim() != text || is_quoted {
        return Err("it has a line end, a blank or a quote where an env file can have none");
    }
    Ok(text.to_owned())
}

const LONGEST_NAME: usize = 80;
