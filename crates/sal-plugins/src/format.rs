//! The format of `plugin.toml`. A mistake is reported with file and line; a key that is not known
//! is a mistake, because a misspelt one would otherwise be ignored.
//!
//! [`crate::plugin`] has the checked types; `when` reads conditions.

mod detail;
mod panel;
mod source;
mod when;

use std::ops::Range;

use sal_query::{Condition, Field, Operator, Value};
use serde::Deserialize;
use toml::Spanned;

use crate::{
    plugin::{Kind, Origin, OsFamily, Plugin},
    script::Script,
};
use panel::PanelFile;

/// A plugin's folder as text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Name of the folder, for messages.
    pub folder: &'a str,
    /// Contents of `plugin.toml`.
    pub plugin_toml: &'a str,
    /// Name and contents of each file under `scripts/`.
    pub scripts: &'a [(&'a str, &'a str)],
}

/// A mistake in a plugin.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct PluginError {
    /// Path of the file from the folder of plugins.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads and checks one plugin.
///
/// # Errors
/// The first mistake found.
pub fn read(source: &Source<'_>) -> Result<Plugin, PluginError> {
    let file: PluginFile = toml::from_str(source.plugin_toml).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        at_byte(source, start, error.message().to_owned())
    })?;
    check(source, file).map_err(|mistake| at_byte(source, mistake.place.start, mistake.message))
}

/// The mistake of a plugin whose name another one has.
pub(crate) fn duplicate(source: &Source<'_>, name: &str) -> PluginError {
    at_byte(source, 0, format!("another plugin is named `{name}`"))
}

fn at_byte(source: &Source<'_>, byte: usize, message: String) -> PluginError {
    let before = source.plugin_toml.bytes().take(byte);
    PluginError {
        file: format!("{}/plugin.toml", source.folder),
        line: 1 + before.filter(|byte| *byte == b'\n').count(),
        message,
    }
}

/// What is wrong, and where in the text.
struct Mistake {
    place: Range<usize>,
    message: String,
}

