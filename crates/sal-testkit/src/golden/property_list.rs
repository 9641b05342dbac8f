//! Answers that are property lists, as the JSON the recordings hold.

use plist::Value as Plist;
use serde_json::{Value, json};

/// The JSON of an XML property list of texts, lists, dicts, booleans and whole numbers; `None` for anything else.
pub(super) fn to_json(body: &[u8]) -> Option<Value> {
    json_of(&Plist::from_reader_xml(body).ok()?)
}

fn json_of(plist: &Plist) -> Option<Value> {
    match plist {
        Plist::String(text) => Some(json!(text)),
        Plist::Boolean(value) => Some(json!(value)),
        Plist::Integer(number) => number.as_signed().map(|number| json!(number)),
        Plist::Array(values) => values.iter().map(json_of).collect(),
        Plist::Dictionary(fields) => fields
            .iter()
            .map(|(name, value)| Some((name.clone(), json_of(value)?)))
            .collect::<Option<_>>()
            .map(Value::Object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_list_becomes_json_and_other_texts_do_not() {
        let xml = b"<?xml version=\"1.0\"?><plist version=\"1.0\"><array><dict><key>a &amp; b</key>\
                    <integer>5</integer><key>c</key><true/></dict><string>x</string></array></plist>";
        assert_eq!(to_json(xml), Some(json!([{"a & b": 5, "c": true}, "x"])));
        assert_eq!(to_json(b"Page not found"), None);
        assert_eq!(to_json(b"<html><body/></html>"), None);
    }
}
