//! `/settings/plugin-folder/`: what is in the administrator's folder of plugins now, mistakes with file and line, and
//! each plugin drawn with the real numbers, before the server takes it. The button takes what is shown, without a restart.

use std::{path::PathBuf, sync::Arc};

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::page_client};
use sal_plugins::{
    Kind, Origin, Plugin,
    directory::{Loaded, load},
};

use crate::{
    audit::{self, Object},
    counted::Wish,
    fleet_part::FleetPart,
    page::{redirect, render},
    shell::{Section, Shell, Theme},
    widgets::{self, Counting, draw::Widget},
};

pub(crate) fn routes() -> Routes {
    Routes::new().route(
        PATH,
        Access::GlobalAdmin,
        get(show_folder).post(take_folder),
    )
}

#[derive(Template)]
#[template(path = "settings/plugin_folder.html")]
struct FolderPage {
    shell: Shell,
    folder: Option<String>,
    /// Why the folder cannot be read at all.
    unreadable: Option<String>,
    mistakes: Vec<String>,
    previews: Vec<Preview>,
}

/// A plugin as it would look.
struct Preview {
    name: String,
    kind: &'static str,
    origin: &'static str,
    scripts: String,
    /// Absent for details, which need a machine.
    widget: Option<Widget>,
}

async fn show_folder(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    counting: Counting,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let mut page = FolderPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "Plugin folder", &app),
        folder: app
            .plugin_folder
            .as_ref()
            .map(|folder| folder.display().to_string()),
        unreadable: None,
        mistakes: Vec::new(),
        previews: Vec::new(),
    };
    if let Some(folder) = app.plugin_folder.clone() {
        match read(folder).await? {
            Ok(loaded) => {
                let own = loaded
                    .registry
                    .iter()
                    .filter(|plugin| plugin.origin != Origin::BuiltIn);
                for plugin in own {
                    let widget = match plugin.kind {
                        Kind::Detail => None,
                        Kind::Widget | Kind::Report => {
                            let plugins = [plugin];
                            let asked = widgets::Asked {
                                part: &FleetPart::All,
                                plugins: &plugins,
                                search: "",
                                wish: Wish::Wait,
                            };
                            let db = page_client(&app).await?;
                            let drawn = widgets::draw(&asked, &viewer, &counting, db, &app);
                            drawn.await?.widgets.into_iter().next()
                        }
                    };
                    page.previews.push(preview(plugin, widget));
                }
                page.mistakes = loaded.mistakes.iter().map(ToString::to_string).collect();
            }
            Err(why) => page.unreadable = Some(why),
        }
    }
    render(&page)
}

async fn take_folder(
    GlobalAdmin(viewer): GlobalAdmin,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let folder = app.plugin_folder.clone().ok_or(AppError::NotFound)?;
    // Unreadable, it changes nothing; the page says why.
    if let Ok(loaded) = read(folder).await? {
        let db = page_client(&app).await?;
        let object = Object::new("plugin folder", "", "");
        let detail = format!(
            "{} plugins, {} with mistakes left out",
            loaded.registry.iter().count(),
            loaded.mistakes.len()
        );
        audit::note(&viewer, "read again", &object, &detail, &app, &db).await?;
        app.set_registry(Arc::new(loaded.registry));
    }
    Ok(redirect("/settings/plugins/"))
}

/// Reads the folder on a thread for blocking work.
async fn read(folder: PathBuf) -> Result<Result<Loaded, String>, AppError> {
    let read =
        tokio::task::spawn_blocking(move || load(&folder).map_err(|error| error.to_string()));
    read.await
        .map_err(|error| AppError::internal("reading the folder of plugins", error))
}

fn preview(plugin: &Plugin, widget: Option<Widget>) -> Preview {
    let scripts: Vec<&str> = plugin
        .scripts
        .iter()
        .map(|script| script.filename.as_str())
        .collect();
    Preview {
        name: plugin.name.clone(),
        kind: match plugin.kind {
            Kind::Widget => "Widget",
            Kind::Report => "Report",
            Kind::Detail => "Machine detail",
        },
        origin: match plugin.origin {
            Origin::Python => "Python plugin of Django Sal",
            Origin::BuiltIn | Origin::Folder => "plugin.toml",
        },
        scripts: scripts.join(", "),
        widget,
    }
}

const PATH: &str = "/settings/plugin-folder/";
