//! Messages and versions of the protocol.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Assistant, open};

const NOW: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const FIRST: (&str, &str) = ("mcp-protocol-version", "2025-03-26");
const STATELESS: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

fn request(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method })
}

#[tokio::test]
async fn a_client_begins_asks_for_the_tools_and_is_remembered_nowhere() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    for (asked, agreed) in [("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")] {
        let begun = assistant
            .ask(
                "initialize",
                json!({ "protocolVersion": asked, "capabilities": {} }),
            )
            .await;
        assert_eq!(begun["protocolVersion"], agreed);
        assert_eq!(begun["serverInfo"]["name"], "sal");
        assert_eq!(begun["capabilities"], json!({ "tools": {} }));
    }
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let taken = assistant.post(note.to_string(), &[NOW]).await;
    assert_eq!(
        (taken.status, taken.body),
        (StatusCode::ACCEPTED, Value::Null)
    );
    assert!(!taken.headers.contains_key("mcp-session-id"));
    let tools = assistant.ask("tools/list", json!({})).await;
    let names: Vec<&str> = tools["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            assert_eq!(tool["annotations"]["readOnlyHint"], true);
            assert_eq!(tool["inputSchema"]["additionalProperties"], false);
            tool["name"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        names,
        [
            "search_machines",
            "get_machine",
            "count_machines",
            "what_changed",
            "explain_checkin",
            "list_fields"
        ]
    );
}

#[tokio::test]
async fn what_is_no_request_is_told_what_is_wrong_with_it() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let large = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "x": "y".repeat(65_536) } });
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let unknown = [("mcp-protocol-version", "2030-01-01")];
    let form = [("content-type", "text/plain")];
    let picture = [("accept", "image/png")];
    for (body, headers, status, code) in [
        ("{".to_owned(), &[NOW][..], 400, -32700),
        ("\u{0}".to_owned(), &[NOW], 400, -32700),
        (deep, &[NOW], 400, -32700),
        (String::new(), &[NOW], 400, -32700),
        ("7".to_owned(), &[NOW], 400, -32600),
        ("{}".to_owned(), &[NOW], 400, -32600),
        (large.to_string(), &[NOW], 413, -32600),
        (request("ping").to_string(), &unknown, 400, -32022),
        (request("ping").to_string(), &form, 415, -32000),
        (request("ping").to_string(), &picture, 406, -32000),
        (request("resources/list").to_string(), &[NOW], 200, -32601),
        (request("server/discover").to_string(), &[NOW], 200, -32601),
        (request("tools/call").to_string(), &[NOW], 200, -32602),
    ] {
        let answer = assistant.post(body.clone(), headers).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.body);
        assert_eq!(
            answer.body["error"]["code"], code,
            "{shown}: {}",
            answer.body
        );
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.len() > 10, "{shown}: {message}");
        assert_eq!(answer.headers["content-type"], "application/json");
    }
    let unknown = assistant
        .ask("tools/call", json!({ "name": "drop_machines" }))
        .await;
    assert_eq!(unknown["code"], -32602);
    let message = unknown["message"].as_str().unwrap();
    assert!(message.starts_with("Unknown tool: `drop_machines`. There are: search_machines,"));
}

#[tokio::test]
async fn batches_are_of_the_version_that_had_them() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let two = json!([
        request("ping"),
        note,
        request("nope"),
        request("initialize")
    ]);
    for headers in [&[FIRST][..], &[]] {
        let answer = assistant.post(two.to_string(), headers).await;
        assert_eq!(answer.status, StatusCode::OK);
        let all = answer.body.as_array().unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!(all[0]["result"], json!({}));
        assert_eq!(all[1]["error"]["code"], -32601);
        assert_eq!(all[2]["error"]["code"], -32600);
        let notes = assistant
            .post(json!([note, note]).to_string(), headers)
            .await;
        assert_eq!(notes.status, StatusCode::ACCEPTED);
        let eleven = json!(vec![request("ping"); 11]);
        for wrong in [json!([]), eleven] {
            let answer = assistant.post(wrong.to_string(), headers).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        }
    }
    for header in [NOW, STATELESS, ("mcp-protocol-version", "2025-06-18")] {
        let answer = assistant.post(two.to_string(), &[header]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{header:?}");
        assert_eq!(answer.body["error"]["code"], -32600);
    }
}

/// A request that says everything itself.
fn by_itself(method: &str, mut params: Value) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if let Value::Object(params) = &mut params {
        params.insert("_meta".to_owned(), meta);
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

/// Since 2026-07-28 each request says everything itself, and its headers say it too.
#[tokio::test]
async fn a_request_by_itself_needs_no_beginning() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    for method in ["server/discover", "tools/list"] {
        let headers = [STATELESS, ("mcp-method", method)];
        let answer = assistant.post(by_itself(method, json!({})), &headers).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let result = &answer.body["result"];
        assert_eq!(
            (&result["resultType"], &result["cacheScope"]),
            (&json!("complete"), &json!("public"))
        );
        assert!(result["ttlMs"].as_u64().unwrap() > 0);
    }
}

#[tokio::test]
async fn headers_say_what_a_request_by_itself_says() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let call = by_itself(
        "tools/call",
        json!({ "name": "list_fields", "arguments": {} }),
    );
    let name = ("mcp-name", "list_fields");
    for (headers, status, code) in [
        (
            vec![STATELESS, ("mcp-method", "tools/call"), name],
            200,
            Value::Null,
        ),
        (
            vec![STATELESS, ("mcp-method", "tools/call")],
            400,
            json!(-32020),
        ),
        (
            vec![STATELESS, ("mcp-method", "tools/list"), name],
            400,
            json!(-32020),
        ),
        (
            vec![
                STATELESS,
                ("mcp-method", "tools/call"),
                ("mcp-name", "get_machine"),
            ],
            400,
            json!(-32020),
        ),
    ] {
        let answer = assistant.post(call.clone(), &headers).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{headers:?}: {}",
            answer.body
        );
        assert_eq!(answer.body["error"]["code"], code);
    }
    let headers = [STATELESS, ("mcp-method", "ping")];
    let gone = assistant.post(by_itself("ping", json!({})), &headers).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(gone.body["error"]["code"], -32601);
    let bare = request("tools/list").to_string();
    let bare = assistant
        .post(bare, &[STATELESS, ("mcp-method", "tools/list")])
        .await;
    assert_eq!(
        (bare.status.as_u16(), &bare.body["error"]["code"]),
        (400, &json!(-32602))
    );
}
