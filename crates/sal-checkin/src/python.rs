//! JSON as Python's `json` module reads it, and values as Python's `str()`, `repr()` and `json.dumps()` write them.
//!
//! Django Sal stores what Python made of a client's JSON, and searches, plugins and third-party scripts read it,
//! so it must be reproduced byte for byte (sal-protocol §1.2). No JSON crate reads `NaN`, keeps integers of any
//! length and takes lone surrogates at once, which is why this is here.

mod parse;
mod write;

pub use parse::{ParseError, parse};
pub use write::{dumps, text};

/// A value of Python's JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of any length, as its decimal digits.
    Int(String),
    /// A float; NaN and infinities are allowed.
    Float(f64),
    /// A string. Lone surrogates have become U+FFFD.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A dict, in order of first appearance; of equal keys the last value counts.
    Dict(Dict),
}

/// An ordered dict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dict {
    entries: Vec<(String, Value)>,
    places: std::collections::HashMap<String, usize>,
}

impl Dict {
    /// Sets a key: a new one goes to the end, an old one keeps its place.
    pub fn set(&mut self, key: String, value: Value) {
        if let Some(entry) = self
            .places
            .get(&key)
            .and_then(|place| self.entries.get_mut(*place))
        {
            entry.1 = value;
            return;
        }
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push((key, value));
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.places
            .get(key)
            .and_then(|place| self.entries.get(*place))
            .map(|(_, value)| value)
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Value {
    /// Whether Python takes it for true.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(digits) => digits.trim_start_matches('-') != "0",
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
        }
    }

    /// The dict, if it is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// What Python calls this type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Dict(_) => "an object",
        }
    }
}
