//! What an address below `/api/v2/` names. Pure.

use percent_encoding::percent_decode_str;
use sal_store::resources::{RESOURCES, Resource};

/// Something that an address names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    /// The list of the resources.
    Root,
    /// All of a resource.
    List(&'static Resource),
    /// One of them, by what its lookup finds it by.
    One(&'static Resource, String),
    /// The machines that a saved search finds.
    Execute(String),
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// An address, and the format that its suffix asks for.
    Here(Address, Option<String>),
    /// It is one with a slash at the end.
    NeedsSlash,
    /// Nothing has this address.
    Nothing,
}

/// Reads the path behind `/api/v2`.
pub(crate) fn read(rest: &str) -> Found {
    let Some(path) = rest.strip_prefix('/') else {
        return match rest {
            "" => Found::NeedsSlash,
            _ => Found::Nothing,
        };
    };
    let (path, has_slash) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, path.is_empty()),
    };
    let (path, format) = suffix(path);
    let Some(address) = named(path) else {
        return Found::Nothing;
    };
    if has_slash || format.is_some() {
        return Found::Here(address, format);
    }
    Found::NeedsSlash
}

/// A suffix that names a format. What else follows a dot belongs to the name: serial numbers may have dots.
fn suffix(path: &str) -> (&str, Option<String>) {
    for format in ["json", "api"] {
        let start = path.strip_suffix(format);
        if let Some(start) = start.and_then(|start| start.strip_suffix('.')) {
            return (start, Some(format.to_owned()));
        }
    }
    (path, None)
}

fn named(path: &str) -> Option<Address> {
    if path.is_empty() {
        return Some(Address::Root);
    }
    let segments: Vec<&str> = path.split('/').collect();
    let resource = |name: &str| RESOURCES.into_iter().find(|resource| resource.name == name);
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok()?;
        (!text.is_empty()).then(|| text.into_owned())
    };
    match segments.as_slice() {
        [name] => Some(Address::List(resource(name)?)),
        [name, id] => Some(Address::One(resource(name)?, decoded(id)?)),
        ["saved_searches", id, "execute"] => Some(Address::Execute(decoded(id)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sal_store::resources::{MACHINES, SAVED_SEARCHES};

    use super::*;

    #[test]
    fn addresses_are_those_of_django_rest_framework() {
        let here = |address| Found::Here(address, None);
        let json = |address| Found::Here(address, Some("json".to_owned()));
        let one = |id: &str| Address::One(&MACHINES, id.to_owned());
        for (rest, found) in [
            ("", Found::NeedsSlash),
            ("/", here(Address::Root)),
            ("/.json", json(Address::Root)),
            ("/machines", Found::NeedsSlash),
            ("/machines/", here(Address::List(&MACHINES))),
            ("/machines.json", json(Address::List(&MACHINES))),
            ("/machines.json/", json(Address::List(&MACHINES))),
            ("/machines/C02/", here(one("C02"))),
            ("/machines/C02", Found::NeedsSlash),
            ("/machines/C02.json", json(one("C02"))),
            ("/machines/a%2Fb/", here(one("a/b"))),
            (
                "/saved_searches/7/execute/",
                here(Address::Execute("7".to_owned())),
            ),
            ("/saved_searches/", here(Address::List(&SAVED_SEARCHES))),
            ("/machines/7/execute/", Found::Nothing),
            ("/nope/", Found::Nothing),
            ("/machines//", Found::Nothing),
            ("2/", Found::Nothing),
        ] {
            assert_eq!(read(rest), found, "{rest}");
        }
    }

    #[test]
    fn q183_a_serial_number_may_have_dots() {
        let found = Found::Here(Address::One(&MACHINES, "a.b".to_owned()), None);
        assert_eq!(read("/machines/a.b/"), found);
    }
}
