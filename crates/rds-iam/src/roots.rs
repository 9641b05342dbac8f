//! The certificate authorities inside the program: RDS's regional roots and Amazon's public ones.
//!
//! Servers of RDS and Aurora present certificates of the regional roots, RDS Proxy those of
//! Amazon's public roots; both sets are trusted together. They are part of the program so that a
//! start needs no download. China, GovCloud and regions younger than the bundle are not in it:
//! there the operator names a file, which replaces this set. The tests list every fingerprint.

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::certificate::CertificateDetails;

const RDS: &str = include_str!("../roots/rds.pem");
const AMAZON: &str = include_str!("../roots/amazon.pem");

/// The embedded roots as DER, those of RDS first.
#[must_use]
pub fn embedded() -> Vec<CertificateDer<'static>> {
    [RDS, AMAZON]
        .into_iter()
        .flat_map(|text| CertificateDer::pem_slice_iter(text.as_bytes()))
        .filter_map(Result::ok)
        .collect()
}

/// The embedded roots as PEM, for programs that want a file.
#[must_use]
pub fn embedded_pem() -> String {
    format!("{RDS}\n{AMAZON}")
}

/// The embedded roots in words, for pages and diagnosis.
#[must_use]
pub fn embedded_details() -> Vec<CertificateDetails> {
    embedded()
        .iter()
        .filter_map(|root| CertificateDetails::parse(root))
        .collect()
}

#[cfg(test)]
mod tests;
