//! What a certificate says about itself, for pages and explanations.
//!
//! Nothing is decided on these values: trust is rustls's business. They exist so that a page can
//! show which certificate the server presented and an error can name the issuer that is missing.

use aws_lc_rs::digest;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, x509::X509Name,
};

use crate::sigv4::hex;

/// A certificate in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateDetails {
    /// Whom it was issued to, as `CN=…, O=…`.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The DNS names it is good for.
    pub names: Vec<String>,
    /// SHA-256 of the whole certificate, lower-case hexadecimal.
    pub sha256: String,
}

impl CertificateDetails {
    /// Reads a certificate; `None` when it is not one.
    #[must_use]
    pub fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            subject: name_text(certificate.subject()),
            issuer: name_text(certificate.issuer()),
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            names: dns_names(&certificate),
            sha256: hex(digest::digest(&digest::SHA256, der).as_ref()),
        })
    }
}

fn name_text(name: &X509Name<'_>) -> String {
    name.to_string().chars().take(300).collect()
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .take(20)
        .collect()
}
