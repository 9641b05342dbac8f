//! `/licenses/available/<key>/…` and `/licenses/usage/<key>/…`: Munki asks whether there are seats left before it offers
//! an application. The machine group's key is in the path, because Munki can add no header (sal-protocol §7).

use std::collections::BTreeMap;

use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use encoding_rs::UTF_8;
use sal_http::{App, AppError, checkin_key::group_of_key, db::machine_client, django};
use sal_store::licences::{LicenceRow, licences};

use crate::form;
use crate::payload::plist;
use crate::python;

/// Whether there are seats left: yes or no for each licence that is asked for by name, a number for all otherwise.
pub(crate) async fn available(
    State(app): State<App>,
    Path(place): Path<Place>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, AppError> {
    let question = Question::of(place, uri.query());
    let rows = question.ask(question.names.is_empty(), &app).await?;
    let left = |row: &LicenceRow| i64::from(row.total) - row.used.unwrap_or(0);
    let answer = |row: &LicenceRow| match question.names.is_empty() {
        true => Answer::Number(left(row)),
        false => Answer::Bool(left(row) > 0),
    };
    let entries = rows
        .iter()
        .map(|row| (row.item_name.clone(), answer(row)))
        .collect();
    Ok(question.answer(entries))
}

/// Seats, used seats and seats left of the licences that are asked for; nothing for one that is not there.
pub(crate) async fn usage(
    State(app): State<App>,
    Path(place): Path<Place>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, AppError> {
    let question = Question::of(place, uri.query());
    let rows = question.ask(false, &app).await?;
    let seats = |name: &String| {
        let row = rows.iter().find(|row| row.item_name == *name);
        let numbers = row.map(|row| {
            let (total, used) = (i64::from(row.total), row.used.unwrap_or(0));
            [
                ("total", total),
                ("used", used),
                ("available", total - used),
            ]
            .to_vec()
        });
        (name.clone(), Answer::Seats(numbers.unwrap_or_default()))
    };
    let mut entries: Vec<(String, Answer)> = Vec::new();
    for name in &question.names {
        if entries.iter().all(|(known, _)| known != name) {
            entries.push(seats(name));
        }
    }
    Ok(question.answer(entries))
}

/// What the path says.
#[derive(serde::Deserialize)]
pub(crate) struct Place {
    key: String,
    item: Option<String>,
}

struct Question {
    key: String,
    names: Vec<String>,
    as_json: bool,
}

enum Answer {
    Bool(bool),
    Number(i64),
    Seats(Vec<(&'static str, i64)>),
}

impl Question {
    fn of(place: Place, query: Option<&str>) -> Self {
        let mut question = Self {
            key: place.key,
            names: place.item.into_iter().collect(),
            as_json: false,
        };
        for (name, value) in form::pairs(query.unwrap_or_default().as_bytes(), UTF_8) {
            match name.as_str() {
                "name" => question.names.push(value),
                "output_style" => question.as_json = value == "json",
                _ => {}
            }
        }
        question
    }

    async fn ask(&self, everything: bool, app: &App) -> Result<Vec<LicenceRow>, AppError> {
        if self.key.contains('\0') {
            return Err(AppError::NotFound);
        }
        let db = machine_client(0, app).await?;
        let group = group_of_key(&self.key, app, &db).await?;
        let group = group.ok_or(AppError::NotFound)?;
        let names = self
            .names
            .iter()
            .filter(|name| !name.contains('\0'))
            .cloned()
            .collect();
        Ok(licences(&db, &group.business_unit_id, &everything, &names).await?)
    }

    /// The original sends `application/json` for both forms.
    fn answer(&self, entries: Vec<(String, Answer)>) -> Response {
        let body = if self.as_json {
            as_json(&entries)
        } else {
            as_plist(entries)
        };
        let mut response = django::answer(StatusCode::OK, body);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        response
    }
}

/// As Python's `json.dumps`.
fn as_json(entries: &[(String, Answer)]) -> String {
    let entry = |(name, answer): &(String, Answer)| {
        let name = python::dumps(&python::Value::Text(name.as_str().into()));
        let value = match answer {
            Answer::Bool(value) => value.to_string(),
            Answer::Number(value) => value.to_string(),
            Answer::Seats(seats) => {
                let seats: Vec<_> = seats
                    .iter()
                    .map(|(name, count)| format!("\"{name}\": {count}"))
                    .collect();
                format!("{{{}}}", seats.join(", "))
            }
        };
        format!("{name}: {value}")
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

/// As Python's `plistlib.dumps`, which sorts keys.
fn as_plist(entries: Vec<(String, Answer)>) -> String {
    let sorted: BTreeMap<String, Answer> = entries.into_iter().collect();
    let mut out = String::from(plist::HEAD);
    if sorted.is_empty() {
        out.push_str("<dict/>\n");
    } else {
        out.push_str("<dict>\n");
        for (name, answer) in sorted {
            out.push_str("\t<key>");
            plist::push_escaped(&name, &mut out);
            out.push_str("</key>\n");
            match answer {
                Answer::Bool(value) => out.push_str(&format!("\t<{value}/>\n")),
                Answer::Number(value) => out.push_str(&format!("\t<integer>{value}</integer>\n")),
                Answer::Seats(seats) if seats.is_empty() => out.push_str("\t<dict/>\n"),
                Answer::Seats(mut seats) => {
                    seats.sort_unstable();
                    out.push_str("\t<dict>\n");
                    for (name, count) in seats {
                        out.push_str(&format!(
                            "\t\t<key>{name}</key>\n\t\t<integer>{count}</integer>\n"
                        ));
                    }
                    out.push_str("\t</dict>\n");
                }
            }
        }
        out.push_str("</dict>\n");
    }
    out.push_str("</plist>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<(String, Answer)> {
        vec![
            ("b & c".to_owned(), Answer::Bool(true)),
            (
                "a".to_owned(),
                Answer::Seats(vec![("total", 5), ("used", 2), ("available", 3)]),
            ),
            ("none".to_owned(), Answer::Seats(Vec::new())),
            ("n".to_owned(), Answer::Number(-1)),
        ]
    }

    /// Both were printed by CPython 3.11.
    #[test]
    fn answers_are_written_as_python_writes_them() {
        let json =
            r#"{"b & c": true, "a": {"total": 5, "used": 2, "available": 3}, "none": {}, "n": -1}"#;
        assert_eq!(as_json(&entries()), json);
        let plist = "<dict>\n\t<key>a</key>\n\t<dict>\n\t\t<key>available</key>\n\t\t<integer>3</integer>\n\t\t<key>total</key>\n\t\t<integer>5</integer>\n\t\t<key>used</key>\n\t\t<integer>2</integer>\n\t</dict>\n\t<key>b &amp; c</key>\n\t<true/>\n\t<key>n</key>\n\t<integer>-1</integer>\n\t<key>none</key>\n\t<dict/>\n</dict>\n</plist>\n";
        assert_eq!(as_plist(entries()), format!("{}{plist}", plist::HEAD));
        assert_eq!(
            as_plist(Vec::new()),
            format!("{}<dict/>\n</plist>\n", plist::HEAD)
        );
    }
}
