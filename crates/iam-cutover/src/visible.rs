//! Names for people: what is in them is shown, and cannot act as a line or as an order to a terminal.

use std::borrow::Cow;

/// The text with every character that is not shown written as its escape: controls, and what changes the direction.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for letter in text.chars() {
        match letter {
            hidden if is_hidden(hidden) => shown.extend(hidden.escape_default()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// Controls, separators of lines, marks of direction, and letters without width.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_shown() {
        assert_eq!(visible("Ünï's \"iam\" 名"), "Ünï's \"iam\" 名");
        assert_eq!(
            visible("a\nb\r\t\u{1b}[31m\u{7f}\u{85}"),
            "a\\nb\\r\\t\\u{1b}[31m\\u{7f}\\u{85}"
        );
        assert_eq!(visible("x\u{202e}y\u{2028}"), "x\\u{202e}y\\u{2028}");
    }
}
