//! The certificate authorities inside the program: RDS's regional roots and Amazon's public ones.
//!
//! Servers of RDS and Aurora present certificates of the regional roots, RDS Proxy those of
//! Amazon's public roots; both sets are trusted together. They are part of the program so that a
//! start needs no download. China, GovCloud, the isolated partitions and regions younger than the
//! bundle are not in it: there the operator names a file, which replaces this set, and [`missing`]
//! says from where. The tests list every fingerprint.

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{
    certificate::CertificateDetails,
    endpoint::{EndpointKind, Partition, RdsEndpoint},
};

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

/// Roots that an endpoint needs and the program does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRoots {
    /// The region whose roots they are.
    pub region: String,
    /// Where AWS has them; `None` where it says so only inside of the partition.
    pub bundle: Option<String>,
}

/// AWS's page with all bundles.
const BUNDLES_PAGE: &str =
    "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html";

/// Says which roots an endpoint needs that are not embedded. RDS Proxy and DSQL have Amazon's public ones.
#[must_use]
pub fn missing(endpoint: &RdsEndpoint) -> Option<MissingRoots> {
    let public = matches!(
        endpoint.kind,
        EndpointKind::Proxy | EndpointKind::ProxyEndpoint | EndpointKind::Dsql
    );
    let region = endpoint.region.as_ref().filter(|_| !public)?;
    let of_region = format!("# Amazon RDS {region} Root CA ");
    if RDS.contains(&of_region) {
        return None;
    }
    let host = match endpoint.partition {
        Partition::Aws => Some("truststore.pki.rds.amazonaws.com"),
        Partition::UsGov => Some("truststore.pki.us-gov-west-1.rds.amazonaws.com"),
        Partition::China => Some("rds-truststore.s3.cn-north-1.amazonaws.com.cn"),
        Partition::Iso
        | Partition::IsoB
        | Partition::IsoE
        | Partition::IsoF
        | Partition::EuropeanSovereign => None,
    };
    Some(MissingRoots {
        bundle: host.map(|host| format!("https://{host}/{region}/{region}-bundle.pem")),
        region: region.clone(),
    })
}

impl MissingRoots {
    /// What to do about it.
    #[must_use]
    pub fn next_step(&self) -> String {
        let from = match &self.bundle {
            Some(bundle) => format!("get {bundle} ({BUNDLES_PAGE} has them all)"),
            None => format!("get the bundle of {} ({BUNDLES_PAGE})", self.region),
        };
        format!("{from} and name the file in DB_SSLROOTCERT")
    }
}

#[cfg(test)]
mod tests;
