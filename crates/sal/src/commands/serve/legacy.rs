//! What a former deployment brings along that is not run here: said once at the start.

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
    let folder = root.join(OF_SALS_IMAGE);
    let mut entries = std::fs::read_dir(&folder).ok()?;
    let holds_some = entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir()));
    holds_some.then(|| {
        info!(
            "SAL_PLUGIN_DIR is not set: plugins are read from {}, as Sal's image does",
            folder.display()
        );
        folder
    })
}

/// Below the root of the file system.
const OF_SALS_IMAGE: &str = "home/docker/sal/plugins";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_sals_image_is_taken_where_it_holds_folders() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(folder(root.path()), None);
        let plugins = root.path().join(OF_SALS_IMAGE);
        std::fs::create_dir_all(&plugins).unwrap();
        std::fs::write(plugins.join("README"), "").unwrap();
        assert_eq!(folder(root.path()), None);
        std::fs::create_dir(plugins.join("battery")).unwrap();
        assert_eq!(folder(root.path()), Some(plugins));
    }
}
