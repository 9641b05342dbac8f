//! RDS Proxy: how it logs clients in, how it logs in behind, and which database that is.
//!
//! In the standard mode clients bring a token or a password, and the proxy logs in with a secret that it has for each
//! user. End to end (`DefaultAuthScheme=IAM_AUTH`) it logs in with a token of its own role.

use serde::Serialize;

use super::{
    client::{AwsApi, AwsError, Service},
    rds::{DatabaseTarget, TargetKind},
    xml::Element,
};

/// What a proxy does with logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyFacts {
    /// How it logs in to the database.
    pub mode: ProxyMode,
    /// The role that it reads secrets with, and signs tokens with.
    pub role_arn: Option<String>,
    /// `IAMAuth` of each of its secrets: `DISABLED`, `ENABLED` or `REQUIRED`.
    pub secrets: Vec<String>,
    /// The endpoint that was asked about leads to readers.
    pub reads_only: bool,
}

/// How a proxy logs in to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyMode {
    /// With a secret: the database user must not be in `rds_iam`.
    Standard,
    /// With a token: the database user must be in `rds_iam`.
    EndToEnd,
}

impl ProxyMode {
    /// In words, for a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Standard => "in its standard mode",
            Self::EndToEnd => "with end-to-end IAM",
        }
    }
}

impl AwsApi {
    /// The proxy that has an additional endpoint of this name.
    ///
    /// # Errors
    /// [`AwsError`].
    pub(super) async fn proxy_of_endpoint(
        &self,
        name: &str,
    ) -> Result<Option<DatabaseTarget>, AwsError> {
        let parameters = [("DBProxyEndpointName".to_owned(), name.to_owned())];
        let asked = self
            .query(Service::Rds, "DescribeDBProxyEndpoints", &parameters)
            .await;
        let tree = match asked {
            Err(AwsError::Refused { code, .. }) if code.contains("NotFound") => return Ok(None),
            other => other?,
        };
        let endpoints = tree.find("DBProxyEndpoints");
        let Some(endpoint) = endpoints.and_then(|endpoints| endpoints.items().next()) else {
            return Ok(None);
        };
        let reads_only = endpoint.text_of("TargetRole").as_deref() == Some("READ_ONLY");
        let Some(proxy) = endpoint.text_of("DBProxyName") else {
            return Ok(None);
        };
        let mut found = self.describe(TargetKind::Proxy, &proxy).await?;
        if let Some(facts) = found.as_mut().and_then(|found| found.proxy.as_mut()) {
            facts.reads_only = reads_only;
        }
        Ok(found)
    }

    /// The instance or cluster behind a proxy; `None` when it has no target.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn behind_proxy(&self, proxy: &str) -> Result<Option<DatabaseTarget>, AwsError> {
        match self.target_of_proxy(proxy).await? {
            Some((kind, identifier)) => self.describe(kind, &identifier).await,
            None => Ok(None),
        }
    }

    async fn target_of_proxy(&self, proxy: &str) -> Result<Option<(TargetKind, String)>, AwsError> {
        let parameters = [("DBProxyName".to_owned(), proxy.to_owned())];
        let tree = self
            .query(Service::Rds, "DescribeDBProxyTargets", &parameters)
            .await?;
        let of = |kind: &str| {
            let mut targets = tree.find("Targets").into_iter().flat_map(Element::items);
            let found = targets.find(|target| target.text_of("Type").as_deref() == Some(kind));
            found.and_then(|target| target.text_of("RdsResourceId"))
        };
        // Of a cluster its instances are targets, too.
        let cluster = of("TRACKED_CLUSTER").map(|name| (TargetKind::Cluster, name));
        Ok(cluster.or_else(|| of("RDS_INSTANCE").map(|name| (TargetKind::Instance, name))))
    }

    /// The proxies that stand before an instance or cluster.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn proxies_before(
        &self,
        database: &DatabaseTarget,
    ) -> Result<Vec<DatabaseTarget>, AwsError> {
        let all = self
            .all(Service::Rds, "DescribeDBProxies", "DBProxies")
            .await?;
        let mut before = Vec::new();
        let postgres = all
            .iter()
            .filter(|proxy| proxy.text_of("EngineFamily").as_deref() == Some("POSTGRESQL"));
        for proxy in postgres.take(MOST_PROXIES) {
            let proxy = super::rds::read(TargetKind::Proxy, proxy);
            let target = self.target_of_proxy(&proxy.identifier).await?;
            if target == Some((database.kind, database.identifier.clone())) {
                before.push(proxy);
            }
        }
        Ok(before)
    }
}

/// What a description of a proxy says of logins.
pub(super) fn read(element: &Element) -> ProxyFacts {
    let end_to_end = element.text_of("DefaultAuthScheme").as_deref() == Some("IAM_AUTH");
    let secrets = element.child("Auth").into_iter().flat_map(Element::items);
    ProxyFacts {
        mode: match end_to_end {
            true => ProxyMode::EndToEnd,
            false => ProxyMode::Standard,
        },
        role_arn: element.text_of("RoleArn"),
        secrets: secrets
            .filter_map(|secret| secret.text_of("IAMAuth"))
            .collect(),
        reads_only: false,
    }
}

/// Each costs a call; AWS lets an account have twenty in a region.
const MOST_PROXIES: usize = 20;
