//! What a former deployment brings along that is not run here: said once at the start.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sal_http::enabled_plugins;
use sal_plugins::{Kind, Registry, Unrun, Why};
use sal_store::pool::Lane;
use sal_store::{Store, StoreError};
use tracing::{info, warn};

/// Names the enabled plugins whose drawings are not run, and why.
pub(super) async fn tell(registry: &Registry, store: &Store) -> Result<(), StoreError> {
    let enabled = enabled_plugins(&store.get(Lane::Pages).await?).await?;
    for plugin in registry.unrun(&enabled) {
        let Unrun { name, kind, why } = &plugin;
        let kind = match kind {
            Kind::Widget => "widget",
            Kind::Report => "report",
            Kind::Detail => "machine detail",
        };
        match why {
            Why::IsPython => warn!(
                plugin = name,
                kind,
                "the {kind} `{name}` is a Python plugin and is not run: its scripts are served, and what they report is shown in a table. \
                 docs/guides/plugins.md says how to declare it"
            ),
            Why::IsNotHere => warn!(
                plugin = name,
                kind,
                "the {kind} `{name}` is enabled in the database, and this server has no plugin of that name: it is not shown, and clients do not get its scripts. \
                 Mount its folder and set SAL_PLUGIN_DIR, declare it (docs/guides/plugins.md), or disable it under Settings, Plugins"
            ),
        }
    }
    Ok(())
}

/// The folder that Sal's image reads plugins from, where a volume with some is still mounted there and no other is named.
pub(super) fn folder(root: &Path) -> Option<PathBuf> {
    let folders = OF_SALS_IMAGE.iter().map(|folder| root.join(folder));
    let folder = folders.into_iter().find(|folder| holds_some(folder))?;
    info!(
        "SAL_PLUGIN_DIR is not set: plugins are read from {}, as Sal's image does",
        folder.display()
    );
    Some(folder)
}

fn holds_some(folder: &Path) -> bool {
    let is_folder =
        |entry: std::io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.path().is_dir());
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.any(is_folder),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => {
            warn!(
                "the plugins in {} cannot be read ({error}): let user {} read the folder and what is in it",
                folder.display(),
                rustix::process::geteuid().as_raw()
            );
            false
        }
    }
}

/// Below the root of the file system: Sal's folder, and the link to it that older guides mount over.
const OF_SALS_IMAGE: &[&str] = &["home/docker/sal/plugins", "home/app/sal/plugins"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_sals_image_is_taken_where_it_holds_folders() {
        for of_image in OF_SALS_IMAGE {
            let root = tempfile::tempdir().unwrap();
            assert_eq!(folder(root.path()), None);
            let plugins = root.path().join(of_image);
            std::fs::create_dir_all(&plugins).unwrap();
            std::fs::write(plugins.join("README"), "").unwrap();
            assert_eq!(folder(root.path()), None);
            std::fs::create_dir(plugins.join("battery")).unwrap();
            assert_eq!(folder(root.path()), Some(plugins));
        }
    }
}
