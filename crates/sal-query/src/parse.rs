//! The filter language: text to tree.
//!
//! ```text
//! filter    = and { "or" and }
//! and       = not { ["and"] not }
//! not       = "not" not | "(" filter ")" | "everything" | "nothing" | rows | condition | word
//! rows      = [ "any" | "every" | "no" ] ROWS "(" filter ")"
//! condition = "has" subject | subject operator [ value | "(" value { "," value } ")" ]
//! subject   = NAME [ WHICH ] [ "as" TYPE ]
//! ```
//!
//! A word that begins no condition is looked for by the quick search. Names, keywords and types are read in any letter
//! case; a value needs quotes only where it has spaces, signs, or is a keyword. [`crate::print`] is the way back.

mod ahead;
mod pasted;
mod tokens;

use std::ops::Range;

use crate::{
    catalogue::{self, Of, Subject},
    expr::{Compare, Expr, Op, Quantifier, Rows, Takes},
};
pub(crate) use pasted::are_serials;
use pasted::{machines, pasted_list};
pub(crate) use tokens::{QUOTES, Token, TokenKind, is_of_a_word, tokens};

/// Filters longer than this are refused, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;
/// Brackets, `not` and rows may lie in each other so deep.
pub const MAX_DEPTH: usize = 20;
/// So many comparisons and words a filter may have.
pub const MAX_TERMS: usize = 100;
/// So many values `in (…)` may have.
pub const MAX_VALUES: usize = 1_000;

/// A filter that cannot be read or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .suggestion.as_ref().map_or_else(String::new, |word| format!("; did you mean `{word}`?")))]
pub struct FilterError {
    /// Where in the text, in bytes; empty at the end of it.
    pub at: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl FilterError {
    pub(crate) fn new(at: Range<usize>, message: String) -> Self {
        Self {
            at,
            message,
            suggestion: None,
        }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<&str>) -> Self {
        self.suggestion = suggestion.map(str::to_owned);
        self
    }
}

/// Where the parts of a comparison, or of a question about rows, stand in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name and what follows it.
    pub subject: Range<usize>,
    /// The operator.
    pub operator: Range<usize>,
    /// The value or values.
    pub value: Range<usize>,
}

/// A filter and where its parts stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The filter.
    pub expr: Expr,
    /// One place for each comparison and each question about rows, in the order of reading.
    pub places: Vec<Place>,
}

/// Reads a filter. An empty text is every machine.
///
/// # Errors
/// Says where the text cannot be read, and what was expected there.
pub fn parse(text: &str) -> Result<Parsed, FilterError> {
    if text.len() > MAX_LENGTH {
        return Err(FilterError::new(
            0..0,
            format!(
                "the filter is longer than {MAX_LENGTH} bytes; shorten it, or save parts of it as searches"
            ),
        ));
    }
    if let Some(names) = pasted_list(text) {
        return Ok(Parsed {
            expr: machines(names)?,
            places: vec![Place::default()],
        });
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Parsed {
            expr: Expr::everything(),
            places: Vec::new(),
        });
    }
    let mut parser = Parser {
        tokens,
        next: 0,
        end: text.len(),
        depth: 0,
        terms: 0,
        places: Vec::new(),
        columns: false,
    };
    let expr = parser.any()?;
    if let Some(token) = parser.peek() {
        let at = token.at.clone();
        let message = match token.kind {
            TokenKind::Sign(")") => "there is no opening parenthesis for this one".to_owned(),
            _ => "expected `and`, `or`, or the end of the filter".to_owned(),
        };
        return Err(FilterError::new(at, message));
    }
    // `and` and `or` nest too, without a sign that is counted on the way.
    if expr.depth() > MAX_DEPTH {
        return Err(FilterError::new(0..text.len(), too_deep()));
    }
    let has_quotes = parser
        .tokens
        .iter()
        .any(|token| matches!(token.kind, TokenKind::Text(_)));
    match expr {
        Expr::Words { words } if !has_quotes && are_serials(&words) => Ok(Parsed {
            expr: machines(words)?,
            places: vec![Place::default()],
        }),
        expr => Ok(Parsed {
            expr,
            places: parser.places,
        }),
    }
}

