//! Logs in to RDS, Aurora, RDS Proxy and Aurora DSQL for Postgres with IAM, or with a password.
//!
//! A `Connector` makes sessions from a `LoginConfig`: it finds the RDS name behind the configured
//! host, signs a token for this very connection with cached credentials, verifies the certificate
//! against that name, and explains every refusal. `token` alone is enough for programs that only
//! need the text. Nothing here reads the clock, prints or exits; the environment is read by the
//! AWS credential chain only (`CredentialChain`).

mod certificate;
mod clock;
mod config;
mod connect;
mod credentials;
mod dial;
pub mod endpoint;
mod explain;
mod failure;
pub mod guard;
mod http;
mod limit;
pub mod power;
pub mod region;
mod request;
mod resolve;
mod roots;
mod secret;
mod sigv4;
mod status;
mod tls;
mod token;

pub use self::{
    certificate::CertificateDetails,
    clock::Clock,
    config::{
        ConfigError, DEFAULT_CONNECT_TIMEOUT, DEFAULT_LOGINS_PER_SECOND, IamConfig, LoginConfig,
        LoginSecret,
    },
    connect::{Canceller, Connection, Connector, Handshake, RawStream},
    credentials::{
        AssumeRole, CacheSettings, ChainSettings, CredentialCache, CredentialChain,
        CredentialError, CredentialProvider, CredentialStatus, Credentials, Fetched,
        FixedCredentials, RefreshOutcome, Skew, SkewMeter,
    },
    dial::keep_alive,
    endpoint::{Partition, RdsEndpoint},
    explain::{Explanation, explain, explain_text},
    failure::{LoginContext, LoginError, LoginFailure, Signer, Stage},
    guard::SearchPath,
    http::{AwsClient, AwsHttp, AwsHttpError, system_authorities},
    limit::{BURST, LoginLimiter},
    request::{BodyHash, SignedRequest, form, percent_decoded, sign_request},
    resolve::{ResolveError, Resolver, SystemResolver, find_endpoint},
    roots::{
        MissingRoots, embedded as embedded_roots, embedded_details as embedded_root_details,
        embedded_pem as embedded_roots_pem, missing as missing_roots,
    },
    secret::Secret,
    status::{LoginFailureNote, LoginMode, LoginStatus, LoginWarning},
    tls::{Authorities, Negotiation, TlsConfig, TlsMode, TlsSetupError},
    token::{DsqlAction, RDS_TOKEN_LIFE, Token, dsql_token, login_token, token},
};
