//! `cargo xtask lines`: files that grew too long to be read in one go.
//!
//! Tests are not counted: neither files of tests nor the test module at the end of a file.

use std::path::Path;

use anyhow::Result;

use crate::output;
use crate::sources::{Source, with_extensions};

/// From here on a file is listed: time to think.
const LISTED: usize = 400;
/// From here on it is refused: time to split.
const REFUSED: usize = 600;

/// Counts all files; true when none is over the limit.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let mut refused = Vec::new();
    for source in with_extensions(root, &["rs", "html", "css", "js"])? {
        let lines = counted_lines(&source);
        let finding = format!("{} has {lines} lines", source.path.display());
        if lines > REFUSED {
            refused.push(format!("{finding}, more than {REFUSED}"));
        } else if lines > LISTED {
            output::line(&format!("lines: {finding}"));
        }
    }
    Ok(output::verdict("lines", &refused))
}

fn counted_lines(source: &Source) -> usize {
    let is_rust = source
        .path
        .extension()
        .is_some_and(|extension| extension == "rs");
    let in_tests = source
        .path
        .iter()
        .any(|part| part == "tests" || part == "tests.rs");
    match (is_rust, in_tests) {
        (true, true) => 0,
        (true, false) => without_test_module(&source.text),
        (false, _) => source.text.lines().count(),
    }
}

/// Lines up to the test module, which the style guide puts at the very end.
fn without_test_module(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let starts_tests = |pair: &[&str]| matches!(pair, [attribute, module] if *attribute == "#[cfg(test)]" && module.starts_with("mod "));
    lines
        .windows(2)
        .position(starts_tests)
        .unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn source(path: &str, lines: usize, tail: &str) -> Source {
        Source {
            path: path.into(),
            text: format!("{}{tail}", "x\n".repeat(lines)),
        }
    }

    #[test]
    fn tests_are_not_counted() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "y\n".repeat(900));
        assert_eq!(counted_lines(&source("a/src/b.rs", 10, &tests)), 10);
        assert_eq!(
            counted_lines(&source("a/src/b.rs", 10, "#[cfg(test)]\nuse x;\n")),
            12
        );
        assert_eq!(counted_lines(&source("a/tests/it/main.rs", 900, "")), 0);
        assert_eq!(counted_lines(&source("a/src/golden/tests.rs", 900, "")), 0);
        assert_eq!(
            counted_lines(&source("a/assets/tests/app.js", 900, "")),
            900
        );
    }

    #[test]
    fn a_file_over_the_limit_fails_the_chore() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("long.rs"), "x\n".repeat(REFUSED)).unwrap();
        assert!(run(folder.path()).unwrap());
        for name in ["long.rs", "page.html", "style.css", "app.js"] {
            fs::write(folder.path().join(name), "x\n".repeat(REFUSED + 1)).unwrap();
            assert!(!run(folder.path()).unwrap(), "{name}");
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        assert!(run(folder.path()).unwrap());
    }
}
