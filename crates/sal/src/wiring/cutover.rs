//! Joins what a move needs: three logins, the credentials behind them, and a client of AWS.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use iam_cutover::aws::AwsApi;
use iam_cutover::doctor::{Platform, Surroundings};
use iam_cutover::journal::Actor;
use iam_cutover::logins::{Account, Logins, Who};
use iam_cutover::{Wish, status};
use rds_iam::{
    AwsHttp, ChainSettings, Clock, CredentialCache, CredentialChain, IamConfig, LoginConfig,
    LoginSecret, Partition, RdsEndpoint, Resolver, Secret, SystemResolver, TlsConfig,
};

use crate::config::cutover::CutoverConfig;
use crate::config::env::Signs;

/// Everything that `sal iam` works with.
pub(crate) struct Cutover {
    pub(crate) config: CutoverConfig,
    pub(crate) wish: Wish,
    pub(crate) logins: Logins,
    pub(crate) resolver: Arc<dyn Resolver>,
    /// The deployment's credentials: with the role of SAL_IAM_ROLE_ARN, if there is one.
    pub(crate) credentials: Arc<CredentialCache>,
    /// AWS, as whoever runs this.
    pub(crate) aws: Option<AwsApi>,
    /// AWS, as the deployment: its role is the one that has to be right.
    pub(crate) aws_as_deployment: Option<AwsApi>,
    pub(crate) endpoint: Option<RdsEndpoint>,
    /// Why there is no endpoint.
    no_endpoint: String,
    pub(crate) clock: Clock,
}

/// What the host is in RDS, and why that is not known where it is not.
async fn endpoint_of(
    database: &crate::config::database::DatabaseConfig,
    resolver: &dyn Resolver,
) -> (Option<RdsEndpoint>, String) {
    let host = database.sign_host.as_deref().unwrap_or(&database.host);
    match rds_iam::find_endpoint(host, resolver).await {
        Ok((endpoint, _)) => (
            endpoint,
            format!("`{host}` is no name of RDS and leads to none"),
        ),
        Err(not_resolved) => (RdsEndpoint::parse(host).ok(), not_resolved.to_string()),
    }
}

impl Cutover {
    /// Joins them. Finds the RDS name behind the host, and the old user where it is not known; changes nothing.
    pub(crate) async fn new(config: CutoverConfig) -> Result<Self> {
        let clock = super::clock();
        let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver::new());
        let database = &config.database;
        let (endpoint, no_endpoint) = endpoint_of(database, resolver.as_ref()).await;
        let named = endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.region.clone());
        let region = database.region.clone().or_else(|| named.clone());
        let credentials = Arc::new(super::credentials(database, &clock));
        // AWS is asked as whoever runs this, not as the deployment's role; and in the database's own region.
        let asking = asking(&config, &region, &credentials, &clock);
        let region = named.or(region);
        let partition = partition(endpoint.as_ref(), region.as_deref());
        let api = |credentials: Arc<CredentialCache>| match &region {
            Some(region) => {
                let api = AwsApi::new(
                    credentials,
                    Arc::clone(&clock),
                    region,
                    partition,
                    config.endpoints.clone(),
                    &AwsHttp {
                        ca_bundle: config.database.aws.ca_bundle.clone(),
                    },
                );
                api.map(Some)
                    .map_err(|why| anyhow::anyhow!("no HTTP client for AWS: {why}"))
            }
            None => Ok(None),
        };
        let (aws, aws_as_deployment) = (api(asking)?, api(Arc::clone(&credentials))?);
        let logins = logins(&config, &resolver, &credentials, &clock);
        let mut cutover = Self {
            wish: config.wish.clone(),
            config,
            logins,
            resolver,
            credentials,
            aws,
            aws_as_deployment,
            endpoint,
            no_endpoint,
            clock,
        };
        if !cutover.config.old_user_known {
            cutover.find_old_user().await;
        }
        Ok(cutover)
    }

    /// The part of AWS that the database is in.
    pub(crate) fn partition(&self) -> Partition {
        partition(
            self.endpoint.as_ref(),
            self.config.database.region.as_deref(),
        )
    }

    /// What the host is in RDS, or why that is not known.
    pub(crate) fn endpoint(&self) -> std::result::Result<&RdsEndpoint, &str> {
        self.endpoint.as_ref().ok_or(self.no_endpoint.as_str())
    }

    /// The reason as a part of a sentence about what needs it; empty where there is an endpoint.
    pub(crate) fn without_endpoint(&self) -> String {
        match self.endpoint() {
            Ok(_) => String::new(),
            Err(why) => format!(", as {why}"),
        }
    }

    /// After the switch the environment names only the new user; whose place it took, the database knows.
    async fn find_old_user(&mut self) {
        let home = self.wish.databases.first().cloned().unwrap_or_default();
        for who in [Who::Admin, Who::New] {
            let Ok(session) = self.logins.open(who, &home).await else {
                continue;
            };
            if let Ok(Some(old)) = status::old_user_of(&self.wish.new_user, &session.client).await {
                self.wish.old_user = old;
            }
            session.end().await;
            break;
        }
        let (user, password) = (&self.wish.old_user, self.config.old_password.clone());
        if let (false, Some(password)) = (user.is_empty(), password) {
            self.logins.old = Some(account(user, LoginSecret::Password(password)));
        }
    }

    /// Who writes the journal; the database user is filled in by the run.
    pub(crate) fn actor() -> Actor {
        Actor {
            database_user: String::new(),
            system_user: Signs::read().user,
            host: super::host_name().unwrap_or_default(),
            program: PROGRAM.to_owned(),
        }
    }

    /// What the doctor wants to know of this process.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let signs = Signs::read();
        let marked = ["/.dockerenv", "/run/.containerenv"]
            .iter()
            .any(|path| Path::new(path).exists());
        let platform = match &signs {
            signs if signs.fargate => Platform::Fargate,
            signs if signs.ecs => Platform::Ecs,
            signs if signs.kubernetes => Platform::Eks,
            _ if marked => Platform::Container,
            _ => Platform::Plain,
        };
        Surroundings {
            platform,
            program: PROGRAM.to_owned(),
            iam: self.config.iam,
            region: self.config.database.region.clone(),
            metadata_off: signs.metadata_off,
        }
    }
}