impl Mistake {
    fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Self {
        Self {
            place: place.span(),
            message: message.into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginFile {
    name: Spanned<String>,
    kind: Kind,
    title: String,
    #[serde(default)]
    description: String,
    width: Option<Spanned<u8>>,
    os: Option<Vec<OsFamily>>,
    deployed_only: Option<bool>,
    os_filter: Option<bool>,
    #[serde(default)]
    scripts: Vec<Spanned<String>>,
    #[serde(default)]
    panel: Vec<Spanned<PanelFile>>,
}

fn check(source: &Source<'_>, file: PluginFile) -> Result<Plugin, Mistake> {
    let name = check_name(&file.name)?;
    let default_width = if file.kind == Kind::Report { 12 } else { 4 };
    let width = match &file.width {
        Some(width) if !(1..=12).contains(width.get_ref()) => {
            return Err(Mistake::at(width, "`width` is a number from 1 to 12"));
        }
        width => width
            .as_ref()
            .map_or(default_width, |width| *width.get_ref()),
    };
    if file.panel.is_empty() {
        return Err(Mistake::at(&file.name, "give at least one [[panel]]"));
    }
    let scripts = check_scripts(source, &name, &file)?;
    let os = file.os.unwrap_or_else(|| OsFamily::ALL.to_vec());
    let base = base_condition(
        file.deployed_only.unwrap_or(true),
        file.os_filter.unwrap_or(false).then_some(os.as_slice()),
    );
    let panels = file
        .panel
        .into_iter()
        .map(|panel| panel::check(panel, file.kind, &base));
    Ok(Plugin {
        name,
        kind: file.kind,
        title: file.title,
        description: file.description,
        width,
        os,
        panels: panels.collect::<Result<_, _>>()?,
        origin: Origin::Folder,
        scripts,
    })
}

/// A name is a key in the database and a segment of URLs.
fn check_name(name: &Spanned<String>) -> Result<String, Mistake> {
    let text = name.get_ref();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.chars().all(allowed) {
        let message = "`name` is 1 to 255 letters, digits and underscores";
        return Err(Mistake::at(name, message));
    }
    Ok(text.clone())
}

fn check_scripts(
    source: &Source<'_>,
    plugin: &str,
    file: &PluginFile,
) -> Result<Vec<Script>, Mistake> {
    let mut scripts = Vec::new();
    for declared in &file.scripts {
        let filename = declared.get_ref().strip_prefix("scripts/");
        let script = filename.and_then(|filename| {
            let (_, text) = source.scripts.iter().find(|(name, _)| *name == filename)?;
            Script::new(plugin, filename, text)
        });
        let message = "`scripts` lists files under scripts/ that begin with `#!`";
        scripts.push(script.ok_or_else(|| Mistake::at(declared, message))?);
    }
    let declared = |name: &str| scripts.iter().any(|script| script.filename == name);
    match source.scripts.iter().find(|(name, _)| !declared(name)) {
        Some((name, _)) => {
            let message = format!("scripts/{name} is there but not listed in `scripts`");
            Err(Mistake::at(&file.name, message))
        }
        None => Ok(scripts),
    }
}

fn base_condition(deployed_only: bool, families: Option<&[OsFamily]>) -> Condition {
    let mut parts = Vec::new();
    if deployed_only {
        parts.extend(Condition::compare(
            Field::Deployed,
            Operator::Equal,
            Value::Boolean(true),
        ));
    }
    if let Some(families) = families {
        let names = families.iter().map(|family| family.name().to_owned());
        parts.extend(Condition::one_of(Field::OsFamily, names.collect()));
    }
    Condition::all(parts)
}

const MAX_NAME_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use sal_query::check::{NothingNamed, check};

    use super::*;

    fn error(plugin_toml: &str) -> String {
        let source = Source {
            folder: "Mine",
            plugin_toml,
            scripts: &[("a.sh", "#!/bin/sh\n"), ("b.txt", "text")],
        };
        read(&source).unwrap_err().to_string()
    }

    const PANEL: &str =
        "[[panel]]\ntype = \"bars\"\ntitle = \"{value}\"\ngroup_by = { field = \"os_family\" }\n";
    const HEAD: &str =
        "name = \"Mine\"\nkind = \"widget\"\ntitle = \"Mine\"\nscripts = [\"scripts/a.sh\"]\n";

    #[test]
    fn mistakes_are_reported_with_file_and_line() {
        for (text, expected) in [
            ("name = 1", "Mine/plugin.toml:1: invalid type"),
            (
                "name = \"a/b\"\nkind = \"widget\"\ntitle = \"\"",
                "Mine/plugin.toml:1: `name` is",
            ),
            (
                &format!("{HEAD}colour = 1"),
                "Mine/plugin.toml:5: unknown field `colour`",
            ),
            (
                &format!("{HEAD}\nwidth = 13"),
                "Mine/plugin.toml:6: `width` is",
            ),
            (HEAD, "Mine/plugin.toml:1: give at least"),
            (
                &format!("{HEAD}{PANEL}"),
                "Mine/plugin.toml:1: scripts/b.txt is there",
            ),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_script_that_is_not_there_is_a_mistake() {
        for script in [
            "scripts/none.sh",
            "a.sh",
            "scripts/../a.sh",
            "scripts/b.txt",
        ] {
            let head = HEAD.replace("scripts/a.sh", script);
            let error = error(&format!("{head}{PANEL}"));
            assert!(error.contains(":4: `scripts` lists files"), "{error}");
        }
    }

    #[test]
    fn a_condition_may_be_a_filter_and_means_what_the_search_box_says() {
        let filter = "os_version < 15.1 and not has application \"Firefox\"";
        let parsed = sal_query::parse(filter).unwrap();
        let expected = check(&parsed, &TimeZone::UTC, &NothingNamed).unwrap();
        for when in [
            format!("'{filter}'"),
            format!("{{ all = ['{filter}', {{ field = \"serial\", eq = \"a\" }}] }}"),
        ] {
            let text = bucket(&when);
            let source = Source {
                folder: "Mine",
                plugin_toml: &text,
                scripts: &[],
            };
            let plugin = format!("{:?}", read(&source).unwrap());
            assert!(plugin.contains(&format!("{expected:?}")), "{plugin}");
        }
    }

    /// A plugin with one condition, in line 10.
    fn bucket(when: &str) -> String {
        let bucket = format!(
            "{HEAD}[[panel]]\ntype = \"tiles\"\n[[panel.bucket]]\ndata = \"a\"\nlabel = \"a\"\n\
             title = \"a\"\nwhen = {when}\n"
        );
        bucket.replace("scripts = [\"scripts/a.sh\"]\n", "")
    }

    #[test]
    fn conditions_that_make_no_sense_are_reported_where_they_stand() {
        for (when, expected) in [
            ("{ field = \"last_seen\", eq = 1 }", "no field `last_seen`"),
            ("{ field = \"serial\" }", "needs at least one operator"),
            ("{ row = \"Uptime\", lt = 1 }", "is written `Plugin/row`"),
            ("{ row = \"Uptime/Days\", lt = 1 }", "add `as = \"number\"`"),
            (
                "{ row = \"Uptime/Days\", as = \"number\", lt = \"x\" }",
                "a number is compared by",
            ),
            (
                "{ fact = \"a/b\", regex = \"(\" }",
                "is no regular expression",
            ),
            (
                "{ item = { source = \"Munki\", state = \"x\" } }",
                "unknown field `state`",
            ),
            (
                "{ field = \"serial\", eq = 1 }",
                "holds text, the value is a whole number",
            ),
            (
                "{ field = \"serial\", within = \"1h\" }",
                "cannot be compared this way",
            ),
            (
                "{ field = \"last_checkin\", within = \"soon\" }",
                "`soon` is not a length of time",
            ),
            (
                "{ field = \"serial\", eq = \"a\", message = \"ERROR\" }",
                "exactly one of",
            ),
            ("\"os_version <\"", "expected"),
            ("\"sereal = x\"", "serial"),
            ("\"search = \\\"Kiosks\\\"\"", "Kiosks"),
            ("7", "a filter such as"),
            ("\" \"", "`{ everything = true }`"),
            (
                "{ everything = true, eq = 1 }",
                "operators belong to a value",
            ),
            (
                "{ all = [{ any = [{ not = { everything = false } }] }] }",
                "`everything` is true",
            ),
        ] {
            let text = bucket(when);
            let source = Source {
                folder: "Mine",
                plugin_toml: &text,
                scripts: &[],
            };
            let error = read(&source).unwrap_err();
            assert_eq!(error.line, 10, "{error}");
            assert!(error.message.contains(expected), "{error}");
        }
    }
}
