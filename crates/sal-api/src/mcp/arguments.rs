//! What an assistant sends to a tool. What cannot be read is answered with a sentence that helps it to do better.

use jiff::Timestamp;
use sal_query::Age;
use serde_json::{Map, Value as Json};

use super::tools::Refusal;

/// The arguments of a call.
pub(super) struct Arguments(Map<String, Json>);

impl Arguments {
    /// Reads them; none are as good as empty ones.
    ///
    /// # Errors
    /// When there are others than these.
    pub(super) fn read(params: &Json, known: &[&str]) -> Result<Self, Refusal> {
        let sent = match params.get("arguments") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(sent)) => sent.clone(),
            Some(_) => return Err(Refusal::new("`arguments` has to be an object.")),
        };
        match sent.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Refusal::new(format!(
                "There is no argument `{}`. There are: {}.",
                name.chars().take(100).collect::<String>(),
                known.join(", ")
            ))),
            None => Ok(Self(sent)),
        }
    }

    /// A text, where there is one that is not blank.
    ///
    /// # Errors
    /// When it is something else, or holds what no text in the database can hold.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) if text.contains('\0') => {
                Err(Refusal::new(format!("`{name}` holds a NUL character.")))
            }
            Some(Json::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(Refusal::new(format!("`{name}` has to be a text."))),
        }
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// Also when it is missing.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        let text = self.text(name)?;
        text.ok_or_else(|| Refusal::new(format!("`{name}` is needed.")))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, Refusal> {
        let wrong = || Refusal::new(format!("`{name}` has to be a list of texts."));
        match self.0.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(all)) => {
                let texts = all.iter().map(|one| one.as_str().ok_or_else(wrong));
                texts.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A number of rows.
    ///
    /// # Errors
    /// When it is none from 1 to 100.
    pub(super) fn limit(&self, usual: u16) -> Result<u16, Refusal> {
        let number = match self.0.get("limit") {
            None | Some(Json::Null) => return Ok(usual),
            Some(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        };
        let number = number.filter(|number| (1..=MOST_ROWS).contains(number));
        number.ok_or_else(|| Refusal::new("`limit` has to be a whole number from 1 to 100."))
    }

    /// A moment: a date and time, or how long ago it was.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn since(&self, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.text("since")? else {
            return Ok(None);
        };
        if let Ok(age) = Age::parse(text) {
            return Ok(Some(age.before(now)));
        }
        let moment = text.parse().map_err(|_unreadable| {
            Refusal::new(
                "`since` is an age such as `7d` or `12h`, or a time such as 2026-01-31T09:30:00Z.",
            )
        });
        moment.map(Some)
    }
}

/// No answer has more rows.
pub(super) const MOST_ROWS: u16 = 100;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(arguments: &Json) -> Result<Arguments, Refusal> {
        let known = ["filter", "limit", "since", "columns"];
        Arguments::read(&json!({ "arguments": arguments }), &known)
    }

    #[test]
    fn what_is_no_argument_is_named() {
        let refused = read(&json!({ "fliter": "x" })).err().unwrap();
        assert_eq!(
            refused.0,
            "There is no argument `fliter`. There are: filter, limit, since, columns."
        );
        assert!(read(&json!(7)).is_err());
        assert!(Arguments::read(&json!({}), &[]).is_ok());
        assert!(read(&json!(null)).is_ok());
    }

    #[test]
    fn values_are_what_they_are_said_to_be() {
        let now: Timestamp = "2026-03-08T00:00:00Z".parse().unwrap();
        let all =
            read(&json!({ "filter": " a ", "limit": 7, "since": "7d", "columns": ["x"] })).unwrap();
        assert_eq!(all.text("filter").ok().flatten(), Some("a"));
        assert_eq!(all.limit(25).ok(), Some(7));
        let week = "2026-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(all.since(now).ok().flatten(), Some(week));
        assert_eq!(all.texts("columns").ok().flatten(), Some(vec!["x"]));
        for (name, value) in [
            ("filter", json!(1)),
            ("filter", json!("a\0")),
            ("limit", json!(0)),
            ("limit", json!(101)),
            ("limit", json!(-1)),
            ("limit", json!(1.5)),
            ("limit", json!("7")),
            ("limit", json!(99_999_999_999_i64)),
            ("since", json!("soon")),
            ("columns", json!("x")),
            ("columns", json!([1])),
        ] {
            let one = read(&json!({ name: value })).unwrap();
            let read = match name {
                "filter" => one.text(name).is_ok(),
                "limit" => one.limit(25).is_ok(),
                "since" => one.since(now).is_ok(),
                _ => one.texts(name).is_ok(),
            };
            assert!(!read, "{name} {value}");
        }
    }
}
