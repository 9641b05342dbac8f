//! Sends signed requests to the Query API (RDS, STS, IAM, CloudWatch) and to CloudWatch Logs.
//!
//! POST with a form, Signature Version 4 in the `Authorization` header. Throttling is tried again;
//! every other refusal is the caller's to judge. The regional endpoints are AWS's; each can be
//! replaced, as `AWS_ENDPOINT_URL_…` does for SDKs.

use std::{sync::Arc, time::Duration};

use rds_iam::{
    AwsClient, AwsHttp, BodyHash, Clock, CredentialCache, CredentialError, Partition,
    SignedRequest, sign_request,
};
use reqwest::Method;
use thiserror::Error;

use super::xml::Element;

/// Where the services are; `None` is AWS's own endpoint.
#[derive(Clone, Debug, Default)]
pub struct AwsEndpoints {
    /// RDS.
    pub rds: Option<String>,
    /// STS.
    pub sts: Option<String>,
    /// IAM.
    pub iam: Option<String>,
    /// CloudWatch.
    pub monitoring: Option<String>,
    /// CloudWatch Logs.
    pub logs: Option<String>,
}

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Rds,
    Sts,
    Iam,
    Monitoring,
    Logs,
}

/// Why AWS gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AwsError {
    /// There are no credentials to sign with.
    #[error("{0}")]
    Credentials(#[from] CredentialError),
    /// The caller may not do that.
    #[error("not allowed: {action}: {message}")]
    Denied {
        /// The permission that is missing, such as `rds:DescribeDBInstances`.
        action: String,
        /// What AWS said.
        message: String,
    },
    /// AWS refused for another reason.
    #[error("{action} was refused: {code}: {message}")]
    Refused {
        /// The call.
        action: String,
        /// AWS's code, such as `DBInstanceNotFound`.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// No answer came, or none that can be read.
    #[error("{action} at {endpoint} got no usable answer: {message}")]
    Unreachable {
        /// The call.
        action: String,
        /// Where it went.
        endpoint: String,
        /// Why.
        message: String,
    },
}

/// A client of AWS, for one region.
#[derive(Clone)]
pub struct AwsApi {
    http: AwsClient,
    credentials: Arc<CredentialCache>,
    clock: Clock,
    region: String,
    partition: Partition,
    endpoints: AwsEndpoints,
}

impl AwsApi {
    /// A client that signs with these credentials for this region.
    ///
    /// # Errors
    /// When no HTTP client can be built; says why.
    pub fn new(
        credentials: Arc<CredentialCache>,
        clock: Clock,
        region: &str,
        partition: Partition,
        endpoints: AwsEndpoints,
        http: &AwsHttp,
    ) -> Result<Self, String> {
        Ok(Self {
            http: http.client().map_err(|error| error.to_string())?,
            credentials,
            clock,
            region: region.to_owned(),
            partition,
            endpoints,
        })
    }

    /// The region it signs for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The partition's name in ARNs.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        self.partition.arn_name()
    }

    /// The credentials it signs with.
    #[must_use]
    pub fn credentials(&self) -> &Arc<CredentialCache> {
        &self.credentials
    }

    /// The same client for another region: a global database's writer may be anywhere.
    pub(super) fn in_region(&self, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// Every item of a list that comes in pages.
    pub(super) async fn all(
        &self,
        service: Service,
        action: &str,
        list: &str,
    ) -> Result<Vec<Element>, AwsError> {
        let mut items = Vec::new();
        let mut parameters = Vec::new();
        for _page in 0..MOST_PAGES {
            let tree = self.query(service, action, &parameters).await?;
            items.extend(
                tree.find(list)
                    .into_iter()
                    .flat_map(Element::items)
                    .cloned(),
            );
            let result = tree.find(&format!("{action}Result"));
            match result.and_then(|result| result.text_of("Marker")) {
                Some(marker) => parameters = vec![("Marker".to_owned(), marker)],
                None => break,
            }
        }
        Ok(items)
    }

    /// One call of the Query API; the answer's tree.
    pub(super) async fn query(
        &self,
        service: Service,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Element, AwsError> {
        let mut form: Vec<(&str, &str)> = vec![("Action", action), ("Version", service.version())];
        form.extend(
            parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let body = rds_iam::form(&form);
        let name = format!("{}:{action}", service.prefix());
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        let (status, text) = self
            .send(service, &name, &[("content-type", content_type)], body)
            .await?;
        let tree = Element::parse(&text).map_err(|_not_xml| AwsError::Unreachable {
            action: name.clone(),
            endpoint: self.endpoint(service),
            message: format!("status {status}, and no XML"),
        })?;
        if (200..300).contains(&status) {
            return Ok(tree);
        }
        let error = tree.find("Error");
        let part = |part| {
            error
                .and_then(|error| error.text_of(part))
                .unwrap_or_default()
        };
        Err(refusal(name, part("Code"), &part("Message")))
    }

    /// One call of CloudWatch Logs, which speaks JSON.
    pub(super) async fn json(
        &self,
        operation: &str,
        body: &serde_json::Value,
    ) -> Result<serde_json::Value, AwsError> {
        let target = format!("Logs_20140328.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        let name = format!("logs:{operation}");
        let (status, text) = self
            .send(Service::Logs, &name, &headers, body.to_string())
            .await?;
        let unreadable = |_error| AwsError::Unreachable {
            action: name.clone(),
            endpoint: self.endpoint(Service::Logs),
            message: format!("status {status}, and no JSON"),
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let part = |part: &str| {
            value
                .get(part)
                .and_then(|value| value.as_str())
                .map(str::to_owned)
        };
        let code = part("__type").unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = part("message")
            .or_else(|| part("Message"))
            .unwrap_or_default();
        Err(refusal(name, code, &message))
    }

    /// Sends, and tries again while AWS throttles or fails by itself.
    async fn send(
        &self,
        service: Service,
        action: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(u16, String), AwsError> {
        let mut pause = Duration::from_millis(200);
        for last in [false, false, true] {
            let sent = self.send_once(service, action, headers, &body).await;
            let again = match &sent {
                Ok((status, text)) => {
                    matches!(status, 429 | 500 | 502 | 503 | 504) || text.contains("Throttling")
                }
                Err(AwsError::Unreachable { .. }) => true,
                Err(_) => false,
            };
            if last || !again {
                return sent;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(3);
        }
        self.send_once(service, action, headers, &body).await
    }

    async fn send_once(
        &self,
        service: Service,
        action: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String), AwsError> {
        let endpoint = self.endpoint(service);
        let unreachable = |message: String| AwsError::Unreachable {
            action: action.to_owned(),
            endpoint: endpoint.clone(),
            message,
        };
        let url = reqwest::Url::parse(&endpoint).map_err(|error| unreachable(error.to_string()))?;
        let host = host_of(&url);
        let fetched = self.credentials.get().await?;
        let signed = sign_request(
            &SignedRequest {
                method: "POST",
                path: "/",
                service: service.signing_name(),
                region: self.signing_region(service),
                host: &host,
                headers,
                body_sha256: &BodyHash::of(body.as_bytes()),
                at: (self.clock)(),
            },
            &fetched.credentials,
        );
        let mut request = self
            .http
            .request(Method::POST, url)
            .body(body.to_owned())
            .timeout(PATIENCE);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &signed {
            let mut value = reqwest::header::HeaderValue::from_str(value)
                .map_err(|error| unreachable(error.to_string()))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| unreachable(without_url(error)))?;
        let status = answer.status().as_u16();
        let text = answer
            .text()
            .await
            .map_err(|error| unreachable(without_url(error)))?;
        Ok((status, text))
    }

    fn endpoint(&self, service: Service) -> String {
        let given = match service {
            Service::Rds => &self.endpoints.rds,
            Service::Sts => &self.endpoints.sts,
            Service::Iam => &self.endpoints.iam,
            Service::Monitoring => &self.endpoints.monitoring,
            Service::Logs => &self.endpoints.logs,
        };
        given
            .clone()
            .unwrap_or_else(|| self.public_endpoint(service))
    }

    /// AWS General Reference, "Service endpoints".
    fn public_endpoint(&self, service: Service) -> String {
        let region = &self.region;
        let domain = self.partition.domain();
        match (service, self.partition) {
            (Service::Iam, Partition::China) => format!("https://iam.cn-north-1.{domain}"),
            (Service::Iam, Partition::UsGov) => format!("https://iam.us-gov.{domain}"),
            (Service::Iam, Partition::EuropeanSovereign) => {
                format!("https://iam.eusc-de-east-1.{domain}")
            }
            (Service::Iam, Partition::Iso) => format!("https://iam.us-iso-east-1.{domain}"),
            (Service::Iam, Partition::IsoB) => format!("https://iam.us-isob-east-1.{domain}"),
            (Service::Iam, Partition::IsoE) => format!("https://iam.eu-isoe-west-1.{domain}"),
            (Service::Iam, Partition::IsoF) => format!("https://iam.us-isof-south-1.{domain}"),
            (Service::Iam, Partition::Aws) => format!("https://iam.{domain}"),
            (service, _) => format!("https://{}.{region}.{domain}", service.signing_name()),
        }
    }

    /// IAM is global and signed for one region of its partition.
    fn signing_region(&self, service: Service) -> &str {
        match (service, self.partition) {
            (Service::Iam, Partition::Aws) => "us-east-1",
            (Service::Iam, Partition::China) => "cn-north-1",
            (Service::Iam, Partition::UsGov) => "us-gov-west-1",
            (Service::Iam, Partition::EuropeanSovereign) => "eusc-de-east-1",
            (Service::Iam, Partition::Iso) => "us-iso-east-1",
            (Service::Iam, Partition::IsoB) => "us-isob-east-1",
            (Service::Iam, Partition::IsoE) => "eu-isoe-west-1",
            (Service::Iam, Partition::IsoF) => "us-isof-south-1",
            _ => &self.region,
        }
    }
}

impl Service {
    fn signing_name(self) -> &'static str {
        match self {
            Self::Rds => "rds",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Monitoring => "monitoring",
            Self::Logs => "logs",
        }
    }

    /// What permissions of it begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Monitoring => "cloudwatch",
            other => other.signing_name(),
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Rds => "2014-10-31",
            Self::Sts => "2011-06-15",
            Self::Iam => "2010-05-08",
            Self::Monitoring => "2010-08-01",
            Self::Logs => "2014-03-28",
        }
    }
}

/// Of a hundred items each, unless AWS says otherwise.
const MOST_PAGES: usize = 50;

/// For one call, from its first byte to its last.
const PATIENCE: Duration = Duration::from_secs(15);

fn refusal(action: String, code: String, message: &str) -> AwsError {
    let message: String = message.chars().take(400).collect();
    match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            AwsError::Denied { action, message }
        }
        _ => AwsError::Refused {
            action,
            code,
            message,
        },
    }
}

/// The `Host` header as the HTTP library sends it.
fn host_of(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The chain of causes; the URL is in the error already.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
