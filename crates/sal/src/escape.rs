//! Texts from elsewhere, as a person may see them on a terminal or in a log.
//!
//! A serial number with a newline would write a line of its own, and one with an escape character would reach the
//! terminal. So whatever is no ordinary text is shown by its code; nothing is left out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// One line: control characters, line ends of any kind and marks that turn the direction of writing become `\u{…}`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_hidden(character) || character == '\n')
}

/// Several lines, made by us out of such texts: newlines and tabs stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_hidden(character) && character != '\t')
}

fn escaped(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if hides(character) {
            // Writing to a string does not fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters but the newline, separators that end lines, and what changes the order of characters or has no
/// width (Unicode Technical Report 36, 2.10).
fn is_hidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A writer for a log of one line each: what is written at once is one line, whatever it holds.
pub(crate) struct LineWriter<W>(pub(crate) W);

impl<W: io::Write> io::Write for LineWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let content = text.strip_suffix('\n').unwrap_or(&text);
        let mut whole = line(content).into_owned();
        whole.push('\n');
        self.0.write_all(whole.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_could_forge_a_line_or_reach_the_terminal_is_shown_by_its_code() {
        for (text, expected) in [
            ("C02A", "C02A"),
            ("C02A\nINFO forged", "C02A\\u{a}INFO forged"),
            ("\r\u{1b}[2Jx", "\\u{d}\\u{1b}[2Jx"),
            ("a\tb\u{7f}\u{9b}31m", "a\\u{9}b\\u{7f}\\u{9b}31m"),
            ("\u{202e}gpj.exe\u{2066}", "\\u{202e}gpj.exe\\u{2066}"),
            ("a\u{2028}b\u{200b}c", "a\\u{2028}b\\u{200b}c"),
            ("Ünï 🖥", "Ünï 🖥"),
        ] {
            assert_eq!(line(text), expected);
        }
        assert_eq!(lines("a\n\tb\u{1b}c"), "a\n\tb\\u{1b}c");
    }

    #[test]
    fn an_event_of_the_log_is_one_line() {
        let mut written = Vec::new();
        let event = b"INFO check-in of C02A\nERROR the database is gone stored\n";
        assert_eq!(LineWriter(&mut written).write(event).unwrap(), event.len());
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "INFO check-in of C02A\\u{a}ERROR the database is gone stored\n"
        );
    }
}
