//! The image that the tests run, and whether this machine runs containers at all.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::program::target;
use super::{Kind, Order, run};

/// What a try to run a container said.
#[derive(Debug)]
pub(crate) enum Trial {
    /// The variables that the tests look at.
    Runs(Vec<(&'static str, String)>),
    /// Why not.
    NotHere(String),
}

/// Builds the image of the tests where containers can be run.
pub(crate) fn trial(root: &Path) -> Result<Trial> {
    if Command::new("podman").arg("--version").output().is_err() {
        return Ok(Trial::NotHere("there is no podman".to_owned()));
    }
    let order = Order {
        kind: Kind::Server,
        profile: PROFILE,
        target: None,
    };
    run(root, order)?;
    let tag = format!("localhost/{}", Kind::Server.tag(PROFILE, &target(None)?));
    let modest = root.join("target/image/containers.conf");
    std::fs::write(&modest, MODEST).context("writing containers.conf")?;
    let mut why = String::new();
    for conf in [None, Some(&modest)] {
        let mut podman = Command::new("podman");
        podman.args([
            "run",
            "--rm",
            "--network=host",
            "--memory=128m",
            &tag,
            "--version",
        ]);
        podman.envs(conf.map(|file| ("CONTAINERS_CONF", file)));
        let ended = podman.output().context("starting podman")?;
        if ended.status.success() {
            let file = conf.map(|file| ("SAL_TESTS_CONTAINERS_CONF", file.display().to_string()));
            return Ok(Trial::Runs(
                [("SAL_TESTS_IMAGE", tag)].into_iter().chain(file).collect(),
            ));
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        why = said
            .lines()
            .last()
            .unwrap_or("podman said nothing")
            .to_owned();
    }
    Ok(Trial::NotHere(format!(
        "podman cannot run a container here, most likely as this machine allows no namespaces or control groups: {why}"
    )))
}

/// Quick to build.
const PROFILE: &str = "image-test";

/// For machines that are containers themselves: no raised limits, the older of the control groups.
const MODEST: &str = r#"[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:2000"]

[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
"#;
