//! Fills in the variables of a scenario, and writes bodies the way the recorder did.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bzip2::Compression;
use bzip2::write::BzEncoder;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::names::Names;

/// Where the values of `${name}` come from.
pub(super) struct Values<'a> {
    /// The values of `seed_vars.json`, and `base`.
    pub(super) variables: &'a Map<String, Value>,
    pub(super) names: &'a Names,
    pub(super) now: Timestamp,
}

/// What a scenario asked for and the replay does not know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) String);

impl Values<'_> {
    /// Fills in a text. An unknown `${name}` stays as it stands: it may be test data.
    pub(super) fn text(&self, text: &str) -> Result<String, Unknown> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                filled.push_str("${");
                rest = after;
                continue;
            };
            match self.variable(name)? {
                Some(value) => filled.push_str(&value),
                None => filled.push_str(&format!("${{{name}}}")),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Fills in all texts of a value, keys included, and resolves the `$` directives.
    pub(super) fn value(&self, value: &Value) -> Result<Value, Unknown> {
        match value {
            Value::String(text) => Ok(self.text(text)?.into()),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => self.object(fields),
            other => Ok(other.clone()),
        }
    }

    fn object(&self, fields: &Map<String, Value>) -> Result<Value, Unknown> {
        if let (1, Some((name, argument))) = (fields.len(), fields.iter().next())
            && name.starts_with('$')
            && !name.starts_with("${")
        {
            return self.directive(name, argument);
        }
        let mut filled = Map::new();
        for (name, value) in fields {
            filled.insert(self.text(name)?, self.value(value)?);
        }
        Ok(Value::Object(filled))
    }

    fn directive(&self, name: &str, argument: &Value) -> Result<Value, Unknown> {
        let unknown = || Unknown(format!("{{\"{name}\": …}}"));
        match name {
            "$b64" => {
                let text = self.text(argument.as_str().ok_or_else(unknown)?)?;
                Ok(STANDARD.encode(text).into())
            }
            "$b64bz2" => {
                let text = self.text(argument.as_str().ok_or_else(unknown)?)?;
                let mut packer = BzEncoder::new(Vec::new(), Compression::best());
                // Writing to a Vec does not fail.
                let packed = packer
                    .write_all(text.as_bytes())
                    .and_then(|()| packer.finish());
                let packed = packed.map_err(|_impossible| unknown())?;
                Ok(STANDARD.encode(packed).into())
            }
            "$repeat" => {
                let parts = argument.as_array();
                let part = |n: usize| parts.and_then(|parts| parts.get(n));
                let times = part(1).and_then(Value::as_u64).ok_or_else(unknown)?;
                let times = usize::try_from(times).map_err(|_too_many| unknown())?;
                Ok(self
                    .text(part(0).and_then(Value::as_str).ok_or_else(unknown)?)?
                    .repeat(times)
                    .into())
            }
            _ => Err(unknown()),
        }
    }

    fn variable(&self, name: &str) -> Result<Option<String>, Unknown> {
        match self.variables.get(name) {
            Some(Value::String(text)) => return Ok(Some(text.clone())),
            Some(value) => return Ok(Some(value.to_string())),
            None => {}
        }
        let Some((kind, argument)) = name.split_once(':') else {
            return Ok(None);
        };
        if kind == "ago" {
            let days: i64 = argument
                .parse()
                .map_err(|_not_whole| Unknown(format!("${{{name}}}")))?;
            let time = self.now - SignedDuration::from_hours(24 * days);
            return Ok(Some(time.strftime("%Y-%m-%dT%H:%M:%S.123456Z").to_string()));
        }
        if Names::knows(kind) {
            return Ok(Some(self.names.id(kind, argument).to_owned()));
        }
        Err(Unknown(format!("${{{name}}}")))
    }
}

/// JSON as Python's `json.dumps` writes it: blanks after separators, ASCII only.
pub(super) fn python_json(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(python_json).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| {
                    format!("{}: {}", python_json(&json!(name)), python_json(value))
                })
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::String(_) => ascii(&value.to_string()),
        other => other.to_string(),
    }
}

