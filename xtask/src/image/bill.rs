//! The bill of materials: every crate that is linked into the program, as CycloneDX.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::program::Program;

/// Writes it for what is linked: this target, these features, nothing of the tests.
pub(super) fn write(program: &Program<'_>, to: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["cyclonedx", "--format=json", "--spec-version=1.5"])
        .args(["--describe=binaries", "--no-build-deps", "-qq"])
        .args(["--target", &program.target.name])
        .args(program.features())
        .args(["--manifest-path", "crates/sal/Cargo.toml"])
        .env("SOURCE_DATE_EPOCH", &program.seconds)
        .current_dir(program.root)
        .status()
        .context("starting `cargo cyclonedx`; `./dev image` installs it")?;
    ensure!(status.success(), "the bill of materials was not written");
    let found = take(program.root)?;
    // References of crates without a registry hold the place where this was built.
    let root = program.root.display().to_string();
    std::fs::write(to, found.replace(&root, "/src")).context("writing the bill of materials")
}

/// The tool writes one file for each program of the workspace, beside its manifest.
fn take(root: &Path) -> Result<String> {
    let mut ours = None;
    let crates = std::fs::read_dir(root.join("crates")).context("reading crates")?;
    let folders = crates.flatten().map(|folder| folder.path());
    for folder in folders.chain([root.join("xtask")]) {
        for file in std::fs::read_dir(&folder).into_iter().flatten() {
            let file = file.context("reading a crate")?.path();
            if !file.to_string_lossy().ends_with(SUFFIX) {
                continue;
            }
            if file.ends_with(format!("sal{SUFFIX}")) {
                ours =
                    Some(std::fs::read_to_string(&file).context("reading the bill of materials")?);
            }
            std::fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        }
    }
    ours.context("`cargo cyclonedx` wrote no bill of materials for `sal`")
}

const SUFFIX: &str = "_bin.cdx.json";
