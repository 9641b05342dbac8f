//! Files of lines: CSV and JSON Lines.

use std::io::Write as _;

use jiff::{Timestamp, tz::Offset};
use sal_http::csv::{guarded, write_cell};

use super::cell::{Cell, Rows};

/// A file of lines that is being written. What is written into memory does not fail.
#[derive(Debug)]
pub(super) enum TextFile {
    /// Comma separated values (RFC 4180) with CRLF.
    Csv,
    /// JSON Lines: what stands before each value, beginning with its name.
    Jsonl { names: Vec<String>, rows: usize },
}

impl TextFile {
    pub(super) fn jsonl(columns: &[String]) -> Self {
        let name = |(place, column): (usize, &String)| {
            let before = if place == 0 { '{' } else { ',' };
            format!("{before}{}:", serde_json::Value::from(column.as_str()))
        };
        Self::Jsonl {
            names: columns.iter().enumerate().map(name).collect(),
            rows: 0,
        }
    }

    /// What stands before all rows.
    pub(super) fn head(&self, columns: &[String]) -> Vec<u8> {
        let mut text = Vec::new();
        if matches!(self, Self::Csv) {
            let cells: Vec<Cell<'_>> = columns.iter().map(|name| name.as_str().into()).collect();
            csv_line(&cells, &mut text);
        }
        text
    }

    pub(super) fn add(&mut self, page: &impl Rows) -> Vec<u8> {
        let mut text = Vec::new();
        match self {
            Self::Csv => page.each(&mut |cells| csv_line(cells, &mut text)),
            Self::Jsonl { names, rows } => page.each(&mut |cells| {
                *rows += 1;
                json_line(names, cells, &mut text);
            }),
        }
        text
    }

    /// What proves that no rows are missing. Sal's CSV has no such thing.
    pub(super) fn end(&self) -> String {
        match self {
            Self::Csv => String::new(),
            Self::Jsonl { rows, .. } => format!("{{\"end\":true,\"rows\":{rows}}}\n"),
        }
    }
}

fn csv_line(cells: &[Cell<'_>], text: &mut Vec<u8>) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        let _written = match cell {
            Cell::Empty => Ok(()),
            Cell::Text(value) => {
                write_cell(&guarded(value), text);
                Ok(())
            }
            Cell::Number(number) => write!(text, "{number}"),
            // Python's words, which scripts that read Sal's files know.
            Cell::Flag(true) => text.write_all(b"True"),
            Cell::Flag(false) => text.write_all(b"False"),
            Cell::Time(at) => {
                python_time(*at, text);
                Ok(())
            }
        };
    }
    text.extend_from_slice(b"\r\n");
}

fn json_line(names: &[String], cells: &[Cell<'_>], text: &mut Vec<u8>) {
    for (name, cell) in names.iter().zip(cells) {
        text.extend_from_slice(name.as_bytes());
        let _written = match cell {
            Cell::Empty => text.write_all(b"null"),
            Cell::Text(value) => serde_json::to_writer(&mut *text, value).map_err(Into::into),
            Cell::Number(number) => write!(text, "{number}"),
            Cell::Flag(flag) => write!(text, "{flag}"),
            Cell::Time(at) => write!(text, "\"{at}\""),
        };
    }
    text.extend_from_slice(b"}\n");
}

/// A time as Python writes it, in UTC. A format that is read anew for each cell would take a tenth of a large file's
/// time.
fn python_time(at: Timestamp, text: &mut Vec<u8>) {
    let at = Offset::UTC.to_datetime(at);
    let _written = write!(
        text,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00:00",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.subsec_nanosecond() / 1_000,
    );
}
