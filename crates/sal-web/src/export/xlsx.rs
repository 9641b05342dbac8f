//! A workbook of one sheet (ECMA-376, part 1), written row by row: a ZIP archive whose last entry grows while the
//! database is read, so that memory stays flat.
//!
//! A text is an inline string, which no spreadsheet takes for a formula. Times are dates of the sheet, in UTC.

mod zip;

use std::fmt::Write as _;

use axum::body::Bytes;
use jiff::Timestamp;

use self::zip::Zip;
use super::cell::{Cell, Rows};

/// A workbook that is being written.
pub(super) struct Workbook {
    zip: Zip,
    rows: usize,
}

impl Workbook {
    /// Begins a workbook whose first row names the columns.
    pub(super) fn new(columns: &[String]) -> Self {
        let mut zip = Zip::default();
        for (path, text) in PARTS {
            zip.add(path, text.as_bytes());
        }
        zip.begin(SHEET);
        let mut workbook = Self { zip, rows: 0 };
        workbook.zip.write(SHEET_HEAD.as_bytes());
        let heads = columns.iter().cloned().map(Cell::from).collect();
        workbook.add(&vec![heads]);
        workbook
    }

    /// Adds rows. A sheet has room for 1,048,576; what is more is left out.
    pub(super) fn add(&mut self, page: &impl Rows) {
        let mut text = String::new();
        page.each(&mut |cells| {
            if self.rows < MOST_ROWS {
                text.push_str("<row>");
                cells.iter().for_each(|cell| write_cell(cell, &mut text));
                text.push_str("</row>");
                self.rows += 1;
            }
        });
        self.zip.write(text.as_bytes());
    }

    /// The bytes that are ready.
    pub(super) fn take(&mut self) -> Bytes {
        self.zip.take()
    }

    /// Ends the workbook and returns its last bytes.
    pub(super) fn finish(mut self) -> Bytes {
        self.zip.write(SHEET_END.as_bytes());
        self.zip.finish()
    }
}

fn write_cell(cell: &Cell<'_>, text: &mut String) {
    // Writing to a string does not fail.
    let _written = match cell {
        Cell::Empty => write!(text, "<c/>"),
        Cell::Text(value) => write!(
            text,
            "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
            escaped(value)
        ),
        Cell::Number(value) => write!(text, "<c><v>{value}</v></c>"),
        Cell::Flag(value) => write!(text, "<c t=\"b\"><v>{}</v></c>", u8::from(*value)),
        Cell::Time(at) => write!(text, "<c s=\"1\"><v>{}</v></c>", serial(*at)),
    };
}

/// A moment as a sheet counts: days since the end of 1899, with a fraction.
fn serial(at: Timestamp) -> String {
    let seconds = at.as_second();
    let days = seconds.div_euclid(SECONDS_PER_DAY) + DAYS_BEFORE_1970;
    let fraction = seconds.rem_euclid(SECONDS_PER_DAY) * 10_000_000_000 / SECONDS_PER_DAY;
    format!("{days}.{fraction:010}")
}

/// Text for XML, without the characters that XML cannot hold, cut to what a cell can.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars().take(MOST_CHARACTERS) {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\t' | '\n' => text.push(character),
            '\r' => text.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => text.push(other),
        }
    }
    text
}

const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_BEFORE_1970: i64 = 25_569;
const MOST_ROWS: usize = 1_048_576;
const MOST_CHARACTERS: usize = 32_767;

const SHEET: &str = "xl/worksheets/sheet1.xml";
const SHEET_HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>";
const SHEET_END: &str = "</sheetData></worksheet>";

/// What a workbook needs beside its sheet. Format 22 is date and time.
const PARTS: [(&str, &str); 5] = [
    (
        "[Content_Types].xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
        <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
        <Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
        <Override PartName=\"/xl/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>\
        <Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>\
        </Types>",
    ),
    (
        "_rels/.rels",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/>\
        </Relationships>",
    ),
    (
        "xl/workbook.xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
        xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
        <sheets><sheet name=\"List\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
        <Relationship Id=\"r2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>\
        </Relationships>",
    ),
    (
        "xl/styles.xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
        <fonts count=\"1\"><font/></fonts>\
        <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
        <borders count=\"1\"><border/></borders>\
        <cellStyleXfs count=\"1\"><xf/></cellStyleXfs>\
        <cellXfs count=\"2\"><xf/><xf numFmtId=\"22\" applyNumberFormat=\"1\"/></cellXfs>\
        </styleSheet>",
    ),
];

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn number(bytes: &[u8]) -> usize {
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum * 256 + usize::from(*byte))
    }

    /// The entries of an archive, found as readers find them: from its end.
    fn entries(archive: &[u8]) -> Vec<(String, String)> {
        let end = &archive[archive.len() - 22..];
        assert_eq!(&end[..4], b"PK\x05\x06");
        let mut directory = &archive[number(&end[16..20])..];
        let mut found = Vec::new();
        for _ in 0..number(&end[10..12]) {
            let (packed, size) = (number(&directory[20..24]), number(&directory[24..28]));
            let length = number(&directory[28..30]);
            let path = String::from_utf8(directory[46..46 + length].to_vec()).unwrap();
            let content = &archive[number(&directory[42..46]) + 30 + length..];
            let mut text = String::new();
            DeflateDecoder::new(&content[..packed])
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text.len(), size, "{path}");
            let mut crc = flate2::Crc::new();
            crc.update(text.as_bytes());
            assert_eq!(
                number(&directory[16..20]),
                usize::try_from(crc.sum()).unwrap()
            );
            found.push((path, text));
            directory = &directory[46 + length..];
        }
        found
    }

    #[test]
    fn a_workbook_has_its_parts_and_all_rows() {
        let mut workbook = Workbook::new(&["a".to_owned(), "b".to_owned()]);
        let mut archive = workbook.take().to_vec();
        for page in 0..3 {
            let rows: Vec<_> = (0..1_000)
                .map(|row| vec![Cell::Number(page * 1_000 + row), Cell::Flag(true)])
                .collect();
            workbook.add(&rows);
            archive.extend_from_slice(&workbook.take());
        }
        archive.extend_from_slice(&workbook.finish());
        let entries = entries(&archive);
        let paths: Vec<&str> = entries.iter().map(|(path, _)| path.as_str()).collect();
        let mut expected = PARTS.map(|(path, _)| path).to_vec();
        expected.push(SHEET);
        assert_eq!(paths, expected);
        let (_, sheet) = entries.last().unwrap();
        assert_eq!(sheet.matches("<row>").count(), 3_001);
        assert!(sheet.ends_with(
            "<row><c><v>2999</v></c><c t=\"b\"><v>1</v></c></row></sheetData></worksheet>"
        ));
    }

    #[test]
    fn moments_become_days_of_the_sheet() {
        for (at, expected) in [
            ("1970-01-01T00:00:00Z", "25569.0000000000"),
            ("2026-11-22T12:00:00Z", "46348.5000000000"),
            ("1969-12-31T18:00:00Z", "25568.7500000000"),
        ] {
            assert_eq!(serial(at.parse().unwrap()), expected);
        }
    }

    #[test]
    fn texts_are_texts_whatever_they_hold() {
        let mut text = String::new();
        write_cell(&Cell::from("=1+1 <&>\u{0}\u{1b}\r\n"), &mut text);
        assert_eq!(
            text,
            "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">=1+1 &lt;&amp;&gt;&#13;\n</t></is></c>"
        );
        assert_eq!(
            escaped(&"ä".repeat(40_000)).chars().count(),
            MOST_CHARACTERS
        );
    }
}
