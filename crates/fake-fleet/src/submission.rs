//! One request a client makes, ready to send.

use std::fmt;
use std::io::{self, Write as _};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::ser::Formatter;
use serde_json::{Map, Serializer, Value};

/// A client's POST. The body holds the machine group's key, so `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Submission {
    /// Serial number of the machine that sends it.
    pub serial: String,
    /// Path below the server's address, with the trailing slash Sal wants.
    pub path: &'static str,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The bytes to send.
    pub body: Vec<u8>,
}

impl Submission {
    /// A check-in as Sal's Python client writes it.
    pub(crate) fn checkin(serial: String, sections: &Map<String, Value>) -> Self {
        Self {
            serial,
            path: "/checkin/",
            content_type: "application/json",
            body: python_json(sections),
        }
    }

    /// A form, fields in order.
    pub(crate) fn form(serial: String, path: &'static str, fields: &[(&str, &str)]) -> Self {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", form_encoded(value)))
            .collect();
        Self {
            serial,
            path,
            content_type: "application/x-www-form-urlencoded",
            body: fields.join("&").into_bytes(),
        }
    }

    /// A form with the serial and a plist in `field`, packed as Sal's Python client packs it.
    pub(crate) fn packed(serial: &str, path: &'static str, field: &str, plist: &str) -> Self {
        let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        let written = packed.write_all(plist.as_bytes());
        debug_assert!(written.is_ok(), "writing into memory cannot fail");
        let packed = STANDARD.encode(packed.finish().unwrap_or_default());
        let fields = [("serial", serial), (field, packed.as_str())];
        Self::form(serial.to_owned(), path, &fields)
    }
}

/// The head of a plist; it ends with `</plist>`.
pub(crate) const PLIST: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n";

/// A key and a text in a plist's dict.
pub(crate) fn plist_pair(key: &str, value: &str, plist: &mut String) {
    let value = value.replace('&', "&amp;").replace('<', "&lt;");
    plist.push_str("<key>");
    plist.push_str(key);
    plist.push_str("</key><string>");
    plist.push_str(&value);
    plist.push_str("</string>");
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("serial", &self.serial)
            .field("path", &self.path)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// JSON as Python's `json.dumps` writes it: `", "`, `": "`, and ASCII only.
fn python_json(sections: &Map<String, Value>) -> Vec<u8> {
    let mut body = Vec::with_capacity(64 * 1024);
    let mut serializer = Serializer::with_formatter(&mut body, PythonFormat);
    let written = serde::Serialize::serialize(sections, &mut serializer);
    debug_assert!(written.is_ok(), "text keys into memory cannot fail");
    body
}

struct PythonFormat;

impl PythonFormat {
    fn separate<W: ?Sized + io::Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }
}

impl Formatter for PythonFormat {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(w, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        Self::separate(w, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// Percent-encoding of a form value, a blank as `+`.
fn form_encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_the_way_python_writes_it() {
        let value = json!({"a": [1, 2.5, null, true], "ü": "Ada’s \"Mac\" 🖥\n", "e": {}, "l": []});
        let text = String::from_utf8(python_json(value.as_object().unwrap())).unwrap();
        assert_eq!(
            text,
            r#"{"a": [1, 2.5, null, true], "\u00fc": "Ada\u2019s \"Mac\" \ud83d\udda5\n", "e": {}, "l": []}"#
        );
    }

    #[test]
    fn form_values_are_encoded() {
        let form = Submission::form("X".into(), "/p/", &[("a", "b c"), ("name", "Zoë & +")]);
        assert_eq!(form.body, b"a=b+c&name=Zo%C3%AB+%26+%2B");
    }

    #[test]
    fn debug_does_not_show_the_body() {
        let form = Submission::form("X".into(), "/p/", &[("key", "s3cret")]);
        assert!(!format!("{form:?}").contains("s3cret"));
    }
}
