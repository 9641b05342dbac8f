//! The plist of an inventory as rows that fit their columns.

use sal_store::inventory::{ApplicationName, NewItem};

use crate::payload::{self, Unreadable, plist};
use crate::python::{self, Dict, Value};
use crate::submission::{Notes, Warning};

/// A whole inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// SHA-256 of the plist in hexadecimal digits, which the client compares with its own.
    pub(super) sha256hash: String,
    /// What is installed, in the order of the plist.
    pub(super) items: Vec<NewItem>,
    /// Applications that are recorded but not as installed.
    pub(super) unlisted: Vec<ApplicationName>,
    /// What was cut or left out.
    pub(super) warnings: Vec<Warning>,
}

impl Listing {
    /// Reads a plist. `None` when it is empty: then the original keeps what it has.
    pub(super) fn read(bytes: &[u8], limit_bytes: usize) -> Result<Option<Self>, Unreadable> {
        let list = match plist::read(bytes, limit_bytes)? {
            Value::List(list) => list,
            empty if !empty.is_truthy() => return Ok(None),
            _ => {
                return Err(Unreadable::WrongShape(
                    "The inventory is not a list of applications.",
                ));
            }
        };
        if list.is_empty() {
            return Ok(None);
        }
        let mut notes = Notes::default();
        let mut items = Vec::with_capacity(list.len());
        let mut unlisted = Vec::new();
        for value in &list {
            let Some(item) = read_item(value, &mut notes) else {
                continue;
            };
            if item.application.bundleid == IGNORED_BUNDLE {
                unlisted.push(item.application);
            } else {
                items.push(item);
            }
        }
        Ok(Some(Self {
            sha256hash: payload::sha256(bytes),
            items,
            unlisted,
            warnings: notes.into_warnings(),
        }))
    }
}

fn read_item(value: &Value<'_>, notes: &mut Notes) -> Option<NewItem> {
    let item = notes.dict("inventory", Some(value))?;
    let name = |key: &str, notes: &mut Notes| notes.name(key, &text(item, key), NAME_LENGTH);
    let application = ApplicationName {
        name: name("name", notes)?,
        bundleid: name("bundleid", notes)?,
        bundlename: name("CFBundleName", notes)?,
    };
    Some(NewItem {
        application,
        version: notes.cut("version", text(item, "version"), VERSION_LENGTH),
        path: notes.without_nul("path", text(item, "path")),
    })
}

/// A value as Python prints it; absent is empty.
fn text(item: &Dict<'_>, key: &str) -> String {
    item.get(key).map(python::text).unwrap_or_default()
}

/// One of these is made for every printer; the original does not count them as installed.
const IGNORED_BUNDLE: &str = "com.apple.print.PrinterProxy";
/// The length of the three name columns of `inventory_application`.
const NAME_LENGTH: usize = 255;
/// The length of `inventory_inventoryitem.version`.
const VERSION_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Option<Listing>, Unreadable> {
        let plist = format!("<plist version=\"1.0\">{content}</plist>");
        Listing::read(plist.as_bytes(), 1024 * 1024)
    }

    fn entry(pairs: &[(&str, &str)]) -> String {
        let pairs: String = pairs
            .iter()
            .map(|(key, value)| format!("<key>{key}</key><string>{value}</string>"))
            .collect();
        format!("<dict>{pairs}</dict>")
    }

    #[test]
    fn missing_keys_are_empty_and_other_types_are_printed_as_python_does() {
        let listing = read(
            "<array><dict><key>name</key><string>A</string><key>version</key><real>1.0</real>\
             <key>CFBundleName</key><true/></dict></array>",
        );
        let listing = listing.unwrap().unwrap();
        let item = &listing.items[0];
        assert_eq!(item.application.name, "A");
        assert_eq!(item.application.bundleid, "");
        assert_eq!(item.application.bundlename, "True");
        assert_eq!((item.version.as_str(), item.path.as_str()), ("1.0", ""));
        assert_eq!(listing.warnings, []);
    }

    #[test]
    fn q022_a_long_version_is_cut_and_a_long_name_is_left_out() {
        let content = [
            entry(&[("name", "kept"), ("version", &"v".repeat(65))]),
            entry(&[("name", &"ü".repeat(256))]),
            entry(&[("name", &"ü".repeat(255))]),
            entry(&[("bundleid", &"b".repeat(256))]),
            "<string>not a dict</string>".to_owned(),
        ];
        let listing = read(&format!("<array>{}</array>", content.concat()));
        let listing = listing.unwrap().unwrap();
        assert_eq!(listing.items.len(), 2);
        assert_eq!(listing.items[0].version, "v".repeat(64));
        assert_eq!(listing.items[1].application.name, "ü".repeat(255));
        assert_eq!(listing.warnings.len(), 4, "{:?}", listing.warnings);
    }

    #[test]
    fn printer_proxies_are_recorded_and_not_listed() {
        let proxy = entry(&[("name", "Printer"), ("bundleid", IGNORED_BUNDLE)]);
        let listing = read(&format!("<array>{proxy}</array>")).unwrap().unwrap();
        assert_eq!(listing.items, []);
        assert_eq!(listing.unlisted[0].name, "Printer");
    }

    #[test]
    fn q021_nothing_is_no_listing_and_another_shape_is_refused() {
        for empty in ["<array/>", "<dict/>", "<string></string>", "<false/>"] {
            assert_eq!(read(empty), Ok(None), "{empty}");
        }
        for other in ["<dict><key>a</key><true/></dict>", "<string>a</string>"] {
            assert!(
                matches!(read(other), Err(Unreadable::WrongShape(_))),
                "{other}"
            );
        }
    }
}
