//! The lab's certificates, shaped like RDS's: a root per region, a subordinate CA, a server.
//!
//! The root is what clients must trust; it can be replaced while the lab runs.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::LabError;

/// A root and the TLS configuration that was issued below it.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) root_pem: String,
    pub(crate) chain_pem: String,
    /// The server's private key; only for the file that Postgres itself reads.
    pub(crate) key_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Authority {
    /// Makes a new root, a subordinate and a server certificate for the endpoints, the first one its subject.
    ///
    /// `generation` counts the roots of one lab and is part of their names; `ends` is for a root that does not
    /// live as long as RDS's do.
    pub(crate) fn create(
        region: &str,
        endpoints: &[String],
        generation: u32,
        ends: Option<Timestamp>,
    ) -> Result<Self, LabError> {
        let name = |kind: &str| format!("Amazon RDS {region} {kind} ECC384 G{generation} (lab)");
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let mut root = authority(&name("Root CA"), 1);
        if let Some(ends) = ends {
            let date = ends.to_zoned(TimeZone::UTC).date();
            let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
            root.not_after = date_time_ymd(i32::from(date.year()), month, day);
        }
        let root = CertifiedIssuer::self_signed(root, root_key)?;
        let subordinate_key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let subordinate = authority(&name("Subordinate CA"), 0);
        let subordinate = CertifiedIssuer::signed_by(subordinate, subordinate_key, &root)?;
        let server_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let server = server_parameters(endpoints)?.signed_by(&server_key, &subordinate)?;
        let chain = vec![server.der().clone(), subordinate.der().clone()];
        let key = PrivatePkcs8KeyDer::from(server_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key.into())?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self {
            root_pem: root.pem(),
            chain_pem: server.pem() + &subordinate.pem(),
            key_pem: server_key.serialize_pem(),
            server: Arc::new(config),
        })
    }
}

/// What direct TLS must agree on.
pub(crate) const ALPN: &[u8] = b"postgresql";

fn authority(common_name: &str, below: u8) -> CertificateParams {
    let mut parameters = named(CertificateParams::default(), common_name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    parameters.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    parameters
}

fn server_parameters(endpoints: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut names = endpoints.to_vec();
    for endpoint in endpoints {
        let wildcard = endpoint.split_once('.');
        let wildcard = wildcard.map(|(_, domain)| format!("*.{domain}"));
        names.extend(wildcard.filter(|name| !names.contains(name)));
    }
    let subject = endpoints.first().map(String::as_str).unwrap_or_default();
    let mut parameters = named(CertificateParams::new(names)?, subject);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

/// RDS's subject fields; valid for as long as RDS's roots are, whatever clock a test uses.
fn named(mut parameters: CertificateParams, common_name: &str) -> CertificateParams {
    let fields = [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "WA"),
        (DnType::LocalityName, "Seattle"),
        (DnType::OrganizationName, "Amazon Web Services, Inc."),
        (DnType::OrganizationalUnitName, "Amazon RDS"),
        (DnType::CommonName, common_name),
    ];
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    for (kind, value) in fields {
        parameters.distinguished_name.push(kind, value);
    }
    parameters.not_before = date_time_ymd(2021, 5, 21);
    parameters.not_after = date_time_ymd(2121, 5, 21);
    parameters
}
