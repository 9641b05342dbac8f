//! An HTML page as its visible texts and its links, in order.
//!
//! No parser of HTML, but the same reading of both sides; pages are only compared softly.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::mask::Mask;

#[expect(
    clippy::expect_used,
    reason = "constant patterns, each is used by a test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// Comments, whole scripts and styles, declarations, and tags.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?si)<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>|<[!?][^>]*>|</[a-z][^>]*>",
        r#"|<[a-z][^\s>/]*((?:[^"'>]|"[^"]*"|'[^']*')*)>"#
    ))
});
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([^\s=>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))"#));
static ENTITY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);"));

/// The masked texts and links of a page: `{"text": […], "links": […]}`.
pub(super) fn page(html: &str, mask: &Mask) -> Value {
    let (mut texts, mut links) = (Vec::new(), Vec::new());
    let mut end = 0;
    for tag in MARKUP.captures_iter(html) {
        let Some(whole) = tag.get(0) else { continue };
        texts.extend(visible(
            html.get(end..whole.start()).unwrap_or_default(),
            mask,
        ));
        end = whole.end();
        for attribute in ATTRIBUTE.captures_iter(tag.get(1).map_or("", |m| m.as_str())) {
            let name = attribute.get(1).map_or("", |m| m.as_str()).to_lowercase();
            let value = (2..=4)
                .find_map(|n| attribute.get(n))
                .map_or("", |m| m.as_str());
            let inner = value.is_empty() || value.starts_with("/static") || value.starts_with('#');
            if ["href", "action"].contains(&name.as_str()) && !inner {
                links.push(mask.text(&unescape(value)));
            }
        }
    }
    texts.extend(visible(html.get(end..).unwrap_or_default(), mask));
    json!({"text": texts, "links": links})
}

fn visible(text: &str, mask: &Mask) -> Option<String> {
    let text = unescape(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    match text.as_str() {
        "" => None,
        key if mask.is_api_key(key) => Some("<api key>".to_owned()),
        text => Some(mask.text(text)),
    }
}

/// Resolves the entities that occur in the recorded pages.
fn unescape(text: &str) -> String {
    let resolved = ENTITY.replace_all(text, |found: &regex::Captures<'_>| {
        let name = found.get(1).map_or("", |m| m.as_str());
        let number = match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => digits.parse().ok(),
            },
            None => None,
        };
        let character = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "nbsp" => Some('\u{a0}'),
            "times" => Some('×'),
            "copy" => Some('©'),
            "laquo" => Some('«'),
            "raquo" => Some('»'),
            "hellip" => Some('…'),
            _ => number.and_then(char::from_u32),
        };
        let whole = found.get(0).map_or("", |m| m.as_str());
        character.map_or_else(|| whole.to_owned(), String::from)
    });
    resolved.into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::names::Names;
    use super::*;

    #[test]
    fn a_page_is_its_texts_and_links() {
        let mask = Mask {
            base: "http://h:1".to_owned(),
            host: "h:1".to_owned(),
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            known: HashSet::new(),
            names: Names::default(),
        };
        let html = "<!doctype html><title>Sal &amp;\n co</title><script>if (a<b) \"<a href='/no/'>\"</script>\
            <a class=x href=\"/search/?a=1&amp;b=2\">Advanced <b>Search</b></a><a href='#top'>&times;</a>\
            <form action=/new-bu/ data-x=\"a>b\"><!-- <a href='/no/'> --></form><link href=\"/static/x.css\"> &#8217;";
        let expected = json!({
            "text": ["Sal & co", "Advanced", "Search", "×", "’"],
            "links": ["/search/?a=1&b=2", "/new-bu/"],
        });
        assert_eq!(page(html, &mask), expected);
    }
}