fn partition(endpoint: Option<&RdsEndpoint>, region: Option<&str>) -> Partition {
    match (endpoint, region) {
        (Some(endpoint), _) => endpoint.partition,
        (None, Some(region)) => Partition::of_region(region),
        (None, None) => Partition::Aws,
    }
}

fn asking(
    config: &CutoverConfig,
    region: &Option<String>,
    deployment: &Arc<CredentialCache>,
    clock: &Clock,
) -> Arc<CredentialCache> {
    if config.database.role_arn.is_none() {
        return Arc::clone(deployment);
    }
    let settings = ChainSettings {
        region: region.clone(),
        ca_bundle: config.database.aws.ca_bundle.clone(),
        ..ChainSettings::default()
    };
    let chain = CredentialChain::new(settings, Arc::clone(clock));
    Arc::new(CredentialCache::new(Arc::new(chain), Arc::clone(clock)))
}

fn logins(
    config: &CutoverConfig,
    resolver: &Arc<dyn Resolver>,
    credentials: &Arc<CredentialCache>,
    clock: &Clock,
) -> Logins {
    let database = &config.database;
    let iam = || {
        LoginSecret::Iam(IamConfig {
            region: database.region.clone(),
            sign_host: database.sign_host.clone(),
            sign_port: database.sign_port,
            credentials: Arc::clone(credentials),
        })
    };
    let by_password = |secret: &Secret| LoginSecret::Password(secret.clone());
    let admin = config.admin_user.as_ref().map(|user| {
        let secret = config.admin_password.as_ref().map_or_else(iam, by_password);
        account(user, secret)
    });
    let admin_by_token = config.admin_user.as_ref().map(|user| account(user, iam()));
    let old = config
        .old_password
        .as_ref()
        .filter(|_| config.old_user_known)
        .map(|secret| account(&config.wish.old_user, by_password(secret)));
    Logins {
        base: LoginConfig {
            host_address: database.host_address,
            tls: TlsConfig {
                mode: database.tls,
                authorities: database.authorities.clone(),
                ..TlsConfig::default()
            },
            connect_timeout: database.connect_timeout,
            logins_per_second: database.logins_per_second,
            require_writable: true,
            ..LoginConfig::new(&database.host, database.port, &database.name, "", iam())
        },
        resolver: Arc::clone(resolver),
        clock: Arc::clone(clock),
        admin,
        admin_by_token,
        old,
        new: Some(account(&config.wish.new_user, iam())),
    }
}

fn account(user: &str, secret: LoginSecret) -> Account {
    Account {
        user: user.to_owned(),
        secret,
    }
}

const PROGRAM: &str = concat!("sal ", env!("CARGO_PKG_VERSION"));
