//! What may stand at a place in the text of a filter, also of one that is half written: for suggestions while typing.
//!
//! [`complete`] says which part of the text an accepted suggestion replaces, what the language itself knows
//! ([`Completion::suggestions`]), and which values only the database or the program knows ([`Completion::wanted`]).

mod offer;
mod walk;

use std::ops::Range;

use crate::{
    catalogue::{Column, RowKind},
    parse::{MAX_LENGTH, QUOTES, Token, TokenKind, is_of_a_word, tokens},
    print::{in_quotes, written},
};
use walk::Walk;

pub use offer::operators;

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The part of the text that an accepted suggestion takes the place of, in bytes; empty where nothing was typed.
    pub replace: Range<usize>,
    /// What is typed there, without quotes.
    pub typed: String,
    /// What the language knows, the likeliest first.
    pub suggestions: Vec<Suggestion>,
    /// Values that somebody else has to look up.
    pub wanted: Option<Wanted>,
}

/// Something that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What it is.
    pub kind: SuggestionKind,
    /// What is written into the filter.
    pub text: String,
    /// Its name for people; the text where there is none.
    pub label: String,
    /// What it means, in a sentence; may be empty.
    pub about: &'static str,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuggestionKind {
    /// A field of the machine.
    Field,
    /// Something that a machine has many of.
    RowKind,
    /// A column of these.
    Column,
    /// How a field is compared.
    Operator,
    /// `and`, `not`, a parenthesis, …
    Keyword,
    /// How a value is read.
    Type,
    /// A value.
    Value,
}

/// Values that are looked up elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Values of a column of the machine.
    Column(&'static Column),
    /// Values of a column of the rows that machines have.
    Rows {
        /// Which rows.
        kind: &'static RowKind,
        /// Which of their columns.
        column: &'static Column,
        /// The name after the row kind's, such as a fact's, that tells which rows.
        of: Option<String>,
    },
    /// What may stand after the name of a row kind: names of facts, applications, items.
    Which(&'static RowKind),
    /// Serial numbers and host names.
    Machines,
    /// Names of saved searches.
    Searches,
    /// Names of widgets.
    Widgets,
    /// Parts of a widget's chart.
    Segments(String),
}

impl Wanted {
    /// How an accepted value is written into the filter: in quotes where it needs them.
    #[must_use]
    pub fn written(&self, value: &str) -> String {
        match self {
            // A name without quotes may be a word of the language.
            Self::Which(_) | Self::Widgets => in_quotes(value),
            _ => written(value),
        }
    }
}

/// Says what may stand at `cursor`, a byte of the text.
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    let cursor = floor(text, cursor);
    let mut found = Completion {
        replace: cursor..cursor,
        typed: String::new(),
        suggestions: Vec::new(),
        wanted: None,
    };
    if text.len() > MAX_LENGTH {
        return found;
    }
    let Some((before, typed)) = read(text.get(..cursor).unwrap_or_default()) else {
        return found;
    };
    let mut walk = Walk::default();
    for token in &before {
        walk.step(token);
    }
    found.replace = typed.begin..end(text, cursor, &typed);
    found.typed = typed.text;
    offer::offer(&walk, typed.is_quoted, &mut found);
    found
}

/// What stands right before the cursor and is not finished.
struct Typed {
    begin: usize,
    text: String,
    is_quoted: bool,
}

/// The tokens before the one at the cursor, and that one; none where the text cannot be read at all.
fn read(before: &str) -> Option<(Vec<Token>, Typed)> {
    let end = before.len();
    match tokens(before) {
        Ok(mut found) => {
            let mut typed = Typed {
                begin: end,
                text: String::new(),
                is_quoted: false,
            };
            let last = found.pop_if(|token| {
                token.at.end == end
                    && (matches!(token.kind, TokenKind::Word(_))
                        || before.get(token.at.clone()) == Some("!"))
            });
            if let Some(last) = last {
                typed.begin = last.at.start;
                typed.text = before.get(last.at).unwrap_or_default().to_owned();
            }
            Some((found, typed))
        }
        Err(error) => {
            let begin = error.at.start;
            let mut open = before.get(begin..)?.chars();
            open.next().filter(|quote| QUOTES.contains(quote))?;
            let typed = Typed {
                begin,
                text: without_escapes(open.as_str()),
                is_quoted: true,
            };
            Some((tokens(before.get(..begin)?).ok()?, typed))
        }
    }
}

fn without_escapes(text: &str) -> String {
    let mut is_escaped = false;
    text.chars()
        .filter(|c| {
            is_escaped = *c == '\\' && !is_escaped;
            !is_escaped
        })
        .collect()
}

/// Where what is typed ends: behind the cursor where a word or a text goes on.
fn end(text: &str, cursor: usize, typed: &Typed) -> usize {
    if typed.is_quoted {
        let found = tokens(text).unwrap_or_default();
        return found
            .iter()
            .find(|token| token.at.start == typed.begin)
            .map_or(cursor, |token| token.at.end.max(cursor));
    }
    let rest = text.get(cursor..).unwrap_or_default();
    if typed.text.is_empty() || typed.text == "!" {
        return cursor;
    }
    let more: usize = rest
        .chars()
        .take_while(|c| is_of_a_word(*c))
        .map(char::len_utf8)
        .sum();
    cursor + more
}

/// The last border between characters that is not behind `cursor`.
fn floor(text: &str, cursor: usize) -> usize {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    cursor
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "tests")]
mod tests;
