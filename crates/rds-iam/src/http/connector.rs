//! The client in the form that AWS's credential sources take it.

use std::{io, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Full;
use reqwest::{Method, Url};

use super::AwsClient;

/// For a source that names no time of its own.
const PATIENCE: Duration = Duration::from_secs(15);

impl HttpClient for AwsClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let times = (settings.connect_timeout(), settings.read_timeout());
        let patience = match times {
            (Some(connect), Some(read)) => connect.saturating_add(read),
            _ => PATIENCE,
        };
        Connector {
            client: self.clone(),
            patience,
        }
        .into_shared()
    }
}

#[derive(Debug)]
struct Connector {
    client: AwsClient,
    patience: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, patience) = (self.client.clone(), self.patience);
        HttpConnectorFuture::new(async move { send(&client, patience, &request).await })
    }
}

async fn send(
    client: &AwsClient,
    patience: Duration,
    request: &HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let url = Url::parse(request.uri()).map_err(|error| ConnectorError::user(error.into()))?;
    let method = Method::from_bytes(request.method().as_bytes());
    let method = method.map_err(|error| ConnectorError::user(error.into()))?;
    let Some(body) = request.body().bytes() else {
        let streamed = io::Error::other("a request whose body is streamed cannot be sent");
        return Err(ConnectorError::user(streamed.into()));
    };
    let mut sent = client
        .of(&url)
        .request(method, url)
        .timeout(patience)
        .body(body.to_vec());
    for (name, value) in request.headers() {
        sent = sent.header(name, value);
    }
    let answer = sent.send().await.map_err(failed)?;
    let status = StatusCode::try_from(answer.status().as_u16());
    let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
    let headers = answer.headers().clone();
    let body = answer.bytes().await.map_err(failed)?;
    // As bytes in memory it would be printed by whoever traces the answer, credentials included.
    let body = SdkBody::from_body_1_x(Full::new(body));
    let mut response = HttpResponse::new(status, body);
    for (name, value) in &headers {
        // A header that is no text says nothing to a source of credentials.
        if let Ok(value) = value.to_str() {
            let kept = response
                .headers_mut()
                .try_append(name.as_str().to_owned(), value.to_owned());
            kept.map_err(|error| ConnectorError::other(error.into(), None))?;
        }
    }
    Ok(response)
}

/// Without the address: it may hold what is secret.
fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_connect() {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}
