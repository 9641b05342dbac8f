//! What stands beside a database under other names: the other side of a blue/green deployment, the clusters of a
//! global database, the custom endpoints of a cluster.

use serde::Serialize;

use super::{
    client::{AwsApi, AwsError, Service},
    rds::{DatabaseTarget, TargetKind},
    xml::Element,
};

/// A blue/green deployment that has not been switched over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlueGreen {
    /// Its name.
    pub name: String,
    /// Such as `AVAILABLE`.
    pub status: String,
    /// Whether the database that was asked about is the green side.
    pub asked_of_green: bool,
    /// What takes the database's place, and its replicas'; each has a resource id of its own.
    pub green: Vec<DatabaseTarget>,
}

impl AwsApi {
    /// The blue/green deployment that a database is a side of, while the switch is still to come.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn blue_green(
        &self,
        database: &DatabaseTarget,
    ) -> Result<Option<BlueGreen>, AwsError> {
        let Some(arn) = &database.arn else {
            return Ok(None);
        };
        let all = self
            .all(
                Service::Rds,
                "DescribeBlueGreenDeployments",
                "BlueGreenDeployments",
            )
            .await?;
        let side = |deployment: &&Element, name| deployment.text_of(name).as_ref() == Some(arn);
        let to_come = |deployment: &&Element| {
            let status = deployment.text_of("Status").unwrap_or_default();
            !matches!(status.as_str(), "SWITCHOVER_COMPLETED" | "DELETING")
        };
        let mut ours = all
            .iter()
            .filter(to_come)
            .filter(|deployment| side(deployment, "Source") || side(deployment, "Target"));
        let Some(deployment) = ours.next() else {
            return Ok(None);
        };
        let asked_of_green = side(&deployment, "Target");
        let mut green = Vec::new();
        for arn in members(database.kind, deployment) {
            // One that is still being made is not there yet.
            if let Some(target) = self.describe(database.kind, &arn).await? {
                green.push(target);
            }
        }
        Ok(Some(BlueGreen {
            name: deployment
                .text_of("BlueGreenDeploymentName")
                .unwrap_or_default(),
            status: deployment.text_of("Status").unwrap_or_default(),
            asked_of_green,
            green,
        }))
    }

    /// Region and identifier of the cluster that a global writer endpoint leads to now.
    ///
    /// # Errors
    /// [`AwsError`].
    pub(super) async fn global_writer(
        &self,
        endpoint: &str,
    ) -> Result<Option<(String, String)>, AwsError> {
        let all = self
            .all(Service::Rds, "DescribeGlobalClusters", "GlobalClusters")
            .await?;
        let has = |cluster: &&Element| cluster.text_of("Endpoint").as_deref() == Some(endpoint);
        let Some(cluster) = all.iter().find(has) else {
            return Ok(None);
        };
        let members = cluster.child("GlobalClusterMembers");
        let mut members = members.into_iter().flat_map(Element::items);
        let writer = members.find(|member| member.flag("IsWriter") == Some(true));
        let arn = writer.and_then(|writer| writer.text_of("DBClusterArn"));
        Ok(arn.and_then(|arn| {
            let mut parts = arn.split(':').skip(3);
            let region = parts.next()?.to_owned();
            let identifier = parts.nth(2)?.to_owned();
            Some((region, identifier))
        }))
    }

    /// `ANY` or `READER`: which instances a custom endpoint may lead to.
    ///
    /// # Errors
    /// [`AwsError`].
    pub(super) async fn custom_endpoint(
        &self,
        cluster: &str,
        endpoint: &str,
    ) -> Result<Option<String>, AwsError> {
        let parameters = [("DBClusterIdentifier".to_owned(), cluster.to_owned())];
        let tree = self
            .query(Service::Rds, "DescribeDBClusterEndpoints", &parameters)
            .await?;
        let all = tree.find("DBClusterEndpoints");
        let mut all = all.into_iter().flat_map(Element::items);
        let found = all.find(|found| found.text_of("Endpoint").as_deref() == Some(endpoint));
        Ok(found.and_then(|found| found.text_of("CustomEndpointType")))
    }
}

/// The identifiers of the green side, by what they are.
fn members(kind: TargetKind, deployment: &Element) -> Vec<String> {
    let part = match kind {
        TargetKind::Cluster => ":cluster:",
        TargetKind::Instance | TargetKind::Proxy => ":db:",
    };
    let switched = deployment.child("SwitchoverDetails");
    let switched = switched.into_iter().flat_map(Element::items);
    let target = deployment.text_of("Target").into_iter();
    let arns = target.chain(switched.filter_map(|member| member.text_of("TargetMember")));
    let mut found: Vec<String> = Vec::new();
    for arn in arns {
        if let Some((_, identifier)) = arn.split_once(part)
            && !found.iter().any(|earlier| earlier == identifier)
        {
            found.push(identifier.to_owned());
        }
    }
    found
}
