//! The string literals of a Rust file, each with its line: for chores that look at what is written in them.

use std::iter::Peekable;
use std::str::Chars;

/// The strings outside of comments, as the compiler reads them; lines are counted from 1.
pub(crate) fn strings(source: &str) -> Vec<(usize, String)> {
    let mut reader = Reader {
        letters: source.chars().peekable(),
        line: 1,
    };
    let mut found = Vec::new();
    let mut word = String::new();
    while let Some(letter) = reader.next() {
        match letter {
            '/' if reader.letters.peek() == Some(&'/') => reader.skip_line(),
            '/' if reader.letters.peek() == Some(&'*') => reader.skip_block(),
            '\'' => reader.skip_character(),
            '"' => {
                let line = reader.line;
                let text = match word.as_str() {
                    "r" | "br" | "cr" => reader.raw(0),
                    _ => reader.escaped(),
                };
                found.push((line, text));
            }
            '#' if matches!(word.as_str(), "r" | "br" | "cr") => {
                let mut hashes = 1;
                while reader.letters.next_if_eq(&'#').is_some() {
                    hashes += 1;
                }
                if reader.letters.next_if_eq(&'"').is_some() {
                    let line = reader.line;
                    found.push((line, reader.raw(hashes)));
                }
            }
            _ => {}
        }
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
        } else {
            word.clear();
        }
    }
    found
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.letters.next()?;
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn skip_line(&mut self) {
        while let Some(letter) = self.next() {
            if letter == '\n' {
                return;
            }
        }
    }

    /// Blocks stand within blocks.
    fn skip_block(&mut self) {
        let mut depth = 0_usize;
        let mut before = '/';
        while let Some(letter) = self.next() {
            match (before, letter) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth = depth.saturating_sub(1),
                _ => {
                    before = letter;
                    continue;
                }
            }
            before = ' ';
            if depth == 0 {
                return;
            }
        }
    }

    /// A character, or a lifetime, which has no end.
    fn skip_character(&mut self) {
        match self.letters.peek() {
            Some('\\') => {
                self.next();
                self.next();
                while self.letters.peek().is_some_and(|letter| *letter != '\'') {
                    self.next();
                }
                self.next();
            }
            Some(_) => {
                let mut ahead = self.letters.clone();
                ahead.next();
                if ahead.next() == Some('\'') {
                    self.next();
                    self.next();
                }
            }
            None => {}
        }
    }

    fn escaped(&mut self) -> String {
        let mut text = String::new();
        while let Some(letter) = self.next() {
            match letter {
                '"' => break,
                '\\' => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('\n') => {
                        while self.letters.peek().is_some_and(|next| next.is_whitespace()) {
                            self.next();
                        }
                        text.push(' ');
                    }
                    Some(other) => text.push(other),
                    None => break,
                },
                other => text.push(other),
            }
        }
        text
    }

    fn raw(&mut self, hashes: usize) -> String {
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while let Some(letter) = self.next() {
            text.push(letter);
            if text.ends_with(&end) {
                text.truncate(text.len() - end.len());
                break;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_the_compiler_does() {
        let source = r###"
// "no" /* "no"
/* "no" /* "no" */ "no" */
let a = '"'; let b: &'static str = "one \"two\" \\";
let c = r#"three "four" "#; let d = b"five"; let e = '\''; let f = "six \
        seven";
let g = r"eight\"; let h = "nine
ten";
"###;
        let found = strings(source);
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "one \"two\" \\",
                "three \"four\" ",
                "five",
                "six  seven",
                "eight\\",
                "nine\nten"
            ]
        );
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 5, 5, 5, 7, 7]);
    }
}
