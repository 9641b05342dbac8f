//! Whether a list that came in parts is whole: its last line says how many rows there are. Pure.

use serde_json::Value;

use crate::cli::ExportFormat;

/// Reads along.
pub(super) struct Proof {
    format: ExportFormat,
    is_quoted: bool,
    records: u64,
    current: Vec<u8>,
    last: Vec<u8>,
}

impl Proof {
    pub(super) fn new(format: ExportFormat) -> Self {
        Self {
            format,
            is_quoted: false,
            records: 0,
            current: Vec::new(),
            last: Vec::new(),
        }
    }

    /// The next part.
    pub(super) fn read(&mut self, part: &[u8]) {
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            if self.format == ExportFormat::Csv {
                let quotes = piece.iter().filter(|byte| **byte == b'"').count();
                self.is_quoted ^= quotes % 2 == 1;
            }
            // The last line is short; of others only the beginning is kept.
            let room = LONGEST_END.saturating_sub(self.current.len());
            self.current.extend(piece.iter().take(room));
            if piece.ends_with(b"\n") && !self.is_quoted {
                self.records += 1;
                std::mem::swap(&mut self.current, &mut self.last);
                self.current.clear();
            }
        }
    }

    /// How many rows there were, if that is what the last line says.
    pub(super) fn rows(&self) -> Option<u64> {
        let end = std::str::from_utf8(&self.last).ok()?.trim_end();
        if !self.current.is_empty() {
            return None;
        }
        match self.format {
            ExportFormat::Jsonl => {
                let end: Value = serde_json::from_str(end).ok()?;
                let rows = end.get("rows")?.as_u64()?;
                let is_end = end.get("end") == Some(&Value::Bool(true));
                (is_end && self.records.checked_sub(1) == Some(rows)).then_some(rows)
            }
            ExportFormat::Csv => {
                let rows = end
                    .strip_prefix(',')?
                    .trim_start_matches(',')
                    .parse()
                    .ok()?;
                // Beside the names of the columns.
                (self.records.checked_sub(2) == Some(rows)).then_some(rows)
            }
        }
    }
}

const LONGEST_END: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: ExportFormat, text: &str, at_once: usize) -> Option<u64> {
        let mut proof = Proof::new(format);
        text.as_bytes()
            .chunks(at_once)
            .for_each(|part| proof.read(part));
        proof.rows()
    }

    #[test]
    fn a_list_is_whole_when_its_last_line_counts_right() {
        let lines = "{\"id\":1,\"rows\":9}\n{\"id\":2}\n{\"end\":true,\"rows\":2}\n";
        let csv = "id,name,_end\r\n1,\"a\r\n,,1\r\n\"\"\",\r\n2,b,\r\n,,2\r\n";
        for at_once in [1, 2, 3, 7, 1_000] {
            assert_eq!(rows(ExportFormat::Jsonl, lines, at_once), Some(2));
            assert_eq!(rows(ExportFormat::Csv, csv, at_once), Some(2));
            for end in 0..lines.len() {
                assert_eq!(
                    rows(ExportFormat::Jsonl, lines.get(..end).unwrap(), at_once),
                    None,
                    "{end}"
                );
            }
            for end in 0..csv.len() {
                assert_eq!(
                    rows(ExportFormat::Csv, csv.get(..end).unwrap(), at_once),
                    None,
                    "{end}"
                );
            }
        }
        let none = "{\"end\":true,\"rows\":0}\n";
        assert_eq!(rows(ExportFormat::Jsonl, none, 5), Some(0));
        assert_eq!(rows(ExportFormat::Csv, "id,_end\r\n,0\r\n", 5), Some(0));
        assert_eq!(
            rows(
                ExportFormat::Jsonl,
                "{\"id\":1}\n{\"end\":true,\"rows\":2}\n",
                5
            ),
            None
        );
        assert_eq!(rows(ExportFormat::Jsonl, "<html>\n", 5), None);
    }
}
