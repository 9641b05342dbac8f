//! `cargo xtask arch`: who may take a database connection.
//!
//! A handler gets its one connection from an extractor (`sal_http::db::Db`) and hands it down. Whoever holds one and
//! asks the pool for another stops the server as soon as enough requests do the same at once. So the few files that
//! take connections themselves stand here, each with the thing it waits for in between.

use std::path::Path;

use anyhow::Result;

use crate::sources;

/// The function that is looked for, and the files below `crates/` that may call it.
const MAY_CALL: &[(&str, &[&str])] = &[
    (
        "store.get(",
        &[
            "sal-http/src/db.rs",
            // Before there is a request.
            "sal-http/src/access/setup.rs",
            // Lines that waited in memory are written by whoever comes, and by the clock.
            "sal-http/src/access/refusals.rs",
            "sal-checkin/src/rehearsal.rs",
            "sal-jobs/src/worker.rs",
        ],
    ),
    (
        "page_client(",
        &[
            "sal-http/src/db.rs",
            // Who asks is found out before the request waits for its turn.
            "sal-http/src/access/session.rs",
            // The provider is asked in between.
            "sal-http/src/access/oidc.rs",
            "sal-http/src/access/oidc/account.rs",
            // Refused logins are written first.
            "sal-web/src/activity/changes.rs",
            // Passwords are hashed in between.
            "sal-web/src/login.rs",
            "sal-web/src/login_notes.rs",
            "sal-web/src/password.rs",
            "sal-web/src/users/edit.rs",
            "sal-web/src/users/new.rs",
            // Somebody else's count is waited for in between.
            "sal-web/src/counted.rs",
            "sal-web/src/background.rs",
            "sal-web/src/widgets/kept.rs",
            // It is shown when the database is away.
            "sal-web/src/database.rs",
            // A folder is read first, and each preview may wait for a count.
            "sal-web/src/settings/plugin_folder.rs",
        ],
    ),
    (
        "export_client(",
        &[
            "sal-http/src/db.rs",
            // The reader of the file is waited for in between.
            "sal-web/src/activity/changes.rs",
            "sal-web/src/activity/checkins.rs",
            "sal-web/src/machine_changes/page.rs",
            "sal-web/src/devices/export.rs",
            "sal-web/src/inventory/export.rs",
        ],
    ),
    (
        "stream_client(",
        &[
            "sal-http/src/db.rs",
            // What was asked with another connection is let go of before.
            "sal-api/src/stream.rs",
        ],
    ),
    (
        "machine_client(",
        &[
            "sal-http/src/db.rs",
            // The key is asked for before the body is read.
            "sal-http/src/checkin_key.rs",
            // Bodies are read, unpacked and tried again in between.
            "sal-checkin/src/broken_client.rs",
            "sal-checkin/src/catalog.rs",
            "sal-checkin/src/filing.rs",
            "sal-checkin/src/inventory.rs",
            "sal-checkin/src/journal.rs",
            "sal-checkin/src/licences.rs",
            "sal-checkin/src/preflight.rs",
            "sal-checkin/src/profiles.rs",
        ],
    ),
];

/// The crates whose code answers requests.
const DOORS: &[&str] = &[
    "sal-http",
    "sal-checkin",
    "sal-web",
    "sal-api",
    "sal-jobs",
    "sal-server",
];

/// Every call that is not in the table, as a sentence.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for source in sources::with_extensions(root, &["rs"])? {
        let Ok(path) = source.path.strip_prefix("crates") else {
            continue;
        };
        let in_a_door = DOORS
            .iter()
            .any(|door| path.starts_with(Path::new(door).join("src")));
        if in_a_door {
            found.extend(look_at(&path.to_string_lossy(), &source.text));
        }
    }
    Ok(found)
}

fn look_at(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (call, files) in MAY_CALL {
            if code.contains(call) && !files.contains(&name) {
                found.push(format!(
                    "{name}:{} takes a connection by `{call}…)`; take `Db` in the handler and hand `&Client` down",
                    number + 1
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_outside_the_table_is_named_with_its_line() {
        let text = "fn show() {\n    // page_client( in a comment\n    let db = page_client(&app).await?;\n}\n";
        let found = look_at("sal-web/src/overview.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("sal-web/src/overview.rs:3 takes"));
        assert_eq!(look_at("sal-web/src/login.rs", text), Vec::<String>::new());
        let bare = "let db = app.store.get(Lane::Pages).await?;";
        assert_eq!(look_at("sal-web/src/login.rs", bare).len(), 1);
    }

    #[test]
    fn every_file_of_the_table_is_there_and_calls() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        for (call, files) in MAY_CALL {
            for file in *files {
                let text = std::fs::read_to_string(crates.join(file)).unwrap_or_default();
                assert!(text.contains(call), "{file} does not call {call}");
            }
        }
    }
}
