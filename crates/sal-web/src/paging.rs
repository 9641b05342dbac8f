//! Addresses with a query string, and the parts of a list that is shown page by page.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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

/// A page of a list as the address names it: counted from 1, and never so far that numbers overflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageNumber(i64);

impl PageNumber {
    /// Reads a number; anything else is the first page.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let page = text.and_then(|text| text.parse().ok()).unwrap_or(1);
        Self(i64::clamp(page, 1, FARTHEST))
    }

    /// How many lines lie before it.
    pub(crate) fn offset(self, size: i64) -> i64 {
        (self.0 - 1) * size
    }

    /// Which part of the list is shown, and the way to the others. `href` makes the address of a page.
    pub(crate) fn pages(self, size: i64, total: i64, href: impl Fn(&str) -> String) -> Pages {
        let first = self.offset(size).min(total);
        let last = (first + size).min(total);
        let shown = if first < last {
            format!("{}–{}", wording::count(first + 1), wording::count(last))
        } else {
            "0".to_owned()
        };
        let at = |page: i64| match page {
            1 => href(""),
            page => href(&page.to_string()),
        };
        Pages {
            shown: format!("{shown} of {}", wording::count(total)),
            previous: (self.0 > 1).then(|| at(self.0 - 1)),
            next: (last < total).then(|| at(self.0 + 1)),
        }
    }
}

/// Which part of a list is shown.
pub(crate) struct Pages {
    /// `51–100 of 1,234`
    pub(crate) shown: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

const FARTHEST: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_only_what_is_set() {
        assert_eq!(address("/x/", &[("q", ""), ("page", "")]), "/x/");
        assert_eq!(
            address("/x/", &[("q", "a&b=c"), ("sort", ""), ("v", "<")]),
            "/x/?q=a%26b%3Dc&v=%3C"
        );
    }

    #[test]
    fn pages_lead_to_their_neighbours() {
        let href = |page: &str| format!("p{page}");
        let middle = PageNumber::parse(Some("2")).pages(50, 120, href);
        assert_eq!(middle.shown, "51–100 of 120");
        assert_eq!(middle.previous.as_deref(), Some("p"));
        assert_eq!(middle.next.as_deref(), Some("p3"));
        let last = PageNumber::parse(Some("3")).pages(50, 120, href);
        assert_eq!((last.shown.as_str(), last.next), ("101–120 of 120", None));
        for nonsense in ["0", "-7", "x", "99999999999999999999"] {
            let first = PageNumber::parse(Some(nonsense)).pages(50, 0, href);
            assert_eq!((first.shown.as_str(), first.previous), ("0 of 0", None));
        }
        let far = PageNumber::parse(Some("9223372036854775807")).pages(50, 3, href);
        assert_eq!((far.shown.as_str(), far.next), ("0 of 3", None));
    }
}
