//! Property lists, XML and binary, as values of Python; bounded in depth and in size.
//!
//! The bounds count what comes out, because a binary plist of a kilobyte can name one list a billion times.
//! Not here: the old text format, which the original does not read either.

mod text;

use std::borrow::Cow;
use std::io::Cursor;

use plist::stream::{BinaryReader, OwnedEvent, Writer, XmlReader, XmlWriter};

use super::Unreadable;
use crate::python::{Dict, Value};

/// The value in a plist. Dates become texts such as `2025-03-01 08:00:00 +0000`, data becomes base64.
pub(crate) fn read(bytes: &[u8], limit_bytes: usize) -> Result<Value<'static>, Unreadable> {
    let mut builder = Builder::default();
    walk(bytes, limit_bytes, VALUE_BYTES, &mut |event| {
        builder.take(event)
    })?;
    builder.root.ok_or(NOT_A_PLIST)
}

/// A plist as XML: text that is XML already as it is, a binary plist written anew.
pub(crate) fn as_xml(bytes: &[u8], limit_bytes: usize) -> Result<String, Unreadable> {
    if !bytes.starts_with(BINARY) {
        walk(bytes, limit_bytes, EVENT_BYTES, &mut |_event| Ok(()))?;
        // The mark stays where Python leaves it.
        let text = match str::from_utf8(bytes) {
            Ok(text) if !text::declares_another(bytes) => text.to_owned(),
            _ => text::decode(bytes)?.into_owned(),
        };
        return Ok(text);
    }
    let mut written = Vec::new();
    let mut writer = XmlWriter::new(&mut written);
    walk(bytes, limit_bytes, EVENT_BYTES, &mut |event| {
        writer.write(event).map_err(|_error| NOT_A_PLIST)
    })?;
    drop(writer);
    written.push(b'\n');
    // A binary plist can hold control characters, XML cannot, and Python would refuse all of it.
    written.retain(|byte| *byte >= b' ' || b"\t\n\r".contains(byte));
    String::from_utf8(written).map_err(|_not_utf8| NOT_A_PLIST)
}

/// Hands every event to `take`, checking that it is one whole value, not too deep and not too large.
fn walk(
    bytes: &[u8],
    limit_bytes: usize,
    each_bytes: usize,
    take: &mut dyn FnMut(OwnedEvent) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    if bytes.starts_with(BINARY) {
        // The reader makes eight bytes of a reference of one.
        let limit_of_file = limit_bytes / 4;
        if bytes.len() > limit_of_file {
            return Err(Unreadable::TooLarge {
                limit_bytes: limit_of_file,
            });
        }
        return check(
            BinaryReader::new(Cursor::new(bytes)),
            limit_bytes,
            each_bytes,
            take,
        );
    }
    let text = text::decode(bytes)?;
    if !text.starts_with("<?xml") && !text.starts_with("<plist") {
        return Err(NOT_A_PLIST);
    }
    // Before what is no base64 is left out, which NUL would be, too.
    if text.contains('\0') {
        return Err(NOT_A_PLIST);
    }
    let text = text::in_plain_words(&text)?;
    if text.contains("<!ENTITY") {
        return Err(Unreadable::Broken("it is a plist that declares entities"));
    }
    check(
        XmlReader::new(without_cdata(&text).as_bytes()),
        limit_bytes,
        each_bytes,
        take,
    )
}

fn check(
    events: impl Iterator<Item = Result<OwnedEvent, plist::Error>>,
    limit_bytes: usize,
    each_bytes: usize,
    take: &mut dyn FnMut(OwnedEvent) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut depth = 0_usize;
    let mut size_bytes = 0_usize;
    for event in events {
        let event = event.map_err(|_error| NOT_A_PLIST)?;
        match &event {
            OwnedEvent::StartArray(_) | OwnedEvent::StartDictionary(_) => depth += 1,
            OwnedEvent::EndCollection => depth = depth.checked_sub(1).ok_or(NOT_A_PLIST)?,
            _ => {}
        }
        size_bytes = size_bytes.saturating_add(weight(&event).saturating_add(each_bytes));
        if depth > DEPTH {
            return Err(Unreadable::TooDeep);
        }
        if size_bytes > limit_bytes {
            return Err(Unreadable::TooLarge { limit_bytes });
        }
        take(event)?;
        if depth == 0 {
            return Ok(());
        }
    }
    // Ended within a list or dict, or before there was anything.
    Err(NOT_A_PLIST)
}

