//! Forms with packed plists, sent as clients send them, and looks at the tables.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bzip2::Compression;
use bzip2::write::BzEncoder;
use sal_testkit::{TestServer, golden};
use serde_json::json;

/// The key of the seed's first group.
pub(crate) fn key() -> String {
    golden::seed_value("key1").unwrap().unwrap()
}

/// Base64 of the bzip2 of these bytes.
pub(crate) fn pack(bytes: &[u8]) -> String {
    let mut packer = BzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    STANDARD.encode(packer.finish().unwrap())
}

/// Base64 of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// An XML plist with this content.
pub(crate) fn plist(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">{content}</plist>\n"
    )
}

/// A dict of texts.
pub(crate) fn dict(pairs: &[(&str, &str)]) -> String {
    let pairs: String = pairs
        .iter()
        .map(|(key, value)| format!("<key>{key}</key><string>{value}</string>"))
        .collect();
    format!("<dict>{pairs}</dict>")
}

/// Posts a form with the first group's key and returns status and text.
pub(crate) async fn post(
    server: &TestServer,
    path: &str,
    fields: &[(&str, &str)],
) -> (u16, String) {
    let request = server.http.post(server.url(path));
    let request = request.basic_auth("sal", Some(key())).form(fields);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Gets a path with the first group's key and returns status and text.
pub(crate) async fn get(server: &TestServer, path: &str) -> (u16, String) {
    let request = server.http.get(server.url(path));
    let answer = request.basic_auth("sal", Some(key())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Makes a machine by a check-in.
pub(crate) async fn check_in(server: &TestServer, serial: &str) {
    let body = json!({"Machine": {"extra_data": {"serial": serial}}, "Sal": {"extra_data": {"key": key()}}});
    assert_eq!(server.checkin(&key(), body.to_string()).await.0, 200);
}

/// The one text a statement returns; empty for NULL.
pub(crate) async fn text(server: &TestServer, sql: &str) -> String {
    let row = server.database.connect().await.query_one(sql, &[]).await;
    let text: Option<String> = row.unwrap().get(0);
    text.unwrap_or_default()
}
