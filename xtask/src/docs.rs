//! `cargo xtask docs`: the reference pages, which the program writes about itself.
//!
//! `sal reference NAME` prints a page; here it becomes `docs/reference/NAME.md`,
//! or with `--check` must already be it. The quirks are checked along.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{output, quirks};

/// The pages the program knows.
const PAGES: &[&str] = &["env", "cli", "metrics"];

/// Whether pages are written or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes what differs.
    Write,
    /// Only says what differs.
    Check,
}

/// Builds the program and goes through its pages; true when nothing is left to do.
pub(crate) fn run(root: &Path, mode: Mode) -> Result<bool> {
    let mut findings = quirks::findings(root)?;
    for name in PAGES {
        let page = reference(root, name)?;
        findings.extend(settle(root, name, &page, mode)?);
    }
    Ok(output::verdict("docs", &findings))
}

/// Writes or compares one page.
fn settle(root: &Path, name: &str, page: &str, mode: Mode) -> Result<Option<String>> {
    let path = root.join("docs/reference").join(format!("{name}.md"));
    if fs::read_to_string(&path).is_ok_and(|present| present == page) {
        return Ok(None);
    }
    let shown = format!("docs/reference/{name}.md");
    if mode == Mode::Check {
        return Ok(Some(format!(
            "{shown} is not what the program says; run `cargo xtask docs`"
        )));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    fs::write(&path, page).with_context(|| format!("writing {}", path.display()))?;
    output::line(&format!("docs: wrote {shown}"));
    Ok(None)
}

/// A page from the program itself.
fn reference(root: &Path, name: &str) -> Result<String> {
    let arguments = [
        "run",
        "--quiet",
        "--package",
        "sal",
        "--bin",
        "sal",
        "--",
        "reference",
        name,
    ];
    let output = Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("starting `cargo {}`", arguments.join(" ")))?;
    if !output.status.success() {
        bail!(
            "`sal reference {name}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let page = String::from_utf8(output.stdout)
        .with_context(|| format!("`sal reference {name}` is not UTF-8"))?;
    if page.trim().is_empty() {
        bail!("`sal reference {name}` printed nothing");
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_once_and_then_agrees() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let finding = settle(root, "env", "# Environment\n", Mode::Check)
            .unwrap()
            .unwrap();
        assert_eq!(
            finding,
            "docs/reference/env.md is not what the program says; run `cargo xtask docs`"
        );
        assert!(!root.join("docs").exists());
        assert_eq!(
            settle(root, "env", "# Environment\n", Mode::Write).unwrap(),
            None
        );
        assert_eq!(
            fs::read_to_string(root.join("docs/reference/env.md")).unwrap(),
            "# Environment\n"
        );
        assert_eq!(
            settle(root, "env", "# Environment\n", Mode::Check).unwrap(),
            None
        );
        assert!(
            settle(root, "env", "# Other\n", Mode::Check)
                .unwrap()
                .is_some()
        );
    }
}
