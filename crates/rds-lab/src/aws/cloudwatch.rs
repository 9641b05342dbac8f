//! CloudWatch: the metrics of IAM logins, and the log `iam-db-auth-error`, from the lab's own record.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Account;
use super::signed::{authorize, form, judge, missing, service};
use super::xml::{ApiError, element, success};
use crate::record::{AuthEvent, Outcome, Reason};
use crate::verify::request::Request;

pub(super) fn metric_routes() -> Router<Arc<Account>> {
    service(statistics)
}

pub(super) fn log_routes() -> Router<Arc<Account>> {
    service(logs)
}

fn statistics(account: &Account, request: &Request<'_>) -> Result<Response, ApiError> {
    let form = form(request).ok_or_else(|| missing("Action"))?;
    let caller = judge(account, "monitoring", request)?;
    authorize(
        account,
        &caller,
        "cloudwatch:GetMetricStatistics",
        ("*", &[]),
    )?;
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    let time = |name: &str| {
        text(name)?
            .parse::<Timestamp>()
            .map_err(|_no_time| missing(name))
    };
    let (name, start, end) = (text("MetricName")?, time("StartTime")?, time("EndTime")?);
    let ours = text("Dimensions.member.1.Value")? == account.instance.facts().identifier;
    let events = account.record.events();
    let within = events
        .iter()
        .filter(|event| event.at >= start && event.at <= end);
    let count = within.filter(|event| ours && counts(name, event)).count();
    let point = format!(
        "<member>{}{}{}</member>",
        element("Timestamp", &end.to_string()),
        element("Sum", &format!("{count}.0")),
        element("Unit", "Count")
    );
    let points = if events.is_empty() || !ours {
        String::new()
    } else {
        point
    };
    let result = format!(
        "{}<Datapoints>{points}</Datapoints>",
        element("Label", name)
    );
    Ok(success("GetMetricStatistics", &result))
}

fn counts(name: &str, event: &AuthEvent) -> bool {
    let kind = name.trim_start_matches("IamDbAuthConnection");
    match (kind, event.outcome) {
        ("Requests", _) => true,
        ("Success", outcome) => outcome == Outcome::Accepted,
        ("Failure", outcome) => outcome != Outcome::Accepted,
        (_, Outcome::Accepted) => false,
        (kind, Outcome::Refused(reason)) => match reason {
            Reason::InvalidToken | Reason::ExpiredToken => kind == "FailureInvalidToken",
            Reason::NotAuthorized => kind == "FailureInsufficientPermissions",
            Reason::ThrottlingException => kind == "FailureThrottling",
            Reason::InternalError => kind == "FailureServerError",
        },
    }
}

/// Speaks JSON, its errors too.
fn logs(account: &Account, request: &Request<'_>) -> Result<Response, ApiError> {
    Ok(match filter_log_events(account, request) {
        Ok(answer) => json_answer(StatusCode::OK, &answer),
        Err(error) => {
            let code = match error.code {
                "AccessDenied" => "AccessDeniedException",
                other => other,
            };
            json_answer(
                error.status,
                &json!({"__type": code, "message": error.message}),
            )
        }
    })
}

fn filter_log_events(account: &Account, request: &Request<'_>) -> Result<Value, ApiError> {
    let caller = judge(account, "logs", request)?;
    let target = request
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let operation = target
        .and_then(|target| target.strip_prefix("Logs_20140328."))
        .unwrap_or_default();
    let asked: Value = serde_json::from_slice(request.body).unwrap_or_default();
    let resource = format!(
        "arn:aws:logs:{}:{}:log-group:{}",
        account.region,
        account.id,
        asked
            .get("logGroupName")
            .and_then(Value::as_str)
            .unwrap_or_default()
    );
    let action = format!("logs:{operation}");
    authorize(account, &caller, &action, (&resource, &[]))?;
    let facts = account.instance.facts();
    let group = format!("/aws/rds/instance/{}/iam-db-auth-error", facts.identifier);
    let exported = facts
        .log_exports
        .iter()
        .any(|log| log == "iam-db-auth-error");
    if operation != "FilterLogEvents"
        || asked.get("logGroupName") != Some(&Value::from(group))
        || !exported
    {
        return Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "ResourceNotFoundException",
            message: "The specified log group does not exist.".to_owned(),
        });
    }
    let since = asked
        .get("startTime")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let line = |event: &AuthEvent| {
        let at = event.at.as_millisecond();
        (at >= since)
            .then(|| event.error_line())
            .flatten()
            .map(|line| json!({"timestamp": at, "message": line}))
    };
    let lines: Vec<Value> = account.record.events().iter().filter_map(line).collect();
    Ok(json!({"events": lines}))
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, kind, body.to_string()).into_response()
}
