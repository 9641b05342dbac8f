//! The tokens of a Python file, by logical line: comments, joined lines, brackets over several lines, strings of all kinds.

use super::{Fault, strings};

/// A piece of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The line it begins in, from 1.
    pub(super) line: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name or a word of the language.
    Name(String),
    /// A number as it is written.
    Number(String),
    /// A string; `None` where its text cannot be known without running it.
    Text(Option<String>),
    /// An operator, a bracket, a comma.
    Sign(String),
}

impl Token {
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(&self.kind, Kind::Sign(own) if own == sign)
    }

    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// One logical line, which is never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) tokens: Vec<Token>,
    /// How far it is indented.
    pub(super) indent: usize,
}

/// Reads all logical lines.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lexer = Lexer {
        rest: &text,
        line: 1,
        lines: Vec::new(),
        tokens: Vec::new(),
        indent: 0,
        open: Vec::new(),
        is_at_start: true,
    };
    while lexer.step()? {}
    lexer.end()
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    lines: Vec<Line>,
    /// Of the logical line that is being read.
    tokens: Vec<Token>,
    indent: usize,
    /// The brackets that are open, with their lines.
    open: Vec<(char, usize)>,
    is_at_start: bool,
}

impl Lexer<'_> {
    /// Reads on; false at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        if self.is_at_start && self.open.is_empty() {
            self.read_indent();
        }
        self.is_at_start = false;
        let Some(c) = self.rest.chars().next() else {
            return Ok(false);
        };
        match c {
            '\n' => {
                self.take(1);
                self.line += 1;
                if self.open.is_empty() {
                    self.end_line();
                }
            }
            ' ' | '\t' | '\u{c}' => self.take(1),
            '#' => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            }
            '\\' if self.rest.starts_with("\\\n") => {
                self.take(2);
                self.line += 1;
            }
            '\0' => return Err(self.fault("holds a NUL byte, and is not Python")),
            _ => self.token(c)?,
        }
        Ok(true)
    }

    fn token(&mut self, c: char) -> Result<(), Fault> {
        if c.is_alphabetic() || c == '_' {
            let name = self.while_is(|c| c.is_alphanumeric() || c == '_');
            let is_prefix = name.len() <= 2 && name.chars().all(|c| "rbuftRBUFT".contains(c));
            if is_prefix && self.rest.starts_with(['\'', '"']) {
                return self.string(&name);
            }
            self.push(Kind::Name(name));
            return Ok(());
        }
        let second = self.rest.chars().nth(1);
        if c.is_ascii_digit() || (c == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            self.number();
            return Ok(());
        }
        match c {
            '\'' | '"' => self.string(""),
            _ => self.sign(c),
        }
    }

    fn number(&mut self) {
        let mut number = self.while_is(|c| c.is_ascii_alphanumeric() || "._".contains(c));
        let is_decimal = !number.starts_with("0x") && !number.starts_with("0X");
        // `1e-5`.
        if is_decimal && number.ends_with(['e', 'E']) && self.rest.starts_with(['-', '+']) {
            let sign = self.rest.chars().next().unwrap_or('+');
            self.take(1);
            number.push(sign);
            number.push_str(&self.while_is(|c| c.is_ascii_digit() || c == '_'));
        }
        self.push(Kind::Number(number));
    }

    fn string(&mut self, prefix: &str) -> Result<(), Fault> {
        let begin = self.line;
        let quote = if self.rest.starts_with('"') {
            '"'
        } else {
            '\''
        };
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let is_long = self.rest.starts_with(&triple);
        let end = if is_long { triple } else { quote.to_string() };
        self.take(end.len());
        let unended = Fault {
            line: begin,
            why: "a string begins here and does not end",
        };
        let mut length = 0;
        let content = self.rest;
        loop {
            let rest = content.get(length..).unwrap_or_default();
            if rest.starts_with(&end) {
                break;
            }
            let mut next = rest.chars();
            let c = next.next().ok_or_else(|| unended.clone())?;
            if c == '\n' && !is_long {
                return Err(unended);
            }
            length += c.len_utf8();
            self.line += usize::from(c == '\n');
            // Whatever stands behind a backslash ends no string.
            if c == '\\'
                && let Some(escaped) = next.next()
            {
                length += escaped.len_utf8();
                self.line += usize::from(escaped == '\n');
            }
        }
        let text = strings::text(prefix, content.get(..length).unwrap_or_default());
        self.take(length + end.len());
        self.tokens.push(Token {
            kind: Kind::Text(text),
            line: begin,
        });
        Ok(())
    }

    fn sign(&mut self, c: char) -> Result<(), Fault> {
        match c {
            '(' | '[' | '{' => self.open.push((c, self.line)),
            ')' | ']' | '}' => {
                let opened = self.open.pop().map(|(opened, _line)| opened);
                if !matches!(
                    (opened, c),
                    (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')
                ) {
                    return Err(
                        self.fault("a bracket is closed that is not open; this is not Python")
                    );
                }
            }
            _ => {}
        }
        let known = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
        let sign = match known {
            Some(sign) => (*sign).to_owned(),
            None if c.is_ascii_punctuation() && !"$?`\\!".contains(c) => c.to_string(),
            None => return Err(self.fault("holds a character that no Python has there")),
        };
        self.take(sign.len());
        self.push(Kind::Sign(sign));
        Ok(())
    }

    fn read_indent(&mut self) {
        let blanks = self.while_is(|c| " \t\u{c}".contains(c));
        self.indent = blanks.chars().fold(0, |indent, c| {
            if c == '\t' {
                (indent / 8 + 1) * 8
            } else {
                indent + 1
            }
        });
    }

    fn end_line(&mut self) {
        self.is_at_start = true;
        if !self.tokens.is_empty() {
            self.lines.push(Line {
                tokens: std::mem::take(&mut self.tokens),
                indent: self.indent,
            });
        }
    }

    fn end(mut self) -> Result<Vec<Line>, Fault> {
        if let Some((_, line)) = self.open.last() {
            return Err(Fault {
                line: *line,
                why: "a bracket is opened here and never closed",
            });
        }
        self.end_line();
        Ok(self.lines)
    }

    fn push(&mut self, kind: Kind) {
        self.tokens.push(Token {
            kind,
            line: self.line,
        });
    }

    fn while_is(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let part = self.rest.get(..end).unwrap_or_default().to_owned();
        self.take(end);
        part
    }

    fn take(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn fault(&self, why: &'static str) -> Fault {
        Fault {
            line: self.line,
            why,
        }
    }
}

/// Signs of more than one character, the longest first.
const SIGNS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", ":=", "->", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>",
];
