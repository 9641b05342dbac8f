//! The only file that prints: data on stdout, everything else on stderr.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the place that prints"
)]

use std::io::{BufRead, IsTerminal};

use crate::escape;

/// Prints data: exactly for a program, harmlessly on a terminal.
pub(crate) fn data(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("{}", escape::lines(text));
    } else {
        println!("{text}");
    }
}

/// Tells a person what happens.
pub(crate) fn note(text: &str) {
    eprintln!("{}", escape::lines(text));
}

/// Tells a person what went wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("error: {}", escape::lines(text));
}

/// Asks a question on the terminal; `None` when there is nobody to answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    eprint!("{} [y/N] ", escape::lines(question));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).ok()?;
    (read > 0).then(|| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// An error and its causes, on one line each.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {}", escape::lines(&error.to_string()));
    for cause in error.chain().skip(1) {
        eprintln!("  because: {}", escape::lines(&cause.to_string()));
    }
}
