//! Reads the lines and links of detail plugins.

use sal_query::Field;
use serde::Deserialize;
use toml::Spanned;

use super::{Mistake, source};
use crate::detail::{DetailLine, DetailLink, Format, Piece, SCHEMES, ValueSource};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineFile {
    label: String,
    field: Option<String>,
    fact: Option<String>,
    row: Option<String>,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    good: Vec<String>,
    #[serde(default)]
    bad: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkFile {
    label: String,
    href: String,
}

pub(super) fn lines(files: Vec<Spanned<LineFile>>) -> Result<Vec<DetailLine>, Mistake> {
    files.into_iter().map(line).collect()
}

fn line(file: Spanned<LineFile>) -> Result<DetailLine, Mistake> {
    let place = file.span();
    let file = file.into_inner();
    let value = match (file.field, file.fact, file.row) {
        (Some(name), None, None) => field(&name),
        (None, Some(name), None) => Ok(ValueSource::Related(source::fact(&name))),
        (None, None, Some(name)) => source::row(&name).map(ValueSource::Related),
        _ => Err("a line has exactly one of `field`, `fact`, `row`".to_owned()),
    };
    Ok(DetailLine {
        label: file.label,
        value: value.map_err(|message| Mistake { place, message })?,
        format: file.format,
        good: file.good,
        bad: file.bad,
    })
}

pub(super) fn links(files: Vec<Spanned<LinkFile>>) -> Result<Vec<DetailLink>, Mistake> {
    files.into_iter().map(link).collect()
}

fn link(file: Spanned<LinkFile>) -> Result<DetailLink, Mistake> {
    let place = file.span();
    let file = file.into_inner();
    let href = pieces(&file.href).map_err(|message| Mistake { place, message })?;
    Ok(DetailLink {
        label: file.label,
        href,
    })
}

/// Reads `ssh://{setting:ssh_account}@{fact:Machine/ipv4_address|first}`.
fn pieces(href: &str) -> Result<Vec<Piece>, String> {
    if !SCHEMES.iter().any(|scheme| href.starts_with(scheme)) {
        return Err(format!("`href` begins with one of {}", SCHEMES.join(" ")));
    }
    let mut pieces = Vec::new();
    let mut rest = href;
    while let Some((text, after)) = rest.split_once('{') {
        let (inside, after) = after
            .split_once('}')
            .ok_or_else(|| "a `{` of `href` is not closed".to_owned())?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(value(inside)?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn value(text: &str) -> Result<Piece, String> {
    let (text, first) = match text.strip_suffix("|first") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let source = match text.split_once(':') {
        Some(("setting", name)) => ValueSource::Setting(name.to_owned()),
        Some(("fact", name)) => ValueSource::Related(source::fact(name)),
        Some(("row", name)) => ValueSource::Related(source::row(name)?),
        Some(("field", name)) => field(name)?,
        _ => {
            return Err(format!(
                "`{{{text}}}` is none of {{field:…}}, {{fact:…}}, {{row:…}}, {{setting:…}}"
            ));
        }
    };
    Ok(Piece::Value { source, first })
}

fn field(name: &str) -> Result<ValueSource, String> {
    Field::parse(name)
        .map(ValueSource::Field)
        .ok_or_else(|| format!("a machine has no field `{name}`"))
}
