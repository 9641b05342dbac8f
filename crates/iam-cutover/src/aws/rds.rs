//! RDS: the instance, cluster or proxy behind an endpoint, and what it says about IAM.

use rds_iam::{RdsEndpoint, endpoint::EndpointKind};
use serde::Serialize;

use super::{
    client::{AwsApi, AwsError, Service},
    xml::Element,
};

/// What an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A DB instance, `db-…`.
    Instance,
    /// An Aurora or Multi-AZ cluster, `cluster-…`.
    Cluster,
    /// An RDS Proxy, `prx-…`.
    Proxy,
}

/// A database as RDS describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseTarget {
    /// What it is.
    pub kind: TargetKind,
    /// Its identifier, which is not its resource id.
    pub identifier: String,
    /// What policies name: `db-…`, `cluster-…` or `prx-…`.
    pub resource_id: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
    /// Such as `postgres` or `aurora-postgresql`.
    pub engine: String,
    /// Such as `15.5`.
    pub engine_version: String,
    /// Such as `available`.
    pub status: String,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam_enabled: Option<bool>,
    /// The same in `PendingModifiedValues`: it waits for the maintenance window.
    pub iam_pending: Option<bool>,
    /// Such as `db.t4g.micro`; none for a cluster.
    pub instance_class: Option<String>,
    /// The cluster that an instance belongs to; then the cluster's flag counts.
    pub cluster: Option<String>,
    /// The master user.
    pub master_username: Option<String>,
    /// `password` or `iam-db-auth`.
    pub master_authentication: Option<String>,
    /// Identifiers of read replicas; each has a resource id of its own.
    pub replicas: Vec<String>,
    /// Whether a Kerberos domain is joined.
    pub kerberos: bool,
    /// Whether it stands on an AWS Outpost.
    pub outpost: bool,
    /// The authority of its certificate, such as `rds-ca-rsa2048-g1`.
    pub ca: Option<String>,
    /// Logs exported to CloudWatch.
    pub log_exports: Vec<String>,
    /// The name of its parameter group.
    pub parameter_group: Option<String>,
}

/// An engine version that RDS knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineVersion {
    /// Such as `15.5`.
    pub version: String,
    /// `available` or `deprecated`.
    pub status: String,
}

impl AwsApi {
    /// Finds what an endpoint belongs to; `None` when nothing in this account and region has it.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn target(&self, endpoint: &RdsEndpoint) -> Result<Option<DatabaseTarget>, AwsError> {
        let kind = match endpoint.kind {
            EndpointKind::Proxy | EndpointKind::ProxyEndpoint => TargetKind::Proxy,
            EndpointKind::Instance => TargetKind::Instance,
            _ => TargetKind::Cluster,
        };
        let identifier = endpoint.name.split('.').next().unwrap_or_default();
        let found = self.describe(kind, identifier).await;
        match found {
            // A custom or reader endpoint of a cluster does not have the cluster's name.
            Ok(None) if kind == TargetKind::Cluster => self.cluster_of(&endpoint.name).await,
            other => other,
        }
    }

    /// Describes an instance, a cluster or a proxy.
    ///
    /// # Errors
    /// [`AwsError`]; that there is none is no error.
    pub async fn describe(
        &self,
        kind: TargetKind,
        identifier: &str,
    ) -> Result<Option<DatabaseTarget>, AwsError> {
        let (action, name, item) = match kind {
            TargetKind::Instance => ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstance"),
            TargetKind::Cluster => ("DescribeDBClusters", "DBClusterIdentifier", "DBCluster"),
            TargetKind::Proxy => ("DescribeDBProxies", "DBProxyName", "member"),
        };
        let parameters = [(name.to_owned(), identifier.to_owned())];
        let tree = match self.query(Service::Rds, action, &parameters).await {
            Err(AwsError::Refused { code, .. }) if code.contains("NotFound") => return Ok(None),
            other => other?,
        };
        Ok(tree.find(item).map(|element| read(kind, element)))
    }

    /// The cluster that has this endpoint among its own.
    async fn cluster_of(&self, name: &str) -> Result<Option<DatabaseTarget>, AwsError> {
        let tree = self.query(Service::Rds, "DescribeDBClusters", &[]).await?;
        let clusters = tree.find("DBClusters").into_iter().flat_map(Element::items);
        let has = |cluster: &&Element| {
            let single = ["Endpoint", "ReaderEndpoint"];
            let own = single
                .iter()
                .filter_map(|part| cluster.text_of(part))
                .any(|found| found == name);
            let custom = cluster
                .child("CustomEndpoints")
                .into_iter()
                .flat_map(Element::items);
            own || custom.map(Element::own_text).any(|found| found == name)
        };
        let mut clusters = clusters.filter(has);
        Ok(clusters
            .next()
            .map(|cluster| read(TargetKind::Cluster, cluster)))
    }

    /// `rds:DescribeDBEngineVersions` for one version; `None` when RDS does not offer it any more.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn engine_version(
        &self,
        engine: &str,
        version: &str,
    ) -> Result<Option<EngineVersion>, AwsError> {
        let parameters = [
            ("Engine".to_owned(), engine.to_owned()),
            ("EngineVersion".to_owned(), version.to_owned()),
            ("IncludeAll".to_owned(), "true".to_owned()),
        ];
        let tree = self
            .query(Service::Rds, "DescribeDBEngineVersions", &parameters)
            .await?;
        Ok(tree.find("DBEngineVersion").map(|found| EngineVersion {
            version: found.text_of("EngineVersion").unwrap_or_default(),
            status: found
                .text_of("Status")
                .unwrap_or_else(|| "available".to_owned()),
        }))
    }

    /// The value of a parameter in a parameter group; `None` when it is not set.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn parameter(&self, group: &str, name: &str) -> Result<Option<String>, AwsError> {
        let mut marker: Option<String> = None;
        for _page in 0..20 {
            let mut parameters = vec![("DBParameterGroupName".to_owned(), group.to_owned())];
            parameters.extend(marker.take().map(|marker| ("Marker".to_owned(), marker)));
            let tree = self
                .query(Service::Rds, "DescribeDBParameters", &parameters)
                .await?;
            let all = tree.find("Parameters").into_iter().flat_map(Element::items);
            let mut found =
                all.filter(|item| item.text_of("ParameterName").as_deref() == Some(name));
            if let Some(item) = found.next() {
                return Ok(item.text_of("ParameterValue"));
            }
            marker = tree
                .find("DescribeDBParametersResult")
                .and_then(|result| result.text_of("Marker"));
            if marker.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Switches IAM authentication on or off, at once.
    pub(crate) async fn set_iam_authentication(
        &self,
        kind: TargetKind,
        identifier: &str,
        enabled: bool,
    ) -> Result<(), AwsError> {
        let (action, name) = match kind {
            TargetKind::Cluster => ("ModifyDBCluster", "DBClusterIdentifier"),
            _ => ("ModifyDBInstance", "DBInstanceIdentifier"),
        };
        let parameters = [
            (name.to_owned(), identifier.to_owned()),
            (
                "EnableIAMDatabaseAuthentication".to_owned(),
                enabled.to_string(),
            ),
            ("ApplyImmediately".to_owned(), "true".to_owned()),
        ];
        self.query(Service::Rds, action, &parameters)
            .await
            .map(|_answer| ())
    }
}