fn ascii(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

/// The fields of a form in order: an object (lists repeat the name) or a list of pairs.
pub(super) fn form_fields(form: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (name, value) in form.as_object().into_iter().flatten() {
        match value {
            Value::Array(values) => fields.extend(
                values
                    .iter()
                    .map(|value| (name.clone(), python_text(value))),
            ),
            value => fields.push((name.clone(), python_text(value))),
        }
    }
    for pair in form.as_array().into_iter().flatten() {
        let part = |n: usize| pair.get(n).map(python_text).unwrap_or_default();
        fields.push((part(0), part(1)));
    }
    fields
}

/// The fields as a form body.
pub(super) fn form_body(fields: &[(String, String)]) -> String {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", form_encoded(name), form_encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn form_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
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

fn python_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// The token of a Django form, from its HTML.
pub(super) fn csrf_token(html: &str) -> Option<String> {
    let pattern = Regex::new(r#"name=["']csrfmiddlewaretoken["'] value=["']([^"']+)"#).ok()?;
    let found = pattern.captures(html)?.get(1)?;
    Some(found.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_values(check: impl Fn(&Values<'_>)) {
        let variables = json!({"key1": "k", "n": 5});
        let names = Names::default();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        check(&Values {
            variables: variables.as_object().unwrap(),
            names: &names,
            now,
        });
    }

    #[test]
    fn variables_are_filled_in_and_unknown_names_stay() {
        with_values(|values| {
            let text = |text: &str| values.text(text).unwrap();
            assert_eq!(text("a ${key1}${n} ${x} ${open"), "a k5 ${x} ${open");
            assert_eq!(text("${ago:2}"), "2026-11-20T10:00:00.123456Z");
            assert_eq!(text("/m/${machine:C02}/"), "/m/0/");
            assert_eq!(
                values.text("${profile:1}"),
                Err(Unknown("${profile:1}".to_owned()))
            );
        });
    }

    #[test]
    fn directives_are_resolved_and_unknown_ones_refused() {
        with_values(|values| {
            let value = json!({"${key1}": [{"$repeat": ["ab${n}", 2]}, {"$b64": "${key1}"}], "$a": 1, "$b": 2});
            let expected = json!({"k": ["ab5ab5", "aw=="], "$a": 1, "$b": 2});
            assert_eq!(values.value(&value), Ok(expected));
            let packed = values.value(&json!({"$b64bz2": "${key1}"})).unwrap();
            let packed = STANDARD.decode(packed.as_str().unwrap()).unwrap();
            assert_eq!(packed, *b"BZh91AY&SY6\x19M\xbd\x00\x00\x00\x01\x00\x00\x08 \x00!\x18F\x82\xeeH\xa7\x0a\x12\x06\xc3)\xb7\xa0");
            let unknown = values.value(&json!({"x": {"$gzip": "text"}}));
            assert_eq!(unknown, Err(Unknown("{\"$gzip\": …}".to_owned())));
        });
    }

    #[test]
    fn bodies_are_written_as_python_writes_them() {
        let value = json!({"a": [1, 2.5, null, true], "ü": "’\"\n🖥"});
        assert_eq!(
            python_json(&value),
            r#"{"a": [1, 2.5, null, true], "\u00fc": "\u2019\"\n\ud83d\udda5"}"#
        );
        let fields = form_fields(&json!({"a": ["1", 2], "b": "x y&ü", "c": true}));
        assert_eq!(form_body(&fields), "a=1&a=2&b=x+y%26%C3%BC&c=True");
        assert_eq!(
            form_body(&form_fields(&json!([["a", "1"], ["a", "2"]]))),
            "a=1&a=2"
        );
    }

    #[test]
    fn a_form_token_is_found() {
        let html = r#"<input type="hidden" name="csrfmiddlewaretoken" value="tok123">"#;
        assert_eq!(csrf_token(html).as_deref(), Some("tok123"));
        assert_eq!(csrf_token("<form></form>"), None);
    }
}
