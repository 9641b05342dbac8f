//! `POST /catalog/hash/` and `POST /catalog/submit/`: munki's catalogs, one set for each machine group.
//!
//! The client asks for the hashes of what we have and sends the catalogs that differ (sal-protocol §5). Its word on
//! the hash is taken. The group is that of the key in the form.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sal_http::checkin_key::{CheckinClient, group_of_key};
use sal_http::{App, AppError, db::machine_client, django};
use sal_store::catalogs::{self, Catalog};
use tracing::{info, warn};

use crate::payload::{self, Payload, Unreadable, plist};
use crate::python::{self, Value};
use crate::{form, retry};

/// Tells the hashes of the catalogs that the client names, as a plist; `NOT FOUND` for those we do not have.
pub(crate) async fn send_hashes(
    State(app): State<App>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    let form = form::read(&app, request).await?;
    let fields = &form.fields;
    let names = match Payload::packed(fields, "catalogs") {
        Some(payload) => payload::open(&app, payload, read_names).await?,
        None => None,
    };
    let names = names.map(|opened| opened.value).unwrap_or_default();
    let Some(key) = group_key(fields) else {
        return if names.is_empty() {
            Ok(django::answer(
                StatusCode::OK,
                hashes_plist(&names, &HashMap::new()),
            ))
        } else {
            Err(missing_key())
        };
    };
    let db = machine_client(0, &app).await?;
    let group = group_of_key(&key, &app, &db).await?;
    let group = group.ok_or(AppError::NotFound)?;
    let mut known = HashMap::new();
    for row in catalogs::hashes(&db, &group.id, &names).await? {
        known.entry(row.name).or_insert(row.sha256hash);
    }
    Ok(django::answer(StatusCode::OK, hashes_plist(&names, &known)))
}

/// Takes a catalog. Answers 200 also when there was none, or none that can be read; then nothing changes.
pub(crate) async fn submit_catalog(
    State(app): State<App>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    let form = form::read(&app, request).await?;
    let fields = &form.fields;
    let payload = Payload::packed(fields, "base64bz2catalog");
    let key = match (group_key(fields), &payload) {
        (Some(key), _) => key,
        (None, Some(_)) => return Err(missing_key()),
        (None, None) => return Ok(submitted()),
    };
    let opened = match payload {
        Some(payload) => payload::open(&app, payload, read_content).await?,
        None => None,
    };
    let (content, _room) = opened.map(|opened| (opened.value, opened.room)).unzip();
    let catalog = match content {
        Some(content) => Some(named(fields, content)?),
        None => None,
    };
    let catalog = catalog.as_ref();
    retry::until_undisturbed(|| store(&app, &key, catalog)).await?;
    if let Some(catalog) = catalog {
        let name = &catalog.name;
        info!(catalog = %name, size_bytes = catalog.content.len(), "catalog {name} stored");
    }
    Ok(submitted())
}

