//! Addresses with a query string, and the parts of a list that is shown page by page.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_store::{
    devices::Direction,
    keyset::{Border, ListPage, Start},
};
use serde::Deserialize;
use serde_json::json;

use crate::wording;

/// An address of this server; parameters without a value are left out.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

/// A text as a segment of a path or a value of a query string.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Which come first, by an order as addresses have it: `-name` is the last first.
pub(crate) fn direction(order: &str) -> Direction {
    match order.starts_with('-') {
        true => Direction::Descending,
        false => Direction::Ascending,
    }
}

/// Where in a list an address is. One that says nothing, or what cannot be read, is at the beginning.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Position {
    after: Option<String>,
    before: Option<String>,
    /// Older addresses count pages from 1.
    page: Option<String>,
}

impl Position {
    /// Where the list is read from. `order` is its order as the address names it: a border of another is none.
    pub(crate) fn start(&self, order: &str, size: i64) -> Start {
        let border = |text: &Option<String>| read_border(text.as_deref()?, order);
        if let Some(border) = border(&self.after) {
            return Start::After(border);
        }
        if let Some(border) = border(&self.before) {
            return Start::Before(border);
        }
        let page = self.page.as_deref().and_then(|page| page.parse().ok());
        match page {
            Some(page) if (2..=MOST_PAGES).contains(&page) => Start::Skip((page - 1) * size),
            _ => Start::First,
        }
    }

