//! The files of the repository that people write.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Folders nobody writes by hand: these anywhere, hidden ones too.
const SKIPPED: &[&str] = &["vendor", "node_modules", "target"];
/// And these at the top.
const SKIPPED_AT_TOP: &[&str] = &["golden"];

/// A source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path below the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// All files below the workspace with one of these extensions, sorted by path.
pub(crate) fn with_extensions(root: &Path, extensions: &[&str]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("listing {}", folder.display()))?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && !is_skipped(&path, root) {
                folders.push(path);
            } else if kind.is_file() && has_extension(&path, extensions) {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("reading {}", path.display()))?;
                let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(sources)
}

fn is_skipped(folder: &Path, root: &Path) -> bool {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let at_top = folder.parent() == Some(root);
    name.starts_with('.') || SKIPPED.contains(&name) || (at_top && SKIPPED_AT_TOP.contains(&name))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_files_are_found_and_the_rest_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "a/src/lib.rs",
            "a/tests/it/golden/x.rs",
            ".hidden/h.rs",
            "golden/y.rs",
            "target/z.rs",
            "a/assets/vendor/v.js",
            "a/assets/own.js",
            "b.txt",
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = with_extensions(folder.path(), &["rs", "js"]).unwrap();
        let paths: Vec<_> = found
            .iter()
            .map(|source| source.path.to_str().unwrap())
            .collect();
        assert_eq!(
            paths,
            ["a/assets/own.js", "a/src/lib.rs", "a/tests/it/golden/x.rs"]
        );
    }
}
