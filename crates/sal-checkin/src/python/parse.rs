//! Reads JSON as `json.loads` does: NaN and infinities allowed, of equal keys the last one counts.

use std::borrow::Cow;

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
pub fn parse(text: &str) -> Result<Value<'_>, ParseError> {
    let mut parser = Parser {
        text,
        at: 0,
        values: 0,
    };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.error("text after the end of the JSON value")),
    }
}

/// What is wrong with a text of more than [`MOST_VALUES`] values.
pub const TOO_MANY: &str = "too many values";
/// The most values that are read. A check-in of a Mac has one to three thousand; each costs some hundred bytes on its
/// way into the tables.
pub const MOST_VALUES: usize = 100_000;
/// The deepest nesting that is read.
const MAX_DEPTH: usize = 200;

/// Everything that gives JSON its form is ASCII, so the text is read as bytes; `at` always stands before a character.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(self.error(TOO_MANY));
        }
        match self.peek() {
            Some(b'{') => self.dict(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => {
                self.at += 1;
                Ok(Value::Text(self.string()?))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't' | b'f' | b'n' | b'N' | b'I') => self.word(),
            _ => Err(self.error("a value was expected")),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        self.at += 1;
        let mut dict = Dict::default();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Dict(dict));
        }
        loop {
            self.skip_space();
            if !self.take(b'"') {
                return Err(self.error("a key in double quotes was expected"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("a colon was expected"));
            }
            self.skip_space();
            let value = self.value(depth + 1)?;
            dict.set(key, value);
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Dict(dict));
            }
            if !self.take(b',') {
                return Err(self.error("a comma or a closing brace was expected"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        self.at += 1;
        let mut list = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(list));
        }
        loop {
            self.skip_space();
            list.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(list));
            }
            if !self.take(b',') {
                return Err(self.error("a comma or a closing bracket was expected"));
            }
        }
    }

    /// The rest of a string, after its opening quote. Borrowed when nothing in it is escaped.
    fn string(&mut self) -> Result<Cow<'a, str>, ParseError> {
        let mut out = Cow::Borrowed(self.plain());
        loop {
            match self.peek() {
                None => return Err(self.error("a string without an end")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    let rest = self.plain();
                    let text = out.to_mut();
                    text.push(character);
                    text.push_str(rest);
                }
                Some(_) => return Err(self.error("a control character in a string")),
            }
        }
    }

    /// The characters up to the next quote, backslash or control character.
    fn plain(&mut self) -> &'a str {
        let rest = self.rest();
        let special = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let end = rest.bytes().position(special).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let character = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(character)
    }

    /// `XXXX`, and `XXXX\uXXXX` for a pair of surrogates. A lone surrogate cannot be stored in Postgres
    /// (the original answers 500), so it becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let resume = self.at;
        if self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = resume;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, ParseError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            value = value * 16
                + digit.ok_or_else(|| self.error("four hexadecimal digits were expected"))?;
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value<'a>, ParseError> {
        let start = self.at;
        let negative = self.take(b'-');
        if negative && self.peek() == Some(b'I') {
            return self.word().map(|_| Value::Float(f64::NEG_INFINITY));
        }
        let whole = self.digits();
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero {
            return Err(self.error("not a number"));
        }
        let mut float = false;
        if self.take(b'.') {
            // `1.` is not JSON: Python reads `1` and then fails on the point.
            if self.digits().is_empty() {
                return Err(self.error("digits after the point were expected"));
            }
            float = true;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            if self.digits().is_empty() {
                return Err(self.error("digits in the exponent were expected"));
            }
            float = true;
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        if float {
            return literal
                .parse()
                .map(Value::Float)
                .map_err(|_not_a_float| self.error("not a number"));
        }
        Ok(Value::Int(Cow::Borrowed(if literal == "-0" {
            "0"
        } else {
            literal
        })))
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn word(&mut self) -> Result<Value<'a>, ParseError> {
        const WORDS: &[(&str, Value<'static>)] = &[
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
        ];
        let rest = self.rest();
        let Some((word, value)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) else {
            return Err(self.error("a value was expected"));
        };
        self.at += word.len();
        Ok(value.clone())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, what: &'static str) -> ParseError {
        ParseError { what, at: self.at }
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
                let written = dumps(&value);
                let again = parse(&written).unwrap();
                proptest::prop_assert_eq!(text(&again), text(&value));
            }
        }
    }
}
