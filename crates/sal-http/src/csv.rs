//! Comma separated values, as pages and programs are sent them.
//!
//! A spreadsheet runs a cell that begins like a formula; such texts get an apostrophe in front.

use std::borrow::Cow;

/// The text, with an apostrophe in front where a spreadsheet would take it for a formula (OWASP, "CSV Injection"); also
/// inside it, where a spreadsheet of another locale, which splits at semicolons, would begin another cell.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    let begins_harmlessly = text
        .trim_start_matches(' ')
        .chars()
        .next()
        .is_none_or(|first| !BEGINS_A_FORMULA.contains(&first));
    if begins_harmlessly && !text.contains(ENDS_A_CELL) {
        return Cow::Borrowed(text);
    }
    let mut guarded = String::with_capacity(text.len() + 1);
    if text.starts_with(['\t', '\r', '\n']) {
        guarded.push('\'');
    }
    let mut begins_a_cell = true;
    for character in text.chars() {
        if begins_a_cell && BEGINS_A_FORMULA.contains(&character) {
            guarded.push('\'');
        }
        guarded.push(character);
        // Blanks before a formula are passed over.
        begins_a_cell = ENDS_A_CELL.contains(&character) || begins_a_cell && character == ' ';
    }
    Cow::Owned(guarded)
}

/// Writes a cell as RFC 4180 has it.
pub fn write_cell(text: &str, out: &mut Vec<u8>) {
    if !text.contains(['"', ',', '\r', '\n']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// The last four are the full-width forms, which Excel takes for the others.
const BEGINS_A_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
const ENDS_A_CELL: [char; 4] = [';', '\t', '\r', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q060_whatever_a_spreadsheet_of_any_locale_would_run_gets_an_apostrophe() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("  @SUM(A1)", "  '@SUM(A1)"),
            ("\n=1", "'\n'=1"),
            ("\t=1", "'\t'=1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠x", "'＠x"),
            ("Mac;=cmd|' /C calc'!A0", "Mac;'=cmd|' /C calc'!A0"),
            ("a; -2", "a; '-2"),
            ("one\r\n=two", "one\r\n'=two"),
            ("MacBook-Pro=1; ok", "MacBook-Pro=1; ok"),
            ("one\r\ntwo", "one\r\ntwo"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), expected);
        }
    }

    #[test]
    fn a_cell_with_a_comma_a_quote_or_a_line_end_is_quoted() {
        for (text, written) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("\"", "\"\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            let mut out = Vec::new();
            write_cell(text, &mut out);
            assert_eq!(out, written.as_bytes());
        }
    }
}
