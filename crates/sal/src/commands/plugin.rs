//! `sal plugin check`: what is wrong with a folder of plugins, before a server takes it.

use std::path::Path;

use anyhow::{Context as _, Result};
use sal_plugins::{
    Kind, Origin,
    directory::{Loaded, load},
};
use serde_json::json;

use crate::cli::Plugin;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(what: Plugin) -> Result<Exit> {
    let Plugin::Check { folder, json } = what;
    let loaded = read(&folder)?;
    let own: Vec<_> = loaded
        .registry
        .iter()
        .filter(|plugin| plugin.origin != Origin::BuiltIn)
        .collect();
    if json {
        let plugins: Vec<_> = own
            .iter()
            .map(|plugin| {
                json!({
                    "name": plugin.name,
                    "kind": kind(plugin.kind),
                    "python": plugin.origin == Origin::Python,
                    "panels": plugin.panels.len(),
                    "scripts": plugin.scripts.iter().map(|script| &script.filename).collect::<Vec<_>>(),
                })
            })
            .collect();
        let mistakes: Vec<_> = loaded
            .mistakes
            .iter()
            .map(|mistake| json!({"file": mistake.file, "line": mistake.line, "message": mistake.message}))
            .collect();
        output::data(&json!({"plugins": plugins, "mistakes": mistakes}).to_string());
    } else {
        for plugin in &own {
            let python = match plugin.origin {
                Origin::Python => ", Python: scripts are served, rows shown in a table",
                Origin::BuiltIn | Origin::Folder => "",
            };
            output::data(&format!(
                "{}: {}, {} scripts{python}",
                plugin.name,
                kind(plugin.kind),
                plugin.scripts.len()
            ));
        }
        for mistake in &loaded.mistakes {
            output::data(&mistake.to_string());
        }
        output::note(&format!(
            "{} plugins, {} mistakes in `{}`",
            own.len(),
            loaded.mistakes.len(),
            folder.display()
        ));
    }
    Ok(if loaded.mistakes.is_empty() {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}

/// Reads a folder of plugins.
pub(crate) fn read(folder: &Path) -> Result<Loaded> {
    load(folder).with_context(|| format!("reading the folder of plugins `{}`", folder.display()))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Widget => "widget",
        Kind::Report => "report",
        Kind::Detail => "machine detail",
    }
}
