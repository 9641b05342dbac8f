//! `server_salsetting`: what administrators set, as texts by name.
//!
//! A setting that has no row has its default. Which settings there are, of which type and with which default, is
//! declared in `sal_http::sal_settings`.

use tokio_postgres::error::SqlState;

use crate::error::StoreError;
use crate::pool::Executor;

crate::queries! {
    /// The setting with this name, if it was ever written.
    setting(name: str) -> /// A setting.
    Setting {
        /// Its value as Sal wrote it; booleans are `true`, `True`, `false`, `False`.
        value: String,
    } = "SELECT value FROM server_salsetting WHERE name = $1";

    /// All settings that were ever written.
    list_settings() -> /// A row.
    SettingRow {
        /// Its id.
        id: i32,
        /// Its name.
        name: String,
        /// Its value as it was written.
        value: String,
    } = "SELECT id, name, value FROM server_salsetting ORDER BY name";

    /// The row with this id.
    setting_by_id(id: i32) -> /// A row.
    FoundSetting {
        /// Its name.
        name: String,
    } = "SELECT name FROM server_salsetting WHERE id = $1";

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

    /// Removes a setting, so that its default counts.
    delete_setting(id: i32) = "DELETE FROM server_salsetting WHERE id = $1";

    /// Whether Postgres takes a text for a regular expression: fails with `invalid_regular_expression` when not.
    try_pattern(pattern: str) -> /// An answer that says nothing.
    PatternWorks {
        /// Whether the empty text matches.
        matches_nothing: bool,
    } = "SELECT '' ~ $1::text AS matches_nothing";
}

/// Name of the setting with a regular expression: applications whose bundle id matches are not listed.
pub const INVENTORY_EXCLUSION: &str = "inventory_exclusion_pattern";
/// Name of the setting that hides the applications of guests of VMware and Parallels; on without a row.
pub const HIDE_GUEST_APPLICATIONS: &str = "filter_proxied_virtualization_apps";
/// Name of the setting that shows how many machines have an application; on without a row.
pub const SHOW_INSTALL_COUNTS: &str = "show_inventory_install_counts";

/// What Postgres has against a regular expression; nothing when it takes it.
///
/// # Errors
/// Any other fault of the statement.
pub async fn fault_of_pattern(
    pattern: &str,
    db: &impl Executor,
) -> Result<Option<String>, StoreError> {
    match try_pattern(db, pattern).await {
        Ok(_) => Ok(None),
        Err(StoreError::Statement(error))
            if error.code() == Some(&SqlState::INVALID_REGULAR_EXPRESSION) =>
        {
            let refusal = error.as_db_error().map(|refusal| refusal.message());
            Ok(Some(refusal.unwrap_or_default().to_owned()))
        }
        Err(error) => Err(error),
    }
}