fn too_deep() -> String {
    format!(
        "the filter is nested more than {MAX_DEPTH} deep; simplify it, or save a part of it as a search"
    )
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    depth: usize,
    terms: usize,
    places: Vec<Place>,
    /// Inside of `rows(…)`: names are those of columns, and words have no meaning.
    columns: bool,
}

type Read<T> = Result<T, FilterError>;

impl Parser {
    fn any(&mut self) -> Read<Expr> {
        let mut parts = vec![self.all()?];
        while self.eat_keyword("or") {
            parts.push(self.all()?);
        }
        Ok(Expr::any(parts))
    }

    fn all(&mut self) -> Read<Expr> {
        let mut parts: Vec<Expr> = vec![self.not()?];
        loop {
            let said = self.eat_keyword("and");
            let goes_on = match self.peek() {
                None => false,
                Some(token) => match &token.kind {
                    TokenKind::Sign(sign) => matches!(*sign, "(" | "not"),
                    TokenKind::Word(word) => !word.eq_ignore_ascii_case("or"),
                    TokenKind::Text(_) => true,
                },
            };
            if !said && !goes_on {
                return Ok(Expr::all(parts));
            }
            let part = self.not()?;
            // Words side by side are one quick search.
            match (parts.last_mut(), part) {
                (Some(Expr::Words { words }), Expr::Words { words: more }) if !said => {
                    words.extend(more);
                }
                (_, part) => parts.push(part),
            }
        }
    }

