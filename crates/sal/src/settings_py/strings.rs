//! What stands between the quotes of a Python string.

/// The text of a string whose prefix and content were found; `None` where it is no text that can be known: bytes, a
/// formatted string with values in it, a character by its name.
pub(super) fn text(prefix: &str, content: &str) -> Option<String> {
    let prefix = prefix.to_ascii_lowercase();
    let is_formatted = prefix.contains('f') || prefix.contains('t');
    if prefix.contains('b') || (is_formatted && content.contains(['{', '}'])) {
        return None;
    }
    if prefix.contains('r') {
        return Some(content.to_owned());
    }
    unescaped(content)
}

fn unescaped(content: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = content.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            None => text.push('\\'),
            Some('\n') => {}
            Some(c @ ('\\' | '\'' | '"')) => text.push(c),
            Some('a') => text.push('\u{7}'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('v') => text.push('\u{b}'),
            Some('x') => text.push(code(&mut rest, 16, 2)?),
            Some('u') => text.push(code(&mut rest, 16, 4)?),
            Some('U') => text.push(code(&mut rest, 16, 8)?),
            Some('N') => return None,
            Some(digit @ '0'..='7') => text.push(octal(digit, &mut rest)?),
            Some(other) => text.extend(['\\', other]),
        }
    }
    Some(text)
}

/// A character by exactly so many digits of its code.
fn code(rest: &mut std::str::Chars<'_>, radix: u32, digits: usize) -> Option<char> {
    let digits: String = rest.take(digits).collect();
    u32::from_str_radix(&digits, radix)
        .ok()
        .and_then(char::from_u32)
}

/// A character by one to three octal digits.
fn octal(first: char, rest: &mut std::str::Chars<'_>) -> Option<char> {
    let mut digits = first.to_string();
    while digits.len() < 3 {
        let Some(next) = rest.clone().next().filter(|c| ('0'..='7').contains(c)) else {
            break;
        };
        digits.push(next);
        rest.next();
    }
    u32::from_str_radix(&digits, 8)
        .ok()
        .and_then(char::from_u32)
}
