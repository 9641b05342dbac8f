//! What every answer has in common.

use std::hash::{DefaultHasher, Hash, Hasher};

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

/// What can be asked for again: with a tag, by which a program that has it already is told so (RFC 9110, 13.1.2). The tag is a
/// weak one, as the answer may be packed, and of the content, so that it is the same at every server.
pub(crate) fn tagged(body: &Json, parts: &Parts) -> Response {
    let text = body.to_string();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tag = format!("W/\"{:016x}-{:x}\"", hasher.finish(), text.len());
    let mut response = match is_known(&tag, parts) {
        true => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        false => {
            let mut response = Response::new(text.into());
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    let again = HeaderValue::from_static("private, no-cache");
    headers.insert(header::CACHE_CONTROL, again);
    response
}

fn is_known(tag: &str, parts: &Parts) -> bool {
    let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let told = parts.headers.get_all(header::IF_NONE_MATCH).iter();
    told.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|told| told == "*" || strong(told) == strong(tag))
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

/// What a list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Pages of JSON. Browsers get it too.
    Json,
    /// All rows, a line of JSON each; by which of its names it was asked for.
    JsonLines(&'static str),
    /// All rows, comma separated.
    Csv,
}

impl Format {
    /// The one that was asked for, by name or by media type; what is no list is JSON only.
    ///
    /// # Errors
    /// Not found for a format that does not exist, [`ApiError::NotAcceptable`] for a media type that is none of ours.
    pub(crate) fn negotiate(
        named: Option<&str>,
        is_a_list: bool,
        parts: &Parts,
    ) -> Result<Self, ApiError> {
        if let Some(name) = named {
            return match name {
                "json" | "api" => Ok(Self::Json),
                "jsonl" if is_a_list => Ok(Self::JsonLines("application/jsonl")),
                "csv" if is_a_list => Ok(Self::Csv),
                _ => Err(ApiError::NotFound),
            };
        }
        let headers = parts.headers.get_all(header::ACCEPT).iter();
        let said: Vec<(&str, f32)> = headers
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(media_range)
            .collect();
        if said.is_empty() {
            return Ok(Self::Json);
        }
        let known = said
            .iter()
            .filter(|(_, weight)| *weight > 0.0)
            .filter_map(|(range, weight)| Some((Self::of_range(range)?, *weight)))
            .filter(|(format, _)| is_a_list || *format == Self::Json);
        // The first of those that are wanted most.
        let best = known.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map(|(format, _)| format)
            .ok_or(ApiError::NotAcceptable)
    }

    fn of_range(range: &str) -> Option<Self> {
        let known = [
            ("*/*", Self::Json),
            ("application/*", Self::Json),
            ("application/json", Self::Json),
            ("application/problem+json", Self::Json),
            ("text/html", Self::Json),
            ("text/*", Self::Json),
            ("application/jsonl", Self::JsonLines("application/jsonl")),
            (
                "application/x-ndjson",
                Self::JsonLines("application/x-ndjson"),
            ),
            ("text/csv", Self::Csv),
        ];
        let found = known
            .iter()
            .find(|(name, _)| range.eq_ignore_ascii_case(name));
        found.map(|(_, format)| *format)
    }
}

/// A media range and how much it is wanted (RFC 9110, 12.5.1).
fn media_range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
    (range, weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        for (accept, format) in [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            (
                "application/jsonl",
                Some(Format::JsonLines("application/jsonl")),
            ),
            (
                "application/x-ndjson, */*",
                Some(Format::JsonLines("application/x-ndjson")),
            ),
            ("application/json;q=0.5, text/csv", Some(Format::Csv)),
            (
                "Text/CSV; charset=utf-8; q=0.4, */*;q=0.8",
                Some(Format::Json),
            ),
            (
                "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
                Some(Format::Json),
            ),
            ("image/png", None),
        ] {
            let mut request = axum::http::Request::get("/");
            if !accept.is_empty() {
                request = request.header("accept", accept);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(
                Format::negotiate(None, true, &parts).ok(),
                format,
                "{accept}"
            );
            // What is no list is JSON, wherever JSON is among what is taken.
            let alone = Format::negotiate(None, false, &parts).ok();
            let has_json = accept.is_empty() || accept.contains("json") || accept.contains("*/*");
            assert_eq!(
                alone.is_some(),
                has_json && accept != "application/jsonl",
                "{accept}"
            );
        }
    }
}
