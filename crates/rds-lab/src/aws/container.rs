//! The credential endpoint of containers: ECS (by path) and EKS Pod Identity (by token).
//!
//! ECS's path is a secret and needs no header; the full URI demands the `Authorization` that the
//! agent gave to the container.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::Account;
use super::account::written;

/// The role of the lab's task or pod.
pub(crate) const TASK_ROLE: &str = "sal-task";
/// What `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` would say.
pub(crate) const RELATIVE_PATH: &str = "/v2/credentials/5f2b8f0a-3a4e-4c39-9d2b-7c1f6f0e1a2b";
/// The path of `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
pub(crate) const FULL_PATH: &str = "/v1/credentials";

pub(super) fn routes() -> Router<Arc<Account>> {
    Router::new()
        .route(RELATIVE_PATH, get(show_by_path))
        .route(FULL_PATH, get(show_by_token))
}

async fn show_by_path(State(account): State<Arc<Account>>) -> Response {
    account.count(|requests| requests.container += 1);
    credentials(&account)
}

async fn show_by_token(State(account): State<Arc<Account>>, headers: HeaderMap) -> Response {
    account.count(|requests| requests.container += 1);
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if given != Some(account.container_authorization.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    credentials(&account)
}

fn credentials(account: &Account) -> Response {
    if !account
        .directory
        .trusts_service(TASK_ROLE, "ecs-tasks.amazonaws.com")
    {
        let refused = json!({
            "code": "AssumeRoleUnauthorizedAccess",
            "message": "ECS was unable to assume the role provided for this task. Please verify that the role being passed has the proper trust relationship",
        });
        return (StatusCode::BAD_REQUEST, refused.to_string()).into_response();
    }
    let arn = account.role_arn(TASK_ROLE);
    let credential = account.issue(&arn, "0123456789abcdef", Duration::from_secs(6 * 3_600));
    let answer = json!({
        "RoleArn": arn,
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "Token": credential.session_token,
        "Expiration": credential.expires.map(written),
    });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, answer.to_string()).into_response()
}
