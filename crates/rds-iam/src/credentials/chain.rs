//! Where AWS programs find credentials: environment, profile, web identity, container, instance.
//!
//! The order and the meaning of every variable are `aws-config`'s, which reads the process
//! environment and the shared files itself; it offers no way to hand them in. Built once, on the
//! first fetch, and kept: the sources hold their HTTP connections and metadata session. Each
//! source is asked by name, so that status and errors can say which one answered.

use std::{error::Error, path::PathBuf, sync::Arc};

use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    ecs::EcsCredentialsProvider,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    imds,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    sts::AssumeRoleProvider,
    web_identity_token::WebIdentityTokenCredentialsProvider,
};
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, error::CredentialsError,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::Env;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::{
    CredentialError, CredentialProvider, Credentials, Fetched, Skew, SkewMeter, files, login,
    metadata::{self, InstanceMetadata},
    named::{self, PROFILE, WEB_IDENTITY},
    watch::WatchingClient,
};
use crate::{
    clock::{AwsClock, Clock},
    http::AwsHttp,
};

/// What the program decides about the chain; everything else is the environment's.
#[derive(Clone, Debug, Default)]
pub struct ChainSettings {
    /// Region of the STS calls; without it the environment's or the profile's.
    pub region: Option<String>,
    /// Profile to read instead of `AWS_PROFILE` or `default`.
    pub profile: Option<String>,
    /// A role to assume with whatever the chain finds, for a database in another account.
    pub assume_role: Option<AssumeRole>,
    /// PEM file of the authorities to trust for calls to AWS, instead of the system's and Amazon's.
    pub ca_bundle: Option<PathBuf>,
}

/// A role to assume on top of the credentials found.
#[derive(Clone, Debug)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The name of the session in CloudTrail.
    pub session_name: String,
    /// The identifier the role's trust policy may ask for.
    pub external_id: Option<String>,
}

/// The usual sources, asked in the usual order.
pub struct CredentialChain {
    settings: ChainSettings,
    clock: Clock,
    skew: SkewMeter,
    built: OnceCell<Built>,
}

struct Built {
    /// Nobody else's credentials are taken where a profile was named.
    named_profile: Option<String>,
    sources: Vec<(&'static str, SharedCredentialsProvider)>,
    metadata: Option<InstanceMetadata>,
    assumed: Option<SharedConfig>,
}

struct SharedConfig {
    role: AssumeRole,
    config: SdkConfig,
}

impl CredentialChain {
    /// Prepares the chain; nothing is read before the first fetch.
    #[must_use]
    pub fn new(settings: ChainSettings, clock: Clock) -> Self {
        Self {
            settings,
            clock,
            skew: SkewMeter::default(),
            built: OnceCell::new(),
        }
    }

    async fn build(&self) -> Result<Built, CredentialError> {
        let client = self.http_client()?;
        let config = ProviderConfig::without_region()
            .with_time_source(AwsClock(Arc::clone(&self.clock)))
            .with_sleep_impl(TokioSleep::new())
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(client.clone());
        let region = self.region(&config).await;
        let config = config.with_region(region.clone());
        let mut profile = ProfileFileCredentialsProvider::builder().configure(&config);
        if let Some(name) = &self.settings.profile {
            profile = profile.profile_name(name);
        }
        let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(&config);
        let container = EcsCredentialsProvider::builder().configure(&config);
        let environment = EnvironmentVariableCredentialsProvider::new();
        let metadata_off = Env::real()
            .get("AWS_EC2_METADATA_DISABLED")
            .is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let metadata = (!metadata_off)
            .then(|| InstanceMetadata(imds::Client::builder().configure(&config).build()));
        Ok(Built {
            named_profile: self.named_profile(),
            sources: vec![
                ("environment", SharedCredentialsProvider::new(environment)),
                (PROFILE, SharedCredentialsProvider::new(profile.build())),
                (
                    WEB_IDENTITY,
                    SharedCredentialsProvider::new(web_identity.build()),
                ),
                (
                    "container",
                    SharedCredentialsProvider::new(container.build()),
                ),
            ],
            metadata,
            assumed: self.assumed(client, region).await,
        })
    }

    /// The profile that somebody asked for by name.
    fn named_profile(&self) -> Option<String> {
        let asked = self.settings.profile.clone();
        asked
            .or_else(|| Env::real().get("AWS_PROFILE").ok())
            .filter(|name| !name.is_empty())
    }

    fn http_client(&self) -> Result<SharedHttpClient, CredentialError> {
        let http = AwsHttp {
            ca_bundle: self.settings.ca_bundle.clone(),
        };
        let client = http.client().map_err(|error| CredentialError::Failed {
            origin: "the way to AWS".to_owned(),
            message: error.to_string(),
        })?;
        let watching = WatchingClient::new(
            SharedHttpClient::new(client),
            self.skew.clone(),
            Arc::clone(&self.clock),
        );
        Ok(SharedHttpClient::new(watching))
    }

