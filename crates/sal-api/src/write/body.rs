//! The body of a change: JSON or a form.

use axum::body::Bytes;
use axum::http::{header, request::Parts};
use sal_http::multipart;
use serde_json::{Map, Value as Json, json};

use super::fields::{Field, Kind, python_type};
use super::python_json;
use crate::error::ApiError;

/// What was sent.
pub(super) enum Body {
    Json(Map<String, Json>),
    /// Names and values in their order.
    Form(Vec<(String, String)>),
}

impl Body {
    /// Reads it as its content type says.
    ///
    /// # Errors
    /// What cannot be read, in the words of Django REST framework.
    pub(super) async fn read(parts: &Parts, bytes: Bytes) -> Result<Self, ApiError> {
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let content_type = content_type
            .map_or(Ok(""), |value| value.to_str())
            .unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if bytes.is_empty() {
            return Ok(Self::Json(Map::new()));
        }
        if media_type.eq_ignore_ascii_case("application/json") {
            return json(&bytes);
        }
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let fields = form_urlencoded::parse(&bytes).into_owned();
            return Ok(Self::Form(fields.collect()));
        }
        if multipart::is_multipart(content_type) {
            let fields = multipart::parts(content_type, bytes).await;
            return fields.map(Self::Form).map_err(|_unreadable| {
                ApiError::Parse(
                    "Multipart form parse error - The parts of the body cannot be told apart; check the boundary.".to_owned(),
                )
            });
        }
        Err(ApiError::UnsupportedMediaType(content_type.to_owned()))
    }

    /// The value of a field; none where the body does not have it.
    pub(super) fn value(&self, field: &Field, partial: bool) -> Option<Json> {
        let fields = match self {
            Self::Json(object) => return object.get(field.name).cloned(),
            Self::Form(fields) => fields,
        };
        let mut values = fields.iter().filter(|(name, _)| name == field.name);
        if matches!(field.kind, Kind::Ids) {
            let all: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
            return (!all.is_empty() || !partial).then(|| json!(all));
        }
        // The last one counts.
        match (values.next_back(), field.kind) {
            // A box that is not ticked is not sent.
            (None, Kind::Flag) if !partial => Some(json!(false)),
            (None, _) => None,
            (Some((_, value)), kind) if value.is_empty() => match kind {
                Kind::Text(_) => Some(json!("")),
                Kind::Id => Some(Json::Null),
                _ if field.is_nullable => Some(Json::Null),
                _ if field.is_required => Some(json!("")),
                _ => None,
            },
            (Some((_, value)), _) => Some(json!(value)),
        }
    }
}

fn json(bytes: &[u8]) -> Result<Body, ApiError> {
    let parse_error = |why: String| ApiError::Parse(format!("JSON parse error - {why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| {
        parse_error(format!(
            "'utf-8' codec can't decode bytes after position {}",
            error.valid_up_to()
        ))
    })?;
    if let Some(fault) = python_json::fault(text) {
        return Err(parse_error(fault));
    }
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => Ok(Body::Json(object)),
        Ok(other) => {
            let kind = python_type(&other);
            let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
            Err(ApiError::field("non_field_errors", message))
        }
        Err(error) => Err(parse_error(error.to_string())),
    }
}
