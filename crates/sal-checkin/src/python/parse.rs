//! Reads JSON as `json.loads` does: NaN and infinities allowed, of equal keys the last one counts.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{Dict, Value};

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct ParseError {
    /// What was wrong.
    pub what: &'static str,
    /// Where, in bytes from the start.
    pub at: usize,
}

/// Parses a whole text.
///
/// # Errors
/// The first place that is not JSON, or nesting deeper than 200 (Python stops at its recursion limit).
pub fn parse(text: &str) -> Result<Value, ParseError> {
    let mut parser = Parser {
        text,
        chars: text.char_indices().peekable(),
    };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    match parser.chars.peek() {
        None => Ok(value),
        Some(_) => Err(parser.error("text after the end of the JSON value")),
    }
}

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 200;

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, ParseError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        match self.chars.peek().map(|(_, c)| *c) {
            Some('{') => self.dict(depth),
            Some('[') => self.list(depth),
            Some('"') => {
                self.chars.next();
                Ok(Value::Text(self.string()?))
            }
            Some('-' | '0'..='9') => self.number(),
            Some('t' | 'f' | 'n' | 'N' | 'I') => self.word(),
            _ => Err(self.error("a value was expected")),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.chars.next();
        let mut dict = Dict::default();
        self.skip_space();
        if self.take('}') {
            return Ok(Value::Dict(dict));
        }
        loop {
            self.skip_space();
            if !self.take('"') {
                return Err(self.error("a key in double quotes was expected"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(':') {
                return Err(self.error("a colon was expected"));
            }
            self.skip_space();
            let value = self.value(depth + 1)?;
            dict.set(key, value);
            self.skip_space();
            if self.take('}') {
                return Ok(Value::Dict(dict));
            }
            if !self.take(',') {
                return Err(self.error("a comma or a closing brace was expected"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.chars.next();
        let mut list = Vec::new();
        self.skip_space();
        if self.take(']') {
            return Ok(Value::List(list));
        }
        loop {
            self.skip_space();
            list.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(']') {
                return Ok(Value::List(list));
            }
            if !self.take(',') {
                return Err(self.error("a comma or a closing bracket was expected"));
            }
        }
    }

    /// The rest of a string, after its opening quote.
    fn string(&mut self) -> Result<String, ParseError> {
        let mut out = String::new();
        loop {
            match self.chars.next() {
                None => return Err(self.error("a string without an end")),
                Some((_, '"')) => return Ok(out),
                Some((_, '\\')) => out.push(self.escape()?),
                Some((_, c)) if c < ' ' => {
                    return Err(self.error("a control character in a string"));
                }
                Some((_, c)) => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        match self.chars.next().map(|(_, c)| c) {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode_escape(),
            _ => Err(self.error("an unknown escape in a string")),
        }
    }

    /// `\uXXXX`, and `\uXXXX\uXXXX` for a pair of surrogates. A lone surrogate cannot be stored in Postgres
    /// (the original answers 500), so it becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let mut ahead = self.chars.clone();
        if ahead.next().map(|(_, c)| c) == Some('\\') && ahead.next().map(|(_, c)| c) == Some('u') {
            let resume = std::mem::replace(&mut self.chars, ahead);
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.chars = resume;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, ParseError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.chars.next().and_then(|(_, c)| c.to_digit(16));
            value = value * 16
                + digit.ok_or_else(|| self.error("four hexadecimal digits were expected"))?;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, ParseError> {
        let start = self.at();
        let negative = self.take('-');
        if negative && self.chars.peek().map(|(_, c)| *c) == Some('I') {
            return self.word().map(|_| Value::Float(f64::NEG_INFINITY));
        }
        let whole = self.digits();
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero {
            return Err(self.error("not a number"));
        }
        let mut float = false;
        let before = self.chars.clone();
        if self.take('.') {
            // `1.` is not JSON: Python reads `1` and then fails on the point.
            if self.digits().is_empty() {
                self.chars = before;
                return Err(self.error("digits after the point were expected"));
            }
            float = true;
        }
        if self.take('e') || self.take('E') {
            let _sign = self.take('+') || self.take('-');
            if self.digits().is_empty() {
                return Err(self.error("digits in the exponent were expected"));
            }
            float = true;
        }
        let literal = self.text.get(start..self.at()).unwrap_or_default();
        if float {
            return literal
                .parse()
                .map(Value::Float)
                .map_err(|_not_a_float| self.error("not a number"));
        }
        Ok(Value::Int(if literal == "-0" {
            "0".to_owned()
        } else {
            literal.to_owned()
        }))
    }

    fn digits(&mut self) -> &'a str {
        let start = self.at();
        while self.chars.next_if(|(_, c)| c.is_ascii_digit()).is_some() {}
        self.text.get(start..self.at()).unwrap_or_default()
    }

    fn word(&mut self) -> Result<Value, ParseError> {
        const WORDS: &[(&str, Value)] = &[
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
        ];
        let rest = self.text.get(self.at()..).unwrap_or_default();
        let Some((word, value)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) else {
            return Err(self.error("a value was expected"));
        };
        for _ in word.chars() {
            self.chars.next();
        }
        Ok(value.clone())
    }

    fn skip_space(&mut self) {
        while self
            .chars
            .next_if(|(_, c)| matches!(c, ' ' | '\t' | '\n' | '\r'))
            .is_some()
        {}
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn error(&mut self, what: &'static str) -> ParseError {
        ParseError {
            what,
            at: self.at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::{dumps, text};

    #[test]
    fn reads_what_python_reads() {
        let cases = [
            (
                "[1, -0, 12345678901234567890, 1.0, 1e22, 1E-7]",
                "[1, 0, 12345678901234567890, 1.0, 1e+22, 1e-07]",
            ),
            ("[NaN, Infinity, -Infinity]", "[nan, inf, -inf]"),
            (r#"{"a": 1, "b": 2, "a": 3}"#, "{'a': 3, 'b': 2}"),
            (r#"["😀", "\ud83d"]"#, "['😀', '\u{fffd}']"),
            (" {} ", "{}"),
        ];
        for (json, python) in cases {
            assert_eq!(text(&parse(json).unwrap()), python, "{json}");
        }
    }

    #[test]
    fn refuses_what_python_refuses() {
        for json in [
            "",
            "{",
            "[1,]",
            "{'a': 1}",
            "01",
            "1.",
            "nul",
            "\u{feff}{}",
            "[1] x",
            "\"a\nb\"",
            "+1",
            ".5",
            "{\"a\" 1}",
        ] {
            assert!(parse(json).is_err(), "{json:?}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_rereads_what_it_wrote(raw in "\\PC{0,80}|[\\[\\]{}\",:0-9a-z.eE+\\- \\\\u]{0,60}") {
            if let Ok(value) = parse(&raw) {
                let again = parse(&dumps(&value)).unwrap();
                proptest::prop_assert_eq!(text(&again), text(&value));
            }
        }
    }
}
