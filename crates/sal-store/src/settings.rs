//! `server_salsetting`: what administrators set in Sal's own pages, as texts by name.
//!
//! A setting that has no row has its default, which the reader knows.

crate::queries! {
    /// The setting with this name, if it was ever written.
    setting(name: str) -> /// A setting.
    Setting {
        /// Its value as Sal wrote it; booleans are `true`, `True`, `false`, `False`.
        value: String,
    } = "SELECT value FROM server_salsetting WHERE name = $1";

    /// All settings that were ever written, by name.
    list_settings() -> /// A setting with its name.
    ListedSetting {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    } = "SELECT name, value FROM server_salsetting ORDER BY name";

    /// Those of these settings that were ever written.
    settings(names: Vec<String>) -> /// A setting with its name.
    NamedSetting {
        /// Its name.
        name: String,
        /// Its value as Sal wrote it.
        value: String,
    } = "SELECT name, value FROM server_salsetting WHERE name = ANY($1)";

    /// Writes a setting.
    set_setting(name: str, value: str) =
        "INSERT INTO server_salsetting (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// Name of the setting that says for how many days old rows are kept.
pub const HISTORICAL_RETENTION: &str = "historical_retention";
/// Days that old rows are kept when nothing was set.
pub const DEFAULT_RETENTION_DAYS: &str = "180";
/// Name of the setting with a regular expression: applications whose bundle id matches are not listed.
pub const INVENTORY_EXCLUSION: &str = "inventory_exclusion_pattern";
/// Name of the setting that hides the applications of guests of VMware and Parallels; on without a row.
pub const HIDE_GUEST_APPLICATIONS: &str = "filter_proxied_virtualization_apps";
/// Name of the setting that shows how many machines have an application; on without a row.
pub const SHOW_INSTALL_COUNTS: &str = "show_inventory_install_counts";
/// Name of the setting that lets a Django Sal send usage data.
pub const SEND_DATA: &str = "send_data";
