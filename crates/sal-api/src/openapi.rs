//! What the API is, for programs: an OpenAPI 3.1 document, made from the tables that the API itself works by, so that it
//! cannot say anything else. The tables are data, not types: there is nothing to derive a schema from.
//!
//! It is the same at every server and says nothing of what is in one, so nobody has to log in for it.

mod operations;
mod schemas;

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use sal_store::resources::{RESOURCES, Resource};
use serde_json::{Map, Value as Json, json};

use crate::{ROOT, answer};

/// The document.
#[must_use]
pub fn document() -> &'static Json {
    static DOCUMENT: LazyLock<Json> = LazyLock::new(made);
    &DOCUMENT
}

/// The document as an answer; other sites may read it in a browser.
pub(crate) fn show() -> Response {
    let mut response = answer::json(StatusCode::OK, document());
    let any = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    let short = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, short);
    response
}

fn made() -> Json {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Sal REST API", "version": "2.0.0", "description": DESCRIPTION },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, { "publicKey": [], "privateKey": [] }, { "session": [] }],
        "tags": tags(),
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "sal_…", "description": "An API token." },
                "publicKey": { "type": "apiKey", "in": "header", "name": "publickey", "description": "The public part of an API key; needs the private part." },
                "privateKey": { "type": "apiKey", "in": "header", "name": "privatekey", "description": "The private part of an API key; needs the public part." },
                "session": { "type": "apiKey", "in": "cookie", "name": "sal_session", "description": "The session of a global admin, `__Host-sal_session` behind https." },
            },
            "parameters": operations::shared_parameters(),
            "responses": operations::shared_responses(),
            "headers": operations::shared_headers(),
            "schemas": schemas::all(),
        },
    })
}

fn tags() -> Json {
    let all = RESOURCES.iter().map(|resource| {
        let changes = if resource.is_writable {
            "May be read and changed."
        } else {
            "May be read."
        };
        json!({ "name": resource.name, "description": changes })
    });
    let first = json!({ "name": "api", "description": "The API itself." });
    Json::Array(std::iter::once(first).chain(all).collect())
}

fn paths() -> Json {
    let mut paths = Map::new();
    paths.insert(format!("{ROOT}/"), operations::root());
    paths.insert(format!("{ROOT}/openapi.json"), operations::description());
    for resource in RESOURCES {
        let (list, one) = (
            list_path(resource),
            format!("{}{{id}}/", list_path(resource)),
        );
        paths.insert(list, operations::of_list(resource));
        paths.insert(one, operations::of_one(resource));
    }
    let execute = format!("{ROOT}/saved_searches/{{id}}/execute/");
    paths.insert(execute, operations::execute());
    paths.insert(format!("{ROOT}/machines/bulk/"), operations::bulk());
    Json::Object(paths)
}

fn list_path(resource: &Resource) -> String {
    format!("{ROOT}/{}/", resource.name)
}

const DESCRIPTION: &str = "Sal's REST API v2, and what this server adds to it. Every address also takes HEAD and OPTIONS. An address without its slash at the end is 301, with the query kept. Every error is JSON. The filter language of `filter` is described in docs/guides/searching.md.";
