//! What all services do with a request: read the form, judge the signature, ask IAM whether the caller may.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::Account;
use super::xml::ApiError;
use crate::calls::Call;
use crate::credentials::Identity;
use crate::directory::Decision;
use crate::verify::query::Query;
use crate::verify::request::{self, Request, RequestRefusal};

/// What a service does with a request.
pub(super) type Act = fn(&Account, &Request<'_>) -> Result<Response, ApiError>;

/// A service that answers everything at its root.
pub(super) fn service(act: Act) -> Router<Arc<Account>> {
    let answer = move |State(account): State<Arc<Account>>,
                       method: Method,
                       uri: Uri,
                       headers: HeaderMap,
                       body: Bytes| async move {
        let request = Request {
            method: &method,
            uri: &uri,
            headers: &headers,
            body: &body,
        };
        act(&account, &request).unwrap_or_else(IntoResponse::into_response)
    };
    Router::new().route("/", any(answer))
}

/// Parameters are in the body of a POST or in the query of a GET; forms write blanks as `+`.
pub(super) fn form(request: &Request<'_>) -> Option<Query> {
    let text = if request.body.is_empty() {
        request.uri.query().unwrap_or_default()
    } else {
        std::str::from_utf8(request.body).ok()?
    };
    Query::parse(&text.replace('+', "%20"))
}

/// Who signed it.
pub(super) fn judge(
    account: &Account,
    service: &str,
    request: &Request<'_>,
) -> Result<Identity, ApiError> {
    let find = |key: &str| account.credentials.find(key);
    request::judge(request, service, account.clock.now(), find).map_err(|refusal| {
        let (status, code, message) = match refusal {
            RequestRefusal::MissingAuthenticationToken => (
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            RequestRefusal::IncompleteSignature => (
                400,
                "IncompleteSignature",
                "The request signature does not conform to AWS standards",
            ),
            RequestRefusal::InvalidClientTokenId => (
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid",
            ),
            RequestRefusal::SignatureDoesNotMatch => (
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided",
            ),
            RequestRefusal::ExpiredToken => (
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
        };
        ApiError {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN),
            code,
            message: message.to_owned(),
        }
    })
}

/// Refuses a caller whom no policy allows it, on this resource and with these condition keys.
pub(super) fn authorize(
    account: &Account,
    caller: &Identity,
    action: &str,
    (resource, keys): (&str, &[(&str, &str)]),
) -> Result<(), ApiError> {
    let decision = account.directory.decide(caller, action, resource, keys);
    let allowed = decision == Decision::Allowed;
    account.calls.note(Call {
        action: action.to_owned(),
        principal: caller.principal.clone(),
        allowed,
    });
    if allowed {
        return Ok(());
    }
    Err(ApiError {
        status: StatusCode::FORBIDDEN,
        code: "AccessDenied",
        message: format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action",
            caller.caller
        ),
    })
}

pub(super) fn missing(name: &str) -> ApiError {
    ApiError {
        status: StatusCode::BAD_REQUEST,
        code: "ValidationError",
        message: format!("{name} is missing"),
    }
}