impl DatabaseTarget {
    /// IAM authentication is on, nothing of it is pending, and the instance takes connections.
    #[must_use]
    pub fn iam_is(&self, enabled: bool) -> bool {
        self.iam_enabled == Some(enabled)
            && self.iam_pending.is_none_or(|pending| pending == enabled)
            && self.status == "available"
    }

    /// Whether its class is one that AWS calls burstable and small.
    #[must_use]
    pub fn is_small(&self) -> bool {
        let class = self.instance_class.as_deref().unwrap_or_default();
        let burstable = class.starts_with("db.t");
        burstable
            && ["nano", "micro", "small"]
                .iter()
                .any(|size| class.ends_with(size))
    }
}

fn read(kind: TargetKind, element: &Element) -> DatabaseTarget {
    let text = |name: &str| element.text_of(name);
    let names = names(kind);
    let arn = text(names.2);
    // A proxy's resource id is the end of its ARN.
    let resource_id = match kind {
        TargetKind::Proxy => arn
            .as_deref()
            .and_then(|arn| arn.rsplit(':').next())
            .map(str::to_owned),
        _ => text(names.1),
    };
    let pending = element.child("PendingModifiedValues");
    let list = |name: &str| -> Vec<String> {
        let items = element.child(name).into_iter().flat_map(Element::items);
        items
            .map(|item| item.own_text().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    };
    let group = element
        .child("DBParameterGroups")
        .and_then(|groups| groups.items().next())
        .and_then(|group| group.text_of("DBParameterGroupName"));
    DatabaseTarget {
        kind,
        identifier: text(names.0).unwrap_or_default(),
        resource_id,
        arn,
        engine: text("Engine")
            .or_else(|| text("EngineFamily"))
            .unwrap_or_default(),
        engine_version: text("EngineVersion").unwrap_or_default(),
        status: text(names.3).unwrap_or_default(),
        iam_enabled: element.flag("IAMDatabaseAuthenticationEnabled"),
        iam_pending: pending.and_then(|pending| pending.flag("IAMDatabaseAuthenticationEnabled")),
        instance_class: text("DBInstanceClass"),
        cluster: (kind == TargetKind::Instance)
            .then(|| text("DBClusterIdentifier"))
            .flatten(),
        master_username: text("MasterUsername"),
        master_authentication: text("MasterUserAuthenticationType"),
        replicas: list("ReadReplicaDBInstanceIdentifiers"),
        kerberos: element
            .child("DomainMemberships")
            .is_some_and(|domains| domains.items().next().is_some()),
        outpost: element
            .find("SubnetOutpost")
            .is_some_and(|outpost| outpost.text_of("Arn").is_some()),
        ca: text("CACertificateIdentifier"),
        log_exports: list("EnabledCloudwatchLogsExports"),
        parameter_group: group.or_else(|| text("DBClusterParameterGroup")),
    }
}

/// What each kind calls its identifier, resource id, ARN and status.
fn names(kind: TargetKind) -> (&'static str, &'static str, &'static str, &'static str) {
    match kind {
        TargetKind::Instance => (
            "DBInstanceIdentifier",
            "DbiResourceId",
            "DBInstanceArn",
            "DBInstanceStatus",
        ),
        TargetKind::Cluster => (
            "DBClusterIdentifier",
            "DbClusterResourceId",
            "DBClusterArn",
            "Status",
        ),
        TargetKind::Proxy => ("DBProxyName", "", "DBProxyArn", "Status"),
    }
}
