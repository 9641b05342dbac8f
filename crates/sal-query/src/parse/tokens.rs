//! The words, texts and signs of a filter, each with its place.

use std::ops::Range;

use winnow::{
    LocatingSlice, Parser,
    ascii::multispace0,
    combinator::{alt, fail, opt, repeat},
    error::ContextError,
    token::{any, one_of, take_while},
};

use super::FilterError;

/// A part of a filter's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Where it stands, in bytes.
    pub(crate) at: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// Without quotes.
    Word(String),
    /// In quotes.
    Text(String),
    /// `=`, `(`, `,`, …
    Sign(&'static str),
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut input = LocatingSlice::new(text);
    let mut found = Vec::new();
    loop {
        let _space: &str = multispace0::<_, ContextError>
            .parse_next(&mut input)
            .unwrap_or_default();
        if input.is_empty() {
            return Ok(found);
        }
        let begin = text.len() - input.len();
        let Ok((kind, at)) = alt((sign, quoted, word)).with_span().parse_next(&mut input) else {
            let rest = text.get(begin..).unwrap_or_default();
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let message = if rest.starts_with(QUOTES) {
                "this quote is never closed; add a quote at the end".to_owned()
            } else {
                "this character has no meaning here; put the text in quotes".to_owned()
            };
            return Err(FilterError::new(begin..begin + first, message));
        };
        found.push(Token { kind, at });
    }
}

type Input<'a> = LocatingSlice<&'a str>;

fn sign(input: &mut Input<'_>) -> Result<TokenKind, ContextError> {
    for (written, meant) in SIGNS {
        if opt(*written).parse_next(input)?.is_some() {
            return Ok(TokenKind::Sign(meant));
        }
    }
    fail.parse_next(input)
}

/// What may be typed, and what it means; the longer ones first.
const SIGNS: &[(&str, &str)] = &[
    ("==", "=="),
    ("!=", "!="),
    ("!~", "!~"),
    ("<=", "<="),
    (">=", ">="),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("&&", "and"),
    ("||", "or"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("~", "~"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    ("!", "not"),
];

/// Straight quotes, and those that a word processor makes of them.
pub(crate) const QUOTES: [char; 5] = ['"', '\'', '“', '”', '„'];

fn quoted(input: &mut Input<'_>) -> Result<TokenKind, ContextError> {
    let open = one_of(QUOTES).parse_next(input)?;
    let closes = move |c: char| match open {
        '\'' => c == '\'',
        '"' => c == '"',
        _ => matches!(c, '”' | '“' | '"'),
    };
    let piece = alt((
        ('\\', any).map(|(_, escaped): (char, char)| escaped),
        any.verify(move |c: &char| !closes(*c)),
    ));
    let text: String = repeat(0.., piece)
        .fold(String::new, |mut text, c: char| {
            text.push(c);
            text
        })
        .parse_next(input)?;
    any.verify(move |c: &char| closes(*c)).parse_next(input)?;
    Ok(TokenKind::Text(text))
}

fn word(input: &mut Input<'_>) -> Result<TokenKind, ContextError> {
    // `O'Brien` is one word.
    (
        one_of(is_of_a_word),
        take_while(0.., |c| is_of_a_word(c) || c == '\''),
    )
        .take()
        .map(|word: &str| TokenKind::Word(word.to_owned()))
        .parse_next(input)
}

/// Whether a character can stand in a word without quotes.
pub(crate) fn is_of_a_word(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(
            c,
            '=' | '<'
                | '>'
                | '~'
                | '('
                | ')'
                | ','
                | '"'
                | '“'
                | '”'
                | '„'
                | '≤'
                | '≥'
                | '≠'
                | '!'
                | ';'
        )
        && c != '\''
}
