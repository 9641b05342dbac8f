//! The text of an XML plist, whatever encoding it declares, as Python's expat reads it; and integers that the reader of
//! plists has no room for.

use std::borrow::Cow;

use encoding_rs::Encoding;

use super::super::Unreadable;
use super::NOT_A_PLIST;

/// The text in UTF-8. A declaration that names another encoding names UTF-8 afterwards.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    if let Some(rest) = bytes.strip_prefix(BYTE_ORDER_MARK) {
        return utf8(rest).map(Cow::Borrowed);
    }
    // Without a mark Python takes no UTF-16 for a plist.
    let utf16 = match bytes {
        [0xfe, 0xff, rest @ ..] => Some(units(rest, u16::from_be_bytes)?),
        [0xff, 0xfe, rest @ ..] => Some(units(rest, u16::from_le_bytes)?),
        _ => None,
    };
    if let Some(units) = utf16 {
        let text = String::from_utf16(&units).map_err(|_lone_surrogate| NOT_A_PLIST)?;
        return Ok(Cow::Owned(redeclared(&text)));
    }
    let declared = declared_encoding(bytes);
    match declared.map(str::to_ascii_lowercase).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => utf8(bytes).map(Cow::Borrowed),
        // Not as browsers do it, who take windows-1252 for it.
        Some("iso-8859-1" | "latin1" | "latin-1") => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            Ok(Cow::Owned(redeclared(&text)))
        }
        Some(label) => {
            let encoding = Encoding::for_label(label.as_bytes())
                .filter(|encoding| encoding.is_single_byte())
                .ok_or(NOT_A_PLIST)?;
            let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
            Ok(Cow::Owned(redeclared(&text.ok_or(NOT_A_PLIST)?)))
        }
    }
}

/// Whether it is said to be in an encoding other than UTF-8, or in UTF-16.
pub(super) fn declares_another(bytes: &[u8]) -> bool {
    let is_utf8 = |label: &str| label.eq_ignore_ascii_case("utf-8");
    bytes.starts_with(b"\xfe\xff")
        || bytes.starts_with(b"\xff\xfe")
        || declared_encoding(bytes).is_some_and(|label| !is_utf8(label))
}

fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    str::from_utf8(bytes).map_err(|_not_utf8| NOT_A_PLIST)
}

fn units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u16>, Unreadable> {
    let (pairs, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(NOT_A_PLIST);
    }
    Ok(pairs.iter().copied().map(unit).collect())
}

/// What `<?xml … encoding="…"?>` says; nothing when it says nothing.
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES))?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = str::from_utf8(head.get(..end)?).ok()?;
    let declaration = declaration.strip_prefix("<?xml")?;
    value_of_encoding(declaration)
}

fn value_of_encoding(declaration: &str) -> Option<&str> {
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| "\"'".contains(*quote))?;
    rest.get(1..)?.split_once(quote).map(|(value, _)| value)
}

