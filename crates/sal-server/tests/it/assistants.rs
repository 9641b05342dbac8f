//! `/mcp`, where assistants ask: who may, in which words, and what a token lets them see.
#![expect(
    clippy::indexing_slicing,
    reason = "an answer that lacks something fails the test"
)]

use reqwest::{Method, StatusCode};
use sal_http::{HttpConfig, api_token::TokenSecret};
use sal_testkit::{Database, Filled, Shape, TestServer, golden};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::api::tokens::{number, token};

mod client;
mod protocol;
mod tools;

/// A server that lets assistants ask.
async fn open() -> TestServer {
    let config = HttpConfig {
        assistants: true,
        ..HttpConfig::default()
    };
    TestServer::with(Filled::Seeded, config).await
}

/// An assistant with a token.
struct Assistant<'a> {
    server: &'a TestServer,
    secret: TokenSecret,
}

struct Said {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl<'a> Assistant<'a> {
    async fn new(more: &[(&str, &str)], server: &'a TestServer, db: &Client) -> Self {
        let tokens = number("SELECT count(*) FROM salrs_api_token", db).await;
        Self {
            server,
            secret: token(&format!("assistant {tokens}"), more, db).await,
        }
    }

    async fn post(&self, body: String, headers: &[(&str, &str)]) -> Said {
        let mut request = self.server.http.post(self.server.url("/mcp"));
        request = request.bearer_auth(self.secret.reveal());
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        said(request.body(body).send().await.unwrap()).await
    }

    /// The result of a request, or its error.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let version = [("mcp-protocol-version", "2025-11-25")];
        let said = self.post(request.to_string(), &version).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.body);
        assert_eq!(said.body["id"], 7);
        match said.body.get("result") {
            Some(result) => result.clone(),
            None => said.body["error"].clone(),
        }
    }

    /// What a tool answers: an object, which is its text as well.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let result = self.ask("tools/call", params).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.len() <= 64 * 1024, "{tool}: {}", text.len());
        let answer: Value = serde_json::from_str(text).unwrap();
        assert_eq!(answer, result["structuredContent"]);
        answer
    }

    /// The sentence of a tool that gives no answer.
    async fn refused(&self, tool: &str, arguments: Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments });
        let result = self.ask("tools/call", params).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        assert!(result.get("structuredContent").is_none());
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

async fn said(answer: reqwest::Response) -> Said {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    Said {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    }
}

#[tokio::test]
async fn q176_assistants_are_answered_only_where_it_is_switched_on() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    for path in ["/mcp", "/mcp/"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let request = server.http.request(method.clone(), server.url(path));
            let request = request.bearer_auth(assistant.secret.reveal());
            let answer = said(
                request
                    .header("origin", "https://evil.example")
                    .send()
                    .await
                    .unwrap(),
            );
            let answer = answer.await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
            assert_eq!(answer.body, json!({ "detail": "Not found." }));
        }
    }
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    for path in ["/mcp", "/mcp/"] {
        for method in [Method::GET, Method::DELETE, Method::PUT, Method::OPTIONS] {
            let request = server.http.request(method.clone(), server.url(path));
            let request = request.bearer_auth(assistant.secret.reveal());
            let answer = said(request.send().await.unwrap()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(answer.headers["allow"], "POST");
        }
    }
    assert_eq!(assistant.ask("ping", json!({})).await, json!({}));
}

#[tokio::test]
async fn only_a_token_that_counts_lets_in() {
    let server = open().await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let part = |part: &str| golden::seed_value(part).unwrap().unwrap();
    let form = [("username", "admin"), ("password", "password")];
    let login = server.http.post(server.url("/login/")).form(&form).send();
    let login = login.await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let wrong = format!("Bearer {}", TokenSecret::draw().reveal());
    for (headers, words) in [
        (vec![], "An API token is needed"),
        (vec![("cookie", cookie)], "An API token is needed"),
        (
            vec![
                ("publickey", part("rw_pub")),
                ("privatekey", part("rw_priv")),
            ],
            "An API token is needed",
        ),
        (vec![("authorization", wrong)], "not known"),
        (
            vec![("authorization", "Bearer x".to_owned())],
            "no token of Sal",
        ),
    ] {
        let mut request = server.http.post(server.url("/mcp"));
        request = request.header("content-type", "application/json");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let answer = said(request.body(ping.clone()).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer realm=\"Sal\""), "{challenge}");
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert_eq!(answer.body["id"], Value::Null);
    }
    assert_eq!(
        assistant.post(ping.clone(), &[]).await.status,
        StatusCode::OK
    );
    db.batch_execute("UPDATE salrs_api_token SET revoked = now()")
        .await
        .unwrap();
    let answer = assistant.post(ping, &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

/// A page of another site, also one that was given this server's address under its own name.
#[tokio::test]
async fn pages_of_other_sites_may_not_ask() {
    let shape = Shape {
        http: HttpConfig {
            assistants: true,
            ..HttpConfig::default()
        },
        options: sal_server::Options {
            public_url: Some("https://sal.example.org".to_owned()),
            ..sal_server::Options::default()
        },
        ..Shape::default()
    };
    let server = TestServer::shaped(Database::new(Filled::Seeded).await, shape);
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let own = server.base_url.clone();
    for (origin, status) in [
        ("https://sal.example.org", StatusCode::OK),
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        (own.as_str(), StatusCode::FORBIDDEN),
    ] {
        let answer = assistant.post(ping.clone(), &[("origin", origin)]).await;
        assert_eq!(answer.status, status, "{origin}: {}", answer.body);
        if status == StatusCode::FORBIDDEN {
            let message = answer.body["error"]["message"].as_str().unwrap();
            assert!(message.contains("SAL_PUBLIC_URL"), "{message}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let rebound = [("origin", "http://evil.example"), ("host", "evil.example")];
    let answer = assistant.post(ping, &rebound).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_budget_is_that_of_the_api() {
    let config = HttpConfig {
        assistants: true,
        api_limit: 4,
        ..HttpConfig::default()
    };
    let server = TestServer::with(Filled::Seeded, config).await;
    let db = server.database.connect().await;
    let assistant = Assistant::new(&[], &server, &db).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let answer = assistant.post(ping.to_string(), &[]).await;
    let left = answer.headers["ratelimit"].to_str().unwrap();
    assert!(left.starts_with("\"requests\";r=3;t="), "{left}");
    let api = server.http.get(server.url("/api/v2/"));
    let api = api.bearer_auth(assistant.secret.reveal());
    assert_eq!(api.send().await.unwrap().status(), StatusCode::OK);
    // Each message of a batch counts.
    let three = json!([ping, ping, ping]).to_string();
    let answer = assistant.post(three, &[]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers.contains_key("retry-after"));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Request was throttled. Expected available in "));
}
