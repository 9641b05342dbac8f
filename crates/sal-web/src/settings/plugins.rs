//! `/settings/plugins/…`: which plugins are enabled, in which order; enabling, disabling, moving.
//!
//! Sal's links change at once when they are opened; here they ask, and the buttons of the page change at once.
//! A plugin that is enabled and not here keeps its place: Sal forgets those of a folder that is not mounted.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_plugins::{Kind, Origin, OsFamily, Plugin, Registry};
use sal_store::{
    Client, Tx,
    plugins::{
        disable_detail, disable_report, disable_widget, enable_detail, enable_report,
        enable_widget, list_details, list_reports, list_widgets, move_detail, move_widget,
    },
};

use crate::{
    audit::{self, Object},
    confirm::Confirm,
    fleet_part::number,
    page::{redirect, render},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(LIST, Access::GlobalAdmin, get(show_plugins))
        .route(
            "/settings/plugins/reports/",
            Access::GlobalAdmin,
            get(show_plugins),
        )
        .route(
            "/settings/plugins/machinedetail/",
            Access::GlobalAdmin,
            get(show_plugins),
        )
        .route(
            "/settings/plugins/{action}/{key}/",
            Access::GlobalAdmin,
            get(ask_widget).post(change_widget),
        )
        .route(
            "/settings/plugins/reports/{action}/{key}/",
            Access::GlobalAdmin,
            get(ask_report).post(change_report),
        )
        .route(
            "/settings/plugins/machinedetail/{action}/{key}/",
            Access::GlobalAdmin,
            get(ask_detail).post(change_detail),
        )
}

#[derive(Template)]
#[template(path = "settings/plugins.html")]
struct PluginsPage {
    shell: Shell,
    kinds: Vec<KindSection>,
    /// Where the administrator's own plugins are, where there is such a folder.
    folder: Option<String>,
}

/// The plugins of one kind.
struct KindSection {
    heading: &'static str,
    /// Where its changes are sent.
    path: &'static str,
    /// Whether they have an order.
    is_ordered: bool,
    /// In the order they are shown in.
    enabled: Vec<PluginLine>,
    /// In alphabetical order.
    disabled: Vec<PluginLine>,
}

/// A plugin as a line of a table.
struct PluginLine {
    /// The row, of an enabled one.
    id: i32,
    name: String,
    title: String,
    description: String,
    families: String,
    note: Option<&'static str>,
}

/// A row of one of Sal's three tables of enabled plugins.
struct Row {
    id: i32,
    name: String,
}

async fn show_plugins(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let registry = app.registry();
    let mut kinds = Vec::new();
    for kind in [Kind::Widget, Kind::Report, Kind::Detail] {
        kinds.push(section(kind, rows(kind, &db).await?, &registry));
    }
    render(&PluginsPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Plugins", &app),
        kinds,
        folder: app
            .plugin_folder
            .as_ref()
            .map(|folder| folder.display().to_string()),
    })
}

async fn rows(kind: Kind, db: &Client) -> Result<Vec<Row>, AppError> {
    let rows = match kind {
        Kind::Widget => {
            let rows = list_widgets(db).await?;
            rows.into_iter()
                .map(|row| (row.id, row.name))
                .collect::<Vec<_>>()
        }
        Kind::Report => {
            let rows = list_reports(db).await?;
            rows.into_iter().map(|row| (row.id, row.name)).collect()
        }
        Kind::Detail => {
            let rows = list_details(db).await?;
            rows.into_iter().map(|row| (row.id, row.name)).collect()
        }
    };
    Ok(rows
        .into_iter()
        .map(|(id, name)| Row { id, name })
        .collect())
}

fn section(kind: Kind, enabled: Vec<Row>, registry: &Registry) -> KindSection {
    let is_enabled = |name: &str| enabled.iter().any(|row| row.name == name);
    let disabled = registry
        .iter()
        .filter(|plugin| plugin.kind == kind && !is_enabled(&plugin.name))
        .map(|plugin| known(0, plugin))
        .collect();
    let (heading, path) = match kind {
        Kind::Widget => ("Widgets", LIST),
        Kind::Report => ("Reports", "/settings/plugins/reports/"),
        Kind::Detail => ("Machine details", "/settings/plugins/machinedetail/"),
    };
    let line = |row: Row| match registry.get(&row.name) {
        Some(plugin) => known(row.id, plugin),
        None => unknown(row),
    };
    KindSection {
        heading,
        path,
        is_ordered: kind != Kind::Report,
        disabled,
        enabled: enabled.into_iter().map(line).collect(),
    }
}

fn known(id: i32, plugin: &Plugin) -> PluginLine {
    let families: Vec<&str> = plugin.os.iter().map(|os| OsFamily::title(*os)).collect();
    PluginLine {
        id,
        name: plugin.name.clone(),
        title: plugin.title.clone(),
        description: plugin.description.clone(),
        families: families.join(", "),
        note: match plugin.origin {
            Origin::BuiltIn => None,
            Origin::Folder => Some("From your folder"),
            Origin::Python => {
                Some("Python plugin: its scripts are served, its rows shown in a table")
            }
        },
    }
}

fn unknown(row: Row) -> PluginLine {
    PluginLine {
        id: row.id,
        title: row.name.clone(),
        name: row.name,
        description: String::new(),
        families: String::new(),
        note: Some("Not part of this server"),
    }
}

