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

    /// The rows of enabled widgets, in their order.
    list_widgets() -> /// A row of an enabled widget.
    ListedWidget {
        /// Its id.
        id: i32,
        /// The plugin's name.
        name: String,
    } = r#"SELECT id, name FROM server_plugin ORDER BY "order", id"#;

    /// Enables a widget, at the end. Returns 0 when it was enabled already.
    enable_widget(name: str) = r#"
        INSERT INTO server_plugin (name, "order") SELECT $1, coalesce(max("order") + 1, 0) FROM server_plugin
        ON CONFLICT (name) DO NOTHING"#;

    /// Disables a widget.
    disable_widget(id: i32) = "DELETE FROM server_plugin WHERE id = $1";

    /// Moves a widget by `steps` (-1 up, 1 down) past its neighbour; nothing happens at the ends. Numbers the order anew,
    /// because Sal leaves gaps and doubles.
    move_widget(id: i32, steps: i64) = r#"
        WITH ranked AS (SELECT id, row_number() OVER (ORDER BY "order", id) AS place FROM server_plugin),
        moved AS (
            SELECT one.place AS origin, one.place + $2 AS target FROM ranked one
            WHERE one.id = $1 AND EXISTS (SELECT FROM ranked other WHERE other.place = one.place + $2)
        )
        UPDATE server_plugin plugin
        SET "order" = CASE ranked.place WHEN moved.origin THEN moved.target WHEN moved.target THEN moved.origin
                      ELSE ranked.place END - 1
        FROM ranked, moved WHERE ranked.id = plugin.id"#;

    /// The rows of enabled details, in their order.
    list_details() -> /// A row of an enabled detail.
    ListedDetail {
        /// Its id.
        id: i32,
        /// The plugin's name.
        name: String,
    } = r#"SELECT id, name FROM server_machinedetailplugin ORDER BY "order", id"#;

    /// Enables a detail, at the end. Returns 0 when it was enabled already.
    enable_detail(name: str) = r#"
        INSERT INTO server_machinedetailplugin (name, "order") SELECT $1, coalesce(max("order") + 1, 0) FROM server_machinedetailplugin
        ON CONFLICT (name) DO NOTHING"#;

    /// Disables a detail.
    disable_detail(id: i32) = "DELETE FROM server_machinedetailplugin WHERE id = $1";

    /// Moves a detail by `steps` (-1 up, 1 down) past its neighbour; nothing happens at the ends. Numbers the order anew,
    /// because Sal leaves gaps and doubles.
    move_detail(id: i32, steps: i64) = r#"
        WITH ranked AS (SELECT id, row_number() OVER (ORDER BY "order", id) AS place FROM server_machinedetailplugin),
        moved AS (
            SELECT one.place AS origin, one.place + $2 AS target FROM ranked one
            WHERE one.id = $1 AND EXISTS (SELECT FROM ranked other WHERE other.place = one.place + $2)
        )
        UPDATE server_machinedetailplugin plugin
        SET "order" = CASE ranked.place WHEN moved.origin THEN moved.target WHEN moved.target THEN moved.origin
                      ELSE ranked.place END - 1
        FROM ranked, moved WHERE ranked.id = plugin.id"#;

    /// The rows of enabled reports, in their order.
    list_reports() -> /// A row of an enabled report.
    ListedReport {
        /// Its id.
        id: i32,
        /// The plugin's name.
        name: String,
    } = r#"SELECT id, name FROM server_report ORDER BY id"#;

    /// Enables a report, at the end. Returns 0 when it was enabled already.
    enable_report(name: str) = r#"
        INSERT INTO server_report (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"#;

    /// Disables a report.
    disable_report(id: i32) = "DELETE FROM server_report WHERE id = $1";

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
