//! The instance metadata service, version 2 only.
//!
//! `PUT /latest/api/token` first; without that token everything else is a 401, so a client that
//! only knows version 1 fails here as it does on a hardened instance.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::Account;
use super::account::written;

/// The role of the lab's instance.
pub(crate) const INSTANCE_ROLE: &str = "sal-instance";

pub(super) fn routes() -> Router<Arc<Account>> {
    let credentials = "/latest/meta-data/iam/security-credentials/";
    Router::new()
        .route("/latest/api/token", put(open_session))
        .route(credentials, get(list_roles))
        .route(credentials.trim_end_matches('/'), get(list_roles))
        .route(
            "/latest/meta-data/iam/security-credentials/{role}",
            get(show_credentials),
        )
        .route("/latest/meta-data/placement/region", get(show_region))
        .route("/latest/meta-data/instance-id", get(show_instance))
        .route(
            "/latest/dynamic/instance-identity/document",
            get(show_document),
        )
        .fallback(find_nothing)
}

async fn open_session(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    account.count(|requests| requests.imds_token += 1);
    if headers.contains_key("x-forwarded-for") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let life = headers
        .get(LIFE)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(seconds) = life.filter(|seconds| (1..=21_600).contains(seconds)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let token = account.open_imds_session(Duration::from_secs(seconds));
    ([(LIFE, seconds.to_string())], token).into_response()
}

async fn list_roles(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    with_session(&account, &headers, || INSTANCE_ROLE.into_response())
}

async fn show_credentials(
    State(account): State<Arc<Account>>,
    Path(role): Path<String>,
    headers: HeaderMap,
) -> Response {
    with_session(&account, &headers, || {
        if role != INSTANCE_ROLE {
            return StatusCode::NOT_FOUND.into_response();
        }
        account.count(|requests| requests.imds_credentials += 1);
        let arn = account.role_arn(INSTANCE_ROLE);
        let credential = account.issue(&arn, INSTANCE, Duration::from_secs(6 * 3_600));
        let answer = json!({
            "Code": "Success",
            "LastUpdated": written(account.clock.now()),
            "Type": "AWS-HMAC",
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
            "Token": credential.session_token,
            "Expiration": credential.expires.map(written),
        });
        answer.to_string().into_response()
    })
}

async fn show_region(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    with_session(&account, &headers, || {
        account.region.clone().into_response()
    })
}

async fn show_instance(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    with_session(&account, &headers, || INSTANCE.into_response())
}

async fn show_document(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    with_session(&account, &headers, || {
        let document = json!({
            "accountId": account.id,
            "instanceId": INSTANCE,
            "region": account.region,
        });
        document.to_string().into_response()
    })
}

async fn find_nothing(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    with_session(&account, &headers, || StatusCode::NOT_FOUND.into_response())
}

fn with_session(
    account: &Account,
    headers: &HeaderMap,
    answer: impl FnOnce() -> Response,
) -> Response {
    let token = headers
        .get("x-aws-ec2-metadata-token")
        .and_then(|value| value.to_str().ok());
    if token.is_some_and(|token| account.has_imds_session(token)) {
        return answer();
    }
    StatusCode::UNAUTHORIZED.into_response()
}

const INSTANCE: &str = "i-0123456789abcdef0";
const LIFE: &str = "x-aws-ec2-metadata-token-ttl-seconds";