/// What an address of the page means.
enum Change {
    Enable { name: String },
    Disable(Row),
    Move { row: Row, steps: i64 },
}

impl Change {
    /// Reads `enable/<name>`, `disable/<id>`, `plus/<id>` (up, as in Sal), `minus/<id>` (down).
    async fn read(
        kind: Kind,
        (action, key): (String, String),
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        if action == "enable" {
            let registry = app.registry();
            let plugin = registry.get(&key).filter(|plugin| plugin.kind == kind);
            let name = plugin.ok_or(AppError::NotFound)?.name.clone();
            return Ok(Self::Enable { name });
        }
        let id = number(&key)?;
        let found = rows(kind, db).await?.into_iter().find(|row| row.id == id);
        let row = found.ok_or(AppError::NotFound)?;
        match action.as_str() {
            "disable" => Ok(Self::Disable(row)),
            "plus" if kind != Kind::Report => Ok(Self::Move { row, steps: -1 }),
            "minus" if kind != Kind::Report => Ok(Self::Move { row, steps: 1 }),
            _ => Err(AppError::NotFound),
        }
    }

    async fn carry_out(&self, kind: Kind, tx: &Tx) -> Result<u64, AppError> {
        Ok(match (self, kind) {
            (Self::Enable { name }, Kind::Widget) => enable_widget(tx, name.as_str()).await?,
            (Self::Enable { name }, Kind::Report) => enable_report(tx, name.as_str()).await?,
            (Self::Enable { name }, Kind::Detail) => enable_detail(tx, name.as_str()).await?,
            (Self::Disable(row), Kind::Widget) => disable_widget(tx, &row.id).await?,
            (Self::Disable(row), Kind::Report) => disable_report(tx, &row.id).await?,
            (Self::Disable(row), Kind::Detail) => disable_detail(tx, &row.id).await?,
            (Self::Move { row, steps }, Kind::Widget) => move_widget(tx, &row.id, steps).await?,
            (Self::Move { row, steps }, _) => move_detail(tx, &row.id, steps).await?,
        })
    }

    fn words(&self) -> (&str, &'static str) {
        match self {
            Self::Enable { name } => (name, "enabled"),
            Self::Disable(row) => (&row.name, "disabled"),
            Self::Move { row, steps } if *steps < 0 => (&row.name, "moved up"),
            Self::Move { row, .. } => (&row.name, "moved down"),
        }
    }

    fn button(&self) -> &'static str {
        match self {
            Self::Enable { .. } => "Enable it",
            Self::Disable(_) => "Disable it",
            Self::Move { .. } => "Move it",
        }
    }
}

async fn ask(
    kind: Kind,
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    address: (String, String),
    app: App,
    db: Client,
) -> Result<Response, AppError> {
    let change = Change::read(kind, address, &app, &db).await?;
    let (name, done) = change.words();
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Settings, "Plugins", &app),
        heading: format!("Shall {name} be {done}?"),
        sentences: vec!["Clients get the scripts of enabled plugins at their next run.".to_owned()],
        button: change.button(),
        is_final: false,
        back: LIST.to_owned(),
    }
    .answer()
}

async fn change(
    kind: Kind,
    GlobalAdmin(viewer): GlobalAdmin,
    address: (String, String),
    app: App,
    db: Client,
) -> Result<Response, AppError> {
    let change = Change::read(kind, address, &app, &db).await?;
    let tx = db.begin().await?;
    if change.carry_out(kind, &tx).await? > 0 {
        let (name, done) = change.words();
        audit::note(
            &viewer,
            done,
            &Object::new("plugin", name, name),
            "",
            &app,
            &tx,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(redirect(LIST))
}

macro_rules! handlers {
    ($($ask:ident, $change:ident: $kind:expr;)*) => { $(
        async fn $ask(
            admin: GlobalAdmin,
            theme: Theme,
            Path(address): Path<(String, String)>,
            State(app): State<App>,
            Db(db): Db,
        ) -> Result<Response, AppError> {
            ask($kind, admin, theme, address, app, db).await
        }

        async fn $change(
            admin: GlobalAdmin,
            Path(address): Path<(String, String)>,
            State(app): State<App>,
            Db(db): Db,
        ) -> Result<Response, AppError> {
            change($kind, admin, address, app, db).await
        }
    )* };
}

handlers! {
    ask_widget, change_widget: Kind::Widget;
    ask_report, change_report: Kind::Report;
    ask_detail, change_detail: Kind::Detail;
}

const LIST: &str = "/settings/plugins/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_is_enabled_or_disabled_under_its_kind_and_foreign_ones_are_kept() {
        let registry = Registry::builtin();
        let row = |id, name: &str| Row {
            id,
            name: name.to_owned(),
        };
        let enabled = vec![row(1, "Status"), row(2, "OurOwn"), row(3, "Activity")];
        let section = section(Kind::Widget, enabled, &registry);
        let names: Vec<_> = section.enabled.iter().map(|line| &line.name).collect();
        assert_eq!(names, ["Status", "OurOwn", "Activity"]);
        assert_eq!(section.enabled[1].note, Some("Not part of this server"));
        let widgets = registry.iter().filter(|plugin| plugin.kind == Kind::Widget);
        assert_eq!(section.disabled.len(), widgets.count() - 2);
        assert!(section.disabled.iter().all(|line| line.name != "MunkiInfo"));
    }
}
