//! The machine at the border of a page, as it stands in the URL of the next: opaque, and checked when it comes back.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sal_store::{
    devices::{DeviceRow, SortBy, SortKey},
    ids::MachineId,
};

/// A border of a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cursor {
    id: MachineId,
    /// Its sort value as text.
    value: Option<String>,
    /// Which line of the list it was, from 1; unknown when the list was read from its end without being counted.
    pub(crate) line: Option<i64>,
    key: SortKey,
}

impl Cursor {
    /// The border at a machine of a list.
    pub(crate) fn at(row: &DeviceRow, line: Option<i64>, sort: &SortBy) -> Option<Self> {
        Self::new(row.id, row.sort_text(), line, sort)
    }

    fn new(id: MachineId, value: Option<&str>, line: Option<i64>, sort: &SortBy) -> Option<Self> {
        let key = SortKey::new(sort, value, id)?;
        Some(Self {
            id,
            value: value.map(str::to_owned),
            line,
            key,
        })
    }

    /// Reads what [`Cursor::write`] wrote; `None` for anything else, and for a cursor of another sorting.
    pub(crate) fn parse(text: &str, sort: &SortBy) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = String::from_utf8(bytes).ok()?;
        let mut parts = plain.splitn(3, '.');
        let line = parts.next()?;
        let line = if line.is_empty() {
            None
        } else {
            Some(line.parse().ok().filter(|line| LINES.contains(line))?)
        };
        let id = MachineId(parts.next()?.parse().ok()?);
        Self::new(id, parts.next(), line, sort)
    }

    pub(crate) fn write(&self) -> String {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let mut plain = format!("{line}.{}", self.id);
        if let Some(value) = &self.value {
            plain.push('.');
            plain.push_str(value);
        }
        BASE64_URL_SAFE_NO_PAD.encode(plain)
    }

    /// The key for the database.
    pub(crate) fn key(&self) -> SortKey {
        self.key.clone()
    }
}

/// Lines that a list may have.
const LINES: std::ops::RangeInclusive<i64> = 1..=1_000_000_000;

#[cfg(test)]
mod tests {
    use sal_query::Field;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_written() {
        for (value, line) in [(Some("a.b.ü"), Some(50)), (Some(""), None), (None, Some(1))] {
            let cursor = Cursor::new(MachineId(7), value, line, &Field::Hostname.into()).unwrap();
            assert_eq!(
                Cursor::parse(&cursor.write(), &Field::Hostname.into()),
                Some(cursor)
            );
        }
    }

    #[test]
    fn what_is_no_cursor_of_this_sorting_is_none() {
        let of = |plain: &str, sort: Field| {
            Cursor::parse(&BASE64_URL_SAFE_NO_PAD.encode(plain), &sort.into())
        };
        for plain in [
            "",
            "1",
            "x.1.a",
            "1.x.a",
            "0.1.a",
            "-1.1.a",
            "1.99999999999999999999",
            "1.1.a\0",
        ] {
            assert_eq!(of(plain, Field::Hostname), None, "{plain}");
        }
        assert_eq!(of("1.1.mac", Field::LastCheckin), None);
        assert_eq!(of("1.1", Field::Serial), None);
        for text in ["%", "====", "a", "/w"] {
            assert_eq!(Cursor::parse(text, &Field::Hostname.into()), None, "{text}");
        }
    }
}