async fn store(app: &App, key: &str, catalog: Option<&Catalog>) -> Result<(), AppError> {
    let bytes = catalog.map_or(0, |catalog| catalog.content.len());
    let tx = machine_client(bytes, app).await?.begin().await?;
    let Some(group) = group_of_key(key, app, &tx).await? else {
        tx.rollback().await?;
        return Err(AppError::NotFound);
    };
    let groups = catalogs::lock_group(&tx, &group.id).await?;
    let (Some(group), Some(catalog)) = (groups.first(), catalog) else {
        tx.rollback().await?;
        return groups.first().map(|_| ()).ok_or(AppError::NotFound);
    };
    catalogs::store(group.id, catalog, &tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The key in the form, if it is not empty.
fn group_key(fields: &HashMap<String, String>) -> Option<String> {
    let key = fields.get("key")?.replace('\0', "");
    (!key.is_empty()).then_some(key)
}

/// A catalog's text as XML, and the hash of what the client packed.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    xml: String,
    sha256hash: String,
}

fn read_content(bytes: &[u8], limit_bytes: usize) -> Result<Content, Unreadable> {
    Ok(Content {
        xml: plist::as_xml(bytes, limit_bytes)?,
        sha256hash: payload::sha256(bytes),
    })
}

/// The names in the client's list of catalogs, in its order. What has no name is left out.
pub(crate) fn read_names(bytes: &[u8], limit_bytes: usize) -> Result<Vec<String>, Unreadable> {
    let list = match plist::read(bytes, limit_bytes)? {
        Value::List(list) => list,
        empty if !empty.is_truthy() => return Ok(Vec::new()),
        _ => {
            return Err(Unreadable::WrongShape(
                "The list of catalogs is not a list.",
            ));
        }
    };
    let names: Vec<String> = list
        .iter()
        .filter_map(|entry| entry.as_dict()?.get("name"))
        .map(|name| python::text(name).replace('\0', ""))
        .collect();
    if names.len() < list.len() {
        let count = list.len() - names.len();
        warn!(count, "{count} entries of a list of catalogs have no name");
    }
    Ok(names)
}

/// The catalog with its name and hash. A hash that is missing or does not fit is computed.
fn named(fields: &HashMap<String, String>, content: Content) -> Result<Catalog, AppError> {
    let name = form::required(fields, "name")?.replace('\0', "");
    if name.chars().count() > NAME_LENGTH {
        return Err(AppError::BadRequest(format!(
            "The name of the catalog is longer than {NAME_LENGTH} characters!"
        )));
    }
    let said = fields.get("sha256hash");
    let fits = said.filter(|hash| hash.chars().count() <= HASH_LENGTH && !hash.contains('\0'));
    if fits.is_none() {
        warn!(catalog = %name, "catalog {name} came without a hash that fits, it was computed");
    }
    Ok(Catalog {
        name,
        sha256hash: fits.cloned().unwrap_or(content.sha256hash),
        content: content.xml,
    })
}

/// The answer of [`send_hashes`], byte for byte as Python's `plistlib` writes it.
fn hashes_plist(names: &[String], known: &HashMap<String, String>) -> String {
    let mut out = plist::HEAD.to_owned();
    out.push_str(if names.is_empty() {
        "<array/>\n"
    } else {
        "<array>\n"
    });
    for name in names {
        out.push_str("\t<dict>\n\t\t<key>name</key>\n\t\t<string>");
        plist::push_escaped(name, &mut out);
        out.push_str("</string>\n\t\t<key>sha256hash</key>\n\t\t<string>");
        plist::push_escaped(known.get(name).map_or("NOT FOUND", |hash| hash), &mut out);
        out.push_str("</string>\n\t</dict>\n");
    }
    if !names.is_empty() {
        out.push_str("</array>\n");
    }
    out.push_str("</plist>\n");
    out
}

fn submitted() -> Response {
    django::answer(StatusCode::OK, "Catalogs submitted.")
}

fn missing_key() -> AppError {
    AppError::BadRequest("The form is missing the required field \"key\"!".to_owned())
}
/// The length of `catalog_catalog.name`.
const NAME_LENGTH: usize = 253;
/// The length of `catalog_catalog.sha256hash`.
const HASH_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_python_writes_them() {
        let names = ["/a & b".to_owned(), "ü<".to_owned()];
        let known = HashMap::from([("ü<".to_owned(), "abc".to_owned())]);
        // Printed by CPython's plistlib.dumps.
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n";
        let two = "<array>\n\t<dict>\n\t\t<key>name</key>\n\t\t<string>/a &amp; b</string>\n\t\t<key>sha256hash</key>\n\t\t<string>NOT FOUND</string>\n\t</dict>\n\t<dict>\n\t\t<key>name</key>\n\t\t<string>ü&lt;</string>\n\t\t<key>sha256hash</key>\n\t\t<string>abc</string>\n\t</dict>\n</array>\n</plist>\n";
        assert_eq!(hashes_plist(&names, &known), format!("{head}{two}"));
        let none = format!("{head}<array/>\n</plist>\n");
        assert_eq!(hashes_plist(&[], &known), none);
    }

    #[test]
    fn q027_a_hash_that_does_not_fit_is_computed_and_a_name_that_does_not_is_refused() {
        let content = || read_content(b"<plist><array/></plist>", 1000).unwrap();
        let fields = |name: &str, hash: Option<String>| {
            let mut fields = HashMap::from([("name".to_owned(), name.to_owned())]);
            fields.extend(hash.map(|hash| ("sha256hash".to_owned(), hash)));
            fields
        };
        let computed = payload::sha256(b"<plist><array/></plist>");
        for (said, stored) in [
            (Some("zz".to_owned()), "zz"),
            (None, &computed),
            (Some("c".repeat(65)), &computed),
        ] {
            let catalog = named(&fields("production", said), content()).unwrap();
            assert_eq!(catalog.sha256hash, stored);
        }
        assert!(named(&fields(&"n".repeat(254), None), content()).is_err());
        assert!(named(&HashMap::new(), content()).is_err());
    }

    #[test]
    fn q027_entries_without_a_name_are_left_out() {
        let names = |content: &str| {
            let plist = format!("<plist>{content}</plist>");
            read_names(plist.as_bytes(), 10_000)
        };
        let entry = "<dict><key>name</key><string>a</string></dict>";
        let all = format!("<array>{entry}<dict/><string>b</string>{entry}</array>");
        assert_eq!(names(&all).unwrap(), ["a", "a"]);
        assert_eq!(names("<dict/>"), Ok(Vec::new()));
        assert!(names(entry).is_err());
    }
}
