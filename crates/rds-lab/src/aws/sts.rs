//! The security token service: `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`.
//!
//! The Query API over POST or GET. Signatures are judged by [`crate::verify::request`]; error
//! codes and statuses are STS's.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::StatusCode;

use super::Account;
use super::account::written;
use super::signed::{form, judge, service};
use super::xml::{ApiError, element, success};
use crate::credentials::{Credential, Identity};
use crate::verify::query::Query;
use crate::verify::request::Request;

pub(super) fn routes() -> Router<Arc<Account>> {
    service(act)
}

fn act(account: &Account, request: &Request<'_>) -> Result<Response, ApiError> {
    account.count(|requests| requests.sts += 1);
    let form = form(request).ok_or_else(|| malformed("the request cannot be read"))?;
    match form.text("Action") {
        Some("GetCallerIdentity") => {
            let caller = judge(account, "sts", request)?;
            Ok(caller_identity(account, &caller))
        }
        Some("AssumeRole") => assume_role(account, &judge(account, "sts", request)?, &form),
        Some("AssumeRoleWithWebIdentity") => assume_role_with_web_identity(account, &form),
        _ => Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidAction",
            message: "Could not find operation for version 2011-06-15".to_owned(),
        }),
    }
}

fn caller_identity(account: &Account, caller: &Identity) -> Response {
    let name = caller.caller.rsplit('/').next().unwrap_or_default();
    let result = [
        element("Arn", &caller.caller),
        element("UserId", &format!("AIDALABLABLABLABLABLA:{name}")),
        element("Account", &account.id),
    ];
    success("GetCallerIdentity", &result.concat())
}

fn assume_role(account: &Account, caller: &Identity, form: &Query) -> Result<Response, ApiError> {
    let wish = Wish::read(form)?;
    // A role's session that assumes a role gets an hour at most.
    let chained = caller.caller.contains(":assumed-role/");
    if chained && wish.life > Duration::from_secs(3_600) {
        let text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(malformed(text));
    }
    if !account.may_assume(caller, wish.role_arn, form.text("ExternalId")) {
        return Err(ApiError {
            status: StatusCode::FORBIDDEN,
            code: "AccessDenied",
            message: format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                caller.caller, wish.role_arn
            ),
        });
    }
    let credential = account.issue(wish.role_arn, wish.session, wish.life);
    Ok(success("AssumeRole", &assumed(&credential)))
}

fn assume_role_with_web_identity(account: &Account, form: &Query) -> Result<Response, ApiError> {
    let wish = Wish::read(form)?;
    let token = form.text("WebIdentityToken").unwrap_or_default();
    if !account.knows_web_identity(wish.role_arn, token) {
        return Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidIdentityToken",
            message: "The web identity token is not one this role trusts".to_owned(),
        });
    }
    let credential = account.issue(wish.role_arn, wish.session, wish.life);
    let subject = "system:serviceaccount:default:sal";
    let result = [
        element("SubjectFromWebIdentityToken", subject),
        element("Audience", "sts.amazonaws.com"),
        assumed(&credential),
    ];
    Ok(success("AssumeRoleWithWebIdentity", &result.concat()))
}

/// What an assume-role request asks for.
struct Wish<'a> {
    role_arn: &'a str,
    session: &'a str,
    life: Duration,
}

impl<'a> Wish<'a> {
    fn read(form: &'a Query) -> Result<Self, ApiError> {
        let text = |name: &str| {
            let missing = || malformed(&format!("{name} is missing"));
            form.text(name)
                .filter(|text| !text.is_empty())
                .ok_or_else(missing)
        };
        let seconds = match form.text("DurationSeconds") {
            None => Some(3_600),
            Some(text) => text
                .parse()
                .ok()
                .filter(|seconds| (900..=43_200).contains(seconds)),
        };
        let seconds = seconds.ok_or_else(|| malformed("DurationSeconds must be 900 to 43200"))?;
        Ok(Self {
            role_arn: text("RoleArn")?,
            session: text("RoleSessionName")?,
            life: Duration::from_secs(seconds),
        })
    }
}

fn assumed(credential: &Credential) -> String {
    let caller = &credential.identity.caller;
    let session = caller.rsplit('/').next().unwrap_or_default();
    let keys = [
        element("AccessKeyId", &credential.access_key_id),
        element("SecretAccessKey", &credential.secret_access_key),
        element(
            "SessionToken",
            credential.session_token.as_deref().unwrap_or_default(),
        ),
        element(
            "Expiration",
            &credential.expires.map(written).unwrap_or_default(),
        ),
    ];
    format!(
        "<Credentials>{}</Credentials><AssumedRoleUser>{}{}</AssumedRoleUser>",
        keys.concat(),
        element("AssumedRoleId", &format!("AROALABLABLABLABLABLA:{session}")),
        element("Arn", caller)
    )
}

fn malformed(message: &str) -> ApiError {
    ApiError {
        status: StatusCode::BAD_REQUEST,
        code: "ValidationError",
        message: message.to_owned(),
    }
}
