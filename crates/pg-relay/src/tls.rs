//! TLS between the client and the relay, for clients that insist on it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// Where the relay's own certificate comes from.
#[derive(Clone, Debug)]
pub enum LocalTls {
    /// Made at the start, for these names; clients cannot verify it, only encrypt.
    SelfSigned(Vec<String>),
    /// From files.
    Files {
        /// The chain, as PEM.
        certificate: PathBuf,
        /// Its key, as PEM.
        key: PathBuf,
    },
}

/// TLS cannot be set up.
#[derive(Debug, Error)]
pub enum LocalTlsError {
    /// A file cannot be read or holds nothing of use.
    #[error("cannot read `{path}`: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refuses it.
    #[error("the certificate cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

impl LocalTls {
    /// Makes TLS ready.
    ///
    /// # Errors
    /// [`LocalTlsError`].
    pub fn acceptor(&self) -> Result<TlsAcceptor, LocalTlsError> {
        let (chain, key) = match self {
            Self::SelfSigned(names) => {
                let made = rcgen::generate_simple_self_signed(names.clone())?;
                let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
                (vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            }
            Self::Files { certificate, key } => (chain(certificate)?, private_key(key)?),
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, LocalTlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(file(path, &"there is no certificate in it")),
        Err(error) => Err(file(path, &error)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, LocalTlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| file(path, &error))
}

fn file(path: &Path, why: &dyn std::fmt::Display) -> LocalTlsError {
    LocalTlsError::File {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// What direct TLS has to name (Postgres manual, 34.1: `sslnegotiation`).
pub(crate) const ALPN: &[u8] = b"postgresql";
