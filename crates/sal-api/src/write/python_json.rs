//! What is wrong with a JSON text, in the words and with the places of Python's `json` (cpython, Lib/json/decoder.py is
//! what its documentation describes): clients show them. Pure.

/// The first fault, or none where Python reads the text.
pub(super) fn fault(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut reader = Reader {
        text: &characters,
        at: 0,
        depth: 0,
    };
    let found = reader.whole();
    found.err().map(|Fault { what, at }| {
        let before = characters.get(..at).unwrap_or(&characters);
        let line = before
            .iter()
            .filter(|character| **character == '\n')
            .count()
            + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|character| **character != '\n')
            .count()
            + 1;
        format!("{what}: line {line} column {column} (char {at})")
    })
}

struct Fault {
    what: &'static str,
    at: usize,
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<(), Fault> {
        self.blanks();
        self.value()?;
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("Extra data"),
        }
    }

    fn value(&mut self) -> Result<(), Fault> {
        if self.depth > DEEPEST {
            return self.fault("Too many levels");
        }
        let start = self.at;
        match self.peek() {
            Some('"') => {
                self.at += 1;
                self.string(start)
            }
            Some('{') => self.deeper(Self::object),
            Some('[') => self.deeper(Self::array),
            _ => self.word(start),
        }
    }

    fn deeper(&mut self, inside: fn(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.at += 1;
        self.depth += 1;
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.take('}') {
            return Ok(());
        }
        loop {
            let start = self.at;
            if !self.take('"') {
                return self.fault("Expecting property name enclosed in double quotes");
            }
            self.string(start)?;
            self.blanks();
            if !self.take(':') {
                return self.fault("Expecting ':' delimiter");
            }
            self.blanks();
            self.value()?;
            self.blanks();
            if self.take('}') {
                return Ok(());
            }
            if !self.take(',') {
                return self.fault("Expecting ',' delimiter");
            }
            self.blanks();
        }
    }

    fn array(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.take(']') {
            return Ok(());
        }
        loop {
            self.value()?;
            self.blanks();
            if self.take(']') {
                return Ok(());
            }
            if !self.take(',') {
                return self.fault("Expecting ',' delimiter");
            }
            self.blanks();
        }
    }

    /// Behind the opening quote.
    fn string(&mut self, start: usize) -> Result<(), Fault> {
        let unterminated = Fault {
            what: "Unterminated string starting at",
            at: start,
        };
        loop {
            match self.peek() {
                None => return Err(unterminated),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape(unterminated.at)?,
                Some(control) if u32::from(control) < 0x20 => {
                    return self.fault("Invalid control character at");
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Fault> {
        let backslash = self.at;
        match self.text.get(backslash + 1) {
            None => Err(Fault {
                what: "Unterminated string starting at",
                at: start,
            }),
            Some('u') => {
                let digits = self.text.get(backslash + 2..backslash + 6);
                let all = |digits: &[char]| digits.iter().all(char::is_ascii_hexdigit);
                if !digits.is_some_and(all) {
                    return Err(Fault {
                        what: "Invalid \\uXXXX escape",
                        at: backslash + 1,
                    });
                }
                self.at = backslash + 6;
                Ok(())
            }
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.at = backslash + 2;
                Ok(())
            }
            Some(_) => Err(Fault {
                what: "Invalid \\escape",
                at: backslash,
            }),
        }
    }

    /// A number, or a word that stands for a value.
    fn word(&mut self, start: usize) -> Result<(), Fault> {
        let rest = self.text.get(start..).unwrap_or_default();
        for word in ["true", "false", "null"] {
            if rest.iter().take(word.len()).copied().eq(word.chars()) {
                self.at += word.len();
                return Ok(());
            }
        }
        self.take('-');
        if !self.take('0') && self.digits() == 0 {
            self.at = start;
            return self.fault("Expecting value");
        }
        let whole = self.at;
        if self.take('.') && self.digits() == 0 {
            self.at = whole;
            return Ok(());
        }
        let mantissa = self.at;
        if self.take('e') || self.take('E') {
            if !self.take('+') {
                self.take('-');
            }
            if self.digits() == 0 {
                self.at = mantissa;
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_digit())
        {
            self.at += 1;
        }
        self.at - start
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, character: char) -> bool {
        let is_here = self.peek() == Some(character);
        self.at += usize::from(is_here);
        is_here
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault { what, at: self.at })
    }
}

/// As deep as our own reader goes.
const DEEPEST: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    /// As CPython 3.11 answers.
    #[test]
    fn faults_are_those_of_python() {
        for (text, expected) in [
            (
                "{",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("{\"a\": }", "Expecting value: line 1 column 7 (char 6)"),
            (
                "{\"a\" 1}",
                "Expecting ':' delimiter: line 1 column 6 (char 5)",
            ),
            (
                "{\"a\": 1 \"b\"}",
                "Expecting ',' delimiter: line 1 column 9 (char 8)",
            ),
            ("[1, 2", "Expecting ',' delimiter: line 1 column 6 (char 5)"),
            ("{} x", "Extra data: line 1 column 4 (char 3)"),
            (
                "\"abc",
                "Unterminated string starting at: line 1 column 1 (char 0)",
            ),
            (
                "\n {\"a\": \"\u{1}\"}",
                "Invalid control character at: line 2 column 9 (char 9)",
            ),
            ("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"),
            (
                "\"\\u12\"",
                "Invalid \\uXXXX escape: line 1 column 3 (char 2)",
            ),
            (
                "{'a': 1}",
                "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ),
            ("01", "Extra data: line 1 column 2 (char 1)"),
            (
                "{\"a\":1,}",
                "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)",
            ),
            ("[1, ]", "Expecting value: line 1 column 5 (char 4)"),
            ("1.", "Extra data: line 1 column 2 (char 1)"),
            ("-", "Expecting value: line 1 column 1 (char 0)"),
            (
                "\"\\",
                "Unterminated string starting at: line 1 column 1 (char 0)",
            ),
            ("nope", "Expecting value: line 1 column 1 (char 0)"),
        ] {
            assert_eq!(fault(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "{}",
            " [1, -2.5e3, null, true, {\"a\": \"\\u00fc\\n\"}] ",
            "0",
            "\"x\"",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }
}
