//! The filter of a call, and what is wrong with it in words that help to mend it.

use sal_query::{Condition, FilterError, check::check, parse};
use sal_store::searches::NamedSearches;

use super::{Asking, Failure, Refusal};

/// The machines that a filter means; all of them without one.
pub(super) async fn read(text: Option<&str>, asking: &Asking<'_>) -> Result<Condition, Failure> {
    let text = text.unwrap_or_default();
    let parsed = parse(text).map_err(|error| refusal(text, &error))?;
    let named = match text.is_empty() {
        true => NamedSearches::default(),
        false => NamedSearches::load(&asking.read.asker(), asking.db).await?,
    };
    let condition = check(&parsed, &asking.app.config.time_zone, &named);
    condition.map_err(|error| refusal(text, &error).into())
}

/// Where, what, and what was probably meant.
pub(super) fn refusal(text: &str, error: &FilterError) -> Refusal {
    let before = text.get(..error.at.start).unwrap_or_default();
    let at = text.get(error.at.clone()).unwrap_or_default();
    let at: String = at.chars().take(80).collect();
    let place = match at.is_empty() {
        true if before.is_empty() => String::new(),
        true => " at its end".to_owned(),
        false => format!(
            " at character {}, at `{at}`",
            before.chars().count().saturating_add(1)
        ),
    };
    Refusal::new(format!(
        "The filter cannot be read{place}: {error}. list_fields has the fields and how filters are written."
    ))
}
