//! A filter as text: the way back of [`crate::parse`].

use std::fmt::{self, Display, Formatter, Write};

use crate::{
    catalogue::{self, Subject},
    expr::{Compare, Expr, Op, Quantifier, Rows},
    parse::{are_serials, is_of_a_word},
};

impl Display for Expr {
    /// Writes the filter so that [`crate::parse::parse`] reads it back.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All { all } => joined(f, all, " and ", "everything", |part| {
                matches!(part, Self::All { all: inner } if inner.len() > 1)
                    || matches!(part, Self::Any { any: inner } if inner.len() > 1)
            }),
            Self::Any { any } => joined(
                f,
                any,
                " or ",
                "nothing",
                |part| matches!(part, Self::Any { any: inner } if inner.len() > 1),
            ),
            Self::Not { not } => {
                let is_many = matches!(
                    not.as_ref(),
                    Self::All { all: parts } | Self::Any { any: parts } if parts.len() > 1
                ) || matches!(not.as_ref(), Self::Words { words } if words.len() > 1);
                if is_many {
                    write!(f, "not ({not})")
                } else {
                    write!(f, "not {not}")
                }
            }
            Self::Words { words } if words.is_empty() => f.write_str("everything"),
            Self::Words { words } => {
                let are_serials = are_serials(words);
                for (place, word) in words.iter().enumerate() {
                    if place > 0 {
                        f.write_char(' ')?;
                    }
                    if are_serials {
                        quoted(f, word)?;
                    } else {
                        write_word(f, word)?;
                    }
                }
                Ok(())
            }
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Compare(compare) => write!(f, "{compare}"),
        }
    }
}

fn joined(
    f: &mut Formatter<'_>,
    parts: &[Expr],
    separator: &str,
    none: &str,
    needs_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    if parts.is_empty() {
        return f.write_str(none);
    }
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        if parts.len() > 1 && needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl Display for Rows {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quantifier = match self.quantifier {
            Quantifier::Any => "",
            Quantifier::Every => "every ",
            Quantifier::No => "no ",
        };
        write!(f, "{quantifier}{}(", self.rows)?;
        if self.condition.as_ref() != &Expr::everything() {
            write!(f, "{}", self.condition)?;
        }
        f.write_char(')')
    }
}

impl Display for Compare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_of_many = matches!(catalogue::find(&self.field), Some(Subject::Rows(_)));
        if self.op == Op::Set && is_of_many && self.cast.is_none() {
            write!(f, "has {}", self.field)?;
            return match &self.of {
                Some(of) => {
                    f.write_char(' ')?;
                    quoted(f, of)
                }
                None => Ok(()),
            };
        }
        f.write_str(&self.field)?;
        if let Some(of) = &self.of {
            f.write_char(' ')?;
            quoted(f, of)?;
        }
        if let Some(cast) = self.cast {
            write!(f, " as {}", cast.text())?;
        }
        write!(f, " {}", self.op.text())?;
        if let Some(value) = &self.value {
            f.write_char(' ')?;
            write_value(f, value)?;
        }
        if let Some(values) = &self.values {
            f.write_str(" (")?;
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    f.write_str(", ")?;
                }
                write_value(f, value)?;
            }
            f.write_char(')')?;
        }
        Ok(())
    }
}

/// Numbers, versions, dates, sizes, ages and yes or no stand without quotes; everything else has them.
fn write_value(f: &mut Formatter<'_>, value: &str) -> fmt::Result {
    let is_plain = value.starts_with(|c: char| c.is_ascii_digit())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+'));
    if is_plain || ["true", "false", "yes", "no"].contains(&value) {
        f.write_str(value)
    } else {
        quoted(f, value)
    }
}

/// A word of the quick search stands without quotes where it can be nothing else.
fn write_word(f: &mut Formatter<'_>, word: &str) -> fmt::Result {
    let is_plain = !word.is_empty()
        && word.chars().all(is_of_a_word)
        && !word.starts_with("&&")
        && !word.starts_with("||")
        && catalogue::find(word).is_none()
        && !KEYWORDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word));
    if is_plain {
        f.write_str(word)
    } else {
        quoted(f, word)
    }
}

/// A value as it stands in a filter.
pub(crate) fn written(value: &str) -> String {
    struct Written<'v>(&'v str);
    impl Display for Written<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            write_value(f, self.0)
        }
    }
    Written(value).to_string()
}

/// A name as it stands in a filter.
#[must_use]
pub fn in_quotes(name: &str) -> String {
    struct Quoted<'n>(&'n str);
    impl Display for Quoted<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            quoted(f, self.0)
        }
    }
    Quoted(name).to_string()
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// Words that may mean something else than themselves.
const KEYWORDS: [&str; 19] = [
    "and",
    "or",
    "not",
    "in",
    "within",
    "older",
    "than",
    "is",
    "starts",
    "with",
    "contains",
    "matches",
    "as",
    "has",
    "any",
    "every",
    "no",
    "everything",
    "nothing",
];
