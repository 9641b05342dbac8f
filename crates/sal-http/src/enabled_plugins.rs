//! Which plugins are enabled, of all three kinds: for the scripts of clients, and for what is said of plugins.

use sal_plugins::EnabledPlugins;
use sal_store::StoreError;
use sal_store::plugins::{enabled_details, enabled_reports, enabled_widgets};
use sal_store::pool::Executor;

/// Reads the names, each list in its order.
///
/// # Errors
/// When the database fails.
pub async fn enabled_plugins(db: &impl Executor) -> Result<EnabledPlugins, StoreError> {
    let (reports, widgets) = (enabled_reports(db).await?, enabled_widgets(db).await?);
    let details = enabled_details(db).await?;
    Ok(EnabledPlugins {
        reports: reports.into_iter().map(|row| row.name).collect(),
        widgets: widgets.into_iter().map(|row| row.name).collect(),
        details: details.into_iter().map(|row| row.name).collect(),
    })
}
