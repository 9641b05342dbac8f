//! Reads the XML that the Query API answers with into a small tree.
//!
//! Answers are small and trusted only as far as TLS goes: depth and size are bounded.

use quick_xml::{Reader, events::Event};

/// An element: its text and its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// The answer is no XML that this client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotXml;

impl Element {
    /// Reads a document.
    pub(super) fn parse(text: &str) -> Result<Self, NotXml> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|_malformed| NotXml)? {
                Event::Start(start) => {
                    if open.len() > MOST_DEPTH {
                        return Err(NotXml);
                    }
                    open.push(Self::named(start.local_name().as_ref()));
                }
                Event::Empty(start) => {
                    let empty = Self::named(start.local_name().as_ref());
                    open.last_mut().ok_or(NotXml)?.children.push(empty);
                }
                Event::End(_) => {
                    let done = open.pop().ok_or(NotXml)?;
                    open.last_mut().ok_or(NotXml)?.children.push(done);
                }
                Event::Text(text) => {
                    open.last_mut().ok_or(NotXml)?.text.push_str(&text);
                }
                Event::GeneralRef(reference) => {
                    let resolved = resolve(&reference).ok_or(NotXml)?;
                    open.last_mut().ok_or(NotXml)?.text.push(resolved);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(root), true) if !root.children.is_empty() => Ok(root),
            _ => Err(NotXml),
        }
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The first element of this name, at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.children.iter().find_map(|child| {
            if child.name == name {
                Some(child)
            } else {
                child.find(name)
            }
        })
    }

    /// The direct child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a direct child; empty counts as absent.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        let text = self.child(name)?.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A direct child that says true or false.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text_of(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Its own text.
    pub(super) fn own_text(&self) -> &str {
        self.text.trim()
    }

    /// All direct children.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        self.children.iter()
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

const MOST_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_tree_and_anything_else_an_error() {
        let root = Element::parse(
            "<?xml version=\"1.0\"?><A xmlns=\"x\"><B><C>a &amp; b&#33;</C><D/></B><E>true</E></A>",
        )
        .unwrap();
        assert_eq!(root.find("B").unwrap().text_of("C").unwrap(), "a & b!");
        assert_eq!(root.find("B").unwrap().text_of("D"), None);
        assert_eq!(root.child("A").unwrap().flag("E"), Some(true));
        for bad in ["", "<a>", "<html><body>", "not xml", "<a></b>"] {
            assert_eq!(Element::parse(bad), Err(NotXml), "{bad}");
        }
        let deep = "<a>".repeat(1000) + &"</a>".repeat(1000);
        assert_eq!(Element::parse(&deep), Err(NotXml));
    }
}
