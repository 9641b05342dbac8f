//! JSON as Python's `json` module reads it, and values as Python's `str()`, `repr()` and `json.dumps()` write them.
//!
//! Django Sal stores what Python made of a client's JSON, and searches, plugins and third-party scripts read it,
//! so it must be reproduced byte for byte (sal-protocol §1.2). No JSON crate reads `NaN`, keeps integers of any
//! length and takes lone surrogates at once, which is why this is here.

mod parse;
mod write;

use std::borrow::Cow;
use std::collections::HashMap;

pub use parse::{MOST_VALUES, ParseError, TOO_MANY, parse};
pub use write::{dumps, text};

/// A value of Python's JSON. Texts are borrowed from what was parsed wherever they stand there as they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of any length, as its decimal digits.
    Int(Cow<'a, str>),
    /// A float; NaN and infinities are allowed.
    Float(f64),
    /// A string. Lone surrogates have become U+FFFD.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// A dict, in order of first appearance; of equal keys the last value counts.
    Dict(Dict<'a>),
}

/// An ordered dict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dict<'a> {
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Where each key is, once there are too many to look through.
    places: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Dict<'a> {
    /// Sets a key: a new one goes to the end, an old one keeps its place.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let key = key.into();
        if let Some(entry) = self
            .place(&key)
            .and_then(|place| self.entries.get_mut(place))
        {
            entry.1 = value;
            return;
        }
        let next = self.entries.len();
        if next == FEW {
            let keys = self.entries.iter().map(|(key, _)| key.clone());
            self.places = keys.zip(0..).collect();
        }
        if next >= FEW {
            self.places.insert(key.clone(), next);
        }
        self.entries.push((key, value));
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.entries.get(self.place(key)?).map(|(_, value)| value)
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|(known, _)| known == key);
        }
        self.places.get(key).copied()
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
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

impl<'a> Value<'a> {
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
    pub fn as_dict(&self) -> Option<&Dict<'a>> {
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

/// Dicts of up to so many keys are looked through: for a managed item's five keys that beats hashing.
const FEW: usize = 12;