/// What an event brings along. A list in a binary plist costs all its references at once, and lists in each
/// other can share the bytes of theirs.
fn weight(event: &OwnedEvent) -> usize {
    let references = |count: &Option<u64>| {
        let count = usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX);
        count.saturating_mul(8)
    };
    match event {
        OwnedEvent::String(text) => text.len(),
        OwnedEvent::Data(data) => data.len(),
        OwnedEvent::StartArray(count) => references(count),
        OwnedEvent::StartDictionary(count) => references(count).saturating_mul(2),
        _ => 0,
    }
}

/// CDATA sections as ordinary text; the reader would skip them, and Python does not.
fn without_cdata(text: &str) -> Cow<'_, str> {
    const OPEN: &str = "<![CDATA[";
    if !text.contains(OPEN) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(OPEN) {
        plain.push_str(before);
        let (content, after) = inside.split_once("]]>").unwrap_or((inside, ""));
        push_escaped(content, &mut plain);
        rest = after;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Adds `text` as XML text. Control characters, which XML cannot hold, are left out.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' => {}
            c => out.push(c),
        }
    }
}

/// An event that is passed on, and one that becomes a value in a list or dict.
const EVENT_BYTES: usize = 16;
const VALUE_BYTES: usize = 96;

/// Values out of events, without recursion.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Value<'static>>,
}

/// A collection that is not finished; a dict with the key that waits for its value.
enum Open {
    List(Vec<Value<'static>>),
    Dict(Dict<'static>, Option<String>),
}

impl Builder {
    fn take(&mut self, event: OwnedEvent) -> Result<(), Unreadable> {
        if let Some(Open::Dict(_, key @ None)) = self.open.last_mut() {
            match event {
                OwnedEvent::String(name) => *key = Some(name.into_owned()),
                OwnedEvent::EndCollection => return self.close(),
                _ => return Err(NOT_A_PLIST),
            }
            return Ok(());
        }
        let value = match event {
            OwnedEvent::StartArray(_) => {
                self.open.push(Open::List(Vec::new()));
                return Ok(());
            }
            OwnedEvent::StartDictionary(_) => {
                self.open.push(Open::Dict(Dict::default(), None));
                return Ok(());
            }
            OwnedEvent::EndCollection => return self.close(),
            scalar => scalar_value(scalar)?,
        };
        self.place(value)
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let value = match self.open.pop() {
            Some(Open::List(list)) => Value::List(list),
            Some(Open::Dict(dict, None)) => Value::Dict(dict),
            Some(Open::Dict(_, Some(_))) | None => return Err(NOT_A_PLIST),
        };
        self.place(value)
    }

    fn place(&mut self, value: Value<'static>) -> Result<(), Unreadable> {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Dict(dict, key)) => dict.set(key.take().ok_or(NOT_A_PLIST)?, value),
        }
        Ok(())
    }
}

fn scalar_value(event: OwnedEvent) -> Result<Value<'static>, Unreadable> {
    Ok(match event {
        OwnedEvent::Boolean(value) => Value::Bool(value),
        OwnedEvent::Integer(number) => Value::Int(number.to_string().into()),
        OwnedEvent::Real(number) => Value::Float(number),
        OwnedEvent::String(text) => match text::wide_integer(&text) {
            Some(digits) => Value::Int(digits.to_owned().into()),
            None => Value::Text(text.into_owned().into()),
        },
        OwnedEvent::Date(date) => {
            let iso = date.to_xml_format();
            Value::Text(iso.replacen('T', " ", 1).replacen('Z', " +0000", 1).into())
        }
        OwnedEvent::Data(data) => {
            use ::base64::Engine;
            Value::Text(
                ::base64::engine::general_purpose::STANDARD
                    .encode(data)
                    .into(),
            )
        }
        _ => return Err(NOT_A_PLIST),
    })
}

/// How deep lists and dicts may be in each other. Configuration profiles reach about ten.
pub(crate) const DEPTH: usize = 64;
const BINARY: &[u8] = b"bplist00";
const NOT_A_PLIST: Unreadable = Unreadable::Broken("it is not a property list");

/// What Python's `plistlib` writes before the first value.
pub(crate) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
     \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n";

#[cfg(test)]
mod tests;
