//! The HTTP client that the doors are handed for what an administrator asked for: a Crypt server.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::redirect::Policy;
use sal_http::outbound::{Fetched, Outbound, Unreachable};

/// Asks other servers; follows no redirects.
pub(crate) struct HttpOutbound {
    http: reqwest::Client,
}

impl HttpOutbound {
    /// Trusts the system's certificate authorities and, where a file is given, those in it.
    pub(crate) fn new(root_ca: Option<&Path>) -> Result<Self> {
        let mut builder = reqwest::Client::builder().redirect(Policy::none());
        if let Some(path) = root_ca {
            let pem = std::fs::read(path)
                .with_context(|| format!("reading DOCKER_SAL_ROOT_CA `{}`", path.display()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("DOCKER_SAL_ROOT_CA `{}` is not PEM", path.display()))?;
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let http = builder.build().context("setting up the HTTP client")?;
        Ok(Self { http })
    }
}

impl Outbound for HttpOutbound {
    fn get(
        &self,
        url: &str,
        patience: Duration,
        limit_bytes: usize,
    ) -> BoxFuture<'_, Result<Fetched, Unreachable>> {
        let request = self.http.get(url).timeout(patience);
        async move {
            let why = |error: reqwest::Error| {
                Unreachable(if error.is_timeout() {
                    format!("no answer within {} s", patience.as_secs())
                } else {
                    "no connection, or none that can be trusted".to_owned()
                })
            };
            let mut answer = request.send().await.map_err(why)?;
            let status = answer.status().as_u16();
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(why)? {
                if body.len() + chunk.len() > limit_bytes {
                    return Err(Unreachable("the answer is too large".to_owned()));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Fetched {
                status,
                body: body.into(),
            })
        }
        .boxed()
    }
}
