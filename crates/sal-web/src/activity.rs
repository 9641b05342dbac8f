//! `/activity/`: what people changed, and which check-ins did not go as usual. For global admins.
//!
//! Both are tables of ours that only this program writes: the audit log, and the journal of the machines' door, which
//! `sal checkin journal` prints too.

mod changes;
mod checkins;

use axum::response::Response;
use futures_util::Stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{AppError, Routes};

use crate::export::{Cell, Format, file};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .merge(changes::routes())
        .merge(checkins::routes())
}

/// What stands in a field of the search form: without spaces around it, and without what Postgres does not take.
fn typed(text: Option<&str>) -> String {
    text.unwrap_or_default().trim().replace('\0', "")
}

/// What was chosen from a list, unless it was "all".
fn chosen(text: Option<&str>) -> Option<String> {
    Some(typed(text)).filter(|text| !text.is_empty())
}

/// A path with the pairs that say something.
fn href(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

/// The file of a list.
fn export<S>(
    format: Option<&str>,
    name: &str,
    columns: &[&str],
    pages: S,
) -> Result<Response, AppError>
where
    S: Stream<Item = Result<Vec<Vec<Cell<'static>>>, AppError>> + Send + 'static,
{
    let format = Format::parse(format.unwrap_or("csv")).ok_or(AppError::NotFound)?;
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    Ok(file(format, name, &columns, pages))
}

/// Lines of a page.
const PAGE_SIZE: i64 = 50;
/// One line more tells whether there is another page.
const ONE_MORE: i64 = PAGE_SIZE + 1;
/// Lines of a file that are read at once.
const EXPORT_SIZE: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_say_only_what_is_chosen() {
        assert_eq!(
            href("/activity/", &[("kind", ""), ("user", "")]),
            "/activity/"
        );
        let both = [("kind", "API key"), ("user", "a&b")];
        assert_eq!(
            href("/activity/", &both),
            "/activity/?kind=API%20key&user=a%26b"
        );
        assert_eq!(typed(Some(" a\0b ")), "ab");
        assert_eq!(chosen(Some(" ")), None);
    }
}
