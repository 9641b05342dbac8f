//! The format of `plugin.toml`. A mistake is reported with file and line; a key that is not known
//! is a mistake, because a misspelt one would otherwise be ignored.
//!
//! [`crate::plugin`] has the checked types; `when` reads conditions.

mod when;

use std::ops::Range;

use sal_query::{Condition, Field, Kind as FieldKind, Operator, Value};
use serde::Deserialize;
use toml::Spanned;

use crate::{
    plugin::{Bucket, BucketDrawing, GroupBy, GroupSort, Kind, OsFamily, Panel, Plugin, Style},
    script::Script,
};
use when::When;

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
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
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
    panels: Option<Later>,
    #[serde(default)]
    panel: Vec<Spanned<PanelFile>>,
}

/// `panels = "later"`: the plugin is known, its drawing is not declared yet.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Later {
    Later,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PanelFile {
    #[serde(rename = "type")]
    drawing: Drawing,
    title: Option<String>,
    #[serde(default)]
    bucket: Vec<BucketFile>,
    group_by: Option<GroupByFile>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Drawing {
    Tiles,
    Table,
    Lights,
    Bars,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketFile {
    data: String,
    label: String,
    title: String,
    #[serde(default)]
    style: Style,
    #[serde(default)]
    hide_when_zero: bool,
    when: Spanned<When>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupByFile {
    field: Spanned<String>,
    #[serde(default)]
    values: Vec<String>,
    then_by: Option<Spanned<String>>,
    #[serde(default)]
    sort: GroupSort,
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
    if file.panels.is_some() != file.panel.is_empty() {
        let message = "give either at least one [[panel]] or `panels = \"later\"`";
        return Err(Mistake::at(&file.name, message));
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
        .map(|panel| check_panel(panel, &base));
    Ok(Plugin {
        name,
        kind: file.kind,
        title: file.title,
        description: file.description,
        width,
        os,
        panels: panels.collect::<Result<_, _>>()?,
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

fn check_panel(panel: Spanned<PanelFile>, base: &Condition) -> Result<Panel, Mistake> {
    let place = panel.span();
    let file = panel.into_inner();
    let mistake = |message: &str| Mistake {
        place,
        message: message.to_owned(),
    };
    let drawing = match file.drawing {
        Drawing::Tiles => BucketDrawing::Tiles,
        Drawing::Table => BucketDrawing::Table,
        Drawing::Lights => BucketDrawing::Lights,
        Drawing::Bars => {
            return match (file.group_by, file.title, file.bucket.is_empty()) {
                (Some(group_by), Some(title), true) => check_group_by(group_by, title, base),
                _ => Err(mistake("a panel of bars has `title` and `group_by`")),
            };
        }
    };
    if file.bucket.is_empty() || file.group_by.is_some() || file.title.is_some() {
        return Err(mistake("a panel of this type has [[panel.bucket]] only"));
    }
    let buckets = file
        .bucket
        .into_iter()
        .map(|bucket| check_bucket(bucket, base));
    Ok(Panel::Buckets {
        drawing,
        buckets: buckets.collect::<Result<_, _>>()?,
    })
}

fn check_bucket(bucket: BucketFile, base: &Condition) -> Result<Bucket, Mistake> {
    let place = bucket.when.span();
    let condition =
        when::compile(bucket.when.into_inner()).map_err(|message| Mistake { place, message })?;
    Ok(Bucket {
        data: bucket.data,
        label: bucket.label,
        title: bucket.title,
        style: bucket.style,
        hide_when_zero: bucket.hide_when_zero,
        condition: base.clone().and(condition),
    })
}

fn check_group_by(file: GroupByFile, title: String, base: &Condition) -> Result<Panel, Mistake> {
    let field = text_field(&file.field)?;
    let then_by = file.then_by.as_ref().map(text_field).transpose()?;
    let mut parts = vec![base.clone()];
    if file.values.is_empty() {
        parts.push(filled(field));
    } else {
        parts.extend(Condition::one_of(field, file.values.clone()));
    }
    parts.extend(then_by.map(filled));
    Ok(Panel::Groups(GroupBy {
        field,
        values: file.values,
        then_by,
        sort: file.sort,
        title,
        condition: Condition::all(parts),
    }))
}

fn text_field(name: &Spanned<String>) -> Result<Field, Mistake> {
    Field::parse(name.get_ref())
        .filter(|field| field.kind() == FieldKind::Text)
        .ok_or_else(|| {
            let message = format!("`{}` is no text field of a machine", name.get_ref());
            Mistake::at(name, message)
        })
}

/// Holds when a text field is neither missing nor empty.
fn filled(field: Field) -> Condition {
    let empty = Condition::one_of(field, vec![String::new()]);
    let parts = empty.into_iter().chain([Condition::missing(field)]);
    Condition::any(parts.collect()).negate()
}

const MAX_NAME_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(plugin_toml: &str) -> String {
        let source = Source {
            folder: "Mine",
            plugin_toml,
            scripts: &[("a.sh", "#!/bin/sh\n"), ("b.txt", "text")],
        };
        read(&source).unwrap_err().to_string()
    }

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
            (HEAD, "Mine/plugin.toml:1: give either"),
            (
                &format!("{HEAD}panels = \"later\""),
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
            let error = error(&format!("{head}panels = \"later\""));
            assert!(error.contains(":4: `scripts` lists files"), "{error}");
        }
    }

    #[test]
    fn conditions_that_make_no_sense_are_reported_where_they_stand() {
        for (when, expected) in [
            ("{ field = \"last_seen\", eq = 1 }", "no field `last_seen`"),
            ("{ field = \"serial\" }", "needs at least one operator"),
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
            (
                "{ everything = true, eq = 1 }",
                "operators belong to `field`",
            ),
            (
                "{ all = [{ any = [{ not = { everything = false } }] }] }",
                "`everything` is true",
            ),
        ] {
            let bucket = format!(
                "{HEAD}[[panel]]\ntype = \"tiles\"\n[[panel.bucket]]\ndata = \"a\"\nlabel = \"a\"\n\
                 title = \"a\"\nwhen = {when}\n"
            );
            let text = bucket.replace("scripts = [\"scripts/a.sh\"]\n", "");
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
