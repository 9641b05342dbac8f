//! JSON-RPC 2.0: messages, results, errors.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use crate::answer;

/// What somebody sent.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// Something that is to be answered.
    Request {
        id: Json,
        method: String,
        params: Json,
    },
    /// Something that is not.
    Notification,
    /// The answer to a question that this server never asks.
    Response,
}

/// What is wrong with a message.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    code: i32,
    message: String,
    data: Option<Box<Json>>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong, and the id of the answer.
    pub(super) fn read(sent: Json) -> Result<Self, (Json, Fault)> {
        let refuse = |id: Json, why: &str| Err((id, Fault::invalid(why)));
        let Json::Object(mut sent) = sent else {
            return refuse(Json::Null, "A message is a JSON object.");
        };
        let has_id = sent.contains_key("id");
        let id = sent.remove("id").unwrap_or_default();
        if !(id.is_string() || id.is_i64() || id.is_u64() || !has_id) {
            return refuse(Json::Null, "`id` is a text or a whole number.");
        }
        if sent.get("jsonrpc") != Some(&json!("2.0")) {
            return refuse(id, "`jsonrpc` has to be \"2.0\".");
        }
        let method = match sent.remove("method") {
            Some(Json::String(method)) => method,
            None if sent.contains_key("result") || sent.contains_key("error") => {
                return Ok(Self::Response);
            }
            _ => return refuse(id, "`method` is missing, or no text."),
        };
        let params = sent.remove("params").unwrap_or_else(|| json!({}));
        if !params.is_object() {
            return refuse(id, "`params` is an object here.");
        }
        Ok(match has_id {
            true => Self::Request { id, method, params },
            false => Self::Notification,
        })
    }
}

impl Fault {
    fn new(code: i32, message: String) -> Self {
        Self {
            code,
            message,
            data: None,
        }
    }

    pub(super) fn parse(error: &serde_json::Error) -> Self {
        Self::new(PARSE_ERROR, format!("This is no JSON: {error}"))
    }

    /// No message of the protocol.
    pub(super) fn invalid(why: &str) -> Self {
        Self::new(INVALID_REQUEST, why.to_owned())
    }

    /// A request that lacks something.
    pub(super) fn params(why: String) -> Self {
        Self::new(INVALID_PARAMS, why)
    }

    pub(super) fn unknown_method(method: &str) -> Self {
        let method: String = method.chars().take(100).collect();
        Self::new(
            METHOD_NOT_FOUND,
            format!("There is no method `{method}` here. There are tools/list and tools/call."),
        )
    }

    /// A header that says something else than the message.
    pub(super) fn header(why: String) -> Self {
        Self::new(HEADER_MISMATCH, why)
    }

    /// A version that is not spoken here.
    pub(super) fn version(asked: &str, supported: &[&str]) -> Self {
        let asked: String = asked.chars().take(100).collect();
        Self {
            code: UNSUPPORTED_VERSION,
            message: format!(
                "The version `{asked}` of the protocol is not spoken here, but {} are.",
                supported.join(", ")
            ),
            data: Some(Box::new(
                json!({ "supported": supported, "requested": asked }),
            )),
        }
    }

    fn status(&self) -> StatusCode {
        match self.code {
            METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

pub(super) fn result_body(id: &Json, result: Json) -> Json {
    let mut body = json!({ "jsonrpc": "2.0", "id": id });
    if let Json::Object(body) = &mut body {
        body.insert("result".to_owned(), result);
    }
    body
}

pub(super) fn result(id: &Json, result: Json) -> Response {
    answer::json(StatusCode::OK, &result_body(id, result))
}

pub(super) fn fault_body(id: &Json, fault: &Fault) -> Json {
    let mut error = Map::new();
    error.insert("code".to_owned(), json!(fault.code));
    error.insert("message".to_owned(), json!(fault.message));
    if let Some(data) = &fault.data {
        error.insert("data".to_owned(), data.as_ref().clone());
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

pub(super) fn fault(id: &Json, fault: &Fault) -> Response {
    answer::json(fault.status(), &fault_body(id, fault))
}

/// An error of the API as one of JSON-RPC, with its status and its headers.
pub(super) async fn of_response(response: Response, id: &Json) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
    let said: Json = serde_json::from_slice(&bytes).unwrap_or_default();
    let detail = said.get("detail").and_then(Json::as_str);
    let code = match parts.status.is_server_error() {
        true => INTERNAL_ERROR,
        false => REFUSED,
    };
    let fault = Fault::new(code, detail.unwrap_or("The request failed.").to_owned());
    parts.headers.remove(header::CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    Response::from_parts(parts, Body::from(fault_body(id, &fault).to_string()))
}

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;
/// Of the range that is left to servers: HTTP's status says why.
const REFUSED: i32 = -32000;
/// Both of the version 2026-07-28.
const HEADER_MISMATCH: i32 = -32020;
const UNSUPPORTED_VERSION: i32 = -32022;
const MOST_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_what_they_have() {
        let request = |id: Json| Message::Request {
            id,
            method: "ping".to_owned(),
            params: json!({}),
        };
        for (sent, read) in [
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
                request(json!(1)),
            ),
            (
                json!({"jsonrpc": "2.0", "id": "a", "method": "ping", "params": {}}),
                request(json!("a")),
            ),
            (
                json!({"jsonrpc": "2.0", "method": "notifications/x"}),
                Message::Notification,
            ),
            (
                json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
                Message::Response,
            ),
            (
                json!({"jsonrpc": "2.0", "id": 1, "error": {}}),
                Message::Response,
            ),
        ] {
            assert_eq!(Message::read(sent.clone()), Ok(read), "{sent}");
        }
        for (sent, id) in [
            (json!(null), json!(null)),
            (json!("x"), json!(null)),
            (json!({}), json!(null)),
            (
                json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}),
                json!(1),
            ),
            (
                json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
                json!(null),
            ),
            (
                json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
                json!(null),
            ),
            (
                json!({"jsonrpc": "2.0", "id": {}, "method": "ping"}),
                json!(null),
            ),
            (json!({"jsonrpc": "2.0", "id": 1, "method": 7}), json!(1)),
            (json!({"jsonrpc": "2.0", "id": 1}), json!(1)),
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}),
                json!(1),
            ),
        ] {
            let (of, fault) = Message::read(sent.clone()).unwrap_err();
            assert_eq!((of, fault.code), (id, INVALID_REQUEST), "{sent}");
        }
    }
}
