//! A `settings.py` of Django Sal, read and never run: what its settings are here.
//!
//! `lexer` makes tokens of the text, `statements` finds assignments, `literal` reads what is assigned, `meanings` has what
//! each setting is here, `translate` joins them. All of it is pure. Whatever is not a literal is told by its line; no value
//! but those that become environment variables is ever repeated, since a settings file holds secrets.

mod databases;
mod lexer;
mod literal;
mod meanings;
mod statements;
mod strings;
mod translate;

#[cfg(test)]
mod tests;

pub(crate) use self::translate::{Findings, Note};

/// Why a file is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct Fault {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) why: &'static str,
}

/// Reads the text of a settings file.
///
/// # Errors
/// When it is not Python.
pub(crate) fn read(text: &str) -> Result<Findings, Fault> {
    let lines = lexer::lines(text)?;
    Ok(translate::findings(statements::statements(&lines)))
}

/// The largest file that is read, in bytes. Sal's own has 8 kB.
pub(crate) const MOST_BYTES: u64 = 1024 * 1024;
