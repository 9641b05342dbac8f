//! Values as Python writes them: `str()`, `repr()`, `json.dumps()`.

use std::fmt::Write;

use super::Value;

/// Python's `str(value)`: a string as it is, anything else as `repr`.
pub fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.clone().into_owned(),
        other => {
            let mut out = String::new();
            repr(other, &mut out);
            out
        }
    }
}

/// Python's `json.dumps(value)` with its defaults: `", "` and `": "`, everything outside ASCII escaped.
pub fn dumps(value: &Value<'_>) -> String {
    // A managed item's details are a few hundred bytes.
    let mut out = String::with_capacity(512);
    dump(value, &mut out);
    out
}

fn repr(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(digits) => out.push_str(digits),
        Value::Float(number) => out.push_str(&float(*number, ["nan", "inf", "-inf"])),
        Value::Text(text) => repr_text(text, out),
        Value::List(list) => enclose('[', ']', list.iter(), out, repr),
        Value::Dict(dict) => enclose('{', '}', dict.iter(), out, |(key, value), out| {
            repr_text(key, out);
            out.push_str(": ");
            repr(value, out);
        }),
    }
}

fn dump(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(digits) => out.push_str(digits),
        Value::Float(number) => out.push_str(&float(*number, ["NaN", "Infinity", "-Infinity"])),
        Value::Text(text) => dump_text(text, out),
        Value::List(list) => enclose('[', ']', list.iter(), out, dump),
        Value::Dict(dict) => enclose('{', '}', dict.iter(), out, |(key, value), out| {
            dump_text(key, out);
            out.push_str(": ");
            dump(value, out);
        }),
    }
}

fn enclose<T>(
    open: char,
    close: char,
    items: impl Iterator<Item = T>,
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

/// `repr(float)`: the shortest digits that read back the same, in exponent form below 1e-4 and from 1e16 on.
fn float(number: f64, special: [&str; 3]) -> String {
    let [nan, infinity, minus_infinity] = special;
    if number.is_nan() {
        return nan.to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            infinity
        } else {
            minus_infinity
        }
        .to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// `repr(str)`: single quotes unless the text holds some and no double ones.
fn repr_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => escape_code(u32::from(c), out),
        }
    }
    out.push(quote);
}

/// `str.isprintable`. Rust's `escape_debug` follows the same Unicode categories; a leading letter keeps it from
/// escaping a combining character, which Python does not.
fn is_printable(c: char) -> bool {
    matches!(c, '"' | '\'') || {
        let probe: String = ['a', c].iter().collect();
        !probe.escape_debug().skip(1).any(|part| part == '\\')
    }
}

fn escape_code(code: u32, out: &mut String) {
    // Writing to a String does not fail.
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

fn dump_text(text: &str, out: &mut String) {
    out.push('"');
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                let mut units = [0_u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::parse;

    /// Each right side was printed by CPython 3.11.
    #[test]
    fn str_writes_what_python_writes() {
        let cases = [
            ("true", "True"),
            ("null", "None"),
            ("5", "5"),
            ("1.0", "1.0"),
            ("1e22", "1e+22"),
            ("1e16", "1e+16"),
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("1234567890123456.7", "1234567890123456.8"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0.0", "-0.0"),
            ("1e400", "inf"),
            (r#"["a", 1, null, true]"#, "['a', 1, None, True]"),
            (r#"{"k": "v", "n": null}"#, "{'k': 'v', 'n': None}"),
            (
                r#"["it's", "say \"x\"", "both ' and \""]"#,
                r#"["it's", 'say "x"', 'both \' and "']"#,
            ),
            (
                "[\"a\\u0000b\\u00a0c\\u200b\\ue000\\n\\\\\"]",
                r"['a\x00b\xa0c\u200b\ue000\n\\']",
            ),
            ("[\"e\\u0301 日本語 😀\"]", "['e\u{301} 日本語 😀']"),
            ("[]", "[]"),
            ("\"plain\"", "plain"),
        ];
        for (json, python) in cases {
            assert_eq!(text(&parse(json).unwrap()), python, "{json}");
        }
    }

    #[test]
    fn dumps_writes_what_python_writes() {
        let json = r#"{"ü": "日本語 😀", "x": {"y": [true, null, 1.5]}, "c": "\u0001\u007f/"}"#;
        let python = r#"{"\u00fc": "\u65e5\u672c\u8a9e \ud83d\ude00", "x": {"y": [true, null, 1.5]}, "c": "\u0001\u007f/"}"#;
        assert_eq!(dumps(&parse(json).unwrap()), python);
    }
}
