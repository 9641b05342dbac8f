//! `/search/suggest/`: what may stand at the cursor of a search box, and how many machines match what is there, as JSON.

use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use sal_http::{
    App, AppError,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_query::complete::{Completion, SuggestionKind, Wanted, complete};
use sal_store::{Client, filter_values::filter_values, searches::list};
use serde::{Deserialize, Serialize};

use super::{asker, builder::count};
use crate::wording::count_of;

#[derive(Deserialize)]
pub(super) struct SuggestQuery {
    #[serde(default)]
    q: String,
    /// Where the cursor is, in UTF-16 units, as browsers count.
    at: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Suggested {
    /// The part of the text that a suggestion takes the place of, in UTF-16 units.
    begin: usize,
    end: usize,
    items: Vec<Item>,
    /// How many machines match, or what is wrong.
    count: String,
    is_wrong: bool,
}

#[derive(Serialize)]
struct Item {
    /// What is written.
    text: String,
    /// What is shown.
    label: String,
    note: String,
}

pub(super) async fn suggest(
    SeesMachines(viewer): SeesMachines,
    Query(query): Query<SuggestQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let text = query.q.replace('\0', " ");
    let completion = complete(&text, byte_at(&text, query.at));
    let mut items = values(&completion, &viewer, &app, &db).await?;
    items.extend(completion.suggestions.iter().map(|suggestion| Item {
        text: suggestion.text.clone(),
        label: suggestion.text.clone(),
        note: match suggestion.kind {
            SuggestionKind::Operator | SuggestionKind::Keyword => suggestion.about.to_owned(),
            _ => suggestion.label.clone(),
        },
    }));
    items.truncate(MOST_ITEMS);
    let (count, is_wrong) = match count(text.trim(), &viewer, &app, &db).await? {
        Ok(count) => (format!("{count} match"), false),
        Err(problem) => (problem.sentence(), true),
    };
    let suggested = Suggested {
        begin: units(&text, completion.replace.start),
        end: units(&text, completion.replace.end),
        items,
        count,
        is_wrong,
    };
    // What machines say of themselves is in it: no browser must take it for a page, whatever it thinks of the type.
    let json = serde_json::to_string(&suggested)
        .map_err(|error| AppError::internal("writing suggestions", error))?
        .replace('<', "\\u003c");
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, json).into_response())
}

/// Values that the database and the program know.
async fn values(
    completion: &Completion,
    viewer: &Viewer,
    app: &App,
    db: &Client,
) -> Result<Vec<Item>, AppError> {
    let Some(wanted) = &completion.wanted else {
        return Ok(Vec::new());
    };
    let item = |value: &str, note: String| Item {
        text: wanted.written(value),
        label: value.to_owned(),
        note,
    };
    let typed = completion.typed.to_lowercase();
    let fits = |name: &&String| name.to_lowercase().contains(&typed);
    let names: Vec<String> = match wanted {
        Wanted::Searches => {
            let searches = list(&asker(viewer), db).await?;
            searches
                .into_iter()
                .map(|search| search.name)
                .filter(|name| !name.is_empty())
                .collect()
        }
        Wanted::Widgets => {
            let registry = app.registry();
            registry.iter().map(|plugin| plugin.name.clone()).collect()
        }
        Wanted::Segments(_) => Vec::new(),
        _ => {
            let found = filter_values(wanted, &completion.typed, &viewer.scope, db).await?;
            let least = if found.is_part { "at least " } else { "" };
            let items = found.values.into_iter().map(|value| {
                let machines = value.machines.map(|machines| {
                    format!("{least}{}", count_of(machines, "machine", "machines"))
                });
                item(&value.value, machines.unwrap_or_default())
            });
            return Ok(items.collect());
        }
    };
    Ok(names
        .iter()
        .filter(fits)
        .map(|name| item(name, String::new()))
        .collect())
}

/// The byte of a place that is counted in UTF-16 units; the end where there is none.
fn byte_at(text: &str, units: Option<usize>) -> usize {
    let Some(wanted) = units else {
        return text.len();
    };
    let mut seen = 0;
    for (byte, c) in text.char_indices() {
        if seen >= wanted {
            return byte;
        }
        seen += c.len_utf16();
    }
    text.len()
}

fn units(text: &str, byte: usize) -> usize {
    text.get(..byte)
        .map_or(0, |before| before.encode_utf16().count())
}

/// More suggestions nobody reads.
const MOST_ITEMS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_browsers_do() {
        let text = "é😀a";
        for (unit, byte) in [(0, 0), (1, 2), (3, 6), (4, 7), (99, 7)] {
            assert_eq!(byte_at(text, Some(unit)), byte, "{unit}");
        }
        assert_eq!((units(text, 0), units(text, 6), units(text, 7)), (0, 3, 4));
        assert_eq!(byte_at(text, None), 7);
    }
}
