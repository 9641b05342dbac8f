//! Rows as text: what does not change from row to row is written once, values come straight from the database's answer.

use std::{
    fmt,
    io::{self, Write},
};

use jiff::tz::TimeZone;
use sal_http::csv;
use sal_store::{
    StoreError,
    resources::{Cell, Cells, Column},
};
use serde_json::json;

use crate::{changed::Changes, render};

/// How rows are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `[{…},{…}]`: the bracket at the end says that it is whole.
    Array,
    /// An object in each line; the last one is `{"end":true,"rows":N}`.
    JsonLines,
    /// A record for each row; the last one has nothing but the number of rows, in a column of its own.
    Csv,
}

/// Writes rows.
pub(super) struct Lines {
    shape: Shape,
    /// What stands before each value.
    before: Vec<String>,
    /// What stands behind the last one.
    behind: &'static str,
    heads: Vec<&'static str>,
    zone: TimeZone,
    /// Before the first row, and what is in the last line beside the number of rows.
    changes: Option<(String, String)>,
    rows: u64,
}

impl Lines {
    /// For rows of these columns; those of one object come one after another.
    pub(super) fn new(
        shape: Shape,
        columns: &[&'static Column],
        zone: TimeZone,
        changes: Option<&Changes>,
    ) -> Self {
        let heads: Vec<&'static str> = columns.iter().map(|column| column.name).collect();
        let (before, behind) = match shape {
            Shape::Csv => (separators(&heads), ",\r\n"),
            Shape::JsonLines | Shape::Array => objects(&heads),
        };
        Self {
            shape,
            before,
            behind,
            heads,
            zone,
            changes: changes.map(|changes| {
                let notice = json!({ "changes": changes.notice() });
                (
                    format!("{notice}\n"),
                    format!(",\"changed_since\":{:?}", changes.next),
                )
            }),
            rows: 0,
        }
    }

    /// What comes before the first row.
    pub(super) fn head(&self) -> Vec<u8> {
        match self.shape {
            Shape::Array => b"[".to_vec(),
            Shape::JsonLines => {
                let changes = self.changes.iter();
                changes.flat_map(|(notice, _)| notice.bytes()).collect()
            }
            Shape::Csv => format!("{},{END}\r\n", self.heads.join(",")).into_bytes(),
        }
    }

    /// A row.
    pub(super) fn add(&mut self, row: Cells<'_>, out: &mut Vec<u8>) -> Result<(), StoreError> {
        if self.shape == Shape::Array && self.rows > 0 {
            out.push(b',');
        }
        self.rows += 1;
        for (before, cell) in self.before.iter().zip(row.iter()) {
            out.extend_from_slice(before.as_bytes());
            // Writing to memory does not fail.
            let _ = match self.shape {
                Shape::Csv => self.csv(cell?, out),
                Shape::Array | Shape::JsonLines => self.json(cell?, out),
            };
        }
        out.extend_from_slice(self.behind.as_bytes());
        if self.shape == Shape::JsonLines {
            out.push(b'\n');
        }
        Ok(())
    }

    /// What proves that there are no more rows.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        let rows = self.rows;
        // Writing to memory does not fail.
        let _ = match self.shape {
            Shape::Array => write!(out, "]"),
            Shape::JsonLines => {
                let next = self.changes.as_ref().map_or("", |(_, next)| next);
                writeln!(out, "{{\"end\":true,\"rows\":{rows}{next}}}")
            }
            Shape::Csv => write!(out, "{}{rows}\r\n", ",".repeat(self.heads.len())),
        };
    }

    fn json(&self, cell: Cell<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        match cell {
            Cell::Null => out.write_all(b"null"),
            Cell::Integer(number) => write!(out, "{number}"),
            Cell::Text(text) => Ok(serde_json::to_writer(out, text)?),
            Cell::Flag(flag) => write!(out, "{flag}"),
            Cell::Time(at) => {
                out.push(b'"');
                let _ = render::write_time(at, &self.zone, &mut Ascii(out));
                out.push(b'"');
                Ok(())
            }
            Cell::Json(text) => Ok(serde_json::to_writer(out, &render::parsed(text))?),
        }
    }

    fn csv(&self, cell: Cell<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        match cell {
            Cell::Null => {}
            Cell::Integer(number) => write!(out, "{number}")?,
            Cell::Text(text) => csv::write_cell(&csv::guarded(text), out),
            Cell::Flag(flag) => write!(out, "{flag}")?,
            Cell::Time(at) => {
                let _ = render::write_time(at, &self.zone, &mut Ascii(out));
            }
            Cell::Json(text) => csv::write_cell(&render::parsed(text).to_string(), out),
        }
        Ok(())
    }
}

/// A comma before each value but the first.
fn separators(heads: &[&str]) -> Vec<String> {
    let separator = |place: usize| if place == 0 { "" } else { "," };
    (0..heads.len())
        .map(|place| separator(place).to_owned())
        .collect()
}

/// What stands before the values of an object, and behind them; `machine.serial` is `serial` in an object `machine`.
fn objects(heads: &[&str]) -> (Vec<String>, &'static str) {
    let (mut before, mut open) = (Vec::new(), None);
    for (place, head) in heads.iter().enumerate() {
        let mut text = String::from(if place == 0 { "{" } else { "" });
        let (outer, name) = match head.split_once('.') {
            Some((outer, name)) => (Some(outer), name),
            None => (None, *head),
        };
        let is_in_the_same = open == outer;
        if open.is_some() && !is_in_the_same {
            text.push('}');
        }
        if place > 0 {
            text.push(',');
        }
        if let Some(outer) = outer.filter(|_| !is_in_the_same) {
            text.push_str(&format!("\"{outer}\":{{"));
        }
        text.push_str(&format!("\"{name}\":"));
        before.push(text);
        open = outer;
    }
    (before, if open.is_some() { "}}" } else { "}" })
}

/// Bytes that are written like a text.
struct Ascii<'a>(&'a mut Vec<u8>);

impl fmt::Write for Ascii<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The column of CSV that is empty but in the last record.
const END: &str = "_end";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_object_are_put_together() {
        let (before, behind) = objects(&["id", "machine.id", "machine.serial", "uuid"]);
        let row: String = before.iter().map(|text| format!("{text}1")).collect();
        assert_eq!(
            row + behind,
            "{\"id\":1,\"machine\":{\"id\":1,\"serial\":1},\"uuid\":1}"
        );
        let (before, behind) = objects(&["machine.id", "submission.id"]);
        let row: String = before.iter().map(|text| format!("{text}1")).collect();
        assert_eq!(
            row + behind,
            "{\"machine\":{\"id\":1},\"submission\":{\"id\":1}}"
        );
    }
}