    /// The instance's own region is not asked for: it costs seconds where there is no instance.
    /// The region of the settings, else of the environment or the profile.
    pub async fn named_region(&self) -> Option<String> {
        let region = self.region(&ProviderConfig::without_region()).await;
        region.map(|region| region.to_string())
    }

    async fn region(&self, config: &ProviderConfig) -> Option<Region> {
        if let Some(region) = &self.settings.region {
            return Some(Region::new(region.clone()));
        }
        let mut profile = ProfileFileRegionProvider::builder().configure(config);
        if let Some(name) = &self.settings.profile {
            profile = profile.profile_name(name);
        }
        RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(profile.build())
            .region()
            .await
    }

    async fn assumed(
        &self,
        client: SharedHttpClient,
        region: Option<Region>,
    ) -> Option<SharedConfig> {
        let role = self.settings.assume_role.clone()?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client)
            .time_source(AwsClock(Arc::clone(&self.clock)))
            .region(RegionProviderChain::first_try(region))
            .no_credentials()
            .load()
            .await;
        Some(SharedConfig { role, config })
    }
}

impl CredentialProvider for CredentialChain {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
        Box::pin(async move {
            let built = self
                .built
                .get_or_try_init(|| Box::pin(self.build()))
                .await?;
            let found = built.first().await?;
            match &built.assumed {
                Some(shared) => shared.assume(found).await,
                None => Ok(found),
            }
        })
    }

    fn skew(&self) -> Option<Skew> {
        self.skew.last()
    }
}

impl Built {
    /// The first source that is configured decides, even when it fails.
    async fn first(&self) -> Result<Fetched, CredentialError> {
        if let Some(profile) = &self.named_profile {
            named::check_profile(profile).await?;
        }
        let mut tried = Vec::new();
        for (name, source) in &self.sources {
            named::check_before(name)?;
            match source.provide_credentials().await {
                Ok(found) => return Ok(fetched(&found, name)),
                Err(error @ CredentialsError::CredentialsNotLoaded(_)) => {
                    let why = innermost(&error);
                    if *name == PROFILE {
                        named::check_unloaded(self.named_profile.as_deref(), &why)?;
                    }
                    let said = files::with_paths(name, why, &Env::real());
                    tried.push(format!("{name} ({said})"));
                }
                Err(error) => {
                    let message = files::with_paths(name, error_text(&error), &Env::real());
                    let again = match *name == PROFILE {
                        true => login::command(self.named_profile.as_deref()).await,
                        false => None,
                    };
                    return Err(CredentialError::Failed {
                        origin: (*name).to_owned(),
                        message: login::with_command(message, again),
                    });
                }
            }
        }
        let Some(metadata) = &self.metadata else {
            tried.push(format!("{} (turned off)", metadata::SOURCE));
            return Err(CredentialError::NotFound { tried });
        };
        metadata.fetch().await.map_err(|error| match error {
            CredentialError::Failed { origin, message } => {
                tried.push(format!("{origin} ({message})"));
                CredentialError::NotFound { tried }
            }
            other => other,
        })
    }
}

impl SharedConfig {
    async fn assume(&self, base: Fetched) -> Result<Fetched, CredentialError> {
        let source = format!("role {} through {}", self.role.role_arn, base.source);
        let keys = aws_credential_types::Credentials::new(
            base.credentials.access_key_id(),
            base.credentials.secret_access_key().expose(),
            base.credentials
                .session_token()
                .map(|token| token.expose().to_owned()),
            base.credentials.expires_at().map(Into::into),
            "base",
        );
        let mut builder = AssumeRoleProvider::builder(&self.role.role_arn)
            .configure(&self.config)
            .session_name(&self.role.session_name);
        if let Some(id) = &self.role.external_id {
            builder = builder.external_id(id);
        }
        let provider = builder.build_from_provider(keys).await;
        let found = provider.provide_credentials().await;
        found
            .map(|found| fetched(&found, &source))
            .map_err(|error| CredentialError::Failed {
                origin: source.clone(),
                message: error_text(&error),
            })
    }
}

fn fetched(found: &aws_credential_types::Credentials, source: &str) -> Fetched {
    let expires_at = found.expiry().and_then(|end| Timestamp::try_from(end).ok());
    Fetched {
        credentials: Credentials::new(
            found.access_key_id(),
            found.secret_access_key(),
            found.session_token(),
            expires_at,
        ),
        source: source.to_owned(),
    }
}

/// The chain of `Display` texts; `Debug` would print whole answers, credentials included.
pub(super) fn error_text(error: &dyn Error) -> String {
    let mut texts: Vec<String> = vec![error.to_string()];
    let mut next = error.source();
    while let Some(inner) = next {
        let text = inner.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = inner.source();
    }
    texts.join(": ").chars().take(600).collect()
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        last = inner.to_string();
        next = inner.source();
    }
    last.chars().take(200).collect()
}
