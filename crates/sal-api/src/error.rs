//! Errors in the words of Django REST framework.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sal_http::{AppError, api_token::Malformed, error::Reason};
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
    /// A token that is none, by its look.
    MalformedToken(Malformed),
    /// A token that is not known or does not count any more; which of it is said to nobody.
    InvalidToken,
    /// An `Idempotency-Key` of another request.
    KeyReused,
    /// The first request with this `Idempotency-Key` is not answered yet.
    UnderWay,
    /// A token that may only read.
    ReadOnlyToken,
    /// It may not do that, and why.
    OutOfScope(&'static str),
    /// It may not do that.
    Forbidden,
    /// There is no such address, or no such id.
    NotFound,
    /// Nothing of this kind has this id.
    NoMatch(&'static str),
    /// A `changed_since` that means nothing here, or nothing any more.
    CursorIsOver,
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
    /// More requests than it may send; how long to wait.
    Throttled { seconds: u64 },
    /// A token is needed here, and nothing else counts.
    TokenNeeded,
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
        let challenge = self.challenge();
        let (status, detail) = match self {
            Self::Invalid(fields) => {
                return answer::json(StatusCode::BAD_REQUEST, &Json::Object(fields));
            }
            Self::Throttled { seconds } | Self::App(AppError::TooMany { seconds }) => {
                return throttled(seconds);
            }
            Self::App(error) => return of_app(error),
            other => other.words(),
        };
        let mut response = answer::json(status, &json!({ "detail": detail }));
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Reason(detail));
        response
    }
}

impl ApiError {
    /// The status and the sentence.
    fn words(self) -> (StatusCode, String) {
        let (status, detail) = match self {
            Self::NoCredentials => (
                StatusCode::FORBIDDEN,
                "Authentication credentials were not provided.",
            ),
            Self::InvalidKey => (StatusCode::FORBIDDEN, "Invalid API Key"),
            Self::MalformedToken(why) => {
                let detail = format!("This is no token of Sal: {why}.");
                return (StatusCode::UNAUTHORIZED, detail);
            }
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, INVALID_TOKEN),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Another request had this Idempotency-Key. Choose a new one for each change.",
            ),
            Self::CursorIsOver => (
                StatusCode::GONE,
                "This changed_since is older than 30 days, or of another list, other filters, other business units or another database. Begin again with changed_since=start.",
            ),
            Self::UnderWay => (
                StatusCode::CONFLICT,
                "The first request with this Idempotency-Key is not answered yet. Send it again in a moment.",
            ),
            Self::ReadOnlyToken => (
                StatusCode::FORBIDDEN,
                "This token may only read. Make one that may also write.",
            ),
            Self::OutOfScope(why) => (StatusCode::FORBIDDEN, why),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "You do not have permission to perform this action.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found."),
            Self::NoMatch(object) => {
                let detail = format!("No {object} matches the given query.");
                return (StatusCode::NOT_FOUND, detail);
            }
            Self::InvalidPage => (StatusCode::NOT_FOUND, "Invalid page."),
            Self::MethodNotAllowed(method) => {
                let detail = format!("Method \"{method}\" not allowed.");
                return (StatusCode::METHOD_NOT_ALLOWED, detail);
            }
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "Could not satisfy the request Accept header.",
            ),
            Self::Parse(detail) => return (StatusCode::BAD_REQUEST, detail),
            Self::UnsupportedMediaType(media_type) => {
                let detail = format!("Unsupported media type \"{media_type}\" in request.");
                return (StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
            }
            Self::TokenNeeded => (
                StatusCode::UNAUTHORIZED,
                "An API token is needed here: send it as `Authorization: Bearer sal_…`. Settings, API tokens makes one.",
            ),
            Self::Invalid(_) | Self::Throttled { .. } | Self::App(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, FAILED_HERE)
            }
        };
        (status, detail.to_owned())
    }

    /// What RFC 6750 has a program told whose token is not enough.
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::MalformedToken(_) | Self::InvalidToken => {
                Some("Bearer realm=\"Sal\", error=\"invalid_token\"")
            }
            Self::ReadOnlyToken => {
                Some("Bearer realm=\"Sal\", error=\"insufficient_scope\", scope=\"write\"")
            }
            Self::TokenNeeded => Some("Bearer realm=\"Sal\""),
            _ => None,
        }
    }
}

/// 429 in the words of Django REST framework.
fn throttled(seconds: u64) -> Response {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let detail = format!("Request was throttled. Expected available in {seconds} {unit}.");
    let mut response = answer::json(StatusCode::TOO_MANY_REQUESTS, &json!({ "detail": detail }));
    let wait = HeaderValue::from(seconds);
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response.extensions_mut().insert(Reason(detail));
    response
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
        _ => FAILED_HERE,
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Response::from_parts(parts, json!({ "detail": detail }).to_string().into())
}

const FAILED_HERE: &str = "The request failed here, not at your side. The log of the server has the reason under the request id of this answer.";
const INVALID_TOKEN: &str = "This token is not known, or it has expired, was replaced or revoked, or its owner is no active global admin any more. Settings, API tokens shows the tokens that there are.";
