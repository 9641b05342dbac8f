//! A page of ours as a browser reads it: parsed, and asked by CSS selectors.
//!
//! A question that cannot be answered, as the text of an element that is not there or is there twice, fails the test and
//! shows the page. `golden/page.rs` reads the pages of the original, which are only compared softly.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that asks for what is not there must stop, and show the page"
)]

use scraper::{ElementRef, Html, Node, Selector};

/// A parsed page, or the part of one that htmx asked for.
pub struct Page {
    html: Html,
}

impl Page {
    /// Reads a page. Broken HTML is mended as browsers do, so rows outside of a table are gone.
    pub fn parse(html: &str) -> Self {
        Self {
            html: Html::parse_document(html),
        }
    }

    /// How many elements there are.
    pub fn count(&self, css: &str) -> usize {
        self.all(css).len()
    }

    /// Whether there is one at least.
    pub fn has(&self, css: &str) -> bool {
        self.count(css) > 0
    }

    /// The text of the only element.
    pub fn text(&self, css: &str) -> String {
        visible(self.only(css))
    }

    /// The text of each element, in the order of the page.
    pub fn texts(&self, css: &str) -> Vec<String> {
        self.all(css).into_iter().map(visible).collect()
    }

    /// An attribute of the only element.
    pub fn attribute(&self, css: &str, name: &str) -> String {
        let value = self.only(css).attr(name);
        value
            .unwrap_or_else(|| self.fail(&format!("`{css}` has no {name}")))
            .to_owned()
    }

    /// An attribute of each element that has it.
    pub fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        let values = self.all(css).into_iter().filter_map(|e| e.attr(name));
        values.map(str::to_owned).collect()
    }

    /// Where the links of these words lead.
    pub fn links(&self, words: &str) -> Vec<String> {
        let links = self.all("a[href]").into_iter();
        let named = links.filter(|link| visible(*link) == words);
        named
            .filter_map(|link| link.attr("href").map(str::to_owned))
            .collect()
    }

    /// The cells of each line of the tables; `css` finds tables or lines.
    pub fn rows(&self, css: &str) -> Vec<Vec<String>> {
        let lines = self.all(&format!(":is({css}) tr, tr:is({css})"));
        let lines = lines
            .into_iter()
            .map(|line| texts_of(line, "td, th[scope=row]"));
        lines.filter(|cells| !cells.is_empty()).collect()
    }

    /// The names of a description list with what is said of each.
    pub fn described(&self, css: &str) -> Vec<(String, String)> {
        let names = self.all(&format!(":is({css}) dt"));
        let pair = |name: ElementRef<'_>| {
            let said = name.next_siblings().find_map(ElementRef::wrap);
            (visible(name), said.map(visible).unwrap_or_default())
        };
        names.into_iter().map(pair).collect()
    }

    /// What the form's field of this name sends as it stands: nothing where a box is not ticked.
    pub fn field(&self, name: &str) -> Option<String> {
        let field = self.only(&format!(
            "input[name=\"{name}\"]:not([type=radio]), input[name=\"{name}\"][checked][type=radio], select[name=\"{name}\"], textarea[name=\"{name}\"]"
        ));
        let value = |element: ElementRef<'_>| element.attr("value").map(str::to_owned);
        match (field.value().name(), field.attr("type")) {
            ("select", _) => {
                let options = found(field, "option");
                let chosen = options.iter().find(|o| o.attr("selected").is_some());
                let option = *chosen.or_else(|| options.first())?;
                Some(value(option).unwrap_or_else(|| visible(option)))
            }
            ("textarea", _) => Some(field.text().collect()),
            (_, Some("checkbox")) => {
                field.attr("checked")?;
                Some(value(field).unwrap_or_else(|| "on".to_owned()))
            }
            _ => Some(value(field).unwrap_or_default()),
        }
    }

    /// All that can be read.
    pub fn words(&self) -> String {
        visible(self.html.root_element())
    }

    fn all(&self, css: &str) -> Vec<ElementRef<'_>> {
        self.html.select(&selector(css)).collect()
    }

    fn only(&self, css: &str) -> ElementRef<'_> {
        match self.all(css)[..] {
            [element] => element,
            ref found => self.fail(&format!("{} elements are `{css}`, not one", found.len())),
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{what}, in {}", self.html.html())
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|error| panic!("`{css}` is no selector: {error:?}"))
}