    fn not(&mut self) -> Read<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error_here(&too_deep()));
        }
        let read = if self.eat_keyword("not") {
            self.not().map(Expr::negate)
        } else if self.eat_sign("(") {
            let inner = self.any()?;
            self.close()?;
            Ok(inner)
        } else {
            self.term()
        };
        self.depth -= 1;
        read
    }

    fn close(&mut self) -> Read<()> {
        if self.eat_sign(")") {
            return Ok(());
        }
        Err(self.error_here("expected `and`, `or` or `)`"))
    }

    fn term(&mut self) -> Read<Expr> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.error_here(&format!(
                "the filter has more than {MAX_TERMS} conditions; use `in (…)`, or save a part of it as a search"
            )));
        }
        let Some(token) = self.peek().cloned() else {
            return Err(self.error_here(
                "expected a condition, such as `os_version < 15.1`, but the filter ends here",
            ));
        };
        match token.kind {
            TokenKind::Text(text) => {
                if self.operator_follows(1).is_some() {
                    return Err(FilterError::new(
                        token.at,
                        "a condition begins with the name of a field, without quotes".to_owned(),
                    ));
                }
                self.next += 1;
                self.words(text, token.at)
            }
            TokenKind::Word(word) => self.word(&word, token.at),
            TokenKind::Sign(_) => Err(FilterError::new(
                token.at,
                "expected a condition, such as `os_version < 15.1`".to_owned(),
            )),
        }
    }

    fn words(&self, word: String, at: Range<usize>) -> Read<Expr> {
        if self.columns {
            return Err(FilterError::new(
                at,
                "expected the name of a column and an operator, such as `version < 130`".to_owned(),
            ));
        }
        Ok(Expr::Words { words: vec![word] })
    }

    /// What a word begins.
    fn word(&mut self, word: &str, at: Range<usize>) -> Read<Expr> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "everything" | "nothing" if self.operator_follows(1).is_none() => {
                self.next += 1;
                return Ok(if lower == "everything" {
                    Expr::everything()
                } else {
                    Expr::Any { any: Vec::new() }
                });
            }
            "and" | "or" => {
                return Err(FilterError::new(
                    at,
                    format!("expected a condition before `{lower}`"),
                ));
            }
            "any" | "every" | "no" if self.rows_follow(1) => {
                self.next += 1;
                let quantifier = match lower.as_str() {
                    "every" => Quantifier::Every,
                    "no" => Quantifier::No,
                    _ => Quantifier::Any,
                };
                return self.rows(quantifier);
            }
            "has" if self.subject_follows(1) => {
                self.next += 1;
                return self.has(at);
            }
            _ if self.rows_follow(0) => return self.rows(Quantifier::Any),
            _ => {}
        }
        if self.begins_condition(word) {
            return self.condition();
        }
        self.next += 1;
        self.words(word.to_owned(), at)
    }

    fn rows(&mut self, quantifier: Quantifier) -> Read<Expr> {
        let Some(Token {
            kind: TokenKind::Word(name),
            at,
        }) = self.take()
        else {
            return Err(self.error_here("expected a kind of rows, such as `application`"));
        };
        if self.columns {
            return Err(FilterError::new(
                at,
                "rows cannot be asked inside of other rows".to_owned(),
            ));
        }
        self.places.push(Place {
            subject: at,
            ..Place::default()
        });
        self.eat_sign("(");
        self.columns = true;
        let condition = if self.is_sign_here(")") {
            Expr::everything()
        } else {
            self.any()?
        };
        self.columns = false;
        self.close()?;
        Ok(Expr::Rows(Rows {
            rows: name.to_ascii_lowercase(),
            quantifier,
            condition: Box::new(condition),
        }))
    }

    fn has(&mut self, begin: Range<usize>) -> Read<Expr> {
        let (mut compare, mut place) = self.subject(Op::Set)?;
        place.operator = begin;
        compare.op = Op::Set;
        self.places.push(place);
        Ok(Expr::Compare(compare))
    }

    fn condition(&mut self) -> Read<Expr> {
        let (mut compare, mut place) = self.subject(Op::Equal)?;
        let begin = self.here();
        let Some((op, length)) = self.operator_follows(0) else {
            let message = format!(
                "expected an operator after `{}`, such as = != < > ~ in within, is set",
                compare.field
            );
            return Err(self.error_here(&message));
        };
        self.next += length;
        place.operator = begin.start..self.last_end();
        compare.op = op;
        let begin = self.here();
        match op.takes() {
            Takes::Nothing => {}
            Takes::One => compare.value = Some(self.value(op)?),
            Takes::Age => compare.value = Some(self.age(op)?),
            Takes::Many => compare.values = Some(self.values(op)?),
        }
        place.value = begin.start..self.last_end();
        self.places.push(place);
        Ok(Expr::Compare(compare))
    }

    /// The name, which one of them, and how it is read.
    fn subject(&mut self, op: Op) -> Read<(Compare, Place)> {
        let Some(Token {
            kind: TokenKind::Word(name),
            at,
        }) = self.take()
        else {
            return Err(self.error_here("expected the name of a field"));
        };
        let mut compare = Compare::new(&name.to_ascii_lowercase(), op);
        let is_text = matches!(self.kind_at(0), Some(TokenKind::Text(_)));
        let names_one = !self.columns
            && matches!(self.kind_at(0), Some(TokenKind::Word(_)))
            && matches!(catalogue::find(&name), Some(Subject::Rows(kind)) if kind.of != Of::Nothing)
            && self.operator_follows(0).is_none()
            && !["and", "or", "as"]
                .iter()
                .any(|word| self.keyword_at(0, word));
        if is_text || names_one {
            compare.of = self.take().map(|token| token.kind.text());
        }
        if self.eat_keyword("as") {
            let Some(cast) = self.cast_at(0) else {
                return Err(self.error_here(
                    "expected text, number, version, date, boolean or size after `as`",
                ));
            };
            self.next += 1;
            compare.cast = Some(cast);
        }
        let place = Place {
            subject: at.start..self.last_end(),
            ..Place::default()
        };
        Ok((compare, place))
    }

    fn value(&mut self, op: Op) -> Read<String> {
        let token = match self.peek() {
            Some(token) if !matches!(token.kind, TokenKind::Sign(_)) => token.kind.clone(),
            _ => {
                let message = format!("expected a value after `{}`", op.text());
                return Err(self.error_here(&message));
            }
        };
        self.next += 1;
        let is_word = matches!(token, TokenKind::Word(_));
        let mut text = token.text();
        // `10 GB` is one value; `10` before a word of another meaning is one too.
        if is_word
            && is_number(&text)
            && let Some(TokenKind::Word(unit)) = self.kind_at(0)
            && SIZE_UNITS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(unit))
        {
            text.push(' ');
            text.push_str(unit);
            self.next += 1;
        }
        Ok(text)
    }

    /// `14d`, `14 days`.
    fn age(&mut self, op: Op) -> Read<String> {
        let mut text = self.value(op)?;
        if is_number(&text)
            && let Some(TokenKind::Word(unit)) = self.kind_at(0)
            && let Some((_, short)) = AGE_UNITS.iter().find(|(long, _)| {
                unit.eq_ignore_ascii_case(long) || unit.eq_ignore_ascii_case(&format!("{long}s"))
            })
        {
            text.push_str(short);
            self.next += 1;
        }
        Ok(text)
    }

    fn values(&mut self, op: Op) -> Read<Vec<String>> {
        if !self.eat_sign("(") {
            let message = format!(
                "expected a list of values in parentheses after `{}`, such as (\"a\", \"b\")",
                op.text()
            );
            return Err(self.error_here(&message));
        }
        let mut values = vec![self.value(op)?];
        while self.eat_sign(",") {
            values.push(self.value(op)?);
            if values.len() > MAX_VALUES {
                let message = format!("a list holds at most {MAX_VALUES} values");
                return Err(self.error_here(&message));
            }
        }
        if self.eat_sign(")") {
            return Ok(values);
        }
        Err(self.error_here("expected `,` or `)`"))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn kind_at(&self, ahead: usize) -> Option<&TokenKind> {
        self.tokens.get(self.next + ahead).map(|token| &token.kind)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn keyword_at(&self, ahead: usize, keyword: &str) -> bool {
        match self.kind_at(ahead) {
            Some(TokenKind::Word(word)) => word.eq_ignore_ascii_case(keyword),
            Some(TokenKind::Sign(sign)) => *sign == keyword,
            _ => false,
        }
    }

    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let found = self.keyword_at(0, keyword);
        self.next += usize::from(found);
        found
    }

    fn is_sign_here(&self, sign: &str) -> bool {
        matches!(self.kind_at(0), Some(TokenKind::Sign(found)) if *found == sign)
    }

    fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign_here(sign);
        self.next += usize::from(found);
        found
    }

    fn here(&self) -> Range<usize> {
        self.peek()
            .map_or(self.end..self.end, |token| token.at.clone())
    }

    fn last_end(&self) -> usize {
        let last = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(self.end, |token| token.at.end)
    }

    fn error_here(&self, message: &str) -> FilterError {
        FilterError::new(self.here(), message.to_owned())
    }
}

impl TokenKind {
    fn text(self) -> String {
        match self {
            Self::Word(text) | Self::Text(text) => text,
            Self::Sign(sign) => sign.to_owned(),
        }
    }
}

/// Whether a word can follow a number as its unit.
pub(crate) fn is_unit(word: &str) -> bool {
    let is = |known: &str| known.eq_ignore_ascii_case(word);
    SIZE_UNITS.iter().any(|known| is(known))
        || AGE_UNITS
            .iter()
            .any(|(long, _)| is(long) || is(&format!("{long}s")))
}

pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Units of sizes, which may stand apart from their number.
const SIZE_UNITS: [&str; 10] = [
    "B", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB",
];

/// Units of ages in words, and as [`crate::Age`] reads them.
const AGE_UNITS: [(&str, &str); 6] = [
    ("second", "s"),
    ("minute", "m"),
    ("hour", "h"),
    ("day", "d"),
    ("week", "w"),
    ("d", "d"),
];

#[cfg(test)]
mod tests;