    /// The parameter that names it.
    pub(crate) fn parameter(&self) -> (&'static str, &str) {
        let all = [
            ("after", &self.after),
            ("before", &self.before),
            ("page", &self.page),
        ];
        let given = all.into_iter().find_map(|(name, value)| {
            let value = value.as_deref().filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        given.unwrap_or(BEGINNING)
    }
}

/// Which part of a list is shown.
pub(crate) struct Pages {
    /// `51–100 of 1,234`
    pub(crate) shown: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

impl Pages {
    /// Which part of the list a page of this size is, and the way to its neighbors. `href` makes the address with
    /// a parameter that names the place.
    pub(crate) fn of<T>(
        page: &ListPage<T>,
        order: &str,
        size: i64,
        href: impl Fn((&str, &str)) -> String,
    ) -> Self {
        let rows = i64::try_from(page.rows.len()).unwrap_or(i64::MAX);
        let (first, last) = (page.before + 1, page.before.saturating_add(rows));
        let shown = match rows {
            0 => "0".to_owned(),
            _ => format!("{}–{}", wording::count(first), wording::count(last)),
        };
        let at = |name, border: &Option<Border>| {
            let border = border.as_ref()?;
            Some(href((name, &write_border(border, order))))
        };
        let previous = match page.before {
            0 => None,
            // What is left is the first page.
            before if before <= size => Some(href(BEGINNING)),
            _ => at("before", &page.first),
        };
        Self {
            shown: format!("{shown} of {}", wording::count(page.total)),
            previous,
            next: at("after", &page.last).filter(|_| last < page.total),
        }
    }
}

/// A border as a value of an address: opaque, and checked when it comes back.
fn write_border(border: &Border, order: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!([order, border.0]).to_string())
}

/// Reads what [`write_border`] wrote; none for anything else, and for a border of another order.
fn read_border(text: &str, order: &str) -> Option<Border> {
    if text.len() > LONGEST_BORDER {
        return None;
    }
    let plain = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (of, values): (String, Vec<Option<String>>) = serde_json::from_slice(&plain).ok()?;
    (of == order).then_some(Border(values))
}

/// The parameter of the beginning: none.
pub(crate) const BEGINNING: (&str, &str) = ("", "");
/// Older addresses beyond this page lead to the beginning.
const MOST_PAGES: i64 = 100;
/// Three texts of 255 characters of four bytes are shorter, even when each of them is escaped.
const LONGEST_BORDER: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(before: i64, rows: usize, total: i64) -> ListPage<()> {
        let border = |text: &str| Some(Border(vec![Some(text.to_owned()), None]));
        ListPage {
            rows: vec![(); rows],
            before,
            total,
            first: border("first").filter(|_| rows > 0),
            last: border("last").filter(|_| rows > 0),
        }
    }

    fn position(after: &str, before: &str, page: &str) -> Position {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Position {
            after: given(after),
            before: given(before),
            page: given(page),
        }
    }

    #[test]
    fn an_address_says_only_what_is_set() {
        assert_eq!(address("/x/", &[("q", ""), ("page", "")]), "/x/");
        assert_eq!(
            address("/x/", &[("q", "a&b=c"), ("sort", ""), ("v", "<")]),
            "/x/?q=a%26b%3Dc&v=%3C"
        );
    }

    #[test]
    fn pages_lead_to_their_neighbors() {
        let href = |(name, value): (&str, &str)| format!("{name}={value}");
        let of = |before, rows, total| Pages::of(&page(before, rows, total), "-name", 50, href);
        let middle = of(100, 50, 220);
        assert_eq!(middle.shown, "101–150 of 220");
        for (link, name, text) in [
            (middle.previous, "before=", "first"),
            (middle.next, "after=", "last"),
        ] {
            let link = link.unwrap();
            let border = read_border(link.strip_prefix(name).unwrap(), "-name");
            assert_eq!(border, Some(Border(vec![Some(text.to_owned()), None])));
        }
        // The first page has no border.
        assert_eq!(of(50, 50, 220).previous.as_deref(), Some("="));
        assert_eq!(of(0, 50, 220).previous, None);
        let last = of(200, 20, 220);
        assert_eq!((last.shown.as_str(), last.next), ("201–220 of 220", None));
        let nothing = of(0, 0, 0);
        assert_eq!(nothing.shown, "0 of 0");
        assert_eq!((nothing.previous, nothing.next), (None, None));
    }

    #[test]
    fn older_addresses_count_pages_and_not_too_far() {
        let start = |page: &str| position("", "", page).start("", 50);
        assert_eq!(start("3"), Start::Skip(100));
        assert_eq!(start("100"), Start::Skip(4_950));
        for nonsense in ["1", "0", "-7", "x", "101", "99999999999999999999"] {
            assert_eq!(start(nonsense), Start::First, "{nonsense}");
        }
    }

    #[test]
    fn what_is_no_border_of_this_order_is_the_beginning() {
        let encode = |plain: &str| BASE64_URL_SAFE_NO_PAD.encode(plain);
        let good = encode(r#"["name",["ü",null]]"#);
        let border = Border(vec![Some("ü".to_owned()), None]);
        let after = position(&good, "", "7").start("name", 50);
        assert_eq!(after, Start::After(border.clone()));
        let before = position("x", &good, "").start("name", 50);
        assert_eq!(before, Start::Before(border));
        for bad in [
            encode(r#"["-name",["a","1"]]"#),
            encode(r#"["name",["a",1]]"#),
            encode(r#"["name",["a"],1]"#),
            encode(r#"["name"]"#),
            encode("name.a"),
            BASE64_URL_SAFE_NO_PAD.encode(b"[\"name\",[\"\xFF\"]]"),
            encode(&format!(r#"["name",["{}"]]"#, "a".repeat(LONGEST_BORDER))),
            "%".to_owned(),
            "====".to_owned(),
            "\0".to_owned(),
        ] {
            let start = position(&bad, &bad, "").start("name", 50);
            assert_eq!(start, Start::First, "{bad}");
        }
    }

    #[test]
    fn a_position_is_one_parameter() {
        assert_eq!(position("", "", "").parameter(), ("", ""));
        assert_eq!(position("", "b", "2").parameter(), ("before", "b"));
        assert_eq!(position("a", "b", "2").parameter(), ("after", "a"));
    }
}