fn redeclared(text: &str) -> String {
    let declaration = text
        .starts_with("<?xml")
        .then(|| text.split_once("?>"))
        .flatten();
    match declaration {
        Some((declaration, rest)) => match value_of_encoding(declaration) {
            Some(value) => format!("{}?>{rest}", declaration.replacen(value, "UTF-8", 1)),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// Scalars in the words that the reader takes: integers beyond 64 bits as texts that [`wide_integer`] knows again, numbers
/// without blanks and underscores, and data without what is no base64, as Python's `int`, `float` and `a2b_base64` take
/// them.
pub(super) fn in_plain_words(text: &str) -> Result<Cow<'_, str>, Unreadable> {
    let mut plain = String::new();
    let mut done = 0;
    for (start, _) in text.match_indices('<') {
        let Some(rest) = text.get(start + 1..) else {
            break;
        };
        let known = ["integer", "real", "data"];
        let Some((name, content)) = known
            .iter()
            .find_map(|name| Some((*name, rest.strip_prefix(name)?.strip_prefix('>')?)))
        else {
            continue;
        };
        let Some((content, after)) = content.split_once('<') else {
            break;
        };
        let close = after
            .strip_prefix('/')
            .and_then(|after| after.strip_prefix(name))
            .is_some_and(|after| after.starts_with('>'));
        if !close || start < done {
            continue;
        }
        let Some(element) = element(name, content)? else {
            continue;
        };
        plain.push_str(text.get(done..start).unwrap_or_default());
        plain.push_str(&element);
        // `<name>`, the content, `</name>`
        done = start + 2 * name.len() + 5 + content.len();
    }
    if done == 0 {
        return Ok(Cow::Borrowed(text));
    }
    plain.push_str(text.get(done..).unwrap_or_default());
    Ok(Cow::Owned(plain))
}

/// The element in other words, where the reader would not take it as it is.
fn element(name: &str, content: &str) -> Result<Option<String>, Unreadable> {
    let written = |text: &str| format!("<{name}>{text}</{name}>");
    let is_changed = |text: String| (text != content).then(|| written(&text));
    Ok(match name {
        "integer" => {
            let text = number(content);
            match wide(&text)? {
                Some(digits) => Some(format!("<string>{WIDE}{digits}</string>")),
                None => is_changed(text.replacen("0X", "0x", 1)),
            }
        }
        "real" => is_changed(number(content)),
        _ => {
            let is_known =
                |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c) || c.is_whitespace();
            is_changed(content.chars().filter(|c| is_known(*c)).collect())
        }
    })
}

/// A number without the blanks around it and the underscores between its digits.
fn number(text: &str) -> String {
    let text = text.trim();
    let has_underscores = text.contains('_')
        && text.split('_').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '+')
        });
    text.chars()
        .filter(|c| !(has_underscores && *c == '_'))
        .collect()
}

/// The digits of an integer that [`in_plain_words`] made a text of.
pub(super) fn wide_integer(text: &str) -> Option<&str> {
    text.strip_prefix(WIDE)
}

/// The decimal digits of what does not fit 64 bits, as Python prints it; nothing for what fits, or is no number.
fn wide(text: &str) -> Result<Option<String>, Unreadable> {
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return Ok(None);
    }
    if text.len() > MOST_DIGITS {
        return Err(Unreadable::Broken(
            "it holds a number of thousands of digits",
        ));
    }
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = number
        .strip_prefix("0x")
        .or_else(|| number.strip_prefix("0X"));
    let digits = match hexadecimal {
        Some(digits) => decimal(digits, 16),
        None => decimal(number, 10),
    };
    let Some(digits) = digits else {
        return Ok(None);
    };
    let fits = hexadecimal.is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok());
    Ok((!fits).then(|| format!("{sign}{digits}")))
}

/// The decimal digits of a number to a base of at most 16.
fn decimal(digits: &str, base: u32) -> Option<String> {
    if digits.is_empty() {
        return None;
    }
    // Little end first.
    let mut number: Vec<u32> = vec![0];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(base)?;
        for place in &mut number {
            let sum = *place * base + carry;
            *place = sum % 10;
            carry = sum / 10;
        }
        while carry > 0 {
            number.push(carry % 10);
            carry /= 10;
        }
    }
    while number.len() > 1 && number.last() == Some(&0) {
        number.pop();
    }
    number
        .iter()
        .rev()
        .map(|digit| char::from_digit(*digit, 10))
        .collect()
}

/// XML has no such character, so that no text of a client begins with it.
const WIDE: char = '\u{1}';
/// As Python's `int` (CVE-2020-10735): the work grows with the square.
const MOST_DIGITS: usize = 4_300;
/// A declaration is at the very beginning, and short.
const DECLARATION_BYTES: usize = 256;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        // From CPython: int(…).
        for (text, digits) in [
            ("18446744073709551616", Some("18446744073709551616")),
            ("-9223372036854775809", Some("-9223372036854775809")),
            ("+00018446744073709551616", Some("18446744073709551616")),
            ("0x10000000000000000", Some("18446744073709551616")),
            (
                "0XFFFFFFFFFFFFFFFFFFFFFFFF",
                Some("79228162514264337593543950335"),
            ),
            ("18446744073709551615", None),
            ("0xFFFFFFFFFFFFFFFF", None),
            ("0000000000000000000001x", None),
            ("-", None),
        ] {
            assert_eq!(wide(text).unwrap().as_deref(), digits, "{text}");
        }
        assert!(wide(&"9".repeat(MOST_DIGITS + 1)).is_err());
    }
}
