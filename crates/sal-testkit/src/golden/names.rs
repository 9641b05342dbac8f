//! Ids and the names behind them, so that results do not depend on which ids were given out.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::Client;

use super::GoldenError;

const NAMES: &str = "\
SELECT json_build_object(
  'machine', (SELECT json_object_agg(id, serial) FROM public.server_machine),
  'group', (SELECT json_object_agg(id, name) FROM public.server_machinegroup),
  'bu', (SELECT json_object_agg(id, name) FROM public.server_businessunit),
  'source', (SELECT json_object_agg(id, name) FROM public.server_managementsource),
  'app', (SELECT json_object_agg(id, name) FROM public.inventory_application),
  'search', (SELECT json_object_agg(id, coalesce(name, '')) FROM public.search_savedsearch))::text";

/// The ids of machines, groups, units, sources and searches at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// By kind, then by id as text.
    kinds: BTreeMap<String, BTreeMap<String, String>>,
}

impl Names {
    pub(super) async fn load(database: &Client) -> Result<Self, GoldenError> {
        let row = database.query_one(NAMES, &[]).await?;
        let value: Value = serde_json::from_str(row.try_get(0)?).map_err(GoldenError::Dump)?;
        Ok(Self::from_json(&value))
    }

    fn from_json(value: &Value) -> Self {
        let mut kinds: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (kind, names) in value.as_object().into_iter().flatten() {
            let known = kinds.entry(kind.clone()).or_default();
            for (id, name) in names.as_object().into_iter().flatten() {
                known.insert(id.clone(), name.as_str().unwrap_or_default().to_owned());
            }
        }
        Self { kinds }
    }

    /// Whether ids of this kind are looked up.
    pub(super) fn knows(kind: &str) -> bool {
        ["machine", "group", "bu", "source", "app", "search"].contains(&kind)
    }

    /// The name behind an id, `?` when there is none.
    pub(super) fn name(&self, kind: &str, id: &str) -> &str {
        self.kinds
            .get(kind)
            .and_then(|names| names.get(id))
            .map_or("?", String::as_str)
    }

    /// The id of a name, `0` when there is none.
    pub(super) fn id(&self, kind: &str, name: &str) -> &str {
        let names = self.kinds.get(kind).into_iter().flatten();
        names
            .into_iter()
            .find(|(_, known)| *known == name)
            .map_or("0", |(id, _)| id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_ids_are_found_both_ways() {
        let names = Names::from_json(&json!({"machine": {"7": "C02"}, "group": null}));
        assert_eq!(
            (names.name("machine", "7"), names.id("machine", "C02")),
            ("C02", "7")
        );
        assert_eq!(
            (names.name("machine", "8"), names.id("group", "x")),
            ("?", "0")
        );
    }
}
