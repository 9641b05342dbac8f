//! The packed fields of forms: base64, bzip2, plist, and what the routes read in them.
//!
//! The first byte says what comes: `p` a plist, `b` the field as text with bzip2 in it, `t` the field as text without.
//! What is unpacked stays under the limit, and every text fits its column in `schema/sal-4.sql`.

use sal_checkin::fuzzed;

use crate::Outcome;

/// Checks one field or plist.
pub fn check(data: &[u8]) -> Outcome {
    let Some((kind, rest)) = data.split_first() else {
        return Outcome::Refused;
    };
    match kind {
        b'p' => read(rest),
        b'b' | b't' => {
            let text = String::from_utf8_lossy(rest);
            match fuzzed::unpack(&text, *kind == b'b', LIMIT) {
                Ok(bytes) => {
                    assert!(bytes.len() <= LIMIT, "{} bytes were unpacked", bytes.len());
                    read(&bytes)
                }
                Err(_) => Outcome::Refused,
            }
        }
        _ => Outcome::Refused,
    }
}

/// A plist that one of the routes can read is accepted; all of them must live through it.
fn read(bytes: &[u8]) -> Outcome {
    let inventory = fuzzed::inventory(bytes, LIMIT);
    for [name, bundle_id, bundle_name, version] in inventory.iter().flatten() {
        for (text, most) in [(name, 255), (bundle_id, 255), (bundle_name, 255), (version, 64)] {
            fits(text, most);
        }
    }
    let profiles = fuzzed::profiles(bytes, LIMIT);
    for [identifier, uuid] in profiles.iter().flatten() {
        fits(identifier, 255);
        fits(uuid, 255);
    }
    let catalog = fuzzed::catalog(bytes, LIMIT);
    if let Ok(xml) = &catalog {
        assert!(!xml.contains('\0'), "a catalog with a NUL character");
    }
    if inventory.is_ok() || profiles.is_ok() || catalog.is_ok() {
        Outcome::Accepted
    } else {
        Outcome::Refused
    }
}

fn fits(text: &str, most: usize) {
    let length = text.chars().count();
    assert!(length <= most, "{length} characters where {most} fit");
    assert!(!text.contains('\0'), "a NUL character in {text:?}");
}

/// Small, so that a bomb reaches it at once.
const LIMIT: usize = 64 * 1024;
