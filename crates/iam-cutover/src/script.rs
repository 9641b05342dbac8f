//! A script for psql out of which no name can break.
//!
//! psql reads four languages at once: comments end with the line, a backslash outside of quotes is an order to psql
//! itself, a colon is one of its variables, and a text between dollars ends where the same dollars come again. So names
//! go into comments visibly, into orders byte by byte, and into statements only quoted; what is not a whole statement
//! ends the script.

use std::{iter::Peekable, str::Chars};

use crate::visible::visible;

/// A script that is being written.
pub(crate) struct Script {
    text: String,
}

impl Script {
    /// A script that stops at its first error.
    pub(crate) fn new() -> Self {
        Self {
            // In another encoding a byte of a name could be taken for half a letter, together with the quote after it.
            text: "\\set ON_ERROR_STOP on\n\\encoding UTF8\n".to_owned(),
        }
    }

    pub(crate) fn empty_line(&mut self) {
        self.text.push('\n');
    }

    /// One line, whatever is in it.
    pub(crate) fn comment(&mut self, text: &str) {
        self.text.push_str("-- ");
        self.text.push_str(&visible(text));
        self.text.push('\n');
    }

    /// A statement. One that would leave the script in a quote or be more than one is left out, and the script ends.
    pub(crate) fn statement(&mut self, sql: &str) {
        if !is_whole(sql) {
            self.comment(&format!("this cannot be written safely: {sql}"));
            self.quit();
            return;
        }
        self.text.push_str(sql);
        self.text.push_str(";\n");
    }

    /// A block of PL/pgSQL, between dollars that do not occur in it.
    pub(crate) fn block(&mut self, body: &str) {
        let tag = free_tag(body);
        self.text.push_str(&format!("DO {tag}{body}{tag};\n"));
    }

    /// Goes on in another database, as the same user of the same server.
    pub(crate) fn connect(&mut self, database: &str) {
        let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
        // As a connection string, since a name may look like one.
        let target = format!("dbname='{quoted}'").replace('"', "\"\"");
        let mut argument = String::new();
        for byte in format!("\"{target}\"").bytes() {
            if byte.is_ascii_alphanumeric() {
                argument.push(char::from(byte));
            } else {
                argument.push_str(&format!("\\{byte:03o}"));
            }
        }
        self.text
            .push_str(&format!("\\connect -reuse-previous=on '{argument}'\n"));
    }

    pub(crate) fn quit(&mut self) {
        self.text.push_str("\\quit\n");
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Dollars that the text neither holds nor completes.
fn free_tag(body: &str) -> String {
    let mut number = 0_u64;
    loop {
        let tag = match number {
            0 => "$guard$".to_owned(),
            number => format!("$guard_{number}$"),
        };
        if format!("{body}{tag}").find(&tag) == Some(body.len()) {
            return tag;
        }
        number += 1;
    }
}

/// Whether a text is one statement for psql and for Postgres: no quote is open at its end, and outside of quotes there is
/// nothing that ends it, comments it out or speaks to psql.
fn is_whole(sql: &str) -> bool {
    let mut letters = sql.chars().peekable();
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        let speaks = match letter {
            '\'' | '"' => {
                let escapes = letter == '\'' && word.eq_ignore_ascii_case("e");
                !skip_quoted(letter, escapes, &mut letters)
            }
            '-' => letters.peek() == Some(&'-'),
            '/' => letters.peek() == Some(&'*'),
            other => matches!(other, ';' | '\\' | '$' | ':' | '\0'),
        };
        if speaks {
            return false;
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else {
            word.clear();
        }
    }
    true
}

/// Goes behind the closing quote; false when there is none.
fn skip_quoted(quote: char, escapes: bool, letters: &mut Peekable<Chars<'_>>) -> bool {
    while let Some(letter) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek() != Some(&quote) {
                return true;
            }
            letters.next();
        }
    }
    false
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::{identifier, literal};

