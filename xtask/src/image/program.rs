//! The program of the image: static, and the same bytes wherever it is built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{cargo_home, said};

/// What to build.
pub(super) struct Program<'a> {
    pub(super) root: &'a Path,
    pub(super) profile: &'a str,
    pub(super) target: &'a Target,
    pub(super) with_rehearsal: bool,
    /// Seconds since 1970, for whatever writes a time.
    pub(super) seconds: String,
}

impl Program<'_> {
    /// Builds it, and says where it is.
    pub(super) fn build(&self) -> Result<PathBuf> {
        let folder = self.root.join("target/static");
        let home = cargo_home()?;
        // What an error or a panic says of its place must not depend on where this is built.
        let maps = [(self.root, "/src"), (home.as_path(), "/cargo")];
        let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
        let mut c_flags = Vec::new();
        for (from, to) in maps {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
            c_flags.push(format!("-ffile-prefix-map={}={to}", from.display()));
        }
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--locked", "-p", "sal", "--bin", "sal"])
            .args(self.features())
            // With a target of its own, the flags are not those of build scripts, which cannot be static.
            .args([
                "--profile",
                self.profile,
                "--target",
                &self.target.name,
                "--target-dir",
            ])
            .arg(&folder)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CFLAGS", c_flags.join(" "))
            .env("SOURCE_DATE_EPOCH", &self.seconds)
            .current_dir(self.root);
        if self.target.is_foreign {
            cargo.env(self.target.linker_variable(), self.target.compiler());
        }
        let status = cargo.status().context("starting cargo")?;
        ensure!(status.success(), "the program was not built");
        let inner = if self.profile == "dev" {
            "debug"
        } else {
            self.profile
        };
        Ok(folder.join(&self.target.name).join(inner).join("sal"))
    }

    /// What cargo is told to leave out.
    pub(super) fn features(&self) -> &'static [&'static str] {
        match self.with_rehearsal {
            true => &[],
            false => &["--no-default-features"],
        }
    }
}

/// What is built for.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    /// Not this machine's own.
    pub(super) is_foreign: bool,
}

impl Target {
    /// As image registries write it.
    pub(super) fn arch(&self) -> &str {
        match self.name.split('-').next().unwrap_or_default() {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    }

    /// Debian's name of a C compiler for it, which links, too.
    fn compiler(&self) -> String {
        format!("{}-gcc", self.name.replace("-unknown", ""))
    }

    fn linker_variable(&self) -> String {
        let name = self.name.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{name}_LINKER")
    }
}

/// What was asked for, or what this machine's compiler builds for.
pub(super) fn target(asked: Option<&str>) -> Result<Target> {
    let version = said(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("`rustc -vV` named no host")?;
    let name = asked.unwrap_or(host);
    Ok(Target {
        name: name.to_owned(),
        is_foreign: name != host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_target_has_its_own_compiler_and_name() {
        let target = target(Some("aarch64-unknown-linux-gnu")).unwrap();
        assert_eq!(target.arch(), "arm64");
        if target.is_foreign {
            assert_eq!(target.compiler(), "aarch64-linux-gnu-gcc");
            assert_eq!(
                target.linker_variable(),
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"
            );
        }
        assert!(!super::target(None).unwrap().is_foreign);
    }
}
