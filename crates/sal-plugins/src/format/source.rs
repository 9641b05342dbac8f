//! How `plugin.toml` names what belongs to a machine: `row = "Plugin/row"`, `fact = "Source/name"`.

use sal_query::{ApplicationKey, Related};
use serde::Deserialize;

/// `item = { source = "Munki", status = "PENDING" }`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemFile {
    source: Option<String>,
    status: Option<String>,
    name: Option<String>,
}

/// `app = { bundleid = "org.mozilla.firefox" }`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationFile {
    name: Option<String>,
    bundleid: Option<String>,
    path: Option<String>,
}

/// `Plugin/row`: a row of a plugin script.
pub(super) fn row(text: &str) -> Result<Related, String> {
    let (plugin, name) = text
        .split_once('/')
        .filter(|(plugin, name)| !plugin.is_empty() && !name.is_empty())
        .ok_or_else(|| format!("`row = \"{text}\"` is written `Plugin/row`"))?;
    Ok(Related::Row {
        plugin: plugin.to_owned(),
        name: name.to_owned(),
    })
}

/// `Source/name`, or a name of any source.
pub(super) fn fact(text: &str) -> Related {
    let (source, name) = source_and_name(text);
    Related::Fact { source, name }
}

/// As [`fact`], with all values it ever had.
pub(super) fn historical_fact(text: &str) -> Related {
    let (source, name) = source_and_name(text);
    Related::HistoricalFact { source, name }
}

fn source_and_name(text: &str) -> (Option<String>, String) {
    match text.split_once('/') {
        Some((source, name)) if !source.is_empty() => (Some(source.to_owned()), name.to_owned()),
        _ => (None, text.trim_start_matches('/').to_owned()),
    }
}

impl ItemFile {
    pub(super) fn related(self) -> Related {
        Related::Item {
            source: self.source,
            status: self.status,
            name: self.name,
        }
    }
}

impl ApplicationFile {
    pub(super) fn related(self) -> Result<Related, String> {
        let keys = [
            (ApplicationKey::Name, self.name),
            (ApplicationKey::BundleId, self.bundleid),
            (ApplicationKey::Path, self.path),
        ];
        let mut given = keys.into_iter().filter_map(|(by, text)| Some((by, text?)));
        match (given.next(), given.next()) {
            (Some((by, text)), None) => Ok(Related::Application { by, text }),
            _ => Err("`app` has exactly one of `name`, `bundleid`, `path`".to_owned()),
        }
    }
}
