//! The official client of the protocol, from PyPI, in both of its ways.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Assistant, open};

#[tokio::test]
async fn the_official_client_finds_and_calls_all_tools() {
    let server = open().await;
    crate::api::machines(12, &server).await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let folder = std::env::var_os("SAL_TESTS_MCP")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-mcp"), PathBuf::from);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/assistants/client.py");
    let output = tokio::process::Command::new(folder.join("bin/python"))
        .args([script, &server.url("/mcp")])
        .env("SAL_TEST_TOKEN", assistant.secret.reveal())
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (mode, version) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        let seen = &seen[mode];
        assert_eq!(seen["version"], version);
        assert!(
            seen["instructions"]
                .as_str()
                .unwrap()
                .contains("list_fields")
        );
        assert_eq!(seen["tools"].as_array().unwrap().len(), 6);
        let answers = &seen["answers"];
        assert_eq!(answers["search_machines"]["total"], 12, "{mode}");
        assert_eq!(
            answers["search_machines"]["machines"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        assert_eq!(answers["get_machine"]["machine"]["hostname"], "mac-1");
        assert_eq!(answers["count_machines"]["machines"], 12);
        assert_eq!(answers["what_changed"]["events"][0]["kind"], "checkins");
        assert!(answers["explain_checkin"]["summary"].is_string());
        assert_eq!(answers["list_fields"]["notes"], json!([]));
        assert!(
            seen["refused"]
                .as_str()
                .unwrap()
                .contains("did you mean `hostname`?")
        );
    }
}
