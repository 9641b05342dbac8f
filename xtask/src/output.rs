//! The only place of xtask that prints. A reader that has gone (`cargo xtask docs | head`) is no mistake.

#![expect(
    clippy::disallowed_methods,
    reason = "a chore talks to the person who called it"
)]

use std::io::{self, Write};

/// Prints a line on stdout.
pub(crate) fn line(text: &str) {
    let _unheard = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line on stderr.
pub(crate) fn problem(text: &str) {
    let _unheard = writeln!(io::stderr().lock(), "{text}");
}

/// Lists findings on stderr and says the verdict; true when there are none.
pub(crate) fn verdict(chore: &str, findings: &[String]) -> bool {
    for finding in findings {
        problem(&format!("{chore}: {finding}"));
    }
    match findings.len() {
        0 => line(&format!("{chore}: good")),
        1 => problem(&format!("{chore}: 1 finding")),
        n => problem(&format!("{chore}: {n} findings")),
    }
    findings.is_empty()
}
