//! `server_plugin`, `server_report`, `server_machinedetailplugin`: which plugins are enabled, and in which order.

crate::queries! {
    /// Names of the enabled reports, in the order of their ids (they have no order of their own).
    enabled_reports() -> /// An enabled report.
    EnabledReport {
        /// The plugin's name.
        name: String,
    } = "SELECT name FROM server_report ORDER BY id";

    /// Names of the enabled widgets, in their order.
    enabled_widgets() -> /// An enabled widget.
    EnabledWidget {
        /// The plugin's name.
        name: String,
    } = r#"SELECT name FROM server_plugin ORDER BY "order", id"#;

    /// Names of the enabled machine detail plugins, in their order.
    enabled_details() -> /// An enabled detail plugin.
    EnabledDetail {
        /// The plugin's name.
        name: String,
    } = r#"SELECT name FROM server_machinedetailplugin ORDER BY "order", id"#;

    /// Enables these widgets in this order, if none is enabled at all. Returns how many were enabled.
    enable_default_widgets(names: Vec<String>) = r#"
        INSERT INTO server_plugin (name, "order")
        SELECT name, position - 1 FROM unnest($1::text[]) WITH ORDINALITY AS new (name, position)
        WHERE NOT EXISTS (SELECT FROM server_plugin)
        ON CONFLICT (name) DO NOTHING"#;
}

/// The widgets of a default installation, in order. Sal enables them at the first page or preflight.
pub const DEFAULT_WIDGETS: &[&str] = &[
    "Activity",
    "Status",
    "OperatingSystem",
    "MunkiVersion",
    "Uptime",
    "Memory",
    "DiskSpace",
    "PendingAppleUpdates",
    "Pending3rdPartyUpdates",
    "Encryption",
    "Gatekeeper",
    "Sip",
    "XprotectVersion",
];