    /// Names that try to get out, and any others.
    fn names() -> impl Strategy<Value = String> {
        let hostile = prop::sample::select(vec![
            "x\n\\! touch /tmp/out\n",
            "x\r\n\\q",
            "$guard$; DROP ROLE sal; DO $guard$",
            "$guard_1$",
            "$guard",
            "a\"; DROP ROLE sal; --",
            "it's \\' ; \\! id",
            ":user :'user' :\"user\"",
            "host=elsewhere dbname=x",
            "postgresql://elsewhere/x",
            "*/ SELECT 1; /*",
            "\u{2028}\\! id",
            "E'\\",
        ]);
        let parts = prop::collection::vec(
            prop_oneof![hostile.prop_map(str::to_owned), "[^\0]{0,6}"],
            0..4,
        );
        parts.prop_map(|parts| parts.concat())
    }

    /// What psql makes of the argument of an order: octal escapes between single quotes, then double quotes.
    fn understood(argument: &str) -> String {
        let inside = argument
            .strip_prefix('\'')
            .unwrap()
            .strip_suffix('\'')
            .unwrap();
        let mut bytes = Vec::new();
        let mut rest = inside;
        while let Some(first) = rest.chars().next() {
            if first == '\\' {
                bytes.push(u8::from_str_radix(&rest[1..4], 8).unwrap());
                rest = &rest[4..];
            } else {
                assert!(first.is_ascii_alphanumeric());
                bytes.push(u8::try_from(first).unwrap());
                rest = &rest[1..];
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        let text = text.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        assert!(!text.replace("\"\"", "").contains('"'));
        text.replace("\"\"", "\"")
    }

    proptest! {
        #[test]
        fn a_comment_is_one_line(name in names()) {
            let mut script = Script::new();
            let before = script.text.len();
            script.comment(&format!("REFUSED: {name} is there"));
            let line = script.text[before..].to_owned();
            prop_assert!(line.starts_with("-- ") && line.ends_with('\n'));
            prop_assert!(!line.trim_end_matches('\n').chars().any(char::is_control));
        }

        #[test]
        fn a_quoted_name_never_leaves_its_statement(name in names()) {
            let sql = format!("COMMENT ON ROLE {} IS {}", identifier(&name), literal(&name));
            prop_assert!(is_whole(&sql), "{}", sql);
            let two = format!("DROP ROLE {}; SELECT 1", identifier(&name));
            prop_assert!(!is_whole(&two), "{}", two);
        }

        #[test]
        fn a_block_ends_where_it_was_meant_to(name in names()) {
            let body = format!(" BEGIN PERFORM {}; END {name}", literal(&name));
            let mut script = Script::new();
            let before = script.text.len();
            script.block(&body);
            let text = &script.text[before..];
            let tag = free_tag(&body);
            let inside = text.strip_prefix("DO ").unwrap().strip_prefix(&tag).unwrap();
            prop_assert_eq!(inside.find(&tag), Some(body.len()));
            prop_assert_eq!(&inside[..body.len()], body.as_str());
        }

        #[test]
        fn another_database_is_the_one_that_was_named(name in names()) {
            let mut script = Script::new();
            let before = script.text.len();
            script.connect(&name);
            let line = script.text[before..].to_owned();
            let argument = line.strip_prefix("\\connect -reuse-previous=on ").unwrap().strip_suffix('\n').unwrap();
            prop_assert!(argument.is_ascii() && !argument.contains('\n'));
            let target = understood(argument);
            let quoted = target.strip_prefix("dbname='").unwrap().strip_suffix('\'').unwrap();
            prop_assert_eq!(quoted.replace("\\'", "'").replace("\\\\", "\\"), name);
        }
    }

    #[test]
    fn what_is_no_whole_statement_ends_the_script() {
        for sql in [
            "SELECT 1; SELECT 2",
            "GRANT a TO b -- c",
            "SELECT 'x",
            "SELECT \"x",
            "SELECT E'x\\'",
            "SELECT xE'\\' ; \\! id '",
            "SELECT $$x$$",
            "\\! id",
            "SELECT :x",
            "SELECT /* x",
        ] {
            let mut script = Script::new();
            script.statement(sql);
            let text = script.finish();
            assert!(text.ends_with("\n\\quit\n"), "{sql}: {text}");
            assert!(text.contains("-- this cannot be written safely"), "{text}");
        }
    }
}
