//! The only file that prints: data on stdout, everything else on stderr.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the place that prints"
)]

use std::io::{BufRead, IsTerminal};

/// Prints data.
pub(crate) fn data(text: &str) {
    println!("{text}");
}

/// Tells a person what happens.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Tells a person what went wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("error: {text}");
}

/// Asks a question on the terminal; `None` when there is nobody to answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).ok()?;
    (read > 0).then(|| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// An error and its causes, on one line each.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}
