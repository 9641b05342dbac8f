//! CloudWatch: the log `iam-db-auth-error`, and the metrics of IAM logins.
//!
//! AWS, "Troubleshooting for IAM DB authentication" names both.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{
    client::{AwsApi, AwsError, Service},
    rds::{DatabaseTarget, TargetKind},
    xml::Element,
};

/// A line of the log `iam-db-auth-error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthErrorLine {
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub message: String,
}

/// A metric's sum over the time that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuthMetric {
    /// Its name.
    pub name: &'static str,
    /// Its sum; `None` when CloudWatch has no data.
    pub sum: Option<f64>,
}

fn read_lines(answer: &serde_json::Value) -> Vec<AuthErrorLine> {
    let events = answer.get("events").and_then(|events| events.as_array());
    let line = |event: &serde_json::Value| {
        let at = event.get("timestamp")?.as_i64()?;
        Some(AuthErrorLine {
            at: Timestamp::from_millisecond(at).ok()?,
            message: event.get("message")?.as_str()?.to_owned(),
        })
    };
    events.into_iter().flatten().filter_map(line).collect()
}

const MOST_PAGES: usize = 50;
const MOST_LINES: usize = 50;

/// The metrics of IAM logins, per instance.
pub const METRICS: [&str; 7] = [
    "IamDbAuthConnectionRequests",
    "IamDbAuthConnectionSuccess",
    "IamDbAuthConnectionFailure",
    "IamDbAuthConnectionFailureInvalidToken",
    "IamDbAuthConnectionFailureInsufficientPermissions",
    "IamDbAuthConnectionFailureThrottling",
    "IamDbAuthConnectionFailureServerError",
];

impl AwsApi {
    /// The last lines of `iam-db-auth-error` since a moment; `None` when the log does not exist.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn auth_errors(
        &self,
        target: &DatabaseTarget,
        since: Timestamp,
    ) -> Result<Option<Vec<AuthErrorLine>>, AwsError> {
        // Instances of a cluster log for their cluster.
        let (kind, identifier) = match (target.kind, &target.cluster) {
            (_, Some(cluster)) => ("cluster", cluster),
            (TargetKind::Cluster, None) => ("cluster", &target.identifier),
            (TargetKind::Instance | TargetKind::Proxy, None) => ("instance", &target.identifier),
        };
        let group = format!("/aws/rds/{kind}/{identifier}/iam-db-auth-error");
        let mut asked = json!({"logGroupName": group, "startTime": since.as_millisecond()});
        let mut lines: Vec<AuthErrorLine> = Vec::new();
        // The oldest come first, pages may be empty, and the newest are wanted.
        for _page in 0..MOST_PAGES {
            let answer = match self.json("FilterLogEvents", &asked).await {
                Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
                    return Ok(None);
                }
                other => other?,
            };
            lines.extend(read_lines(&answer));
            lines.drain(..lines.len().saturating_sub(MOST_LINES));
            let Some(next) = answer.get("nextToken").and_then(|next| next.as_str()) else {
                break;
            };
            asked = json!({"logGroupName": group, "startTime": since.as_millisecond(), "nextToken": next});
        }
        Ok(Some(lines))
    }

    /// The sums of the seven metrics from a moment to another.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn auth_metrics(
        &self,
        instance: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AuthMetric>, AwsError> {
        let mut metrics = Vec::new();
        for name in METRICS {
            let sum = self.sum_of("AWS/RDS", name, instance, since, until).await?;
            metrics.push(AuthMetric { name, sum });
        }
        Ok(metrics)
    }

    async fn sum_of(
        &self,
        namespace: &str,
        name: &str,
        instance: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<f64>, AwsError> {
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let parameters = [
            text("Namespace", namespace),
            text("MetricName", name),
            text("Dimensions.member.1.Name", "DBInstanceIdentifier"),
            text("Dimensions.member.1.Value", instance),
            text("StartTime", &since.to_string()),
            text("EndTime", &until.to_string()),
            text("Period", "60"),
            text("Statistics.member.1", "Sum"),
        ];
        let tree = self
            .query(Service::Monitoring, "GetMetricStatistics", &parameters)
            .await?;
        let points = tree.find("Datapoints").into_iter().flat_map(Element::items);
        let sums: Vec<f64> = points
            .filter_map(|point| point.text_of("Sum")?.parse().ok())
            .collect();
        Ok((!sums.is_empty()).then(|| sums.iter().sum()))
    }
}
