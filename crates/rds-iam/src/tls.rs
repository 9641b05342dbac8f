//! TLS to the database: which authorities are trusted and how much of the certificate is checked.
//!
//! One rustls configuration per connector, on aws-lc-rs, given explicitly. Each login clones it
//! and puts a recorder in front of the verifier, so that the presented certificate is known even
//! when it is refused. Sessions are never resumed: every login checks the certificate, which is
//! how a rotated authority is noticed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as RustlsError, RootCertStore,
    SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use thiserror::Error;

use crate::{certificate::CertificateDetails, roots};

/// How a connection is protected.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// How much of the certificate is checked.
    pub mode: TlsMode,
    /// Whom the certificate may come from.
    pub authorities: Authorities,
    /// How TLS begins.
    pub negotiation: Negotiation,
}

/// How much of the server's certificate is checked; the names are libpq's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// The chain and the name.
    #[default]
    VerifyFull,
    /// The chain only.
    VerifyCa,
    /// Nothing: the connection is encrypted, but possibly to somebody else.
    Require,
    /// No TLS at all; impossible with IAM.
    Disable,
}

/// Where the trusted authorities come from.
#[derive(Clone, Debug, Default)]
pub enum Authorities {
    /// The roots of RDS and of RDS Proxy inside the program.
    #[default]
    Embedded,
    /// A PEM file that replaces the embedded set; read again when a server's authority is
    /// unknown, so that a renewed file needs no restart.
    File(PathBuf),
    /// PEM text that replaces the embedded set.
    Pem(String),
}

/// How TLS begins on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Negotiation {
    /// With Postgres's own request; every server speaks it.
    #[default]
    Postgres,
    /// At once, as Postgres 17 and some gateways allow.
    Direct,
}

/// The authorities or the settings cannot be used.
#[derive(Debug, Error)]
pub enum TlsSetupError {
    /// The file of authorities cannot be read.
    #[error("cannot read the certificate authorities in `{path}`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no usable certificate in it.
    #[error("there is no certificate in {origin}")]
    Empty {
        /// The file or `the given PEM text`.
        origin: String,
    },
    /// rustls refused the configuration.
    #[error("TLS cannot be set up: {0}")]
    Refused(String),
}

/// What was seen of the server in one handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The server's own certificate.
    pub(crate) certificate: Option<CertificateDetails>,
    /// The trusted authority that issued the last certificate presented, if there is one.
    pub(crate) authority: Option<CertificateDetails>,
    /// Issuer of the last certificate presented: the one that would have to be trusted.
    pub(crate) top_issuer: Option<String>,
    /// Why it was refused.
    pub(crate) refusal: Option<CertificateError>,
}

/// A shared slot that a handshake writes to.
pub(crate) type SeenSlot = Arc<Mutex<Seen>>;

/// TLS made ready for logins.
#[derive(Clone)]
pub(crate) struct TlsClient {
    mode: TlsMode,
    config: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    authorities: Arc<Vec<CertificateDer<'static>>>,
    /// The same in words.
    roots: Arc<Vec<CertificateDetails>>,
}

impl TlsClient {
    /// Loads the authorities; `None` when TLS is switched off.
    pub(crate) fn new(settings: &TlsConfig) -> Result<Option<Self>, TlsSetupError> {
        if settings.mode == TlsMode::Disable {
            return Ok(None);
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (authorities, roots) = trusted(&settings.authorities)?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| TlsSetupError::Refused(error.to_string()))?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Refused(error.to_string()))?
            .with_webpki_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        if settings.negotiation == Negotiation::Direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        let details = authorities
            .iter()
            .filter_map(|root| CertificateDetails::parse(root));
        Ok(Some(Self {
            roots: Arc::new(details.collect()),
            mode: settings.mode,
            config: Arc::new(config),
            verifier,
            provider,
            authorities: Arc::new(authorities),
        }))
    }

    /// Says whether both trust the same authorities.
    pub(crate) fn trusts_the_same(&self, other: &Self) -> bool {
        self.authorities == other.authorities
    }

    /// A configuration for one handshake, and the slot it reports to.
    pub(crate) fn for_one_login(&self) -> (ClientConfig, SeenSlot) {
        let seen = SeenSlot::default();
        let mut config = ClientConfig::clone(&self.config);
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(Recorder {
                mode: self.mode,
                inner: Arc::clone(&self.verifier),
                provider: Arc::clone(&self.provider),
                roots: Arc::clone(&self.roots),
                seen: Arc::clone(&seen),
            }));
        (config, seen)
    }
}

fn trusted(
    authorities: &Authorities,
) -> Result<(Vec<CertificateDer<'static>>, RootCertStore), TlsSetupError> {
    let (certificates, origin) = match authorities {
        Authorities::Embedded => (roots::embedded(), "the embedded set".to_owned()),
        Authorities::File(path) => {
            let text = std::fs::read(path).map_err(|source| TlsSetupError::Unreadable {
                path: path.clone(),
                source,
            })?;
            (read_pem(&text), format!("`{}`", path.display()))
        }
        Authorities::Pem(text) => (read_pem(text.as_bytes()), "the given PEM text".to_owned()),
    };
    let mut store = RootCertStore::empty();
    let (added, _unusable) = store.add_parsable_certificates(certificates.iter().cloned());
    if added == 0 {
        return Err(TlsSetupError::Empty { origin });
    }
    Ok((certificates, store))
}

fn read_pem(text: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text)
        .filter_map(Result::ok)
        .collect()
}

/// Notes what the server presents, then lets the real verifier decide.
#[derive(Debug)]
struct Recorder {
    mode: TlsMode,
    inner: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    roots: Arc<Vec<CertificateDetails>>,
    seen: SeenSlot,
}

impl Recorder {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, RustlsError> {
        let certificate = CertificateDetails::parse(end_entity);
        let top_issuer = intermediates
            .last()
            .and_then(CertificateDetails::parse)
            .or_else(|| certificate.clone())
            .map(|details| details.issuer);
        // Two of the same name are two lives of one authority: the longer one counts.
        let authority = self
            .roots
            .iter()
            .filter(|root| Some(&root.subject) == top_issuer.as_ref())
            .max_by_key(|root| root.not_after)
            .cloned();
        self.note(|seen| {
            seen.certificate = certificate;
            seen.authority = authority;
            seen.top_issuer = top_issuer;
        });
        if self.mode == TlsMode::Require {
            return Ok(ServerCertVerified::assertion());
        }
        let result = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match result {
            // The chain is checked before the name, so this refusal means the chain is good.
            Err(RustlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.mode == TlsMode::VerifyCa => Ok(ServerCertVerified::assertion()),
            Err(RustlsError::InvalidCertificate(refusal)) => {
                self.note(|seen| seen.refusal = Some(refusal.clone()));
                Err(RustlsError::InvalidCertificate(refusal))
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_set_is_accepted_whole() {
        let (_, store) = trusted(&Authorities::Embedded).unwrap();
        assert_eq!(store.len(), roots::embedded().len());
        assert!(TlsClient::new(&TlsConfig::default()).unwrap().is_some());
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let text = Authorities::Pem("nothing here".to_owned());
        assert!(matches!(trusted(&text), Err(TlsSetupError::Empty { .. })));
        let missing = Authorities::File(PathBuf::from("/nonexistent/ca.pem"));
        let error = trusted(&missing).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/ca.pem"), "{error}");
    }

    #[test]
    fn switched_off_means_no_client() {
        let off = TlsConfig {
            mode: TlsMode::Disable,
            ..TlsConfig::default()
        };
        assert!(TlsClient::new(&off).unwrap().is_none());
    }
}
