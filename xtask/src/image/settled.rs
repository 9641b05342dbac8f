//! What buildah puts into an image by chance is taken out: with a health check, which the OCI format has not, it notes the
//! id of the container that the image was made in.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::said;

/// Writes the image anew, without the id.
pub(super) fn settle(tag: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("emptying {}", folder.display()))?;
    }
    let stored = format!("containers-storage:localhost/{tag}");
    let unpacked = format!("dir:{}", folder.display());
    copy(&stored, &unpacked)?;
    let mut manifest = read(&folder.join("manifest.json"))?;
    let digest = manifest.pointer("/config/digest").and_then(Value::as_str);
    let digest = digest.context("a manifest without a config")?;
    let old = folder.join(digest.trim_start_matches("sha256:"));
    let mut config = read(&old)?;
    without_chance(&mut config);
    let text = config.to_string();
    std::fs::write(&old, &text).context("writing the config")?;
    let sum = said(Command::new("sha256sum").arg(&old))?;
    let sum = sum.split(' ').next().unwrap_or_default();
    std::fs::rename(&old, folder.join(sum)).context("naming the config")?;
    put(
        &mut manifest,
        "/config/digest",
        json!(format!("sha256:{sum}")),
    );
    put(&mut manifest, "/config/size", json!(text.len()));
    std::fs::write(folder.join("manifest.json"), manifest.to_string())
        .context("writing the manifest")?;
    copy(&unpacked, &stored)
}

/// The container's id, and the host name that is made of it.
fn without_chance(config: &mut Value) {
    for place in [
        "/container",
        "/config/Hostname",
        "/container_config/Hostname",
    ] {
        put(config, place, json!(""));
    }
}

/// Replaces what is there.
fn put(document: &mut Value, place: &str, value: Value) {
    if let Some(found) = document.pointer_mut(place) {
        *found = value;
    }
}

fn copy(from: &str, to: &str) -> Result<()> {
    let copied = Command::new("skopeo")
        .args(["copy", "--quiet", from, to])
        .status();
    if !copied
        .context("starting skopeo; `./dev image` installs it")?
        .success()
    {
        bail!("skopeo could not copy {from} to {to}");
    }
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_building_container_are_taken_out_and_the_rest_stays() {
        let mut config = json!({
            "created": "2026-01-02T03:04:05Z",
            "container": "5031bb",
            "config": {"Hostname": "84ed", "User": "65532:65532"},
            "container_config": {"Hostname": "84ed"},
        });
        without_chance(&mut config);
        assert!(!config.to_string().contains("5031bb") && !config.to_string().contains("84ed"));
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["created"], "2026-01-02T03:04:05Z");
    }
}
