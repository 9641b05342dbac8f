//! Errors as RFC 9457 has them, for programs whose `Accept` names `application/problem+json`. All others get them in the
//! words and the shape of Django REST framework.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

/// Whether a program wants them.
pub(crate) fn are_wanted(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

/// An error as a problem; anything else as it is. What is wrong with each field is in `errors`.
pub(crate) async fn of(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
    let mut problem = Map::new();
    problem.insert("type".to_owned(), json!("about:blank"));
    problem.insert("title".to_owned(), json!(status.canonical_reason()));
    problem.insert("status".to_owned(), json!(status.as_u16()));
    if let Ok(Json::Object(mut said)) = serde_json::from_slice(&bytes) {
        match said.remove("detail") {
            Some(Json::String(detail)) => problem.insert("detail".to_owned(), json!(detail)),
            Some(field) => problem.insert("errors".to_owned(), json!({ "detail": field })),
            None => problem.insert("errors".to_owned(), Json::Object(said)),
        };
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    parts.headers.insert(header::CONTENT_TYPE, media_type);
    Response::from_parts(parts, Body::from(Json::Object(problem).to_string()))
}

const MEDIA_TYPE: &str = "application/problem+json";
/// No error of ours is longer: one names what is wrong with each parameter.
const MOST_BYTES: usize = 1024 * 1024;