fn found<'a>(element: ElementRef<'a>, css: &str) -> Vec<ElementRef<'a>> {
    element.select(&selector(css)).collect()
}

fn texts_of(element: ElementRef<'_>, css: &str) -> Vec<String> {
    found(element, css).into_iter().map(visible).collect()
}

/// The text as one line, as it is read out: signs that are hidden from screen readers are nothing, as are scripts.
fn visible(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    collect(element, &mut text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn collect(element: ElementRef<'_>, text: &mut String) {
    for child in element.children() {
        match child.value() {
            Node::Text(words) => text.push_str(words),
            Node::Element(tag)
                if UNSEEN.contains(&tag.name()) || tag.attr("aria-hidden") == Some("true") => {}
            Node::Element(tag) => {
                let apart = if INLINE.contains(&tag.name()) {
                    ""
                } else {
                    " "
                };
                text.push_str(apart);
                collect(
                    ElementRef::wrap(child).expect("an element is an element"),
                    text,
                );
                text.push_str(apart);
            }
            _ => {}
        }
    }
}

const UNSEEN: [&str; 3] = ["script", "style", "template"];
/// Around others there are spaces; our spans are labels, counts and second lines.
const INLINE: [&str; 8] = ["a", "b", "code", "em", "i", "mark", "strong", "time"];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><title>Sal</title><script>if (a<b) {}</script>
        <main><h1>Macs &#38;<br>more</h1>
        <table id=all><thead><tr><th>Name<th>Model</thead><tr class=new><td><a href='/m/1/'>mac-<b>1</b></a><td><span class=sub>Mac15,3</span><span aria-hidden=true>×</span>
        <tr><td>&#60;b&#62;<td></table>
        <dl><dt>User<dd><code>sal</code><dt>Host<dd>db</dl>
        <form><input name=q value='a &#38; b'><input type=checkbox name=all checked><input type=checkbox name=none>
        <select name=unit><option value=1>One<option value=2 selected>Two</select><textarea name=notes>\nline\nline</textarea>
        <input type=radio name=way value=up><input type=radio name=way value=down checked></form></main>";

    #[test]
    fn a_page_is_read_as_a_browser_shows_it() {
        let page = Page::parse(PAGE);
        assert_eq!(page.text("h1"), "Macs & more");
        assert_eq!(page.rows("#all"), [["mac-1", "Mac15,3"], ["<b>", ""]]);
        assert_eq!(page.rows(".new"), [["mac-1", "Mac15,3"]]);
        assert_eq!(page.texts("td b"), ["1"]);
        assert_eq!(page.attribute("td a", "href"), "/m/1/");
        assert_eq!(page.attributes("option", "value"), ["1", "2"]);
        assert_eq!(page.links("mac-1"), ["/m/1/"]);
        assert_eq!(page.links("mac"), Vec::<String>::new());
        let pairs = [("User", "sal"), ("Host", "db")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(page.described("main"), pairs);
        assert!(page.words().starts_with("Sal Macs & more Name Model mac-1"));
        assert_eq!((page.count("tr"), page.has("tfoot")), (3, false));
    }

    #[test]
    fn a_field_is_what_it_sends() {
        let page = Page::parse(PAGE);
        for (name, sends) in [
            ("q", Some("a & b")),
            ("all", Some("on")),
            ("none", None),
            ("unit", Some("2")),
            ("notes", Some("line\nline")),
            ("way", Some("down")),
        ] {
            assert_eq!(page.field(name).as_deref(), sends, "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "2 elements are `td b, td a`, not one, in <!DOCTYPE html>")]
    fn what_is_there_twice_has_no_text() {
        Page::parse(PAGE).text("td b, td a");
    }
}
