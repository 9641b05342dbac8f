//! Lists of names that somebody copied from somewhere else.

use super::{FilterError, MAX_VALUES};
use crate::expr::{Compare, Expr, Op};

/// Names with commas, semicolons, tabs or line breaks between them and no sign of a condition: copied from a table.
pub(super) fn pasted_list(text: &str) -> Option<Vec<String>> {
    let separates = |c: char| matches!(c, ',' | ';' | '\t' | '\r' | '\n');
    let is_condition = |c: char| {
        matches!(
            c,
            '=' | '<' | '>' | '~' | '(' | ')' | '"' | '“' | '”' | '„' | '≤' | '≥' | '≠'
        )
    };
    let text = text.trim();
    if !text.contains(separates) || text.contains(is_condition) {
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for name in text.split(separates).map(str::trim) {
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    (!names.is_empty()).then_some(names)
}

/// Several words that all look like serial numbers: any of them is meant, not all.
pub(crate) fn are_serials(words: &[String]) -> bool {
    let is_serial = |word: &String| {
        (8..=14).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    words.len() > 1 && words.iter().all(is_serial)
}

pub(super) fn machines(names: Vec<String>) -> Result<Expr, FilterError> {
    if names.len() > MAX_VALUES {
        let message = format!(
            "a list holds at most {MAX_VALUES} names; this one has {}",
            names.len()
        );
        return Err(FilterError::new(0..0, message));
    }
    Ok(Expr::Compare(Compare::new("machine", Op::In).values(names)))
}
