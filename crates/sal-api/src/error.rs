//! Errors in the words of Django REST framework.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sal_http::{AppError, error::Reason};
use sal_store::StoreError;
use serde_json::{Map, Value as Json, json};

use crate::answer;

/// Why a program gets no ordinary answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// No key and no session.
    NoCredentials,
    /// A key that is none, or half of one.
    InvalidKey,
    /// It may not do that.
    Forbidden,
    /// There is no such address, or no such id.
    NotFound,
    /// Nothing of this kind has this id.
    NoMatch(&'static str),
    /// A page that the list does not have.
    InvalidPage,
    /// Not with this method.
    MethodNotAllowed(Method),
    /// No media type that we write.
    NotAcceptable,
    /// A body that cannot be read; the text says where.
    Parse(String),
    /// A body of a kind that nobody reads.
    UnsupportedMediaType(String),
    /// What the program sent is wrong, field by field.
    Invalid(Map<String, Json>),
    /// Everything that is no fault of the program's.
    App(AppError),
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

impl ApiError {
    /// One field with one message.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert(name.to_owned(), json!([message.into()]));
        Self::Invalid(fields)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::NoCredentials => (
                StatusCode::FORBIDDEN,
                "Authentication credentials were not provided.".to_owned(),
            ),
            Self::InvalidKey => (StatusCode::FORBIDDEN, "Invalid API Key".to_owned()),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "You do not have permission to perform this action.".to_owned(),
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found.".to_owned()),
            Self::NoMatch(object) => (
                StatusCode::NOT_FOUND,
                format!("No {object} matches the given query."),
            ),
            Self::InvalidPage => (StatusCode::NOT_FOUND, "Invalid page.".to_owned()),
            Self::MethodNotAllowed(method) => (
                StatusCode::METHOD_NOT_ALLOWED,
                format!("Method \"{method}\" not allowed."),
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "Could not satisfy the request Accept header.".to_owned(),
            ),
            Self::Parse(detail) => (StatusCode::BAD_REQUEST, detail),
            Self::UnsupportedMediaType(media_type) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Unsupported media type \"{media_type}\" in request."),
            ),
            Self::Invalid(fields) => {
                return answer::json(StatusCode::BAD_REQUEST, &Json::Object(fields));
            }
            Self::App(error) => return of_app(error),
        };
        let mut response = answer::json(status, &json!({ "detail": detail }));
        response.extensions_mut().insert(Reason(detail));
        response
    }
}

/// The status and the headers of the error, with a sentence where pages have one with markup.
fn of_app(error: AppError) -> Response {
    let (mut parts, _page) = error.into_response().into_parts();
    let detail = match parts.status {
        StatusCode::NOT_FOUND => "Not found.",
        StatusCode::FORBIDDEN => "You do not have permission to perform this action.",
        StatusCode::TOO_MANY_REQUESTS => "Request was throttled.",
        StatusCode::BAD_REQUEST => {
            "The request cannot be read, or it is too large (setting SAL_BODY_LIMIT)."
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            "The server or its database is busy or cannot be reached. Nothing was changed; try again in a moment."
        }
        _ => {
            "The request failed here, not at your side. The log of the server has the reason under the request id of this answer."
        }
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Response::from_parts(parts, json!({ "detail": detail }).to_string().into())
}
