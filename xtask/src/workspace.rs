//! What cargo says about the workspace: who depends on whom, and what is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The crates of the workspace and everything they build.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Each crate's direct dependencies, ours and others.
    pub(crate) crates: BTreeMap<String, Vec<Edge>>,
    /// Names of all packages that are really built on this platform. Not the lock file: it
    /// also names packages behind features that nobody switched on.
    pub(crate) built: BTreeSet<String>,
}

/// A dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The crate itself, or its build script.
    Normal,
    /// Only tests.
    Dev,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let metadata = cargo(
            root,
            &["metadata", "--no-deps", "--format-version", "1", "--locked"],
        )?;
        let metadata =
            serde_json::from_str(&metadata).context("reading the answer of cargo metadata")?;
        let tree = [
            "tree",
            "--workspace",
            "--locked",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let built = built(&cargo(root, &tree)?);
        Ok(Self {
            crates: crates(&metadata)?,
            built,
        })
    }
}

fn crates(metadata: &Value) -> Result<BTreeMap<String, Vec<Edge>>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata has no packages")?;
    let name = |value: &Value| {
        value
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let edges = |package: &Value| {
        let dependencies = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let edge = |dependency: &Value| Edge {
            to: name(dependency),
            kind: match dependency.get("kind").and_then(Value::as_str) {
                Some("dev") => Kind::Dev,
                _ => Kind::Normal,
            },
        };
        dependencies.map(edge).collect()
    };
    Ok(packages
        .iter()
        .map(|package| (name(package), edges(package)))
        .collect())
}

fn built(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// The output of a cargo command.
fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let command = format!("cargo {}", arguments.join(" "));
    let output = Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("starting `{command}`"))?;
    if !output.status.success() {
        bail!(
            "`{command}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("the output of `{command}` is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_their_kinds_are_read() {
        let metadata = serde_json::json!({"packages": [
            {"name": "a", "dependencies": [{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}, {"name": "d", "kind": "build"}]},
            {"name": "b", "dependencies": []},
        ]});
        let crates = crates(&metadata).unwrap();
        let edge = |to: &str, kind| Edge {
            to: to.to_owned(),
            kind,
        };
        assert_eq!(
            crates["a"],
            [
                edge("b", Kind::Normal),
                edge("c", Kind::Dev),
                edge("d", Kind::Normal)
            ]
        );
        assert!(crates["b"].is_empty());
    }

    #[test]
    fn names_of_built_packages_are_read() {
        let names = built("sal v0.1.0 (/x/crates/sal)\nserde v1.0.229\nserde v1.0.229 (*)\n\n");
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["sal", "serde"]);
    }
}
