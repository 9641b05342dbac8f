//! `/settings/plugins/`: which plugins are enabled, in which order, and which are not. Changes nothing yet.

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{App, AppError, Routes, access::GlobalAdmin};
use sal_plugins::{Kind, OsFamily, Plugin, Registry};
use sal_store::plugins::{enabled_details, enabled_reports, enabled_widgets};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route("/settings/plugins/", get(show_plugins))
}

#[derive(Template)]
#[template(path = "settings/plugins.html")]
struct PluginsPage {
    shell: Shell,
    kinds: Vec<KindSection>,
}

/// The plugins of one kind.
struct KindSection {
    heading: &'static str,
    /// In the order they are shown in.
    enabled: Vec<PluginLine>,
    /// In alphabetical order.
    disabled: Vec<PluginLine>,
}

/// A plugin as a line of a table.
struct PluginLine {
    name: String,
    title: String,
    description: String,
    families: String,
    note: Option<&'static str>,
}

async fn show_plugins(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let db = app.store.get().await?;
    let widgets = enabled_widgets(&db).await?;
    let details = enabled_details(&db).await?;
    let reports = enabled_reports(&db).await?;
    let widgets = widgets.into_iter().map(|row| row.name).collect();
    let details = details.into_iter().map(|row| row.name).collect();
    let reports = reports.into_iter().map(|row| row.name).collect();
    render(&PluginsPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Plugins", &app),
        kinds: vec![
            section("Widgets", Kind::Widget, widgets, &app.registry),
            section("Machine details", Kind::Detail, details, &app.registry),
            section("Reports", Kind::Report, reports, &app.registry),
        ],
    })
}

/// Enabled plugins that this server does not have are listed too: a Django Sal on the same database may have them.
fn section(
    heading: &'static str,
    kind: Kind,
    enabled: Vec<String>,
    registry: &Registry,
) -> KindSection {
    let disabled = registry
        .iter()
        .filter(|plugin| plugin.kind == kind && !enabled.contains(&plugin.name))
        .map(known)
        .collect();
    let line = |name: String| registry.get(&name).map_or_else(|| unknown(name), known);
    KindSection {
        heading,
        disabled,
        enabled: enabled.into_iter().map(line).collect(),
    }
}

fn known(plugin: &Plugin) -> PluginLine {
    let families: Vec<&str> = plugin.os.iter().map(|os| OsFamily::title(*os)).collect();
    PluginLine {
        name: plugin.name.clone(),
        title: plugin.title.clone(),
        description: plugin.description.clone(),
        families: families.join(", "),
        note: plugin
            .panels
            .is_empty()
            .then_some("Not drawn by this version"),
    }
}

fn unknown(name: String) -> PluginLine {
    PluginLine {
        title: name.clone(),
        name,
        description: String::new(),
        families: String::new(),
        note: Some("Not part of this server"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_is_enabled_or_disabled_under_its_kind_and_foreign_ones_are_kept() {
        let registry = Registry::builtin();
        let enabled = vec![
            "Status".to_owned(),
            "OurOwn".to_owned(),
            "Activity".to_owned(),
        ];
        let section = section("Widgets", Kind::Widget, enabled, &registry);
        let names: Vec<_> = section.enabled.iter().map(|line| &line.name).collect();
        assert_eq!(names, ["Status", "OurOwn", "Activity"]);
        assert_eq!(section.enabled[1].note, Some("Not part of this server"));
        let widgets = registry.iter().filter(|plugin| plugin.kind == Kind::Widget);
        assert_eq!(section.disabled.len(), widgets.count() - 2);
        assert!(section.disabled.iter().all(|line| line.name != "MunkiInfo"));
    }
}
