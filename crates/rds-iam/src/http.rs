//! The one way to AWS: every call, whoever makes it, goes through a client that is built here.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, are read by the HTTP library. Trusted are the
//! system's authorities and Amazon's own roots inside the program, so that a container without a list of authorities works;
//! a bundle of the operator's replaces both, as it does for AWS's programs. Instance and container metadata are asked
//! directly: a proxy would answer with its own identity, or not at all.

mod connector;

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use reqwest::{Certificate, Client, Method, RequestBuilder, Url, redirect::Policy};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;

use crate::roots;

/// How AWS is reached.
#[derive(Clone, Debug, Default)]
pub struct AwsHttp {
    /// PEM file of the authorities to trust instead of the system's and Amazon's (`AWS_CA_BUNDLE`).
    pub ca_bundle: Option<PathBuf>,
}

/// AWS cannot be reached as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AwsHttpError {
    /// The bundle of authorities cannot be read.
    #[error("the authorities of AWS_CA_BUNDLE `{path}` cannot be read: {why}")]
    Bundle {
        /// The file.
        path: String,
        /// What the system said, or that there is no certificate in it.
        why: String,
    },
    /// The HTTP library refused.
    #[error("no HTTP client for AWS: {0}")]
    Client(String),
}

/// A client for AWS; clones share their connections.
#[derive(Clone)]
pub struct AwsClient {
    outward: Client,
    /// Uses no proxy.
    near: Client,
}

impl AwsHttp {
    /// Builds a client; sends nothing.
    ///
    /// # Errors
    /// When the bundle has no usable certificate.
    pub fn client(&self) -> Result<AwsClient, AwsHttpError> {
        let authorities = self.authorities()?;
        let built = |near: bool| {
            let builder = Client::builder()
                .connect_timeout(CONNECT_PATIENCE)
                .redirect(Policy::none())
                .tls_certs_only(authorities.iter().cloned());
            let builder = if near { builder.no_proxy() } else { builder };
            builder
                .build()
                .map_err(|error| AwsHttpError::Client(error.to_string()))
        };
        Ok(AwsClient {
            outward: built(false)?,
            near: built(true)?,
        })
    }

    fn authorities(&self) -> Result<Vec<Certificate>, AwsHttpError> {
        let Some(path) = &self.ca_bundle else {
            let all = system_authorities().into_iter().chain(roots::embedded());
            return Ok(usable(all));
        };
        let failed = |why: &str| AwsHttpError::Bundle {
            path: path.display().to_string(),
            why: why.to_owned(),
        };
        let text = std::fs::read(path).map_err(|error| failed(&error.to_string()))?;
        let found = usable(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
        if found.is_empty() {
            return Err(failed("there is no certificate in it"));
        }
        Ok(found)
    }
}

/// The system's authorities (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or where the system keeps them), as far as they can be read;
/// none is no error.
#[must_use]
pub fn system_authorities() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "authorities of the system were not read");
    }
    let mut store = RootCertStore::empty();
    let all = found.certs.into_iter();
    // One that cannot be used must not take the others with it.
    all.filter(|one| store.add(one.clone()).is_ok()).collect()
}

fn usable(all: impl Iterator<Item = CertificateDer<'static>>) -> Vec<Certificate> {
    let mut store = RootCertStore::empty();
    all.filter(|one| store.add(one.clone()).is_ok())
        .filter_map(|one| Certificate::from_der(&one).ok())
        .collect()
}

impl AwsClient {
    /// Begins a request.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.of(&url).request(method, url)
    }

    fn of(&self, url: &Url) -> &Client {
        match url.host_str().is_some_and(is_near) {
            true => &self.near,
            false => &self.outward,
        }
    }
}

/// This machine, its hypervisor and its agents: metadata of instances and containers, EKS Pod Identity.
fn is_near(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || METADATA_V6.contains(&bare),
        Err(_a_name) => bare.eq_ignore_ascii_case("localhost"),
    }
}

/// EC2's and EKS's addresses.
const METADATA_V6: [&str; 2] = ["fd00:ec2::254", "fd00:ec2::23"];

/// For one connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

impl fmt::Debug for AwsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AwsClient")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_asked_directly() {
        for host in [
            "169.254.169.254",
            "169.254.170.2",
            "127.0.0.1",
            "[::1]",
            "[fd00:ec2::23]",
            "localhost",
        ] {
            assert!(is_near(host), "{host}");
        }
        for host in [
            "sts.us-west-2.amazonaws.com",
            "10.0.0.1",
            "localhost.example",
            "[fd00::1]",
        ] {
            assert!(!is_near(host), "{host}");
        }
    }

    #[test]
    fn a_bundle_that_holds_nothing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        for path in [empty, folder.path().join("missing.pem")] {
            let http = AwsHttp {
                ca_bundle: Some(path.clone()),
            };
            let error = http.client().unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
        assert!(AwsHttp::default().client().is_ok());
    }
}
