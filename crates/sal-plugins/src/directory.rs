//! The administrator's own plugins: a folder of folders with a `plugin.toml`, and Python plugins of Django Sal.
//!
//! Read at the start, by `sal plugin check`, and whenever the page of plugins is asked to look again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    builtin,
    format::{self, PluginError, Source},
    plugin::{Origin, Plugin},
    python,
    registry::Registry,
};

/// What a folder of plugins holds.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The plugins inside the program and the good ones of the folder.
    pub registry: Registry,
    /// What is wrong with the others.
    pub mistakes: Vec<PluginError>,
}

/// Reads the folder. A plugin with a mistake is left out; all others are there.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn load(folder: &Path) -> io::Result<Loaded> {
    let mut loaded = Loaded {
        registry: Registry::builtin(),
        mistakes: Vec::new(),
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    folders.sort();
    for path in folders.iter().filter(|path| path.is_dir()) {
        match read(path) {
            Ok(Some(plugin)) => loaded.add(plugin, &name_of(path)),
            Ok(None) => {}
            Err(mistake) => loaded.mistakes.push(mistake),
        }
    }
    Ok(loaded)
}

impl Loaded {
    fn add(&mut self, plugin: Plugin, folder: &str) {
        let name = plugin.name.clone();
        if let Err(earlier) = self.registry.add(plugin) {
            let message = match earlier {
                Origin::BuiltIn => {
                    format!(
                        "`{name}` is the name of a plugin inside the program; give yours another"
                    )
                }
                Origin::Folder | Origin::Python => format!("another plugin is named `{name}`"),
            };
            self.mistakes.push(PluginError {
                file: format!("{folder}/plugin.toml"),
                line: 1,
                message,
            });
        }
    }
}

/// Reads one folder; `None` when it holds no plugin.
fn read(folder: &Path) -> Result<Option<Plugin>, PluginError> {
    let name = name_of(folder);
    let broken = |file: &str, error: &io::Error| PluginError {
        file: format!("{name}/{file}"),
        line: 1,
        message: format!("cannot be read: {error}"),
    };
    let scripts = scripts(&folder.join("scripts")).map_err(|error| broken("scripts", &error))?;
    let declared = folder.join("plugin.toml");
    if declared.is_file() {
        let text = fs::read_to_string(&declared).map_err(|error| broken("plugin.toml", &error))?;
        let borrowed: Vec<(&str, &str)> = scripts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        return format::read(&Source {
            folder: &name,
            plugin_toml: &text,
            scripts: &borrowed,
        })
        .map(Some);
    }
    python::read(folder, &scripts).map_err(|error| broken("", &error))
}

/// Name and text of each file for clients. A file that is no text is left out: clients get scripts as JSON.
fn scripts(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut scripts = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = name_of(&path);
        if !path.is_file() || name.starts_with(['.', '_']) {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => scripts.push((name, text)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(error),
        }
    }
    scripts.sort();
    Ok(scripts)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The plugins inside the program, as sources.
pub(crate) fn builtin_sources() -> &'static [Source<'static>] {
    builtin::SOURCES
}
