//! The only place of xtask that prints.

/// Prints a line on stdout.
#[expect(
    clippy::print_stdout,
    reason = "a chore talks to the person who called it"
)]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints a line on stderr.
#[expect(
    clippy::print_stderr,
    reason = "a chore talks to the person who called it"
)]
pub(crate) fn problem(text: &str) {
    eprintln!("{text}");
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
