//! Answers have bounds: so many rows, so many bytes, and a note that says what was left out.

use sal_http::App;
use serde_json::Value as Json;

use crate::render;

/// What an answer may yet hold.
pub(super) struct Room {
    bytes: usize,
    notes: Vec<String>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            bytes: MOST_BYTES,
            notes: Vec::new(),
        }
    }

    /// As many rows as there is room for, `most` at most; `advice` says how to get at the others.
    pub(super) fn take(
        &mut self,
        what: &str,
        rows: Vec<Json>,
        most: u16,
        advice: &str,
    ) -> Vec<Json> {
        let all = rows.len();
        let mut taken = Vec::new();
        for row in rows.into_iter().take(usize::from(most)) {
            let bytes = row.to_string().len();
            if bytes > self.bytes {
                break;
            }
            self.bytes -= bytes;
            taken.push(row);
        }
        if taken.len() < all {
            self.note(format!(
                "{what}: {} of {all} are left out. {advice}",
                all - taken.len()
            ));
        }
        taken
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn notes(self) -> Vec<String> {
        self.notes
    }
}

/// A text, cut where it is very long.
pub(super) fn short(text: &str) -> Json {
    let long = text.chars().count();
    match long <= LONGEST {
        true => text.into(),
        false => {
            let begin: String = text.chars().take(LONGEST).collect();
            format!("{begin}… ({} more characters)", long - LONGEST).into()
        }
    }
}

pub(super) fn maybe(text: Option<&str>) -> Json {
    text.map_or(Json::Null, short)
}

pub(super) fn time(at: jiff::Timestamp, app: &App) -> Json {
    render::time(at, &app.config.time_zone).into()
}

/// Of the rows of an answer; what stands around them has some more.
const MOST_BYTES: usize = 60 * 1024;
const LONGEST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_bytes_are_bounded_and_it_is_said() {
        let mut room = Room::new();
        let small: Vec<Json> = (0..120).map(Json::from).collect();
        assert_eq!(room.take("small", small, 100, "Ask.").len(), 100);
        let large: Vec<Json> = (0..100).map(|_| short(&"ä".repeat(5_000))).collect();
        let taken = room.take("large", large, 100, "Ask.");
        assert!(taken.len() > 20 && taken.len() < 35, "{}", taken.len());
        let notes = room.notes();
        assert_eq!(
            notes.first().map(String::as_str),
            Some("small: 20 of 120 are left out. Ask.")
        );
        assert_eq!(notes.len(), 2);
    }
}
