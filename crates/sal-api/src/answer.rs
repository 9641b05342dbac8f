//! What every answer has in common.

use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::Response;
use serde_json::Value as Json;

use crate::error::ApiError;

/// JSON, compact, as Django REST framework renders it.
pub(crate) fn json(status: StatusCode, body: &Json) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// Puts the headers on that every answer has.
pub(crate) fn finish(mut response: Response, allow: Option<&'static str>) -> Response {
    let headers = response.headers_mut();
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    response
}

/// Whether JSON is what the program takes. Browsers get it too.
///
/// # Errors
/// Not found for a format that does not exist, [`ApiError::NotAcceptable`] for a media type that is none of ours.
pub(crate) fn negotiate(format: Option<&str>, parts: &Parts) -> Result<(), ApiError> {
    if let Some(format) = format {
        return match format {
            "json" | "api" => Ok(()),
            _ => Err(ApiError::NotFound),
        };
    }
    let said: Vec<&str> = parts
        .headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    let fits = |range: &&str| {
        [
            "*/*",
            "application/*",
            "application/json",
            "text/html",
            "text/*",
        ]
        .iter()
        .any(|known| range.eq_ignore_ascii_case(known))
    };
    if said.is_empty() || said.iter().any(fits) {
        return Ok(());
    }
    Err(ApiError::NotAcceptable)
}
