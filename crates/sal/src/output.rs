//! The only file that prints: data on stdout, everything else on stderr.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the place that prints"
)]

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

/// An error and its causes, on one line each.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}
